"""What people at the console and on the command line use, as the production has it, less the writing of FHIR.

The judgements, the looks and the commits are the production code; what it would write and seal is a letter.

Source: console.md 6.3; mapping.md 10.2 and 10.3.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from gateway.domain.asking import Wish
from gateway.domain.fence import next_epoch
from gateway.domain.message import SealedMessage
from gateway.domain.partner import Environment, Provider
from gateway.domain.reroute import HeldLine, HeldPrescription, WrittenOrder
from gateway.domain.validity import not_valid_after
from gateway.pipeline.again import SendingAgain
from gateway.pipeline.asking import Asking
from gateway.pipeline.bench import Bench
from gateway.pipeline.changes import unreachable
from gateway.pipeline.holding import LineHold
from gateway.pipeline.reroute import Rerouting
from gateway.ports.acceptance import KnownLine
from tests.sim.trusts import Scribe

if TYPE_CHECKING:
    from tests.sim.world import World

B = TypeVar("B", bound=Bench)


_OVER: Final = ("the prescription is no longer valid: a new one is needed",)


@dataclass(frozen=True, slots=True)
class Anew:
    """What would be sealed: lines with what is left of each, for one provider, under one epoch."""

    lines: tuple[HeldLine, ...]
    provider: Provider
    epoch: int
    until: datetime


class Letters(Bench):
    """A bench on which letters are written."""

    scribe: Scribe

    def _rewrite(self, written: WrittenOrder, lines: Sequence[HeldLine], provider: Provider) -> Any:
        if written.prescription is None:
            return ("the order was never completed",)
        until = not_valid_after(written.prescription)
        if until < self._clock.now():
            return _OVER
        return Anew(tuple(lines), provider, next_epoch([line.holding for line in lines]), until)

    def _sealed(self, written: WrittenOrder, anew: Any) -> SealedMessage:
        own = {one.id: one for one in written.prescription.lines} | self.scribe.lines
        rest = tuple(replace(own[line.line_id], total_supplies=line.holding.left) for line in anew.lines)
        salt = f"anew {written.submission.tenant} {anew.provider.ods} {anew.epoch} {self._clock.now().isoformat()}"
        return self.scribe.desk.seal(
            rest, anew.provider.ods, epoch=anew.epoch, salt=f"{salt} {rest[0].id}", until=anew.until
        )

    def _holder_of(self, line: KnownLine | HeldLine) -> Provider | None:
        ods = line.destination if isinstance(line, KnownLine) else line.holding.provider
        return self._around.routing.providers.get(ods) if ods else None

    def _update_of(
        self, line: KnownLine | HeldLine, *, epoch: int, kind: str, name: str, now: datetime
    ) -> SealedMessage | None:
        """Give what asks the holder of a line for something; None where it cannot be told."""
        provider, order = self._holder_of(line), line.message_id
        if provider is None or order is None:
            return None
        what, salt = (self.scribe.lines[line.line_id],), f"{name} {line.line_id} {epoch} {now.isoformat()}"
        return self.scribe.desk.seal(what, provider.ods, epoch=epoch, salt=salt, kind=kind, order=order)


class SimAsking(Letters, Asking):
    """Cancels, holds and releases that a person asks."""

    def _withdrawal(self, wish: Wish, line: KnownLine, order: WrittenOrder | None) -> SealedMessage | None:  # noqa: ARG002 - the production's
        if unreachable(line):
            return None
        now = self._clock.now()
        return self._update_of(line, epoch=max(line.epoch, 1), kind="cancel", name="console", now=now)

    def _update(self, wish: Wish, one: LineHold, order: WrittenOrder | None, now: datetime) -> SealedMessage | None:  # noqa: ARG002 - the production's
        return self._update_of(one.line, epoch=max(one.line.epoch, 1), kind=one.kind.value, name="console", now=now)


class SimRerouting(Letters, Rerouting):
    """Re-routes that two people want."""

    def _provider(self, held: HeldPrescription, written: WrittenOrder, to: Any) -> Provider | str:  # noqa: ARG002 - the production's
        return self._usable(to) or f"{to} is not a provider that is known and active here"

    async def _revocation(self, held: HeldPrescription, line: HeldLine) -> SealedMessage | None:  # noqa: ARG002 - the production's
        return self._update_of(line, epoch=line.holding.epoch, kind="cancel", name="reroute", now=self._clock.now())


class SimSendingAgain(Letters, SendingAgain):
    """Sending again what never left."""


def service(world: "World", kind: type[B]) -> B:
    """Give a service on the gateway's process of now, with the providers that its configuration has."""
    gateway = world.gateway
    known = [party for party in world.parties if party.ods not in gateway.removed]
    around = SimpleNamespace(
        environment=Environment.TEST,
        trusts=dict.fromkeys(world.trusts),
        routing=SimpleNamespace(providers={one.ods: _provider(one.ods) for one in known}),
        destinations={one.ods: _ADAPTER for one in known},
    )
    made = kind(
        store=gateway.store,
        enquiries=gateway.enquiries,
        sealer=cast("Any", None),
        around=cast("Any", around),
        clock=cast("Any", gateway),
    )
    cast("Any", made).scribe = world.scribe
    return made


_ADAPTER = SimpleNamespace(promises=SimpleNamespace(refuses_expired=False, holds=True))


def _provider(ods: Any) -> Provider:
    return Provider(ods=ods, name=str(ods), environment=Environment.TEST, adapter="sim", endpoint="")
