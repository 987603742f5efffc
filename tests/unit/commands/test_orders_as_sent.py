"""What becomes of orders as trusts write them: what would harm is held, what is whole goes."""

import json
from typing import Any

import pytest

from gateway.commands.offline import Seen
from gateway.domain.lifecycle import LineState
from gateway.domain.submission import Outcome
from tests.unit.commands.orders_as_sent import ML, PREDNISOLONE, SILDENAFIL, Item, codes, message, orc, order, read


def requests(seen: Seen) -> list[dict[str, Any]]:
    bundles = [json.loads(message.body, parse_float=str) for one in seen.orders for message in one.messages]
    entries = [entry["resource"] for bundle in bundles for entry in bundle["entry"]]
    return [resource for resource in entries if resource["resourceType"] == "MedicationRequest"]


TWICE_A_DAY = Item(dose="5", words="Take ONE tablet twice a day", timing="BID")
SUSPENSION = Item(
    product=SILDENAFIL,
    dose="10",
    words="Take 1ml (10mg) three times a day",
    quantity="112",
    of=ML,
    timing="TID",
)


@pytest.mark.parametrize("of", [ML, "258773002^ml^SCT"])
def test_a_liquid_is_supplied_in_millilitres_by_their_code_in_dmd(of: str) -> None:
    seen = read(order(Item(product=SILDENAFIL, words=SUSPENSION.words, quantity="112", of=of)))
    assert seen.verdict.outcome is Outcome.TRANSLATED, codes(seen)
    (request,) = requests(seen)
    quantity = request["dispenseRequest"]["quantity"]
    assert (quantity["system"], quantity["code"]) == ("http://snomed.info/sct", "258773002")
    assert [message.unexplained for one in seen.orders for message in one.messages] == [()]


@pytest.mark.parametrize("timing", ["BID", "BID^^HL70335", "BID^Twice a day^HL70335", "BID&Twice a day&HL70335"])
def test_a_repeat_pattern_is_read_with_or_without_its_table(timing: str) -> None:
    seen = read(order(Item(dose="5", words="Take ONE tablet twice a day", timing=timing)))
    assert seen.verdict.outcome is Outcome.TRANSLATED, codes(seen)
    repeat = requests(seen)[0]["dosageInstruction"][0]["timing"]["repeat"]
    assert repeat == {"frequency": 2, "period": 1, "periodUnit": "d"}


def test_a_cancel_whose_reason_has_no_code_is_written_in_the_senders_words() -> None:
    seen = read(order(TWICE_A_DAY), message(orc("CA", reason="^Moved to intravenous treatment"), control_id="C2"))
    assert (seen.verdict.outcome, codes(seen)) == (Outcome.TRANSLATED, {"CANCEL_REASON_UNMAPPED"})
    (request,) = requests(seen)
    assert (request["status"], request["statusReason"]) == ("cancelled", {"text": "Moved to intravenous treatment"})


@pytest.mark.parametrize("days", ["Mondays, Wednesdays and Fridays", "Friday, Monday and Wednesday"])
def test_the_days_of_a_week_make_one_dosage(days: str) -> None:
    item = Item(dose="5", words=f"Take ONE tablet on {days}", timing="Q1J5~Q1J1~Q1J3", quantity="12")
    seen = read(order(item))
    assert seen.verdict.outcome is Outcome.TRANSLATED, seen.verdict.issues
    (dosage,) = requests(seen)[0]["dosageInstruction"]
    expected = {"frequency": 3, "period": 1, "periodUnit": "wk", "dayOfWeek": ["mon", "wed", "fri"]}
    assert dosage["timing"]["repeat"] == expected


def test_the_days_of_a_week_contradict_words_that_say_daily() -> None:
    item = Item(dose="5", words="Take ONE tablet daily", timing="Q1J1~Q1J3~Q1J5", quantity="12")
    assert codes(read(order(item))) == {"TEXT_STRUCTURE_MISMATCH"}


ONCE_A_DAY = Item(dose="5", words="Take ONE tablet once a day", timing="QD", quantity="28")


@pytest.mark.parametrize("parent", ["", "RX1&RBA"])
def test_a_replacement_may_name_what_it_replaces_as_its_parent(parent: str) -> None:
    change = message(
        orc("RP"),
        *TWICE_A_DAY.segments(),
        orc("RO", "RX2", parent=parent),
        *ONCE_A_DAY.segments(),
        control_id="C2",
    )
    seen = read(order(TWICE_A_DAY), change)
    assert (seen.verdict.outcome, codes(seen)) == (Outcome.TRANSLATED, set())
    assert [request["status"] for request in requests(seen)] == ["cancelled", "active"]


def test_a_replacement_without_rp_replaces_its_parent() -> None:
    change = message(orc("RO", "RX2", parent="RX1&RBA"), *ONCE_A_DAY.segments(), control_id="C2")
    seen = read(order(TWICE_A_DAY), change)
    assert seen.verdict.outcome is Outcome.TRANSLATED, seen.verdict.issues
    assert [request["status"] for request in requests(seen)] == ["cancelled", "active"]


def test_a_parent_that_is_not_what_rp_names_is_held() -> None:
    change = message(orc("RP"), orc("RO", "RX2", parent="RX7&RBA"), *ONCE_A_DAY.segments(), control_id="C2")
    assert codes(read(order(TWICE_A_DAY), change)) == {"FIELD_NOT_UNDERSTOOD"}


