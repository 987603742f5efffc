"""`adapters/carries.csv` says of every field and every adapter how the field travels, and says the truth."""

import csv
import dataclasses
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from gateway.destination import Destination
from gateway.domain.identifiers import OdsCode
from gateway.domain.partner import Environment, Provider
from gateway.domain.prescription import Prescription
from tests import factories

_TABLE = Path(__file__).parents[3] / "adapters/carries.csv"
_WAYS = {"message", "rendered", "refused"}
_ADAPTERS = {entry.name: entry for entry in entry_points(group="gateway.adapters")}


def _rows() -> list[dict[str, str]]:
    with _TABLE.open(newline="", encoding="utf-8") as table:
        return list(csv.DictReader(table))


def _parts(kind: object) -> Iterator[type]:
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        yield kind
    for inner in get_args(kind):
        yield from _parts(inner)


def _fields(kind: type, seen: set[type]) -> Iterator[str]:
    if kind in seen:
        return
    seen.add(kind)
    hints = get_type_hints(kind)
    for name in (field.name for field in dataclasses.fields(kind)):
        yield f"{kind.__name__}.{name}"
        for inner in _parts(hints[name]):
            yield from _fields(inner, seen)


def _adapter(name: str) -> Destination:
    ods = OdsCode.parse("VNE51")
    assert ods is not None
    provider = Provider(ods=ods, name="Example", environment=Environment.TEST, adapter=name, endpoint="http://[::1]/")
    made: Destination = _ADAPTERS[name].load()(provider)
    return made


def test_every_field_of_a_prescription_has_its_row() -> None:
    assert sorted(row["field"] for row in _rows()) == sorted(_fields(Prescription, set()))


def test_every_adapter_has_its_column_and_every_cell_a_known_word() -> None:
    for row in _rows():
        assert row.keys() == {"field", *_ADAPTERS}
        assert {row[name] for name in _ADAPTERS} <= _WAYS


@pytest.mark.parametrize("name", sorted(_ADAPTERS))
def test_an_adapter_that_renders_nothing_carries_the_sealed_message_and_refuses_nothing(name: str) -> None:
    said = {row[name] for row in _rows()}
    prescription = factories.prescription()
    renders = _adapter(name).render(prescription, b"{}") is not None
    assert ("message" in said) is not renders
    assert ("refused" in said) or not _adapter(name).cannot_carry(prescription)
