"""Letting a screened order go. The sealed message goes as it is; where a line of it was cancelled, one is written anew.

A cancel that was confirmed before anything left stays true: its line never leaves, in no message. The rest is written,
checked and sealed again, unless the prescriber signed the order as a whole, for then a new signature is needed.

Source: mapping.md 10.2 (AWAITING_SCREENING), 10.3; reliability-security.md I7; brief D2.
"""

from dataclasses import replace

from gateway.domain.acts import Act, Screened
from gateway.domain.message import SealedMessage
from gateway.enquiries import Enquiries
from gateway.pipeline.rewriting import rewrite
from gateway.pipeline.sealing import FIRST_EPOCH, seal_facts
from gateway.pipeline.translate import Surroundings
from gateway.ports import Clock, Sealer, Store


class Pharmacy:
    """What a trust's pharmacist lets go.

    Args:
        store: where everything commits.
        enquiries: where it is looked up what waits.
        sealer: the gateway's seal.
        around: configuration, tables and adapters in force.
        clock: the time at which what is written anew is checked.
    """

    def __init__(
        self, *, store: Store, enquiries: Enquiries, sealer: Sealer, around: Surroundings, clock: Clock
    ) -> None:
        self._store = store
        self._enquiries = enquiries
        self._sealer = sealer
        self._around = around
        self._clock = clock

    async def screen(self, act: Act) -> tuple[str, ...]:
        """Let the lines of an order go that passed its screening.

        Returns:
            Why nothing was done, in words; empty when it was.

        Raises:
            Unavailable: the store or the key is away; nothing was done.
        """
        found = await self._enquiries.screened(act.prescription_id)
        if found is None or found.whole:
            return await self._store.pass_screening(act)
        anew = await self._without_the_cancelled(found)
        return anew if isinstance(anew, tuple) else await self._store.pass_screening(act, anew)

    async def _without_the_cancelled(self, found: Screened) -> SealedMessage | tuple[str, ...]:
        """Write what still waits of an order as a message of its own, with its own name."""
        written = await self._enquiries.written(found.key)
        provider = self._around.routing.providers.get(found.destination) if found.destination else None
        if provider is None:
            return ("its provider is not configured",)
        if written.prescription is None:
            return ("the order was never completed",)
        left = {line.id: line.total_supplies for line in written.prescription.lines if line.id in found.waiting}
        named = replace(written.envelope, control_id=f"{written.envelope.control_id} screened")
        anew = rewrite(
            replace(written, envelope=named),
            left=left,
            provider=provider,
            epoch=FIRST_EPOCH,
            now=self._clock.now(),
            around=self._around,
        )
        if isinstance(anew, tuple):
            return anew
        facts = seal_facts(written.submission, written.envelope, anew.prescription, self._around)
        if anew.signature:
            facts = replace(facts, signature_verdict=anew.signature.words)
        if anew.rendered:
            facts = replace(facts, rendered=anew.rendered.body, rendered_type=anew.rendered.content_type)
        return self._sealer.seal(anew.message, facts)
