"""A provider's HL7 v2 report, with a real store: what is counted, what is kept for a person, what is told."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.destination import Taken
from gateway.domain.acknowledgement import Acknowledgement, LineReport
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.domain.submission import Answer, Submission, WireFormat
from gateway.ports.callback import Callback
from tests.hl7v2_orders import edited, golden
from tests.unit.pipeline.test_cancel import PROVIDER, Trial
from tests.unit.pipeline.test_story import RECEIVED, S01, make

S11 = golden("S11")


class Supply(Trial):
    """A trial whose provider speaks HL7 v2."""

    async def accepted(self) -> None:
        await self.post(S01)
        claim = await self.send(Taken())
        await self.answer(claim, LineEvent.ACCEPTED)

    async def report(self, changes: dict[str, str] | None = None, *, control_id: str = "") -> Answer:
        text = edited(S11, {**(changes or {}), **({"MSH-10": control_id} if control_id else {})})
        body = text.replace("\n", "\r").encode()
        return await self.world.pipeline.receive(
            Submission(tenant=PROVIDER, format=WireFormat.HL7V2, body=body, received_at=RECEIVED)
        )

    async def history(self) -> list[str]:
        (found,) = await self.world.enquiries.search(tenant=None, order_number="RX7001")
        view = await self.world.enquiries.prescription(found.prescription_id, tenant=None)
        assert view is not None
        return [f"{event.event}: {event.text}" for event in view.events]


@pytest.fixture
async def supply(tmp_path: Path) -> AsyncIterator[Supply]:
    world = make(tmp_path)
    yield Supply(world)
    await world.store.close()
    await world.enquiries.close()


def told(answer: Answer) -> str:
    return answer.body.decode().split("\r")[1].split("|")[1]


async def test_a_part_supply_moves_the_line_and_keeps_batch_and_expiry(supply: Supply) -> None:
    await supply.accepted()
    answer = await supply.report()
    assert (told(answer), answer.http_status) == ("CA", 200)
    assert await supply.states() == [LineState.PART_SUPPLIED]
    last = (await supply.history())[-1]
    assert last.startswith("supply_short")
    assert "batch BATCH77A" in last
    assert "expires 2027-11-30" in last


async def test_the_same_report_again_is_taken_and_changes_nothing(supply: Supply) -> None:
    await supply.accepted()
    await supply.report()
    before = await supply.history()
    answer = await supply.report(control_id="S11-0002")
    assert told(answer) == "CA"
    assert await supply.history() == before


async def test_one_name_for_two_supplies_is_kept_for_a_person(supply: Supply) -> None:
    await supply.accepted()
    await supply.report()
    answer = await supply.report({"RXD-3": "20261117113000+0000"}, control_id="S11-0002")
    assert told(answer) == "CR"
    assert "answer-id-reused" in await supply.alerts()


async def test_the_balance_of_a_part_supply_completes_it(supply: Supply) -> None:
    await supply.accepted()
    await supply.report()
    await supply.report({"RXD-1": "2", "RXD-33": "C"}, control_id="S11-0002")
    assert await supply.states() == [LineState.IN_SUPPLY]


async def test_two_supplies_of_one_order_in_one_report_are_a_part_and_its_balance(supply: Supply) -> None:
    await supply.accepted()
    rxd = next(line for line in S11.split("\n") if line.startswith("RXD"))
    second = rxd.replace("RXD|1|", "RXD|2|").replace("|P", "|C")
    assert second != rxd
    body = S11.replace(rxd, f"{rxd}\n{second}").replace("\n", "\r").encode()
    answer = await supply.world.pipeline.receive(
        Submission(tenant=PROVIDER, format=WireFormat.HL7V2, body=body, received_at=RECEIVED)
    )
    assert told(answer) == "CA", answer.body
    assert [line.split(":")[0] for line in (await supply.history())[-2:]] == ["supply_short", "balance_supplied"]
    assert await supply.states() == [LineState.IN_SUPPLY]


@pytest.mark.parametrize(
    ("changes", "event", "state"),
    [
        ({"RXD-4": "4", "RXD-33": "C"}, "dispensed", LineState.IN_SUPPLY),
        ({"RXD-4": "4", "RXD-33": "N^New, full^HL70484"}, "dispensed", LineState.IN_SUPPLY),
        ({"RXD-4": "4", "RXD-33": ""}, "dispensed", LineState.IN_SUPPLY),
        ({"RXD-33": "C"}, "supply_short", LineState.PART_SUPPLIED),
        ({"RXD-33": ""}, "supply_short", LineState.PART_SUPPLIED),
        ({"RXD-4": "0", "RXD-33": "N", "RXD-8": ""}, "not_supplied", LineState.RETURNED),
        ({"RXD-4": "0", "RXD-33": "N", "RXD-8": "5"}, "not_supplied", LineState.ACCEPTED),
        ({"RXD-4": "4", "RXD-33": "", "ORC-25": "dispatched^^99HCG"}, "dispatched", LineState.IN_SUPPLY),
        ({"RXD-4": "4", "RXD-33": "", "ORC-25": "delivered^^99HCG"}, "delivered", LineState.IN_SUPPLY),
        ({"RXD-33": "P", "ORC-25": "delivered^^99HCG"}, "supply_short", LineState.PART_SUPPLIED),
        ({"ORC-1": "UF", "RXD-4": "0", "RXD-33": ""}, "not_supplied", LineState.RETURNED),
    ],
)
async def test_type_and_amount_together_say_what_was_supplied(
    supply: Supply, changes: dict[str, str], event: str, state: LineState
) -> None:
    await supply.accepted()
    assert told(await supply.report(changes)) == "CA"
    assert (await supply.history())[-1].startswith(event)
    assert await supply.states() == [state]


@pytest.mark.parametrize(
    "changes",
    [
        {"ORC-2": "RX7999^RBA"},
        {"ORC-2": "RX7001^RZA"},
        {"PID-3": "9990000018^^^NHS^NH"},
        {"RXE-2": "322236009^Paracetamol 500mg tablets^SCT"},
        {"RXD-5": "428673006^tablet^SCT"},
        {"RXD-5": ""},
        {"RXD-4": "4"},
    ],
    ids=["other order", "other trust", "other patient", "other product", "other unit", "no unit", "a part of all"],
)
async def test_a_report_that_is_not_the_lines_moves_nothing(supply: Supply, changes: dict[str, str]) -> None:
    await supply.accepted()
    before = await supply.history()
    answer = await supply.report(changes)
    assert (told(answer), answer.http_status) == ("CR", 422)
    assert b"REPORT_UNBOUND" in answer.body
    assert await supply.history() == before
    assert "answer-unbound" in await supply.alerts()


async def test_a_corrected_report_may_bear_the_name_of_the_one_that_was_kept(supply: Supply) -> None:
    await supply.accepted()
    await supply.report({"RXD-5": ""})
    assert told(await supply.report(control_id="S11-0002")) == "CA"
    assert await supply.states() == [LineState.PART_SUPPLIED]


async def test_a_provider_may_not_report_on_anothers_line(supply: Supply) -> None:
    await supply.accepted()
    other = next(ods for ods in supply.world.around.routing.providers if ods != PROVIDER)
    text = edited(S11, {"MSH-4": other.value, "ORC-3": f"HC1^{other.value}"})
    body = text.replace("\n", "\r").encode()
    submission = Submission(tenant=other, format=WireFormat.HL7V2, body=body, received_at=RECEIVED)
    assert told(await supply.world.pipeline.receive(submission)) == "CR"
    assert await supply.states() == [LineState.ACCEPTED]


async def test_a_report_before_the_acceptance_is_kept_and_holds_when_it_is_sent_again(supply: Supply) -> None:
    await supply.post(S01)
    claim = await supply.send(Taken())
    assert told(await supply.report()) == "CR"
    await supply.answer(claim, LineEvent.ACCEPTED)
    assert told(await supply.report()) == "CA"
    assert await supply.states() == [LineState.PART_SUPPLIED]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"MSH-9": "RDE^O11^RDE_O11"}, b"MESSAGE_TYPE_UNSUPPORTED"),
        ({"MSH-4": "VNCEL"}, b"SENDER_MISMATCH"),
        ({"MSH-11": "P"}, b"ENVIRONMENT_WRONG"),
        ({"ORC-1": "SC"}, b"ACTION_UNSUPPORTED"),
        ({"ORC-2": ""}, b"FIELD_MISSING"),
        ({"ORC-3": ""}, b"FIELD_MISSING"),
        ({"ORC-3": "HC1^VNCEL"}, b"SENDER_MISMATCH"),
        ({"PID-3": "HC100001^^^RBA^MR"}, b"NHSNO_MISSING"),
        ({"PID-3": "9990000078^^^NHS^NH"}, b"NHSNO_CHECK_DIGIT"),
        ({"PID-3": "9990000077^^^NHS^NH~9990000018^^^NHS^NH"}, b"NHSNO_CONFLICT"),
        ({"PID": ""}, b"NHSNO_MISSING"),
        ({"ORC": ""}, b"SEGMENT_MISSING"),
        ({"RXD": ""}, b"SEGMENT_MISSING"),
        ({"RXD-1": ""}, b"FIELD_MISSING"),
        ({"RXD-4": ""}, b"FIELD_MISSING"),
        ({"RXD-4": "two"}, b"VALUE_INVALID"),
        ({"RXD-4": "0"}, b"QUANTITY_CONFLICT"),
        ({"RXD-8": "-1"}, b"VALUE_INVALID"),
        ({"ORC-1": "XX"}, b"QUANTITY_CONFLICT"),
        ({"ORC-25": "vanished^^99HCG"}, b"VALUE_INVALID"),
        ({"RXD-33": "Z"}, b"VALUE_INVALID"),
        ({"RXD-19": "20271399"}, b"VALUE_INVALID"),
        ({"ORC-1": "UF"}, b"QUANTITY_CONFLICT"),
        ({"+MSH": "MSH|^~\\&|X|VNE51"}, b"STRUCTURE_INVALID"),
        ({"+RXD": "RXD|1|X|20261020|2"}, b"VALUE_INVALID"),
    ],
)
async def test_a_faulty_report_is_refused_in_the_senders_terms_and_kept(
    supply: Supply, changes: dict[str, str], code: bytes
) -> None:
    await supply.accepted()
    answer = await supply.report(changes)
    assert told(answer) == "CR"
    assert code in answer.body
    assert await supply.states() == [LineState.ACCEPTED]
    assert "answer-not-understood" in await supply.alerts()


async def test_bytes_that_are_no_message_are_refused_and_kept(supply: Supply) -> None:
    submission = Submission(tenant=PROVIDER, format=WireFormat.HL7V2, body=b"RDS", received_at=RECEIVED)
    assert (await supply.world.pipeline.receive(submission)).http_status == 400
    assert "answer-not-understood" in await supply.alerts()


async def test_a_sender_in_original_mode_gets_the_application_answer(supply: Supply) -> None:
    await supply.accepted()
    assert told(await supply.report({"MSH-15": "", "MSH-16": "", "RXD-5": ""})) == "AE"
    assert told(await supply.report({"MSH-15": "", "MSH-16": ""})) == "AA"


async def test_an_earlier_holder_that_supplies_is_a_safety_incident(supply: Supply) -> None:
    """The report names a message of another epoch: the store finds it, whoever tied it."""
    await supply.post(S01)
    claim = await supply.send(Taken())
    (known,) = await supply.world.store.allocated_lines(PROVIDER, ["RX7001"])
    assert (known.message_id, known.epoch) == (claim.message_id, 1)
    said = Acknowledgement(
        id="x",
        correlation=known.message_id,
        epoch=2,
        reports=(LineReport(line_id=known.line_id, event=LineEvent.DISPENSED),),
    )
    callback = Callback(destination=PROVIDER, received_at=supply.now, content_type="", body=b"x")
    await supply.world.store.acknowledge(callback, said, ())
    assert await supply.states() == [LineState.WITH_PROVIDER]
    assert replace(known, state=LineState.SENT) != known


async def test_two_lines_under_one_number_are_not_guessed_between(supply: Supply) -> None:
    await supply.accepted()
    found = await supply.world.store.allocated_lines(PROVIDER, ["RX7001", "RX7001", "nothing"])
    assert len(found) == 1


async def test_the_refills_that_remain_say_which_supply_it_was(supply: Supply) -> None:
    await supply.accepted()
    full = {"RXD-4": "4", "RXD-33": "", "ORC-25": "delivered^^99HCG"}
    assert told(await supply.report({**full, "RXD-8": "3"})) == "CA"
    (found,) = await supply.world.enquiries.search(tenant=None, order_number="RX7001")
    view = await supply.world.enquiries.prescription(found.prescription_id, tenant=None)
    assert view is not None
    assert [one.issue for one in view.lines[0].deliveries if one.state == "DELIVERED"] == [3]
    again = await supply.report({**full, "RXD-8": "3", "RXD-1": "2"}, control_id="S11-0002")
    assert told(again) == "CR"
    assert "answer-unexpected" in await supply.alerts()


async def test_a_report_is_taken_back_by_its_name_and_once(supply: Supply) -> None:
    await supply.accepted()
    full = {"RXD-4": "4", "RXD-33": "", "ORC-25": "delivered^^99HCG"}
    await supply.report(full)
    back = {"ORC-1": "XX", "RXD-4": '""', "RXD-33": ""}
    assert told(await supply.report(back, control_id="S11-0002")) == "CA"
    assert (await supply.history())[-1].startswith("supply_withdrawn")
    before = await supply.history()
    assert told(await supply.report(back, control_id="S11-0003")) == "CA"  # a repeat
    assert await supply.history() == before


async def test_what_was_only_made_up_is_not_taken_back_without_a_person(supply: Supply) -> None:
    await supply.accepted()
    await supply.report({"RXD-4": "4", "RXD-33": ""})
    back = {"ORC-1": "XX", "RXD-4": '""', "RXD-33": ""}
    assert told(await supply.report(back, control_id="S11-0002")) == "CR"
    assert "answer-takes-back" in await supply.alerts()
