"""The functions of the quick pass are written for every row, can be read, and ask each rule where it has a say."""

import ast
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config.profiles import load_definitions, load_r4_table
from gateway.validate.fhir.generate import Writer, function_name
from gateway.validate.fhir.invariants import ABOUT, INVARIANTS
from gateway.validate.fhir.profile import compile_profiles

PROFILES: Final = compile_profiles(load_r4_table(), load_definitions())
ROWS: Final = sorted(PROFILES.table["types"])
PERIOD: Final = """\
def Period(value):
    for name, item in value.items():
        if name == 'start':
            if not dateTime(item):
                return False
        elif name == 'end':
            if not dateTime(item):
                return False
        elif name == 'id':
            if not (item.isprintable() and item[0] != ' ' and len(item) <= 1048576 or string(item)):
                return False
        elif name == 'extension':
            return False
        else:
            return False
    return value and ('start' not in value or per_1(value))
"""
NAMES: Final = sorted(
    {name for row in PROFILES.table["types"].values() for name in row["elements"] if "extension" not in name.lower()}
)
VALUES: Final[tuple[Any, ...]] = ("", "x", "2026-01-02", 0, -1, 1, True, [], [{}], [{"x": 1}], {}, {"value": 1})


def writer() -> Writer:
    return Writer(PROFILES.table, PROFILES.extensions)


def test_a_function_says_the_row_in_plain_words() -> None:
    assert writer().write("Period") == PERIOD


@pytest.mark.parametrize("row", ROWS)
def test_every_row_can_be_written(row: str) -> None:
    (function,) = ast.parse(writer().write(row)).body
    assert isinstance(function, ast.FunctionDef)
    assert function.name == function_name(row)


def test_every_row_has_a_name_of_its_own() -> None:
    assert len({function_name(row) for row in ROWS}) == len(ROWS)


def test_what_a_function_calls_is_wanted_or_known_by_name() -> None:
    every = writer()
    called = {
        node.id
        for row in ROWS
        for node in ast.walk(ast.parse(every.write(row)))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    assert {function_name(row) for row in every.wanted} <= called
    assert every.wanted <= set(ROWS)
    assert set(every.names) <= called


@pytest.mark.parametrize("rule", sorted(ABOUT))
@settings(max_examples=40)
@given(data=st.data())
def test_a_rule_holds_of_what_has_none_of_the_members_it_is_about(rule: str, data: st.DataObject) -> None:
    others = [name for name in NAMES if name not in ABOUT[rule]]
    value = data.draw(st.dictionaries(st.sampled_from(others), st.sampled_from(VALUES), max_size=12))
    assert INVARIANTS[rule](value)
