"""What is read: values with their places, which no log may show."""

import pytest

from gateway.translate.from_fhir.nodes import Builder
from gateway.translate.from_xml.document import Node
from gateway.wire.er7 import parse
from gateway.wire.leaf import Leaf

MESSAGE = b"MSH|^~\\&|A|B\rPID|1||9990000077^^^NHS||TESTPATIENT\\T\\SON^Aoife~OTHER"


def test_a_value_shows_its_place_and_never_what_stands_there() -> None:
    assert repr(Leaf("PID[1]-5.1", "TESTPATIENT")) == "Leaf(locator='PID[1]-5.1')"
    pid = parse(MESSAGE).segments[1]
    bundle = Builder().build({"resourceType": "Bundle", "id": "TESTPATIENT"}, "Bundle", "Bundle")
    element = Node("Family", "/Family", Leaf("/Family", "TESTPATIENT"), {}, [], {})
    shown = repr((pid, pid.repetitions(5), list(pid.leaves()), bundle, list(bundle.leaves.values()), element))
    for value in ("TESTPATIENT", "Aoife", "OTHER", "9990000077"):
        assert value not in shown
    assert "PID[1]-5[1]" in shown
    assert "Bundle.id" in shown
    assert "/Family" in shown


def test_a_value_is_not_changed_once_it_is_read() -> None:
    with pytest.raises(AttributeError):
        Leaf("PID[1]-5.1", "TESTPATIENT").raw = "OTHER"  # type: ignore[misc]


def test_a_value_of_a_line_with_an_escape_is_decoded_and_its_neighbours_are_as_they_stand() -> None:
    leaves = {leaf.locator: (leaf.raw, leaf.text) for leaf in parse(MESSAGE).segments[1].leaves()}
    assert leaves["PID[1]-5[1].1"] == ("TESTPATIENT\\T\\SON", "TESTPATIENT&SON")
    assert leaves["PID[1]-5[1].2"] == ("Aoife", "Aoife")
    assert leaves["PID[1]-5[2].1"] == ("OTHER", "OTHER")
