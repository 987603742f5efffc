"""The check and `fhir.resources` R4B agree on structure, except where that library is known to be lenient (D6).

They are independent: ours is compiled from the official definitions, theirs was written as pydantic models.
"""

import random
from typing import Any, Final

from fhir.resources.R4B.bundle import Bundle
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from gateway.config.profiles import load_r4_table
from gateway.validate.fhir.checker import FhirChecker
from gateway.validate.fhir.finding import Finding, Level
from gateway.wire import strict_json
from tests.unit.validate.fhir.test_planted_faults import ORDERS, order
from tests.unit.validate.fhir.test_quick_pass import spoil

BASE_R4: Final = FhirChecker(load_r4_table())
STRUCTURE: Final = frozenset({"cardinality", "unknown-element", "choice", "ele-1", "resourceType", "format", "ext-1"})
LENIENT: Final = {
    ("cardinality", "must be an array that is not empty"): "it reads [] as absent",
    ("ele-1", "must be an object that is not empty"): "it reads {} as an object, though ele-1 wants something in it",
    ("ext-1", "must have either a value or extensions"): "it has no invariants but one value in a choice",
    ("resourceType", "resourceType is missing"): "it takes the type from the model that reads",
    ("format", ""): (
        "it takes any text as a URI or base64, control characters and blanks in strings, and turns a number's text "
        "into a number and a number into text; its own formats are dates, codes, ids and ranges of whole numbers"
    ),
}
"""What the check reports and the library accepts, with the reason. There is no list for the other way round: what the
library rejects, the check reports, without exception."""


def rejected(message: dict[str, Any]) -> bool:
    try:
        Bundle.model_validate_json(strict_json.dumps(message))
    # a wrong resourceType breaks its own reader, and so does what is no text where it wants a URL
    except (ValidationError, TypeError, LookupError, AttributeError):
        return True
    return False


def disputed(finding: Finding) -> bool:
    known = {(finding.rule, finding.text), (finding.rule, "")}
    return finding.rule in STRUCTURE and not known & set(LENIENT)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 1 << 32), name=st.sampled_from(sorted(ORDERS)))
@example(seed=32003, name="ours")
def test_the_check_and_the_library_never_disagree_on_structure_but_where_it_is_listed(seed: int, name: str) -> None:
    message = order(name)
    spoil(message, random.Random(seed))
    errors = [one for one in BASE_R4.check(message) if one.level is Level.ERROR]
    if rejected(message):
        assert errors
    else:
        assert not [one for one in errors if disputed(one)]


def test_both_take_the_orders_as_they_are() -> None:
    for name in ORDERS:
        assert not rejected(order(name))
        assert not [one for one in BASE_R4.check(order(name)) if one.level is Level.ERROR]
