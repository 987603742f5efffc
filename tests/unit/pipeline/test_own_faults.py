"""A message of ours that fails our own check: nothing leaves, a person is told, and a log line names it by ids only."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.config.profiles import load_r4_table
from gateway.destination import Taken
from gateway.domain.lifecycle import LineState
from gateway.telemetry import FIELDS
from gateway.validate.fhir.checker import FhirChecker
from gateway.validate.fhir.finding import Finding
from tests.unit.pipeline.test_cancel import Trial, cancel
from tests.unit.pipeline.test_story import S01, make


class NeverSatisfied(FhirChecker):
    """A check that finds two faults in whatever it is given."""

    def check(self, resource: Mapping[str, Any]) -> tuple[Finding, ...]:
        assert resource
        return tuple(
            Finding(code="structure", expression=place, text="must be", rule="cardinality")
            for place in ("Bundle.entry[0]", "Bundle.entry[1]")
        )


@pytest.fixture
async def trial(tmp_path: Path) -> AsyncIterator[Trial]:
    world = make(tmp_path)
    yield Trial(world)
    await world.store.close()
    await world.enquiries.close()


def find_fault(trial: Trial) -> None:
    pipeline = trial.world.pipeline
    pipeline._around = replace(pipeline._around, fhir=NeverSatisfied(load_r4_table()))


async def test_an_order_that_fails_our_own_check_is_held_alerted_and_logged_by_its_ids(trial: Trial) -> None:
    find_fault(trial)
    with capture_logs() as lines:
        told = await trial.post(S01)
    assert (told.msa, told.issues) == ("AA", ["MESSAGE_INVALID", "MESSAGE_INVALID"])
    assert await trial.states() == [LineState.HELD]
    assert await trial.claims() == []
    assert "message-invalid" in await trial.alerts()
    (line,) = (one for one in lines if one["event"] == "message_invalid")
    (found,) = await trial.world.enquiries.search(tenant=None, order_number="RX7001")
    assert (line["log_level"], line["tenant"], line["count"]) == ("error", "RBA", 2)
    assert line["prescription"] == found.prescription_id
    assert all(FIELDS[name](value) for name, value in line.items() if name != "log_level")


async def test_a_cancel_that_fails_our_own_check_is_not_sent_and_is_logged(trial: Trial) -> None:
    await trial.post(S01)
    await trial.send(Taken())
    find_fault(trial)
    with capture_logs() as lines:
        await trial.post(cancel())
    assert [one["count"] for one in lines if one["event"] == "message_invalid"] == [2]
    assert await trial.claims() == []
    assert await trial.alerts()


async def test_what_passes_its_check_is_not_logged(trial: Trial) -> None:
    with capture_logs() as lines:
        await trial.post(S01)
    assert [one for one in lines if one["event"] == "message_invalid"] == []
