"""What a trust hears about an order that was archived is what it would hear about one that is closed."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from gateway.destination import Refused
from gateway.domain.acts import Act
from gateway.domain.retention import Retention, RetentionTerm
from gateway.store.sqlite.archiving import Asked, archive
from gateway.store.sqlite.live import LiveFile
from tests.unit.pipeline.test_cancel import S06, Told, Trial, cancel
from tests.unit.pipeline.test_story import RECEIVED, S01, make

TERM = RetentionTerm(
    since=date(2026, 1, 1), trust=None, archive_after_days=1, keep_years=8, keep_until_age=25, decided_by="a test"
)
OTHER = S01.replace(b"S01-0001", b"LAST-1").replace(b"7001^RBA", b"7099^RBA")
Asking = Callable[[Trial], Awaitable[Told]]


@pytest.fixture
async def trials(tmp_path: Path) -> AsyncIterator[dict[str, tuple[Trial, Path]]]:
    """Give two worlds alike."""
    worlds = {}
    for name in ("kept", "archived"):
        (tmp_path / name).mkdir()
        worlds[name] = (Trial(make(tmp_path / name)), tmp_path / name)
    yield worlds
    for trial, _ in worlds.values():
        await trial.world.store.close()
        await trial.world.enquiries.close()


async def cancelled(trial: Trial) -> None:
    await trial.post(cancel("C0"))


async def closed(trial: Trial) -> None:
    await trial.send(Refused(reason="no"))
    (found,) = await trial.world.enquiries.search(tenant=None, order_number="RX7001")
    act = Act(prescription_id=found.prescription_id, by="anna", reason="Elsewhere.", now=trial.now)
    await trial.world.store.close_lines(act)


async def end(trial: Trial, how: Callable[[Trial], Awaitable[None]]) -> None:
    await trial.post(S01)
    await how(trial)
    for alert in await trial.world.enquiries.open_alerts(tenant=None, limit=100):
        await trial.world.store.close_alert(alert.id, by="anna", reason="Seen.", now=trial.now)
    await trial.post(OTHER)
    (other,) = await trial.world.enquiries.search(tenant=None, order_number="RX7099")
    seen = await trial.world.enquiries.prescription(other.prescription_id, tenant=None)
    assert seen is not None
    line = seen.lines[0].line_id
    await trial.world.store.open_alert(kind="overdue", subject="o", line_id=line, now=trial.now, text="Late.")


def run(folder: Path) -> int:
    now = RECEIVED + timedelta(days=30)
    asked = Asked(
        store=LiveFile(folder), data=folder, retention=Retention(terms=(TERM,)), now=now, by="anna", version="1"
    )
    return archive(asked).let_go


ASKED: dict[str, Asking] = {
    "a cancel": lambda trial: trial.post(cancel("C1")),
    "a cancel by the other code": lambda trial: trial.post(cancel("C1", control="DC")),
    "a change": lambda trial: trial.post(S06),
    "the order again": lambda trial: trial.post(S01.replace(b"S01-0001", b"S01-0002")),
    "the same message": lambda trial: trial.post(S01),
}


@pytest.mark.parametrize("how", [cancelled, closed])
@pytest.mark.parametrize("asked", ASKED)
async def test_a_trust_hears_the_same_of_an_archived_order_as_of_a_closed_one(
    trials: dict[str, tuple[Trial, Path]], how: Callable[[Trial], Awaitable[None]], asked: str
) -> None:
    told = {}
    for name, (trial, folder) in trials.items():
        await end(trial, how)
        if name == "archived":
            assert run(folder) == 1
            assert await trial.states() == []
        told[name] = await ASKED[asked](trial)
    assert told["archived"] == told["kept"]


async def test_a_cancel_of_an_archived_order_says_that_it_is_over(trials: dict[str, tuple[Trial, Path]]) -> None:
    trial, folder = trials["archived"]
    await end(trial, closed)
    assert run(folder) == 1
    told = await trial.post(cancel("C1"))
    assert told.order == "UC"
    assert await trial.states() == []
