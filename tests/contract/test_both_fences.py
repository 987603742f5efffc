"""The fence and the database's own agree on whatever a provider may say of a line that is not, or no longer, with it.

The program is asked first, so that a person reads a reason; where the database alone refused, the person would read
the fault of a program, and all that was to move together would have stayed (I10).
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import pytest

from gateway.destination import Refused, Taken, TransmitOutcome, TryLater
from gateway.domain.fence import Ground, decide, why_not_sent_again
from gateway.domain.identifiers import OdsCode, derived_id
from gateway.domain.lifecycle import LineEvent
from gateway.domain.message import MessageEvent, SealedMessage
from gateway.domain.prescription import Prescription
from gateway.domain.reroute import HeldLine, Reroute, Wanted
from gateway.ports.again import Again
from tests.contract.store_engines import PROVIDER, TRUST, Exchange, make_acceptance, make_order, make_prescription
from tests.factories import MOMENT

NEXT: Final = OdsCode("VNCEL")
PEOPLE: Final = ("anna", "ben")
LATER: Final = TryLater(reason="busy")
SENT: Final[dict[str, tuple[TransmitOutcome, bool]]] = {
    "tried again later": (LATER, True),
    "tried for good": (LATER, False),
    "refused": (Refused(reason="no"), False),
    "taken": (Taken(), False),
}
"""How the attempt went, and whether another follows."""
SAID: Final = [(event,) for event in LineEvent] + [
    (LineEvent.REJECTED, event) for event in LineEvent if event is not LineEvent.REJECTED
]


@pytest.mark.parametrize(("outcome", "again"), SENT.values(), ids=SENT.keys())
async def test_whatever_the_provider_said_the_store_does_what_the_fence_says(
    exchange: Exchange,
    outcome: TransmitOutcome,
    again: bool,  # noqa: FBT001
) -> None:
    wrong, opened, withheld = [], 0, 0
    for number, events in enumerate(SAID):
        what = make_prescription(f"A{number}")
        line = await _said(exchange, what, outcome, events, again=again)
        if line is None:
            continue
        verdict = decide(line.holding, to=NEXT, now=exchange.clock.now(), people=PEOPLE)
        reasons = await exchange.store.reroute(_reroute(what, line))
        wrong += [] if isinstance(verdict, Ground) is (reasons == ()) else [(events, verdict, reasons)]
        opened, withheld = opened + (reasons == ()), withheld + (reasons != ())
    assert wrong == []
    assert withheld
    assert opened or isinstance(outcome, Taken)


async def test_whatever_the_provider_said_a_line_is_sent_again_only_as_the_fence_says(exchange: Exchange) -> None:
    wrong, opened = [], 0
    for number, events in enumerate(SAID):
        what = make_prescription(f"A{number}")
        line = await _said(exchange, what, LATER, events, again=False)
        if line is None:
            continue
        why = why_not_sent_again(line.holding)
        reasons = await exchange.store.send_again(_again(exchange, what, line))
        wrong += [] if bool(why) is bool(reasons) else [(events, why, reasons)]
        if reasons == ():
            opened += 1
            await exchange.deliver()
    assert wrong == []
    assert opened


async def _said(
    exchange: Exchange, what: Prescription, outcome: TransmitOutcome, events: Sequence[LineEvent], *, again: bool
) -> HeldLine | None:
    """Send an order, let its provider say something of it, and give its line as the fence sees it; None at an end."""
    await exchange.store.accept(make_acceptance(str(what.id), make_order(what)))
    claim = await exchange.send()
    at = exchange.clock.now() + timedelta(days=900) if again else None
    await exchange.store.record(claim, outcome, now=exchange.clock.now(), retry_at=at)
    for event in events:
        await exchange.answer(claim.message_id, event, id=f"{what.id}-{event}", epoch=1)
    held = await exchange.enquiries.held(prescription_id=what.id)
    return held[0].lines[0] if held and held[0].lines else None


def _sealed(what: Prescription, to: OdsCode) -> SealedMessage:
    return SealedMessage(
        id=derived_id("both", str(what.id), to.value),
        event=MessageEvent.ORDER,
        destination=to,
        line_ids=tuple(line.id for line in what.lines),
        epoch=2,
        not_valid_after=MOMENT + timedelta(days=180),
        body=b'{"resourceType":"Bundle"}',
    )


def _reroute(what: Prescription, line: HeldLine) -> Reroute:
    wanted = Wanted(to=NEXT, people=PEOPLE, reason="the provider has left the market")
    return Reroute(tenant=TRUST, seen={line.line_id: 1}, message=_sealed(what, NEXT), wanted=wanted)


def _again(exchange: Exchange, what: Prescription, line: HeldLine) -> Again:
    return Again(
        tenant=TRUST,
        seen={line.line_id: 1},
        message=_sealed(what, PROVIDER),
        by="p.one",
        reason="They are back.",
        now=exchange.clock.now(),
    )
