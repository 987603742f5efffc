"""A submission after every pure step, order by order.

Source: brief D1.
"""

from dataclasses import dataclass

from gateway.destination import Rendered
from gateway.domain.message import FhirMessage
from gateway.domain.partner import Provider
from gateway.domain.prescription import Prescription
from gateway.domain.signature import PrescriberVerdict
from gateway.domain.submission import Envelope, Order, OrderVerdict, Verdict
from gateway.domain.trace import Leftover, TraceRow
from gateway.pipeline.changes import LineCancel
from gateway.pipeline.holding import LineHold
from gateway.ports.acceptance import KnownLine, Tombstone


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslatedOrder:
    """One order after every pure step; `message` only when it may be sealed."""

    verdict: OrderVerdict
    order: Order
    prescription: Prescription | None = None
    message: FhirMessage | None = None
    provider: Provider | None = None
    rendered: Rendered | None = None
    trace: tuple[TraceRow, ...] = ()
    supersedes: tuple[KnownLine, ...] = ()
    cancels: tuple[LineCancel, ...] = ()
    holds: tuple[LineHold, ...] = ()
    tombstones: tuple[Tombstone, ...] = ()
    signature: PrescriberVerdict | None = None

    @property
    def messages(self) -> tuple[FhirMessage, ...]:
        """Every message this order leads to, in the order in which the provider must see them (I16)."""
        cancels = [one.message for one in self.cancels if one.message is not None and not one.repeated]
        holds = [one.message for one in self.holds if one.message is not None and not one.repeated]
        return (*cancels, *holds, *((self.message,) if self.message is not None else ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """A submission after every pure step."""

    envelope: Envelope
    verdict: Verdict
    orders: tuple[TranslatedOrder, ...] = ()
    leftovers: tuple[Leftover, ...] = ()
