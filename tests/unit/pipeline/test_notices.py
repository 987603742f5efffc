"""Requests for renewal and news of patients: tasks and alerts; never a prescription, never a change of one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.domain.lifecycle import LineState
from tests.unit.pipeline.test_cancel import Trial
from tests.unit.pipeline.test_story import S01, make


@pytest.fixture
async def trial(tmp_path: Path) -> AsyncIterator[Trial]:
    world = make(tmp_path)
    yield Trial(world)
    await world.store.close()
    await world.enquiries.close()


def news(trigger: str, *, pid: bytes = b"", number: bytes = b"9990000077", extra: bytes = b"") -> bytes:
    msh, own, *_ = S01.split(b"\r")
    msh = msh.replace(b"S01-0001", b"N1").replace(b"RDE^O11^RDE_O11", f"ADT^{trigger}".encode())
    own = own.replace(b"9990000077", number) + pid
    return b"\r".join([msh, b"EVN||20261005101500", own, *([extra] if extra else []), b""])


@pytest.mark.parametrize(
    ("trigger", "kind"),
    [
        ("A08", "patient-updated"),
        ("A31", "patient-updated"),
        ("A24", "patient-merged"),
        ("A37", "patient-merged"),
        ("A40", "patient-merged"),
    ],
)
async def test_news_of_a_patient_alerts_on_open_lines_and_moves_none(trial: Trial, trigger: str, kind: str) -> None:
    await trial.post(S01)
    told = await trial.post(news(trigger))
    assert (told.msa, told.issues) == ("AA", [])
    assert await trial.alerts() == {kind}
    assert await trial.states() == [LineState.READY]


async def test_a_merge_concerns_the_lines_of_the_number_that_ends(trial: Trial) -> None:
    await trial.post(S01)
    await trial.post(news("A40", number=b"9990000212", extra=b"MRG|9990000077^^^NHS^NH"))
    assert await trial.alerts() == {"patient-merged"}


@pytest.mark.parametrize("fields", [b"|" * 16 + b"20261004", b"|" * 17 + b"Y"])
async def test_a_death_is_told_on_every_open_line(trial: Trial, fields: bytes) -> None:
    await trial.post(S01)
    await trial.post(news("A31", pid=fields))
    assert await trial.alerts() == {"patient-died"}
    assert await trial.states() == [LineState.READY]


async def test_news_of_another_patient_alerts_nobody(trial: Trial) -> None:
    await trial.post(S01)
    await trial.post(news("A08", number=b"9990000212"))
    assert await trial.alerts() == set()


async def test_a_renewal_request_is_a_task_and_no_prescription(trial: Trial) -> None:
    request = S01.replace(b"RDE^O11^RDE_O11", b"RDE^O25^RDE_O25").replace(b"ORC|NW|", b"ORC|RF|")
    told = await trial.post(request)
    assert (told.msa, told.order, told.status) == ("AA", "OK", "IP")
    assert await trial.states() == []
    assert await trial.alerts() == {"renewal-requested"}


async def test_a_renewal_message_never_orders(trial: Trial) -> None:
    told = await trial.post(S01.replace(b"RDE^O11^RDE_O11", b"RDE^O25^RDE_O25"))
    assert (told.msa, told.issues) == ("AE", ["ACTION_UNSUPPORTED"])
    assert await trial.states() == []