def test_orders_without_a_group_are_gathered_by_their_parent() -> None:
    def bare(number: str) -> str:
        return orc(number=number, parent="P1&RBA").replace("GRP1^RBA", "")

    seen = read(message(bare("RX1"), *TWICE_A_DAY.segments(), bare("RX2"), *ONCE_A_DAY.segments()))
    assert codes(seen) <= {"POSSIBLE_DUPLICATE"}
    assert [len(requests(seen)), len(seen.orders)] == [2, 1]


@pytest.mark.parametrize("control", ["OP", "DE", "ZZ"])
def test_what_is_not_served_says_that_and_nothing_of_the_number(control: str) -> None:
    again = message(orc(control), *TWICE_A_DAY.segments(), control_id="C2")
    assert codes(read(order(TWICE_A_DAY), again)) == {"ACTION_UNSUPPORTED"}


def test_a_wrong_structure_is_named_with_the_right_one() -> None:
    (issue,) = read(message(kind="ADT^A31^ADT_A01")).verdict.issues
    assert (issue.code, issue.text) == (
        "MESSAGE_TYPE_UNSUPPORTED",
        "The structure (MSH-9.3) of ADT^A31 is ADT_A05, or is left out.",
    )


def test_an_order_whose_cancel_came_first_is_not_sent() -> None:
    seen = read(message(orc("CA", reason="0001"), control_id="C2"), order(TWICE_A_DAY))
    assert (seen.verdict.outcome, requests(seen), seen.states) == (Outcome.TRANSLATED, [], (LineState.CANCELLED,))


def test_another_order_than_the_one_cancelled_before_is_sent() -> None:
    other = message(orc(number="RX2"), *TWICE_A_DAY.segments())
    seen = read(message(orc("CA", reason="0001"), control_id="C2"), other)
    assert (len(requests(seen)), seen.states) == (1, ())


@pytest.mark.parametrize("code", ["424144002^Current age^SCT", "397669002^Age^SCT", "30525-0^Age^LN"])
def test_the_age_of_a_child_is_read_from_an_observation(code: str) -> None:
    item = Item(words="Take ONE tablet once a day", quantity="28", more=(f"OBX|1|NM|{code}||6|a^year^UCUM|||||F",))
    born = order(item).replace(b"19790412", b"20200412")
    assert read(born).verdict.outcome is Outcome.TRANSLATED
    assert codes(read(order(Item(words=item.words)).replace(b"19790412", b"20200412"))) >= {"AGE_REQUIRED_UNDER_12"}


def test_a_dose_every_eight_hours_may_be_said_by_its_relative_time() -> None:
    item = Item(dose="5", words="Take ONE tablet every 8 hours", quantity="84", timing="||8^h")
    seen = read(order(item))
    assert (seen.verdict.outcome, codes(seen)) == (Outcome.TRANSLATED, set())
    repeat = requests(seen)[0]["dosageInstruction"][0]["timing"]["repeat"]
    assert repeat == {"frequency": 1, "period": 8, "periodUnit": "h"}


STEPS = (
    "TQ1|1|30^mg&milligram&UCUM|QD|||7^d||||||S",
    "TQ1|2|20^mg&milligram&UCUM|QD|||7^d||||||S",
    "TQ1|3|10^mg&milligram&UCUM|QD|||7^d",
)


def test_steps_may_each_say_how_long_they_last() -> None:
    item = Item(product=PREDNISOLONE, words="Take 30mg daily for 7 days, then 20mg, then 10mg", quantity="84")
    rxe, *rest = item.segments()
    seen = read(message(orc(), rxe, *STEPS, *rest))
    assert seen.verdict.outcome is Outcome.TRANSLATED, seen.verdict.issues
    repeats = [one["timing"]["repeat"] for one in requests(seen)[0]["dosageInstruction"]]
    assert [one["boundsDuration"]["value"] for one in repeats] == [7, 7, 7]


def test_more_in_the_morning_than_at_night_is_one_order() -> None:
    item = Item(product=PREDNISOLONE, words="Take 10mg in the morning and 5mg at night", quantity="84")
    rxe, *rest = item.segments()
    timings = ("TQ1|1|10^mg&milligram&UCUM|QAM|||||||||A", "TQ1|2|5^mg&milligram&UCUM|QHS")
    seen = read(message(orc(), rxe, *timings, *rest))
    assert (seen.verdict.outcome, codes(seen)) == (Outcome.TRANSLATED, {"DOSE_FROM_TQ1"})


@pytest.mark.parametrize(
    ("assigner", "codes_"),
    [("^RBA", set()), ("", set()), ("^CHEMO", {"CANCEL_ORDER_UNKNOWN"})],
    ids=["own", "none", "other"],
)
def test_a_cancel_under_the_number_of_another_system_cancels_nothing(assigner: str, codes_: set[str]) -> None:
    cancel = message(orc("CA", reason="0003").replace("RX1^RBA", f"RX1{assigner}"), control_id="C2")
    seen = read(order(TWICE_A_DAY), cancel)
    assert codes(seen) == codes_
    assert [request["status"] for request in requests(seen)] == ["cancelled"] * (not codes_)


def test_a_group_number_of_another_patient_is_refused_offline_as_well() -> None:
    other = order(TWICE_A_DAY).replace(b"RX1^", b"RX2^").replace(b"|C1|", b"|C2|")
    other = other.replace(b"9990000077", b"9990000212")
    assert codes(read(order(TWICE_A_DAY), other)) == {"GROUP_PATIENT_MISMATCH"}
