"""What a provider that speaks HL7 v2 answers, and what it says of an order by itself, with a real store."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from gateway.destination import Taken
from gateway.domain.lifecycle import LineState
from gateway.domain.submission import Answer, Submission, WireFormat
from gateway.translate.from_hl7v2 import replies
from tests.unit.pipeline.test_cancel import PROVIDER, cancel
from tests.unit.pipeline.test_reports import Supply, told
from tests.unit.pipeline.test_story import RECEIVED, S01, make

PID = "PID|1||9990000077^^^NHS^NH"


@pytest.fixture
async def supply(tmp_path: Path) -> AsyncIterator[Supply]:
    world = make(tmp_path)
    yield Supply(world)
    await world.store.close()
    await world.enquiries.close()


async def sent(supply: Supply) -> UUID:
    await supply.post(S01)
    return (await supply.send(Taken())).message_id


async def say(supply: Supply, type_: str, *segments: str, control_id: str = "R1") -> Answer:
    msh = f"MSH|^~\\&|DISP|{PROVIDER}|HCGATEWAY|GATEWAY|20261020120000+0100||{type_}|{control_id}|T|2.5.1|||AL|NE"
    body = "\r".join([msh, *segments, ""]).encode()
    return await supply.world.pipeline.receive(
        Submission(tenant=PROVIDER, format=WireFormat.HL7V2, body=body, received_at=RECEIVED)
    )


@pytest.mark.parametrize(
    ("type_", "msa", "rest", "state"),
    [
        ("RRE^O12^RRE_O12", "AA", ("ORC|OK|RX7001^RBA",), LineState.ACCEPTED),
        ("ORP^O10^ORP_O10", "AE", ("ORC|UA|RX7001^RBA", "NTE|1||No such patient here"), LineState.REJECTED),
        ("ORR^O02", "AA", ("ORC|SC|RX7001^RBA|||SC",), LineState.VALIDATED),
        ("ORR^O02", "AA", ("ORC|SC|RX7001^RBA", "NTE|1||Which strength?"), LineState.QUERIED),
        ("ACK", "CA", (), LineState.WITH_PROVIDER),
        ("ACK^O11^ACK", "AE", ("ERR|||101|E",), LineState.REJECTED),
        ("ACK", "CR", (), LineState.REJECTED),
        ("ACK", "CE", (), LineState.READY),
        ("ACK", "AR", ("ERR|||207|E",), LineState.READY),
    ],
)
async def test_an_answer_moves_the_line_of_the_message_it_names(
    supply: Supply, type_: str, msa: str, rest: tuple[str, ...], state: LineState
) -> None:
    await supply.post(S01)
    claim = await supply.send()
    answer = await say(supply, type_, f"MSA|{msa}|{claim.message_id}", *rest)
    assert told(answer) == "CA", answer.body
    assert await supply.states() == [state]


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("SC|RX7001^RBA|||SC", LineState.VALIDATED),
        ("SC|RX7001^RBA" + "|" * 23 + "dispatched^^99HCG", LineState.IN_SUPPLY),
        ("SC|RX7001^RBA" + "|" * 14 + "on holiday^on holiday" + "|" * 9 + "postponed^^99HCG", LineState.IN_SUPPLY),
        ("OC|RX7001^RBA", LineState.REJECTED),
    ],
)
async def test_a_status_message_speaks_of_the_line_of_its_order_number(
    supply: Supply, status: str, state: LineState
) -> None:
    await sent(supply)
    assert told(await say(supply, "OMP^O09^OMP_O09", PID, f"ORC|{status}")) == "CA"
    assert await supply.states() == [state]


@pytest.mark.parametrize(
    "segments",
    [
        ("MSA|AA|not-an-id", "ORC|OK|RX7001^RBA"),
        ("MSA|XX|{id}", "ORC|OK|RX7001^RBA"),
        ("ORC|OK|RX7001^RBA",),
        ("MSA|AA|{id}", "ORC|OK|"),
        ("MSA|AE|{id}", "ORC|OK|RX7001^RBA"),
        ("MSA|AA|{id}", "ORC|UC|RX7001^RBA"),
        ("MSA|AA|{id}", "ORC|SC|RX7001^RBA|||SC", "NTE|1||Is this right?"),
        ("MSA|AA|{id}", "ORC|SC|RX7001^RBA" + "|" * 23 + "postponed^^99HCG"),
        ("MSA|AA|{id}", "ORC|SC|RX7001^RBA" + "|" * 23 + "vanished^^99HCG"),
    ],
    ids=["no id", "no code", "no MSA", "no order", "yes in a no", "half a code", "two things", "no reason", "new word"],
)
async def test_an_answer_that_is_unclear_moves_nothing_and_is_kept(supply: Supply, segments: tuple[str, ...]) -> None:
    message = await sent(supply)
    answer = await say(supply, "RRE^O12^RRE_O12", *(segment.format(id=message) for segment in segments))
    assert told(answer) == "CR"
    assert await supply.states() == [LineState.WITH_PROVIDER]
    assert "answer-not-understood" in await supply.alerts()


@pytest.mark.parametrize(
    ("segments", "alert"),
    [
        (("MSA|AA|0d3f1c52-6a7e-4f4e-9f0b-7a1b2c3d4e5f", "ORC|OK|RX7001^RBA"), "answer-unbound"),
        (("MSA|AA|{id}", "ORC|OK|RX7999^RBA"), "answer-unbound"),
        (("MSA|AA|{id}", "PID|1||9990000018^^^NHS^NH", "ORC|OK|RX7001^RBA"), "answer-unbound"),
    ],
    ids=["another message", "another order", "another patient"],
)
async def test_an_answer_that_is_not_the_lines_moves_nothing(
    supply: Supply, segments: tuple[str, ...], alert: str
) -> None:
    message = await sent(supply)
    answer = await say(supply, "RRE^O12^RRE_O12", *(segment.format(id=message) for segment in segments))
    assert (told(answer), b"REPORT_UNBOUND" in answer.body) == ("CR", True)
    assert await supply.states() == [LineState.WITH_PROVIDER]
    assert alert in await supply.alerts()


async def test_a_status_message_names_its_patient(supply: Supply) -> None:
    await sent(supply)
    answer = await say(supply, "ORM^O01", "ORC|OC|RX7001^RBA")
    assert b"NHSNO_MISSING" in answer.body


async def test_an_answer_that_comes_twice_is_one(supply: Supply) -> None:
    message = await sent(supply)
    for _ in range(2):
        assert told(await say(supply, "RRE^O12", f"MSA|AA|{message}", "ORC|OK|RX7001^RBA")) == "CA"
    history = [row for row in await supply.history() if row.startswith("accepted")]
    assert len(history) == 1


def test_every_word_for_a_cancel_or_a_hold_has_a_row() -> None:
    said = {*replies.OF_AN_ORDER.values(), *replies.WITH_STATUS.values()}
    assert {
        "cancel_confirmed",
        "cancel_too_late",
        "cancel_pending",
        "cancel_unknown",
        "hold_confirmed",
        "hold_refused",
        "release_confirmed",
        "release_refused",
    } <= said


@pytest.mark.parametrize(
    ("orc", "state"),
    [
        ("CR|RX7001^RBA", LineState.CANCELLED),
        ("UC|RX7001^RBA|||IP", LineState.WITH_PROVIDER),
        ("UC|RX7001^RBA|||CM", LineState.WITH_PROVIDER),
        ("OK|RX7001^RBA", LineState.WITH_PROVIDER),
    ],
    ids=["confirmed", "pending", "too late", "taken, which confirms nothing"],
)
async def test_an_answer_to_a_cancel_is_read_as_one(supply: Supply, orc: str, state: LineState) -> None:
    await sent(supply)
    await supply.post(cancel())
    asked = (await supply.send(Taken())).message_id
    await say(supply, "ORR^O02", f"MSA|AA|{asked}", f"ORC|{orc}")
    assert await supply.states() == [state]
