"""Why things wait for a person, and in which order: harm first, and what is not known counts as urgent."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.alert_kinds import ALERT_KINDS
from gateway.domain.deadline import Urgency
from gateway.domain.lifecycle import TERMINAL, LineState
from gateway.domain.medicine_risk import ORDINARY, RISK_CLASSES, risk_class
from gateway.domain.work_item import (
    INCIDENTS,
    KINDS,
    LEAD_TIME,
    OF_STATE,
    REASONS,
    Reason,
    Standing,
    last_day,
    measures_slack,
    reason_of,
    risk_of,
    settled,
    slack,
)

TODAY = date(2026, 10, 5)
SINCE = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)
SHARED = Path(__file__).parents[3] / "../shared/design/console.md"


@pytest.mark.parametrize("kind", sorted(ALERT_KINDS))
def test_every_kind_of_alert_has_one_reason(kind: str) -> None:
    assert kind == "overdue" or kind in KINDS


def test_no_reason_stands_there_for_nothing() -> None:
    used = (
        set(KINDS.values())
        | set(OF_STATE.values())
        | {
            Reason.HELD_CODE,
            Reason.HELD_RELEASE,
            Reason.SIGNATURE,
        }
    )
    assert set(Reason) == used
    assert set(REASONS) == set(Reason)


@pytest.mark.parametrize("state", sorted(set(LineState) - TERMINAL))
def test_an_overdue_line_has_the_reason_of_its_state(state: LineState) -> None:
    assert reason_of("overdue", state) is OF_STATE[state]


@pytest.mark.parametrize("state", sorted(LineState))
def test_what_was_late_is_settled_at_an_end_and_never_said_to_have_ended_early_there(state: LineState) -> None:
    ended = state is LineState.FULFILLED or (state in TERMINAL and state is not LineState.EXPIRED)
    assert settled("overdue", state) is ended
    assert not (state is LineState.FULFILLED and reason_of("overdue", state) is Reason.ENDED)


@pytest.mark.parametrize("kind", ["line-held", "overdue"])
@pytest.mark.parametrize(
    ("codes", "reason"),
    [
        ((), Reason.HELD_SOURCE),
        (("DOSE_CONFLICT",), Reason.HELD_SOURCE),
        (("DRUG_LOCAL_UNMAPPED",), Reason.HELD_CODE),
        (("DRUG_LOCAL_UNMAPPED", "DOSE_CONFLICT"), Reason.HELD_SOURCE),
        (("DRUG_UNKNOWN",), Reason.HELD_RELEASE),
        (("DRUG_LOCAL_UNMAPPED", "DRUG_UNKNOWN"), Reason.HELD_RELEASE),
        (("DRUG_UNKNOWN", "DOSE_CONFLICT"), Reason.HELD_SOURCE),
        (("DRUG_LOCAL_UNMAPPED", "SIGNATURE_UNVERIFIED"), Reason.SIGNATURE),
        (("FROM_TOMORROW",), Reason.HELD_SOURCE),
    ],
)
def test_a_held_line_has_the_reason_it_is_held_for(kind: str, codes: tuple[str, ...], reason: Reason) -> None:
    assert reason_of(kind, LineState.HELD, codes) is reason


def test_a_kind_of_another_version_is_not_lost() -> None:
    assert reason_of("from-tomorrow") is Reason.MACHINE


@pytest.mark.skipif(not SHARED.exists(), reason="the design documents are not beside this checkout")
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("Cancel not confirmed", Reason.CANCEL_UNCONFIRMED),
        ("Rejected or returned", Reason.REJECTED),
        ("Not known if it arrived", Reason.IN_DOUBT),
        ("Could not be sent", Reason.NOT_SENT),
        ("Held: unknown code", Reason.HELD_CODE),
        ("Provider has a question", Reason.QUESTION),
        ("No acceptance", Reason.NO_ACCEPTANCE),
        ("Waiting for pharmacist check", Reason.SCREENING),
        ("Balance owed", Reason.BALANCE),
        ("Delivery failed", Reason.DELIVERY_FAILED),
        ("No delivery booked, cover ending", Reason.NO_DELIVERY),
        ("Renewal due", Reason.RENEWAL),
        ("Signature or certificate doubt", Reason.SIGNATURE),
    ],
)
def test_reasons_and_buttons_are_those_of_the_design(words: str, reason: Reason) -> None:
    (row,) = [one for one in SHARED.read_text(encoding="utf-8").splitlines() if one.startswith(f"| {words} |")]
    assert reason.value == words
    assert row.split("|")[5].strip() == REASONS[reason].step.value


def test_the_limits_of_urgent_lines_are_never_longer() -> None:
    for row in REASONS.values():
        assert row.limit_of(Urgency.URGENT) <= row.limit_of(Urgency.ROUTINE)


def test_a_supply_that_should_not_be_made_is_not_measured_by_what_is_left() -> None:
    assert not measures_slack(Reason.CANCEL_UNCONFIRMED)
    assert measures_slack(Reason.REJECTED)
    assert {"safety-incident", "holding-elsewhere"} <= INCIDENTS


def test_the_last_day_is_the_end_less_what_a_supply_takes() -> None:
    assert last_day(TODAY + timedelta(days=9)) == TODAY + timedelta(days=4)
    assert (last_day(None), slack(None, TODAY), slack(TODAY - LEAD_TIME, TODAY)) == (None, 0, -5)


# The order


def standing(
    *, incident: bool = False, last: int | None = None, risk: int = ORDINARY.rank, age: int = 0, number: int = 0
) -> Standing:
    day = None if last is None else TODAY + timedelta(days=last)
    return Standing(incident=incident, last_day=day, risk=risk, since=SINCE - timedelta(hours=age), number=number)


def test_harm_comes_before_age() -> None:
    wanted = [
        standing(incident=True, last=300),
        standing(last=-3),
        standing(last=-1, age=500),
        standing(risk=1),
        standing(last=0, age=9),
        standing(age=2),
        standing(last=1, risk=1),
        standing(last=40, age=900),
    ]
    assert sorted(wanted[4:] + wanted[:4], key=lambda one: one.place(TODAY)) == wanted


standings = st.builds(
    standing,
    incident=st.booleans(),
    last=st.none() | st.integers(min_value=-400, max_value=400),
    risk=st.integers(min_value=0, max_value=9),
    age=st.integers(min_value=0, max_value=9000),
    number=st.integers(min_value=0, max_value=9),
)


@given(st.lists(standings, min_size=2, max_size=20))
def test_unknown_is_before_whatever_has_time_left(rows: list[Standing]) -> None:
    ordered = sorted(rows, key=lambda one: one.place(TODAY))
    unknown = [n for n, one in enumerate(ordered) if one.last_day is None and not one.incident]
    with_time = [
        n for n, one in enumerate(ordered) if one.last_day is not None and one.last_day > TODAY and not one.incident
    ]
    assert not unknown or not with_time or max(unknown) < min(with_time)
    incidents = [n for n, one in enumerate(ordered) if one.incident]
    assert incidents == list(range(len(incidents)))


# Medicines


@pytest.mark.parametrize(
    ("medicine", "name"),
    [
        ("Tacrolimus 1mg modified-release capsules", "immunosuppression after transplant"),
        ("ENOXAPARIN sodium 40mg/0.4ml solution for injection", "anticoagulant"),
        ("Factor VIII 1,000unit powder", "clotting factor"),
        ("Factor 9 500unit powder", "clotting factor"),
        ("Emicizumab 30mg/1ml solution for injection vials", "clotting factor"),
        ("Bosentan 125mg tablets", "pulmonary arterial hypertension"),
        ("Parenteral nutrition bag, 2 litres", "parenteral nutrition"),
    ],
)
def test_medicines_that_harm_soonest(medicine: str, name: str) -> None:
    assert (risk_class(medicine).name, risk_class(medicine).rank) == (name, 1)


@pytest.mark.parametrize("medicine", ["Methotrexate 10mg", "Nutrition drink", "Growth factor cream", "", "Rheparinoid"])
def test_every_other_medicine_is_ordinary(medicine: str) -> None:
    assert risk_class(medicine) is ORDINARY


def test_what_the_whole_gateway_waits_for_now_is_before_any_medicine() -> None:
    assert risk_of("room-low", 1) < min(one.rank for one in RISK_CLASSES)
    assert risk_of("line-rejected", 1) == 1
    assert risk_of("calendar-ends", 5) == 5
