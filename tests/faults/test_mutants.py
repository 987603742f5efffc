"""Every planted mistake is noticed; nothing is noticed where none is planted."""

import pytest
from _pytest.mark import ParameterSet

from tests.faults.console_mutants import CONSOLE_MUTANTS
from tests.faults.mutants import MUTANTS, Mutant, caught

_SLOWER = {2, 4, 6, 7, 11, 16, 17, 18}
"""Those that take more than a few seconds to notice: `make faults` tries them."""


def _marked(number: int, mutant: Mutant) -> ParameterSet:
    return pytest.param(mutant, id=mutant.name, marks=[pytest.mark.faults] if number in _SLOWER else [])


@pytest.mark.parametrize("mutant", [_marked(number, mutant) for number, mutant in enumerate(MUTANTS, 1)])
@pytest.mark.timeout(90)
def test_a_planted_mistake_is_noticed(mutant: Mutant) -> None:
    noticed = caught(mutant)
    assert noticed
    assert not [word for word in ("TypeError", "AttributeError", "NameError") if word in noticed], "planted wrongly"


@pytest.mark.faults
@pytest.mark.parametrize("mutant", [pytest.param(mutant, id=mutant.name) for mutant in CONSOLE_MUTANTS])
@pytest.mark.timeout(90)
def test_a_mistake_planted_at_the_console_is_noticed(mutant: Mutant) -> None:
    assert caught(mutant)


def test_there_are_twenty_mistakes() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == 20


@pytest.mark.parametrize("number", [13, 19])
def test_without_a_mistake_nothing_is_noticed(number: int) -> None:
    """Suites that are not proofs of their own."""
    assert not caught(Mutant(name="none", plant=lambda _: None, suite=MUTANTS[number].suite))
