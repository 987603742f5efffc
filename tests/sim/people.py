"""What operators do: give lines to another provider, finish what a holder gave up, ring about what is in doubt.

Source: reliability-security.md I10, I12; mapping.md 10.2.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

from gateway.domain.acts import Act, Ruling
from gateway.domain.identifiers import OdsCode
from gateway.domain.prescription import Prescription
from gateway.domain.reroute import Wanted
from gateway.domain.validity import not_valid_after
from gateway.ports.work import Whereabouts
from tests.sim.services import SimRerouting, service

if TYPE_CHECKING:
    from tests.sim.world import World

_PEOPLE: Final = ("ada", "ben")
_IN_DOUBT: Final = """
SELECT prescription.uuid, held.message, held.provider FROM line
JOIN allocation AS held ON held.line = line.id AND held.ended_at IS NULL
JOIN prescription ON prescription.id = line.prescription
WHERE line.state = 'UNCERTAIN' GROUP BY prescription.id, held.message
"""
_AWAITS: Final = """
SELECT line.uuid, prescription.uuid FROM alert JOIN line ON line.id = alert.line
JOIN prescription ON prescription.id = line.prescription
WHERE alert.kind = 'change-awaits-ruling' AND alert.closed_at IS NULL ORDER BY alert.id
"""
_CLOCK: Final = "SELECT id FROM alert WHERE kind = 'clock-jumped' AND closed_at IS NULL"
_FAILS: Final = 0.2
_PUTS_OFF: Final = 0.5


@dataclass(frozen=True, slots=True)
class Operators:
    """Two people at the gateway."""

    world: "World"

    async def move(self, prescription: UUID, to: OdsCode) -> None:
        """Two people give what is open of a prescription to another provider, or ask its holder for it."""
        gateway = self.world.gateway
        routes = service(self.world, SimRerouting)
        for held in await gateway.enquiries.held(prescription_id=prescription):
            plan = await routes.plan(held, to=to, people=_PEOPLE)
            await routes.carry_out(plan, Wanted(to=to, people=_PEOPLE, reason="sim"))
        gateway.wake()

    async def finish(self) -> None:
        """Give over what a holder has given up for a re-route."""
        await service(self.world, SimRerouting).finish()

    async def screen(self, what: Prescription, salt: str) -> None:
        """A pharmacist screens what waits of a prescription: it may go, or it may not."""
        gateway = self.world.gateway
        act = Act(prescription_id=what.id, by="ada", reason="sim", now=gateway.now())
        if self.world.dice.roll("screens", what.id) < _FAILS:
            self.world.oracle.seen["failed screening"] += bool(await gateway.store.fail_screening(act))
            return
        found = await gateway.enquiries.screened(what.id)
        if found is None or found.destination is None or found.destination in gateway.removed:
            return
        lines = tuple(self.world.scribe.lines[one] for one in found.waiting)
        message = None
        if not found.whole:
            until = not_valid_after(what)
            message = self.world.scribe.desk.seal(
                lines, found.destination, epoch=1, salt=f"{salt}{found.key}", until=until
            )
        if await gateway.store.pass_screening(act, message) == ():
            self.world.oracle.seen["passed screening"] += 1
        gateway.wake()

    async def rule(self) -> None:
        """A pharmacist rules on changes that wait for a cancel which came too late, sooner or later."""
        gateway = self.world.gateway
        for line, prescription in list(gateway.connection.execute(_AWAITS)):
            roll = self.world.dice.roll("rules", line.hex(), gateway.loop.now)
            if roll < _PUTS_OFF:
                continue
            ruling = Ruling.SEND if roll < (1 + _PUTS_OFF) / 2 else Ruling.DROP
            act = Act(prescription_id=UUID(bytes=prescription), by="ada", reason="sim", now=gateway.now())
            await gateway.store.rule(act, ruling)
        gateway.wake()

    async def settle_doubts(self) -> None:
        """Ring the providers about what is in doubt; nobody is asked while something is on its way to them."""
        gateway = self.world.gateway
        for prescription, message, ods in list(gateway.connection.execute(_IN_DOUBT)):
            party = next(one for one in self.world.parties if one.ods.value == ods)
            name = UUID(bytes=message)
            if party.flying.get(name, 0) or self.world.dice.roll("rings", name.hex, gateway.loop.now) < 0.5:
                continue
            found = Whereabouts.WITH_PROVIDER if name in party.took else Whereabouts.NEVER_ARRIVED
            await gateway.store.resolve_doubt(
                UUID(bytes=prescription), found=found, evidence="rang", by="ada", now=gateway.now()
            )
        gateway.wake()

    async def trust_clock(self) -> None:
        """Say of a clock that jumped that it is right; before the calm it may not be."""
        gateway = self.world.gateway
        for (alert,) in list(gateway.connection.execute(_CLOCK)):
            self.world.oracle.misled |= bool(gateway.skew)
            await gateway.store.close_alert(alert, by="ada", reason="compared with a watch", now=gateway.now())
