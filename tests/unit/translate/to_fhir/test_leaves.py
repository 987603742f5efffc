"""The tree a message is written as: what is written, and what explains it."""

from decimal import Decimal

import pytest

from gateway.translate.to_fhir.leaves import Fixed, Node, constant, explain, plain, uncovered

_CODED: Node = {
    "coding": [{"system": constant("urn:s", "s"), "code": constant("c", "s"), "display": constant("", "s")}]
}


def test_what_is_fixed_is_written_and_explained_as_if_it_were_not() -> None:
    loose: Node = {"a": _CODED, "b": [None, _CODED], "c": ("said", "lines[0].x")}
    fixed: Node = {"a": Fixed(_CODED), "b": [None, Fixed(_CODED)], "c": ("said", "lines[0].x")}
    assert plain(fixed, set()) == plain(loose, set())
    assert list(explain(fixed, "R")) == list(explain(loose, "R"))


def test_what_is_fixed_comes_from_rules_alone() -> None:
    with pytest.raises(ValueError, match="from a rule"):
        Fixed({"code": ("c", "lines[0].product.code")})


def test_nought_and_false_are_values_and_nothing_is_none() -> None:
    leaves: Node = {"a": (False, "a"), "b": (0, "b"), "c": (Decimal("0.0"), "c"), "d": ("", "d"), "e": (None, "e")}
    assert plain(leaves, set()) == {"a": False, "b": 0, "c": Decimal("0.0")}
    assert [path for path, _ in explain(leaves, "R")] == ["R.a", "R.b", "R.c"]


def test_a_row_covers_what_is_below_it_and_what_names_the_system_of_its_code() -> None:
    origins: list[str | tuple[str, ...]] = ["a.b.c", "a.system", "x", ("a.b", "y"), "rule:constant"]
    assert uncovered(origins, ["a.b", "a.code"]) == {"x", "y"}
