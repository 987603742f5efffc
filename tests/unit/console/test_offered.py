"""Which act is offered in which state, to which role; and every refusal says in words why."""

from datetime import timedelta

import pytest

from gateway.access.policy import Action
from gateway.access.principal import Kind, Principal
from gateway.access.roles import Role
from gateway.console.acting.offered import ROWS, ActName, Standing, offers, standings, why_not
from gateway.console.site import Looker
from gateway.domain.cancel import CancelState
from gateway.domain.fence import FREE, REVOCABLE
from gateway.domain.hold import HOLDABLE, HoldKind
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LINE_TABLE, TERMINAL, Actor, LineEvent, LineState
from gateway.domain.renewal import RenewalState
from gateway.enquiries import EventView, Found, LineView, PrescriptionView
from tests.factories import MOMENT, prescription

S = LineState
A = ActName
EVERYTHING = frozenset({"change-awaits-ruling", "tell-stuck"})
FORBIDDEN_ALONE = ("processed", "successful", "failed", "acknowledged", "pending", "in progress")

SHOULD = {
    A.CANCEL: set(S) - TERMINAL - {S.RECEIVED, S.FULFILLED},
    A.HOLD: set(HOLDABLE),
    A.RELEASE: {S.ON_HOLD},
    A.REROUTE: set(FREE | REVOCABLE),
    A.SEND_AGAIN: {S.READY, S.UNDELIVERABLE},
    A.RESOLVE: {S.UNCERTAIN},
    A.ANSWER: {S.QUERIED},
    A.CLOSE: {S.REJECTED, S.RETURNED, S.UNDELIVERABLE},
    A.RULE: {S.READY},
    A.RENEWAL: set(S) - {S.RECEIVED, S.REFUSED, S.HELD},
    A.RESCUE: set(S) - TERMINAL - {S.RECEIVED, S.HELD, S.AWAITING_SCREENING, S.READY},
    A.ORDER_NUMBER: set(S) - {S.RECEIVED, S.REFUSED},
    A.PAPER: set(S) - {S.RECEIVED, S.REFUSED, S.HELD},
    A.NEWS: set(S) - {S.RECEIVED},
    A.CORRECT: {S.HELD, S.REJECTED, S.RETURNED, S.REFUSED},
}


def standing(state: LineState, act: ActName) -> Standing:
    return Standing(
        state=state,
        renewal=RenewalState.REQUESTED,
        supplies_open=True,
        alerts=EVERYTHING,
        paper=act is A.PAPER,
    )


@pytest.mark.parametrize("act", A)
@pytest.mark.parametrize("state", S)
def test_each_act_is_offered_in_its_states_and_refused_in_words_in_all_others(act: ActName, state: LineState) -> None:
    why = why_not(act, standing(state, act))
    assert (why == "") is (state in SHOULD[act])
    assert "{" not in why
    assert not why or why.endswith(".")


@pytest.mark.parametrize(
    ("act", "event"),
    [
        (A.CLOSE, LineEvent.CLOSE),
        (A.ANSWER, LineEvent.ANSWERED),
        (A.RESOLVE, LineEvent.NEVER_HAD_IT),
    ],
)
def test_what_moves_a_line_is_offered_where_the_lifecycle_lets_it(act: ActName, event: LineEvent) -> None:
    people = {Actor.TRUST_PHARMACIST, Actor.OPERATOR}
    possible = {state for row in LINE_TABLE if row.event is event and row.actors & people for state in row.states}
    assert possible == SHOULD[act]


def test_what_is_in_doubt_is_never_sent_again_and_the_sentence_says_why() -> None:
    why = why_not(A.SEND_AGAIN, Standing(state=S.UNCERTAIN))
    assert "could be supplied twice" in why
    assert "Ask the provider" in why


@pytest.mark.parametrize("cancel", [CancelState.ASKED, CancelState.PENDING, CancelState.TOO_LATE])
@pytest.mark.parametrize("act", [A.CANCEL, A.HOLD, A.REROUTE])
def test_a_cancel_under_way_stands_in_the_way(act: ActName, cancel: CancelState) -> None:
    why = why_not(act, Standing(state=S.ACCEPTED, cancel=cancel))
    assert why
    assert ("too late" in why) is (cancel is CancelState.TOO_LATE)


def test_a_hold_that_was_asked_can_be_taken_back_and_not_asked_again() -> None:
    line = Standing(state=S.ACCEPTED, asked=HoldKind.HOLD)
    assert "not on hold" in why_not(A.HOLD, line)
    assert why_not(A.RELEASE, line) == ""
    assert "still on hold" in why_not(A.RELEASE, Standing(state=S.ON_HOLD, asked=HoldKind.RELEASE))


