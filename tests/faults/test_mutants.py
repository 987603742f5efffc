"""Every planted mistake is noticed; nothing is noticed where none is planted."""

import pytest

from tests.faults import mutants
from tests.faults.console_mutants import CONSOLE_MUTANTS
from tests.faults.mutants import MUTANTS, Mutant, caught, run

_SLOWER = {2, 4, 6, 7, 11, 16, 17, 18}
"""Those that take more than a few seconds to notice: `make faults` tries them, as it tries all."""
_QUICK = [pytest.param(number, id=one.name) for number, one in enumerate(MUTANTS, 1) if number not in _SLOWER]


@pytest.mark.parametrize("number", _QUICK)
@pytest.mark.timeout(90)
def test_a_planted_mistake_is_noticed(number: int) -> None:
    row = run(range(number, number + 1))
    assert row.clean, row.faults


@pytest.mark.faults
@pytest.mark.parametrize("mutant", [pytest.param(mutant, id=mutant.name) for mutant in CONSOLE_MUTANTS])
@pytest.mark.timeout(90)
def test_a_mistake_planted_at_the_console_is_noticed(mutant: Mutant) -> None:
    assert mutants.noticed(caught(mutant))


@pytest.mark.parametrize("words", ["", "TypeError: live() takes 1 argument", "x has no attribute 'y' (AttributeError)"])
def test_a_mistake_that_nobody_noticed_or_that_was_planted_wrongly_is_a_fault(
    monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    monkeypatch.setattr(mutants, "caught", lambda _: words)
    row = run(range(1, 2))
    assert row.silent == 1
    assert row.faults == ("nobody noticed that the answer comes before the commit",)


def test_there_are_twenty_mistakes() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == 20


@pytest.mark.parametrize("number", [13, 19])
def test_without_a_mistake_nothing_is_noticed(number: int) -> None:
    """Suites that are not proofs of their own."""
    assert not caught(Mutant(name="none", plant=lambda _: None, suite=MUTANTS[number].suite))
