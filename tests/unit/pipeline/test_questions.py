"""Questions about orders that were sent before: where they stand (SS), and which number they were given (SN, NA)."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.destination import InDoubt, Refused, Taken
from gateway.domain.identifiers import OdsCode
from gateway.domain.labels import LABELS
from gateway.domain.lifecycle import LineState
from tests.unit.pipeline.test_cancel import Trial, cancel
from tests.unit.pipeline.test_story import S01, make


@pytest.fixture
async def trial(tmp_path: Path) -> AsyncIterator[Trial]:
    world = make(tmp_path)
    yield Trial(world)
    await world.store.close()
    await world.enquiries.close()


def question(control: str, control_id: str = "Q1", *, number: str = "RX7001") -> bytes:
    msh, pid, orc, *_ = cancel(control_id, control=control, number=number).split(b"\r")
    return b"\r".join([msh, pid, orc, b""])


async def orc(trial: Trial, body: bytes) -> list[str]:
    answer = await trial.world.post(body)
    lines = (answer.later or answer.body).decode().split("\r")
    return next(line.split("|") for line in lines if line.startswith("ORC"))


async def test_a_question_moves_nothing_and_makes_no_work(trial: Trial) -> None:
    await trial.post(S01)
    told = await trial.post(question("SS"))
    assert (told.msa, told.order, told.status, told.issues) == ("AA", "SR", "SC", [])
    assert await trial.states() == [LineState.READY]
    assert await trial.alerts() == set()
    assert len(await trial.claims()) == 1


@pytest.mark.parametrize(
    ("outcome", "status", "state"),
    [
        (Taken(), "IP", LineState.WITH_PROVIDER),
        (Refused(reason="no"), "HD", LineState.REJECTED),
        (InDoubt(reason="silence"), "IP", LineState.UNCERTAIN),
    ],
)
async def test_the_answer_says_where_the_order_stands_now(
    trial: Trial, outcome: Taken | Refused | InDoubt, status: str, state: LineState
) -> None:
    await trial.post(S01)
    await trial.send(outcome)
    told = await orc(trial, question("SS"))
    assert (told[1], told[5]) == ("SR", status)
    assert told[25] == f"{state}^{LABELS[state]}^99HCG"


async def test_a_cancelled_order_is_told_as_cancelled(trial: Trial) -> None:
    await trial.post(S01)
    await trial.post(cancel())
    told = await trial.post(question("SS"))
    assert (told.order, told.status) == ("SR", "CA")


async def test_the_status_of_an_order_that_never_came_is_that_it_is_not_known(trial: Trial) -> None:
    told = await orc(trial, question("SS", number="RX9999"))
    assert (told[1], told[2], told[5]) == ("SR", "RX9999^RBA", "ER")
    assert await trial.states() == []


@pytest.mark.parametrize("control", ["SN", "NA"])
async def test_a_number_that_is_asked_for_is_the_prescriptions(trial: Trial, control: str) -> None:
    await trial.post(S01)
    (found,) = await trial.world.enquiries.search(tenant=OdsCode("RBA"), order_number="RX7001")
    told = await orc(trial, question(control))
    assert (told[1], told[2], told[4]) == ("NA", "RX7001^RBA", found.number)
    assert found.number


async def test_no_number_is_given_to_an_order_that_has_not_come(trial: Trial) -> None:
    told = await trial.post(question("SN", number="RX9999"))
    assert (told.msa, told.order, told.issues) == ("AE", "UA", ["ORDER_UNKNOWN"])


@pytest.mark.parametrize("control", ["SS", "SN"])
async def test_another_patients_order_is_not_spoken_of(trial: Trial, control: str) -> None:
    await trial.post(S01)
    told = await orc(trial, question(control).replace(b"9990000077", b"9990000212"))
    assert (told[1], told[4:]) == ("UA", [])


@pytest.mark.parametrize("control", ["SS", "SN"])
async def test_a_question_that_names_no_order_is_refused(trial: Trial, control: str) -> None:
    told = await trial.post(question(control).replace(b"RX7001^RBA", b""))
    assert (told.msa, told.order, told.issues) == ("AE", "UA", ["FIELD_MISSING"])


async def test_several_orders_are_answered_one_by_one(trial: Trial) -> None:
    await trial.post(S01)
    known = question("SS")
    other = question("SS", number="RX9999").split(b"\r")[2]
    answer = await trial.world.post(known + other + b"\r")
    lines = [line.split("|") for line in (answer.later or answer.body).decode().split("\r")]
    assert [(line[2], line[5]) for line in lines if line[0] == "ORC"] == [("RX7001^RBA", "SC"), ("RX9999^RBA", "ER")]


async def test_one_number_of_two_systems_is_two_orders(trial: Trial) -> None:
    await trial.post(S01)
    known = question("SS")
    other = known.split(b"\r")[2].replace(b"RX7001^RBA", b"RX7001^PHARM")
    answer = await trial.world.post(known + other + b"\r")
    lines = [line.split("|") for line in (answer.later or answer.body).decode().split("\r")]
    assert [(line[2], line[5]) for line in lines if line[0] == "ORC"] == [("RX7001^RBA", "SC"), ("RX7001^PHARM", "ER")]


async def test_a_question_that_is_repeated_gets_the_first_answer(trial: Trial) -> None:
    await trial.post(S01)
    first = await trial.world.post(question("SS"))
    await trial.post(cancel())
    assert await trial.world.post(question("SS")) == first