@pytest.mark.parametrize(
    ("act", "line"),
    [
        (A.RULE, Standing(state=S.READY)),
        (A.RENEWAL, Standing(state=S.IN_SUPPLY, renewal=RenewalState.DECLINED)),
        (A.RESCUE, Standing(state=S.IN_SUPPLY)),
        (A.PAPER, Standing(state=S.ACCEPTED)),
        (A.NEWS, Standing(state=S.ACCEPTED)),
    ],
)
def test_what_nothing_waits_for_is_not_offered(act: ActName, line: Standing) -> None:
    assert why_not(act, line)


def test_no_sentence_uses_a_word_that_hides_who_and_what() -> None:
    said = [why_not(act, standing(state, act)).lower() for act in A for state in S]
    assert not [words for words in said for bad in FORBIDDEN_ALONE if bad in words]


def looker(role: Role) -> Looker:
    return Looker(principal=Principal(kind=Kind.PERSON, tenant=OdsCode("RBA"), name="p.one", role=role))


def view(state: LineState = S.ACCEPTED, *events: str) -> PrescriptionView:
    what = prescription()
    line = what.lines[0]
    found = Found(
        prescription_id=what.id,
        number=str(what.number),
        group_number="G",
        tenant=OdsCode("RBA"),
        destination=OdsCode("VNE51"),
        state=state,
        received_at=MOMENT,
        medicines=("Medicine",),
        alerts=0,
    )
    shown = LineView(
        line_id=line.id,
        order_number="RX1",
        product="Medicine",
        product_code="1",
        directions="",
        quantity="",
        state=state,
        holder="provider",
        act_by=None,
        epoch=1,
        delivered=0,
        total_supplies=6,
    )
    history = tuple(
        EventView(
            seq=seq,
            at=MOMENT + timedelta(minutes=seq),
            line_id=line.id,
            event=event,
            state_before=state,
            state_after=state,
            actor="TP",
            text="",
        )
        for seq, event in enumerate(events)
    )
    return PrescriptionView(
        found=found,
        control_id="C",
        format="hl7v2",
        patient_name="",
        nhs_number="",
        birth_date="",
        prescriber="",
        lines=(shown,),
        events=history,
        alerts=(),
        issues=(),
        source=b"",
        message=None,
    )


@pytest.mark.parametrize(
    ("role", "acts", "never"),
    [
        (Role.HOMECARE_PHARMACIST, {A.CANCEL, A.HOLD, A.CLOSE, A.REROUTE}, set()),
        (Role.PHARMACY_TECHNICIAN, {A.ORDER_NUMBER, A.PAPER, A.CORRECT}, {A.CANCEL, A.HOLD, A.REROUTE, A.CLOSE}),
        (Role.PRESCRIBER, {A.CANCEL, A.RENEWAL}, {A.HOLD, A.CLOSE, A.ORDER_NUMBER}),
        (Role.CHIEF_PHARMACIST, {A.REROUTE}, {A.CANCEL}),
        (Role.PROVIDER_PHARMACIST, {A.CORRECT}, {A.CANCEL, A.HOLD, A.REROUTE, A.RESCUE}),
    ],
)
def test_a_role_is_shown_what_it_may_do_and_nothing_else(role: Role, acts: set[ActName], never: set[ActName]) -> None:
    shown = {offer.act for offer in offers(view(), looker(role))}
    assert acts <= shown
    assert not shown & never


def test_each_address_is_the_acts_own_and_holds_an_opaque_id_alone() -> None:
    one = view()
    (cancel,) = [offer for offer in offers(one, looker(Role.PRESCRIBER)) if offer.act is A.CANCEL]
    assert cancel.href == f"/console/prescriptions/{one.found.prescription_id}/cancel"
    assert cancel.why_not == ""


@pytest.mark.parametrize(
    ("events", "cancel", "asked"),
    [
        ((), CancelState.NONE, None),
        (("cancel_asked",), CancelState.ASKED, None),
        (("cancel_asked", "cancel_pending"), CancelState.PENDING, None),
        (("cancel_asked", "cancel_too_late"), CancelState.TOO_LATE, None),
        (("hold_asked",), CancelState.NONE, HoldKind.HOLD),
        (("hold_asked", "hold_refused"), CancelState.NONE, None),
        (("hold_asked", "hold_confirmed", "release_asked"), CancelState.NONE, HoldKind.RELEASE),
    ],
)
def test_how_a_line_stands_is_read_from_its_history(
    events: tuple[str, ...], cancel: CancelState, asked: HoldKind | None
) -> None:
    (one,) = standings(view(S.ACCEPTED, *events)).values()
    assert (one.cancel, one.asked) == (cancel, asked)


def test_every_act_has_one_row_and_needs_an_action_of_its_role() -> None:
    assert [row.act for row in ROWS] == list(A)
    assert {row.action for row in ROWS} <= set(Action)
