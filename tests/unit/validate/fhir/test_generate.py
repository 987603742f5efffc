"""The functions of the quick pass are written for every row, can be read, and ask each rule where it has a say."""

import ast
from collections.abc import Iterable
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config.profiles import load_definitions, load_r4_table
from gateway.validate.fhir.generate import OF_OTHER_BUNDLES, Writer, function_name
from gateway.validate.fhir.invariants import ABOUT, INVARIANTS, OF_NAMES
from gateway.validate.fhir.profile import compile_profiles

PROFILES: Final = compile_profiles(load_r4_table(), load_definitions())
ROWS: Final = sorted(PROFILES.table["types"])
PERIOD: Final = """\
def Period(value):
    try:
        start_ = value['start']
        end_ = value['end']
    except KeyError:
        return Period.other(value)
    if not (dateTime(start_) is None):
        return False
    if not (dateTime(end_) is None):
        return False
    return per_1(value)
"""
NAMES: Final = sorted(
    {name for row in PROFILES.table["types"].values() for name in row["elements"] if "extension" not in name.lower()}
)
VALUES: Final[tuple[Any, ...]] = ("", "x", "2026-01-02", 0, -1, 1, True, [], [{}], [{"x": 1}], {}, {"value": 1})


NOT_WITH_OTHERS: Final = {"dataAbsentReason", "emptyReason", "query", "searchParam", "timeOfDay", "timingTiming"}
"""Members that a rule lets no object have beside another that is listed before."""


def writer() -> Writer:
    return Writer(PROFILES.table, PROFILES.extensions)


def fullest(row: str) -> tuple[str, ...]:
    """Give the shape of an object of a row that has all it may have, and of each choice the first."""
    spec = PROFILES.table["types"][row]
    later = {name for choice in spec["choices"].values() for name in allowed(spec, choice["names"])[1:]}
    names = [name for name in allowed(spec, spec["elements"]) if name not in later | NOT_WITH_OTHERS]
    if spec.get("base", row) == "Extension" and any(name.startswith("value") for name in names):
        names = [name for name in names if name != "extension"]
    return tuple(["resourceType"] * spec["resource"] + names)


def allowed(spec: dict[str, Any], names: Iterable[str]) -> list[str]:
    return [
        name
        for name in names
        if not spec["elements"][name].get("forbidden")
        and name not in {"contained", "modifierExtension"}
        and not (name in OF_OTHER_BUNDLES and "fullUrl" in spec["elements"])
    ]


def test_a_function_says_the_shape_in_plain_words() -> None:
    assert writer().write("Period", ("start", "end")) == PERIOD


@pytest.mark.parametrize(
    ("row", "shape"),
    [
        ("Period", ()),
        ("Period", ("start", "x")),
        ("Period", ("_start",)),
        ("Patient", ("id",)),
        ("Patient", ("resourceType", "contained")),
        ("Patient", ("resourceType", "deceasedBoolean", "deceasedDateTime")),
        ("Extension", ("url",)),
        ("Extension", ("url", "extension", "valueString")),
        ("Bundle", ("resourceType",)),
        ("Quantity", ("value", "code")),
        ("Bundle.entry", ("fullUrl", "resource", "search")),
    ],
)
def test_a_shape_that_cannot_be_clean_has_no_function(row: str, shape: tuple[str, ...]) -> None:
    assert not writer().write(row, shape)


@pytest.mark.parametrize("row", ROWS)
def test_every_row_can_be_written(row: str) -> None:
    (function,) = ast.parse(writer().write(row, fullest(row))).body
    assert isinstance(function, ast.FunctionDef)
    assert function.name == function_name(row)


def test_every_row_has_a_name_of_its_own() -> None:
    assert len({function_name(row) for row in ROWS}) == len(ROWS)


def test_what_the_functions_are_given_by_name_they_use() -> None:
    every = writer()
    used = {
        node.id
        for row in ROWS
        for node in ast.walk(ast.parse(every.write(row, fullest(row))))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    assert set(every.names) <= used


@pytest.mark.parametrize("rule", sorted(OF_NAMES))
@given(names=st.sets(st.sampled_from(NAMES), max_size=12), data=st.data())
def test_a_rule_of_names_says_the_same_whatever_the_values(rule: str, names: set[str], data: st.DataObject) -> None:
    value = {name: data.draw(st.sampled_from(VALUES)) for name in names}
    assert INVARIANTS[rule](value) == INVARIANTS[rule](dict.fromkeys(names))


@pytest.mark.parametrize("rule", sorted(ABOUT))
@settings(max_examples=40)
@given(data=st.data())
def test_a_rule_holds_of_what_has_none_of_the_members_it_is_about(rule: str, data: st.DataObject) -> None:
    others = [name for name in NAMES if name not in ABOUT[rule]]
    value = data.draw(st.dictionaries(st.sampled_from(others), st.sampled_from(VALUES), max_size=12))
    assert INVARIANTS[rule](value)
