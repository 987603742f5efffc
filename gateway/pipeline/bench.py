"""Where a message is written and sealed anew, outside the way of a submission: what all who do that work with."""

from collections.abc import Sequence
from dataclasses import replace

from gateway.domain.fence import next_epoch
from gateway.domain.message import SealedMessage
from gateway.domain.partner import Provider
from gateway.domain.reroute import HeldLine, WrittenOrder
from gateway.enquiries import Enquiries
from gateway.pipeline.rewriting import Rewritten, rewrite
from gateway.pipeline.sealing import seal_facts
from gateway.pipeline.surroundings import Surroundings
from gateway.ports.clock import Clock
from gateway.ports.sealer import Sealer
from gateway.ports.store import Store


class Bench:
    """What is at hand.

    Args:
        store: where everything commits.
        enquiries: where it is looked up what stands how, and who holds what.
        sealer: the gateway's seal.
        around: configuration, tables and adapters in force.
        clock: the time at which things are judged, and what is written anew is checked.
    """

    def __init__(
        self, *, store: Store, enquiries: Enquiries, sealer: Sealer, around: Surroundings, clock: Clock
    ) -> None:
        self._store = store
        self._enquiries = enquiries
        self._sealer = sealer
        self._around = around
        self._clock = clock

    def _rewrite(
        self, written: WrittenOrder, lines: Sequence[HeldLine], provider: Provider
    ) -> Rewritten | tuple[str, ...]:
        """Write what is left of lines anew for a provider, under the next epoch; say why not where it cannot be."""
        return rewrite(
            written,
            left={line.line_id: line.holding.left for line in lines},
            provider=provider,
            epoch=next_epoch([line.holding for line in lines]),
            now=self._clock.now(),
            around=self._around,
        )

    def _sealed(self, written: WrittenOrder, anew: Rewritten) -> SealedMessage:
        """Seal what was written anew of an order.

        Raises:
            Unavailable: the key is away.
        """
        facts = replace(
            seal_facts(written.submission, written.envelope, anew.prescription, self._around), epoch=anew.epoch
        )
        if anew.signature:
            facts = replace(facts, signature_verdict=anew.signature.words)
        if anew.rendered:
            facts = replace(facts, rendered=anew.rendered.body, rendered_type=anew.rendered.content_type)
        return self._sealer.seal(anew.message, facts)
