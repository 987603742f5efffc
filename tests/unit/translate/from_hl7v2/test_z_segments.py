"""A trust's own Z-segments: read only where its map names a field, and never in two places."""

from datetime import date

import pytest

from gateway.domain.partner import ZField
from gateway.domain.submission import Reading
from gateway.translate.maps.rules import movable
from tests.hl7v2_orders import codes, edited, golden, issues, read, with_trust

BOTH = ("Example Approver One", "Example Approver Two")


def _map(**fields: str) -> tuple[ZField, ...]:
    """Give a map: `tier="ZTR-4"` moves `homecare.tier` there."""
    found = []
    for name, place in fields.items():
        segment, _, number = place.partition("-")
        target = name.replace("__", ".")
        found.append(ZField(segment=segment, number=int(number), target=target, approved_by=BOTH))
    return tuple(found)


def _without(text: str, *numbers: int) -> str:
    return edited(text, {f"ZHC-{number}": "" for number in numbers})


def _z(text: str, name: str, fields: dict[int, str]) -> str:
    return edited(text, {f"+{name}": "|".join([name, *(fields.get(n, "") for n in range(1, max(fields) + 1))])})


def _homecare(reading: Reading) -> object:
    prescription = reading.orders[0].prescription
    assert prescription is not None
    return prescription.homecare


def _zhc(text: str) -> list[str]:
    return next(line for line in text.split("\n") if line.startswith("ZHC")).split("|")


def test_what_the_map_moves_is_read_there_and_the_rest_stays_in_zhc() -> None:
    text = golden("S01")
    plain = _zhc(text)
    context = with_trust(z_fields=_map(homecare__purchase_order="ZPO-3", homecare__tier="ZPO-2"))
    moved = _z(_without(text, 3, 7), "ZPO", {1: "not ours", 2: plain[3], 3: plain[7]})
    reading = read(moved, context)
    assert _homecare(reading) == _homecare(read(text))
    assert reading.unaccounted == ()
    rows = {row.target: row for row in reading.orders[0].trace}
    order = rows["homecare.purchase_order"]
    assert (order.source, order.rule) == ("ZPO[1]-3.1", "HL7V2.ZHC-7.homecare.purchase_order")
    assert [left.source for left in reading.leftovers if left.disposition == "unknown"] == ["ZPO[1]-1.1"]


@pytest.mark.parametrize("target", sorted(set(movable()) - {"lines.interval", "lines.total_supplies"}))
def test_every_fact_of_zhc_can_be_moved(target: str) -> None:
    text = golden("S01")
    number = int(movable()[target].removeprefix("ZHC-"))
    field = ZField(segment="ZXX", number=2, target=target, approved_by=BOTH)
    value = _zhc(text)[number] if number < len(_zhc(text)) else ""
    moved = _z(_without(text, number), "ZXX", {2: value}) if value else text
    reading = read(moved, with_trust(z_fields=(field,)))
    assert reading.orders[0].prescription == read(text).orders[0].prescription
    assert codes(reading) == codes(read(text))


def test_a_segment_before_the_first_order_speaks_for_every_order() -> None:
    text = golden("S01")
    lines = _without(text, 7).strip("\n").split("\n")
    at = next(index for index, line in enumerate(lines) if line.startswith("ORC"))
    shared = "\n".join([*lines[:at], f"ZPO|{_zhc(text)[7]}", *lines[at:]]) + "\n"
    assert _homecare(read(shared, with_trust(z_fields=_map(homecare__purchase_order="ZPO-1")))) == _homecare(read(text))


def test_a_value_left_in_zhc_beside_the_moved_one_holds_the_order() -> None:
    moved = _z(golden("S01"), "ZPO", {1: "PO-OTHER"})
    reading = read(moved, with_trust(z_fields=_map(homecare__purchase_order="ZPO-1")))
    found = [issue for issue in issues(reading) if issue.code == "FIELD_NOT_UNDERSTOOD"]
    assert [issue.location for issue in found] == ["ZHC[1]-7"]


def test_an_unknown_word_in_a_moved_field_is_held_where_it_stands() -> None:
    moved = _z(_without(golden("S01"), 3), "ZPO", {4: "MIDDLING"})
    reading = read(moved, with_trust(z_fields=_map(homecare__tier="ZPO-4")))
    assert [issue.location for issue in issues(reading) if issue.code == "FIELD_NOT_UNDERSTOOD"] == ["ZPO[1]-4.1"]


def test_a_second_segment_of_a_mapped_name_is_refused() -> None:
    moved = _z(_z(_without(golden("S01"), 7), "ZPO", {1: "PO-1"}), "ZPO", {1: "PO-2"})
    reading = read(moved, with_trust(z_fields=_map(homecare__purchase_order="ZPO-1")))
    assert "STRUCTURE_INVALID" in codes(reading)


def test_an_unknown_segment_is_never_read_and_never_an_error() -> None:
    text = _z(golden("S01"), "ZPO", {1: "PO-1", 3: "anything"})
    reading = read(text)
    assert codes(reading) == codes(read(golden("S01")))
    assert _homecare(reading) == _homecare(read(golden("S01")))
    assert {left.source for left in reading.leftovers if left.disposition == "unknown"} == {"ZPO[1]-1.1", "ZPO[1]-3.1"}


def test_the_map_counts_only_on_its_days() -> None:
    field = ZField(segment="ZPO", number=1, target="homecare.tier", valid_from=date(2026, 4, 1))
    trust = with_trust(z_fields=(field,)).trust
    assert trust.on(date(2026, 3, 31)).z_fields == ()
    assert trust.on(date(2026, 4, 1)).z_fields == (field,)
