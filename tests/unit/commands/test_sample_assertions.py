"""Every assertion of every authored sample, after the samples it presupposes."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from gateway.commands.offline import NOBODY, Offline, Seen, sender_of
from gateway.config.load import load
from gateway.destination import Taken
from gateway.domain.lifecycle import LineEvent
from gateway.domain.submission import Submission, WireFormat
from gateway.translate.formats import FORMATS
from gateway.wiring.around import surroundings
from tests.hl7v2_orders import GOLDEN
from tests.unit.commands.sample_assertions import RELATIONS, Told, holds
from tests.unit.commands.test_golden import AFTER
from tests.unit.pipeline.test_cancel import S06, Trial
from tests.unit.pipeline.test_story import S01, make

NAMES = sorted(path.name.removesuffix(".expected.json") for path in GOLDEN.glob("*.expected.json"))
LATER = "the replacement is not released to the provider until the cancel is confirmed or proven unnecessary"
"""What takes time; it is shown below, with a store."""


def submission(name: str) -> Submission:
    return Submission(
        tenant=NOBODY,
        format=WireFormat.HL7V2,
        body=(GOLDEN / f"{name}.hl7").read_bytes(),
        received_at=datetime(2026, 10, 6, 12, tzinfo=UTC),
    )


@cache
def tell(name: str) -> Told:
    offline = Offline(surroundings(load(None)))
    seen: dict[str, Seen] = {}
    for one in (*AFTER.get(name, []), name):
        given = submission(one)
        tenant, offline.around = sender_of(given, offline.around)
        given = replace(given, tenant=tenant)
        seen[one] = offline.take(given)
    last = seen.pop(name)
    answer = FORMATS[WireFormat.HL7V2].answer(given, last.envelope, last.verdict)
    return Told(seen=last, answer=answer.later or answer.body, earlier=seen)


def assertions() -> list[tuple[str, str, str]]:
    return [
        (name, each["path"], each["value"])
        for name in NAMES
        for each in json.loads((GOLDEN / f"{name}.expected.json").read_text())["assertions"]
    ]


def test_every_sample_asserts_something() -> None:
    assert {name for name, _, _ in assertions()} == {f"S{number:02}" for number in range(1, 13)}


@pytest.mark.parametrize(("name", "path", "value"), [one for one in assertions() if one[2] != LATER])
def test_what_a_sample_asserts_is_so(name: str, path: str, value: str) -> None:
    assert holds(tell(name), path, value)


@pytest.mark.parametrize(("name", "path", "value"), [one for one in assertions() if one[2] not in {LATER, *RELATIONS}])
def test_another_value_than_the_one_asserted_is_noticed(name: str, path: str, value: str) -> None:
    assert not holds(tell(name), path, value + "9")


@pytest.fixture
async def trial(tmp_path: Path) -> AsyncIterator[Trial]:
    world = make(tmp_path)
    yield Trial(world)
    await world.store.close()
    await world.enquiries.close()


async def test_a_replacement_is_not_released_until_the_cancel_is_confirmed_or_proven_unnecessary(trial: Trial) -> None:
    await trial.post(S01)
    await trial.send(Taken())
    await trial.post(S06)
    cancel = await trial.send(Taken())
    assert cancel.octets is not None
    assert b'"prescription-order-update"' in cancel.octets
    assert await trial.claims() == []
    await trial.answer(cancel, LineEvent.CANCEL_CONFIRMED)
    (replacement,) = await trial.claims()
    assert replacement.octets is not None
    assert b'"priorPrescription"' in replacement.octets
