"""What a trust's file says of its own codes and of its own segments: approved by two people, for a time, and checked.

Source: mapping.md 2.4, 3.5 and 5; brief D12.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import combinations

from gateway.config.fields import Fields
from gateway.config.reference import load_reference
from gateway.domain.code_map import MapKind
from gateway.domain.coding import SNOMED, Coding
from gateway.domain.identifiers import SnomedCode
from gateway.domain.partner import CodeEntry, Trust, ZField
from gateway.domain.reference import Reference
from gateway.translate.contradictions import unit_contradicts
from gateway.translate.drug_words import names_another
from gateway.translate.maps.rules import movable
from gateway.translate.terms import same_strength

TWO_PEOPLE = 2
"""An entry is approved by two people (mapping.md 5)."""

_Z_FIELD = re.compile(r"(Z[A-Z0-9]{2})-([1-9]\d?)", re.ASCII)


def read_codes(fields: Fields) -> tuple[CodeEntry, ...]:
    """Read `[[codes]]`; two entries that are in force on one day may not lead one code to two places."""
    entries = tuple(_entry(each) for each in fields.tables("codes"))
    for (first, one), (second, other) in combinations(enumerate(entries), 2):
        if _key(one) == _key(other) and one.target != other.target and _meet(one, other):
            fields.fault(f"codes[{second}]", f"leads elsewhere than codes[{first}] on the same days")
    return entries


def read_z_fields(fields: Fields) -> tuple[ZField, ...]:
    """Read `[[z_fields]]`: on any day one place for one fact, and one fact for one place."""
    found = tuple(_z_field(each) for each in fields.tables("z_fields"))
    homes = movable()
    for (first, one), (second, other) in combinations(enumerate(found), 2):
        if not _meet(one, other):
            continue
        if one.place == other.place:
            fields.fault(f"z_fields[{second}]", f"{other.place} is also the place of z_fields[{first}]")
        elif homes.get(one.target) == homes.get(other.target):
            fields.fault(f"z_fields[{second}]", f"names a second place for {one.target}: z_fields[{first}] names one")
    return found


def _z_field(fields: Fields) -> ZField:
    target = fields.text("target")
    if target not in movable():
        fields.fault("target", f"is not one of {', '.join(movable())}")
    place = _Z_FIELD.fullmatch(text := fields.text("field"))
    if place is None:
        fields.fault("field", f"{text!r} is not a field of a Z-segment, such as ZPO-3")
    field = ZField(
        segment=place[1] if place else "ZZZ",
        number=int(place[2]) if place else 1,
        target=target,
        approved_by=_approvers(fields),
        valid_from=fields.optional_day("valid_from"),
        valid_to=fields.optional_day("valid_to"),
    )
    _check_days(fields, field.valid_from, field.valid_to)
    fields.done()
    return field


def _entry(fields: Fields) -> CodeEntry:
    target = fields.table("target")
    coding = Coding(system=target.text("system"), code=target.text("code"), display=target.text("display"))
    target.done()
    if coding.system == SNOMED and SnomedCode.parse(coding.code) is None:
        target.fault("code", "is not a SNOMED CT or dm+d code")
    entry = CodeEntry(
        kind=fields.choice("kind", MapKind),
        code=fields.text("code"),
        text=fields.text("text", ""),
        system=fields.text("system", ""),
        target=coding,
        approved_by=_approvers(fields),
        valid_from=fields.optional_day("valid_from"),
        valid_to=fields.optional_day("valid_to"),
    )
    _check_days(fields, entry.valid_from, entry.valid_to)
    if entry.kind == MapKind.DRUG:
        _check_drug(fields, entry)
    if entry.kind == MapKind.UNIT:
        _check_unit(fields, entry)
    fields.done()
    return entry


def _approvers(fields: Fields) -> tuple[str, ...]:
    """Read who approved it; one person written in two ways is one person."""
    approvers = fields.texts("approved_by")
    if len({" ".join(name.split()).casefold() for name in approvers}) < TWO_PEOPLE:
        fields.fault("approved_by", "needs two different people")
    return approvers


def _check_days(fields: Fields, first: date | None, last: date | None) -> None:
    if first and last and last < first:
        fields.fault("valid_to", "is before valid_from")


def _check_drug(fields: Fields, entry: CodeEntry) -> None:
    """A drug's words are part of its key, and name the strength that its target names (mapping.md 5)."""
    if not entry.text:
        fields.fault("text", "is missing: the words of a drug code are part of its key")
    if not same_strength(entry.text, entry.target.display):
        fields.fault("text", "names another strength than the target")


def _check_unit(fields: Fields, entry: CodeEntry) -> None:
    """A unit's code and words may be strange to us, but not known to mean another unit (`mcg` is never mg)."""
    for key, words in (("code", entry.code), ("text", entry.text)):
        if words and unit_contradicts(load_reference(), words, entry.target):
            fields.fault(key, "names another unit than the target")


def _key(entry: CodeEntry) -> tuple[str, str, str, str]:
    return (entry.kind, entry.code, entry.text, entry.system)


def _meet(one: CodeEntry | ZField, other: CodeEntry | ZField) -> bool:
    """Tell whether there is a day on which both are in force."""
    last = min(one.valid_to or date.max, other.valid_to or date.max)
    return max(one.valid_from or date.min, other.valid_from or date.min) <= last


def code_faults(trusts: Iterable[Trust], reference: Reference) -> Iterator[str]:
    """Compare every map of a local drug code with the release in force: the code is there, its strength the same.

    A release may drop or rename a product long after two people approved the map; orders are then held one by one.
    Asked when a configuration is checked, so that it is noticed before the orders are.
    """
    for trust in trusts:
        for entry in trust.codes:
            if entry.kind == MapKind.DRUG and (fault := _against(entry, reference)):
                yield f"{trust.ods}: drug code {entry.code}: {fault}"


def _against(entry: CodeEntry, reference: Reference) -> str:
    row = reference.products.get(entry.target.code)
    if row is None:
        return f"its target {entry.target.code} is not in release {reference.release}"
    if names_another(reference.names, entry.text, row):
        return f"its words name another medicine than release {reference.release}: {row.display}"
    if not same_strength(entry.text, row.display):
        return f"its words name another strength than release {reference.release}: {row.display}"
    return ""
