"""Letting a screened order go. The sealed message goes as it is; where a line of it was cancelled, one is written anew.

A cancel that was confirmed before anything left stays true: its line never leaves, in no message. The rest is written,
checked and sealed again, unless the prescriber signed the order as a whole, for then a new signature is needed.

Source: mapping.md 10.2 (AWAITING_SCREENING), 10.3; reliability-security.md I7; brief D2.
"""

from dataclasses import replace

from gateway.domain.acts import Act, Screened
from gateway.domain.message import SealedMessage
from gateway.pipeline.bench import Bench
from gateway.pipeline.rewriting import rewrite
from gateway.pipeline.sealing import FIRST_EPOCH


class Pharmacy(Bench):
    """What a trust's pharmacist lets go."""

    async def screen(self, act: Act) -> tuple[str, ...]:
        """Let the lines of an order go that passed its screening.

        Returns:
            Why nothing was done, in words; empty when it was.

        Raises:
            Unavailable: the store or the key is away; nothing was done.
        """
        found = await self._enquiries.screened(act.prescription_id, tenant=act.tenant)
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
        return anew if isinstance(anew, tuple) else self._sealed(written, anew)
