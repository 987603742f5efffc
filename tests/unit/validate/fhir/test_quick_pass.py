"""The quick pass and the walk never disagree.

What the quick pass calls clean, the walk has nothing to say of, however a message is spoiled; and what the walk has
nothing to say of, the quick pass calls clean, unless it holds one of the few things that are left to the walk.
"""

import ast
import copy
import random
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.config.profiles import fhir_checker
from gateway.validate.fhir import quick
from gateway.validate.fhir.checker import BY_EVENT, FhirChecker
from gateway.validate.fhir.eps.rules import event_of
from gateway.validate.fhir.identifiers import check_identifiers
from gateway.validate.fhir.quick import QuickPass
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


LIST = {"resourceType": "List", "status": "current", "mode": "working"}
BUNDLE_FAULTS: Mapping[str, Callable[[dict[str, Any]], object]] = {
    "bdl-2": lambda m: m["entry"][1].update(search={"mode": "match"}),
    "bdl-3": lambda m: m["entry"][1].update(request={"method": "GET", "url": "x"}),
    "bdl-4": lambda m: m["entry"][1].update(response={"status": "200"}),
    "bdl-7": lambda m: m["entry"].append(copy.deepcopy(m["entry"][-1])),
    "bdl-8": lambda m: m["entry"].append({"fullUrl": "http://x/List/1/_history/2", "resource": LIST}),
    "bdl-11": lambda m: m.update(type="document"),
    "bdl-12": lambda m: m["entry"].append(m["entry"].pop(0)),
}


@pytest.mark.parametrize("rule", BUNDLE_FAULTS)
def test_a_rule_of_bundles_that_is_broken_is_left_to_the_walk(rule: str) -> None:
    checker, message = fhir_checker(), message_of("ours")
    row = profile_of(checker, message)
    BUNDLE_FAULTS[rule](message)
    assert rule in {finding.rule for finding in checker._profiled.walk(message, row).findings}
    assert checker._quick is not None
    assert not checker._quick.certain(message, row)


def test_only_a_message_is_looked_at() -> None:
    taught, message = fresh(), message_of("ours")
    assert taught._is_message(message)
    assert not taught._is_message({**message, "type": "collection"})


def test_a_reference_that_is_found_by_what_cannot_be_printed_is_left_to_the_walk() -> None:
    checker, message = fhir_checker(), message_of("ours")
    text = repr(message)
    (patient,) = (one["fullUrl"] for one in message["entry"] if one["resource"]["resourceType"] == "Patient")
    spoiled = ast.literal_eval(text.replace(repr(patient), repr("urn:\x07")))
    assert walked(checker, spoiled)
    assert not certain(checker, spoiled)


def test_members_in_another_order_make_no_new_function() -> None:
    taught, message = fresh(), message_of("ours")
    row = profile_of(fhir_checker(), message)
    assert taught.certain(message, row)
    before = shapes(taught)
    assert taught.certain(dict(reversed(message.items())), row)
    assert shapes(taught) == before


def shapes(taught: QuickPass) -> int:
    return sum(len(functions.shapes) for functions in taught._rows.values())


def fresh() -> QuickPass:
    profiles = fhir_checker()._profiles
    assert profiles is not None
    return QuickPass(profiles)


def test_more_new_shapes_than_one_message_may_bring_are_left_to_the_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick, "_MOST_NEW", 25)
    taught, message = fresh(), message_of("ours")
    row = profile_of(fhir_checker(), message)
    answers = [taught.certain(message, row) for _ in range(10)]
    assert not answers[0]
    assert answers[-1]


def test_only_so_many_functions_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick, "_MOST_KEPT", 10)
    forgetful, message = fresh(), message_of("ours")
    row = profile_of(fhir_checker(), message)
    assert all(forgetful.certain(message, row) for _ in range(3))
    assert shapes(forgetful) <= 10


def test_only_short_texts_and_so_many_of_them_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick, "_MOST_REMEMBERED", 3)
    forgetful, message = fresh(), message_of("ours")
    assert all(forgetful._uri(f"urn:x:{number}") for number in range(10))
    assert forgetful.certain(message, profile_of(fhir_checker(), message))
    assert forgetful._uri("urn:" + "x" * 1000)
    assert len(forgetful._uris) <= 3
    assert max(map(len, forgetful._uris)) < 1000


def test_a_bundle_within_a_message_is_left_to_the_walk() -> None:
    message = message_of("ours")
    (patient,) = (one for one in message["entry"] if one["resource"]["resourceType"] == "Patient")
    inner = {
        "resourceType": "List",
        "status": "current",
        "mode": "working",
        "subject": {"reference": patient["fullUrl"]},
    }
    entry = {"fullUrl": "urn:uuid:1f4a3a52-0d6f-4f3e-9c0a-5b7f1c9e2d10", "resource": inner}
    message["entry"].append({**entry, "fullUrl": "urn:uuid:0a3b8c52-0d6f-4f3e-9c0a-5b7f1c9e2d11"})
    assert certain(fhir_checker(), message)
    message["entry"][-1]["resource"] = {"resourceType": "Bundle", "type": "collection", "entry": [entry]}
    assert walked(fhir_checker(), message)
    assert not certain(fhir_checker(), message)
