"""The quick pass and the walk never disagree.

What the quick pass calls clean, the walk has nothing to say of, however a message is spoiled; and what the walk has
nothing to say of, the quick pass calls clean, unless it holds one of the few things that are left to the walk.
"""

import copy
import random
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.config.profiles import fhir_checker
from gateway.validate.fhir.checker import BY_EVENT, FhirChecker
from gateway.validate.fhir.eps.rules import event_of
from gateway.validate.fhir.identifiers import check_identifiers
from gateway.validate.fhir.references import check_references
from gateway.wire import strict_json
from tests.unit.validate.fhir.eps_examples import FOLDER
from tests.unit.validate.fhir.test_planted_faults import ORDERS, PLANTED, order

RESPONSE = FOLDER / "spec/errors/prescription-order-update/R-0002-Cancellation.json"
MESSAGES = {**ORDERS, **({"response": RESPONSE} if FOLDER.exists() else {})}
_VALUES: tuple[Any, ...] = (
    None,
    "",
    " ",
    "x",
    "urn:uuid:x",
    0,
    -1,
    1,
    True,
    False,
    [],
    {},
    [{}],
    ["x"],
    {"x": 1},
    {"url": "x"},
    "\x07",
)
_LEFT_TO_THE_WALK = re.compile(
    r"""'contained'|'modifierExtension'|'_\w+'        # companions of primitives
    |'reference':\ '(?!urn:)                         # local references, or by type and id
    |'(?:reference|display|value|unit|text)':\ '\s   # a text that begins with a blank
    |'system':\ '[^']*',\ 'extension'                # codings with extensions
    |'\\x07'                                       # a URI of what cannot be printed
    """,
    re.VERBOSE,
)


def message_of(name: str) -> dict[str, Any]:
    value = strict_json.loads(MESSAGES[name].read_bytes())
    assert isinstance(value, dict)
    return value


def profile_of(checker: FhirChecker, message: dict[str, Any]) -> str:
    assert checker._profiles is not None
    return checker._profiles.names[BY_EVENT.get(event_of(message), BY_EVENT["prescription-order"])]


def certain(checker: FhirChecker, message: dict[str, Any]) -> bool:
    assert checker._quick is not None
    return checker._quick.certain(message, profile_of(checker, message))


def walked(checker: FhirChecker, message: dict[str, Any]) -> int:
    found = checker._profiled.walk(message, profile_of(checker, message))
    check_references(found)
    return len(found.findings) + len(check_identifiers(message))


def places(value: object) -> list[tuple[Any, Any]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = []
    for key, below in inner:
        found.append((value, key))
        found += places(below)
    return found


def spoil(message: dict[str, Any], source: random.Random) -> None:
    """Change one place in one of the ways a sender gets it wrong."""
    parent, key = source.choice(places(message))
    match source.randrange(6):
        case 0:
            del parent[key]
        case 1:
            parent[key] = source.choice(_VALUES)
        case 2 if isinstance(parent, dict):
            parent[source.choice(["extension", "contained", "_value", "valueString", "modifierExtension", "x"])] = (
                source.choice(_VALUES)
            )
        case 3 if isinstance(parent, dict):
            parent[source.choice(list(parent))] = copy.deepcopy(parent[key])
        case 4 if isinstance(parent, list):
            parent.append(copy.deepcopy(parent[key]))
        case _:
            other, place = source.choice(places(message))
            parent[key] = copy.deepcopy(other[place])


@pytest.mark.parametrize("name", MESSAGES)
def test_a_clean_message_takes_the_quick_road(name: str) -> None:
    assert certain(fhir_checker(), message_of(name))


@pytest.mark.parametrize("name", ORDERS)
@pytest.mark.parametrize("case", PLANTED)
def test_a_planted_fault_never_takes_the_quick_road_past_the_walk(name: str, case: str) -> None:
    checker, message = fhir_checker(), order(name)
    PLANTED[case][0](message)
    assert certain(checker, message) == (walked(checker, message) == 0)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 1 << 32), name=st.sampled_from(sorted(MESSAGES)))
def test_the_quick_pass_and_the_walk_agree(seed: int, name: str) -> None:
    checker, message = fhir_checker(), message_of(name)
    spoil(message, random.Random(seed))
    if certain(checker, message):
        assert walked(checker, message) == 0
    elif not _LEFT_TO_THE_WALK.search(repr(message)):
        assert walked(checker, message) > 0


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 1 << 32), name=st.sampled_from(sorted(ORDERS)), times=st.integers(1, 5))
def test_no_message_however_spoiled_breaks_the_check(seed: int, name: str, times: int) -> None:
    message, source = order(name), random.Random(seed)
    for _ in range(times):
        spoil(message, source)
    fhir_checker().check(message)
