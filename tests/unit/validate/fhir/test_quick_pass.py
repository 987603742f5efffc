"""The quick pass never calls clean what the walk reports, and does take the road that makes it worth having."""

import copy
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.config.profiles import fhir_checker
from gateway.validate.fhir.checker import BY_EVENT, FhirChecker
from gateway.validate.fhir.identifiers import check_identifiers
from gateway.validate.fhir.references import check_references
from tests.unit.validate.fhir.test_planted_faults import ORDERS, order

ORDER = BY_EVENT["prescription-order"]
_VALUES = (None, "", " ", "x", "urn:uuid:x", 0, -1, 1, True, False, [], {}, [{}], ["x"], {"x": 1}, {"url": "x"}, "\x07")


def walked(checker: FhirChecker, message: dict[str, Any]) -> int:
    row = checker._profiles.names[ORDER]  # type: ignore[union-attr]
    found = checker._profiled.walk(message, row)
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


@pytest.mark.parametrize("name", ORDERS)
def test_a_clean_order_takes_the_quick_road(name: str) -> None:
    checker = fhir_checker()
    assert checker._quick is not None
    assert checker._profiles is not None
    assert checker._quick.certain(order(name), checker._profiles.names[ORDER])


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 1 << 32), name=st.sampled_from(sorted(ORDERS)))
def test_what_the_quick_pass_takes_the_walk_has_nothing_to_say_of(seed: int, name: str) -> None:
    checker, message = fhir_checker(), order(name)
    spoil(message, random.Random(seed))
    assert checker._quick is not None
    assert checker._profiles is not None
    if checker._quick.certain(message, checker._profiles.names[ORDER]):
        assert walked(checker, message) == 0


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 1 << 32), name=st.sampled_from(sorted(ORDERS)), times=st.integers(1, 5))
def test_no_message_however_spoiled_breaks_the_check(seed: int, name: str, times: int) -> None:
    message, source = order(name), random.Random(seed)
    for _ in range(times):
        spoil(message, source)
    fhir_checker().check(message)
