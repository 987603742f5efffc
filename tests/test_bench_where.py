"""What a stack is counted as, and that the areas together are what was measured."""

import os
from pathlib import Path

import pytest

from bench.where import COMMIT, IN_LOOP, IN_STORE, LOOP_ITSELF, LOOP_REST, STORE_REST, looked_at, spent

LOOP = "thread (7): MainThread;_run_module_as_main (<frozen runpy>:198);Runner.run (asyncio/runners.py:118)"
STORE = "thread (8): committer;_bootstrap (threading.py:995);Committer._run (gateway/store/committer.py:137)"
READER = "thread (9): reader_0;_worker (concurrent/futures/thread.py:81)"
RECEIVE = f"{LOOP};receive (gateway/pipeline/story.py:90)"
STACKS = [
    (f"{RECEIVE};read (gateway/translate/from_xml/reading.py:9);loads (json/x.py:1)", "read the trust's message"),
    (f"{RECEIVE};parse (gateway/domain/identifiers.py:9)", "choose, write FHIR, and the steps around it"),
    (
        f"{LOOP};app (starlette/routing.py:683);take (gateway/web/callbacks.py:9);send (uvicorn/x.py:1)",
        "doors: HTTP and MLLP",
    ),
    (LOOP, LOOP_ITSELF),
    (f"{LOOP};run (gateway/wiring/watching.py:9)", "watch, clock, counts, console, notices"),
    (f"{LOOP};look (gateway/mailbox.py:9)", LOOP_REST),
    ("thread (7): MainThread;_run_module_as_main (<frozen runpy>:198)", LOOP_REST),
    (f"{STORE};accept (gateway/store/sql/accept.py:1);due (gateway/store/sql/tell.py:7)", "store: look up and accept"),
    (f"{STORE};SqliteWriter.commit (gateway/store/sqlite/writer.py:43)", COMMIT),
    (f"{STORE};beat (gateway/store/sql/watching.py:4)", COMMIT),
    (f"{READER};news (gateway/store/sql/telling.py:33)", "store: counts and changes for the console, news"),
    (READER, STORE_REST),
]


@pytest.mark.parametrize(("stack", "area"), STACKS)
def test_a_stack_is_counted_where_its_work_is_done(stack: str, area: str) -> None:
    found = spent([f"{stack} 3"], loop=6.0, others=4.0)
    assert [name for name, value in found.items() if value] == [area]
    assert found[area] == (6.0 if area in {*IN_LOOP, LOOP_ITSELF, LOOP_REST} else 4.0)


def test_the_areas_together_are_what_the_threads_used() -> None:
    found = spent([f"{stack} {count}" for count, (stack, _) in enumerate(STACKS, 1)], loop=6.0, others=4.0)
    assert sum(found.values()) == pytest.approx(10.0)
    assert list(found) == [*IN_LOOP, LOOP_ITSELF, LOOP_REST, *IN_STORE, STORE_REST]
    assert found[LOOP_ITSELF] == pytest.approx(6.0 * 4 / (1 + 2 + 3 + 4 + 5 + 6 + 7))


def test_where_nobody_was_let_look_nothing_is_claimed() -> None:
    assert spent([], loop=6.0, others=4.0) == {}


def test_without_the_program_that_looks_the_measurement_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    with looked_at(os.getpid(), tmp_path) as stacks:
        pass
    assert stacks == []
