"""Every published EPS example: the valid ones pass, the others fail for a reason that is written down."""

import pytest

from gateway.config.profiles import fhir_checker
from gateway.validate.fhir.finding import Level
from tests.unit.validate.fhir.eps_examples import ABSENT, FOLDER, INVALID, every, read

pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason=ABSENT)


def errors(name: str) -> list[str]:
    found = fhir_checker().check(read(every()[name]))
    return [f"{one.rule} {one.expression}" for one in found if one.level is Level.ERROR]


def test_there_are_examples_to_check() -> None:
    assert len(every()) >= 180


@pytest.mark.parametrize("name", [name for name in (every() if FOLDER.exists() else ()) if name not in INVALID])
def test_a_valid_example_has_no_error(name: str) -> None:
    assert errors(name) == []


@pytest.mark.parametrize("name", INVALID)
def test_an_invalid_example_is_told_so(name: str) -> None:
    assert errors(name)


@pytest.mark.parametrize(
    "name",
    [
        "community/acute/nominated-pharmacy/clinical-practitioner/controlled-drugs/1-Process-Request-Send-200_OK.json",
        "community/acute/nominated-pharmacy/clinical-practitioner/controlled-drugs/2-Process-Request-Send-200_OK.json",
    ],
)
def test_a_dangling_provenance_target_is_a_warning_that_says_so(name: str) -> None:
    found = [one for one in fhir_checker().check(read(every()[name])) if one.rule == "reference"]
    assert [one.level for one in found] == [Level.WARNING]
    assert "not in the Bundle" in found[0].text
