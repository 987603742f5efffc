"""What becomes of orders as trusts write them: what would harm is held, what is whole goes."""

import json
from typing import Any

import pytest

from gateway.commands.offline import Seen
from gateway.domain.submission import Outcome
from tests.unit.commands.orders_as_sent import ML, SILDENAFIL, Item, codes, message, orc, order, read


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
