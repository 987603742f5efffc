"""`docs/reliability.md` says what `docs/reliability.json` holds, and no more; what was tried most stays in it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faults import page
from tests.faults.__main__ import finished
from tests.faults.proofs import PROOFS
from tests.faults.table import Row

CASE = "Killed"


def kept(tried: int, *, seeds: str = "1-4", commits: tuple[str, ...] = ("here",), lost: int = 0) -> page.Kept:
    row = Row(case=CASE, tried=tried, lost=lost, seeds=seeds)
    return page.keep(row, full=1_000, commits=commits, what="It is killed.")


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(page, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(page, "PAGE", tmp_path / "page.md")
    monkeypatch.setattr(page, "_stands_on", lambda commit: commit == "here")
    return tmp_path


def record(*rows: page.Kept, whole: bool = False) -> list[int]:
    page.write(page.results(rows, whole=whole), [CASE])
    return [page.row_of(one).tried for one in page.read()["kept"]]


def test_the_page_is_the_results() -> None:
    assert page.PAGE.read_text(encoding="utf-8") == page.page(page.read())


def test_every_proof_has_its_row() -> None:
    assert {one["row"]["case"] for one in page.read()["kept"]} == {proof.case for proof in PROOFS}


def test_a_page_of_other_results_is_another_page() -> None:
    found = page.read()
    row = {**found["kept"][0]["row"], "lost": 1}
    assert page.page({**found, "kept": [{**found["kept"][0], "row": row}, *found["kept"][1:]]}) != page.page(found)


@pytest.mark.usefixtures("results")
def test_what_was_tried_more_often_stays_unless_something_is_found() -> None:
    record(kept(80, seeds="1-8"))
    assert record(kept(40)) == [80]
    assert record(kept(90, seeds="1-9")) == [90]
    assert record(kept(40, lost=1)) == [40]
    assert page.known(CASE) is None


@pytest.mark.usefixtures("results")
def test_what_was_tried_on_a_commit_that_is_not_here_counts_for_nothing() -> None:
    record(kept(80, commits=("here", "elsewhere")))
    assert page.known(CASE) is None
    record(kept(80, commits=("here+",)))
    assert page.known(CASE) is None
    assert record(kept(40)) == [40]
    assert page.known(CASE) is not None
    assert page.seeds_of(kept(40)) == {1, 2, 3, 4}


def test_what_was_tried_on_other_code_is_tried_again(tmp_path: Path) -> None:
    for seed, commit in enumerate(("here", "before", "here+"), 1):
        (tmp_path / f"{seed}.json").write_text(f'{{"commit": "{commit}"}}')
    assert finished(tmp_path, "here", any_commit=False) == {1}
    assert finished(tmp_path, "here", any_commit=True) == {1, 2}
    assert finished(tmp_path, "here+", any_commit=False) == set()


@given(st.sets(st.integers(1, 60), min_size=1))
def test_seeds_are_read_as_they_were_written(seeds: set[int]) -> None:
    assert page.seeds_of(kept(1, seeds=page.in_words(seeds))) == seeds


def test_seeds_are_written_as_the_ranges_they_fill() -> None:
    assert page.in_words([*range(1, 271), 500, *range(440, 499)]) == "1-270, 440-498, 500-500"


def test_a_run_of_every_case_stands_on_the_page_beside_what_was_tried_most(results: Path) -> None:
    record(kept(80, seeds="1-8"))
    record(kept(40), whole=True)
    record(kept(90, seeds="1-9"))
    written = (results / "page.md").read_text(encoding="utf-8")
    assert "| Killed | 90 | 1,000 |" in written
    assert "| Killed | 40 | 0 | 0 | 0 |" in written.partition("## Every case in one go")[2]
