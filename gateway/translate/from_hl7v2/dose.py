"""Dose, timing and words of one line: each said once, or the same wherever it is said.

Source: mapping.md 0.4, 0.6, 3.2, 3.4 and 4.4.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from decimal import Decimal
from itertools import pairwise
from typing import TypeVar

from gateway.domain.coding import Coding
from gateway.domain.prescription import Dosage, Range, Timing
from gateway.domain.quantity import Quantity, lexeme, parse_decimal
from gateway.domain.reference import ProductRow
from gateway.translate.from_hl7v2.amounts import amount, quantity, unit
from gateway.translate.from_hl7v2.coded import Coded, coded
from gateway.translate.from_hl7v2.daily_total import check_daily_total
from gateway.translate.from_hl7v2.desk import Desk
from gateway.translate.from_hl7v2.groups import Group
from gateway.translate.from_hl7v2.rate import read_rate
from gateway.translate.from_hl7v2.route import Administration, Given
from gateway.translate.from_hl7v2.timing import Said, read_timing
from gateway.translate.from_hl7v2.timing_fields import Fields, fields_of_tq, fields_of_tq1
from gateway.translate.from_hl7v2.words import Words
from gateway.translate.record import Leaf
from gateway.wire.er7 import Repetition, Segment

Dose = Quantity | Range
_Sent = TypeVar("_Sent", Segment, Repetition)


@dataclass(frozen=True, slots=True)
class Source:
    """Around one line: its place in the canonical prescription, the default zone, the product."""

    target: str
    zone: tzinfo
    row: ProductRow | None
    administration: Administration


def read_dosages(desk: Desk, group: Group, source: Source, words: Words) -> tuple[Dosage, ...]:
    """Read every dosage of a line."""
    first = f"{source.target}.dosages[0]"
    dose = _dose(desk, group, source, f"{first}.dose")
    statements = _statements(desk, group, f"{source.target}.dosages")
    main = statements[0] if statements else []
    said = [
        read_timing(desk, fields, f"{source.target}.dosages[{index}]", source.zone) for index, fields in enumerate(main)
    ]
    for other in statements[1:]:
        _compare(desk, said, main, other, source, dose)
    doses = [_dose_of(desk, fields, dose, source, index, many=len(main)) for index, fields in enumerate(main)]
    dosages = _assemble(desk, main, said, doses or [dose], source)
    dosages = _rated(desk, group, dosages, source)
    dosages = _worded(desk, dosages, words, source.target)
    _complete(desk, dosages, said, words, group, dose_sent=_sent(group))
    check_daily_total(desk, group.rxe, dosages, source.row)
    return dosages


def _sent(group: Group) -> bool:
    pairs = ((group.rxe, 3), (group.rxo, 2))
    return any(segment is not None and segment.repetitions(number) for segment, number in pairs)


def _statements(desk: Desk, group: Group, target: str) -> list[list[Fields]]:
    """Gather where timing is said, the authoritative place first: TQ1 after RXE, before it, RXE-1, ORC-7."""
    found: list[list[Fields]] = []
    aside = desk.aside()
    for segments in (group.encoded_timings, group.ordered_timings):
        if segments:
            found.append(_used(aside if found else desk, segments, fields_of_tq1, target))
    for segment, number in ((group.rxe, 1), (group.orc, 7)):
        parts = desk.all(segment, number)
        if parts:
            found.append(_used(aside if found else desk, parts, fields_of_tq, target))
    desk.adopt(aside)
    return [statement for statement in found if statement]


def _used(desk: Desk, sent: Sequence[_Sent], read: Callable[[Desk, _Sent, str], Fields], target: str) -> list[Fields]:
    """Read what each statement says, as the dosage it will be; one that says nothing makes none."""
    found: list[Fields] = []
    for each in sent:
        fields = read(desk, each, f"{target}[{len(found)}]")
        if not fields.empty or fields.amount or fields.text:
            found.append(fields)
    return found


def _compare(  # noqa: PLR0917 - both statements, as sent and as understood
    desk: Desk, said: Sequence[Said], main: Sequence[Fields], other: Sequence[Fields], source: Source, dose: Dose | None
) -> None:
    """Read a second statement aside; what it says must be what the first says."""
    aside = desk.aside()
    again = [read_timing(aside, fields, source.target, source.zone) for fields in other]
    for fields in other:
        _second_amount(aside, fields, dose, source)
    desk.adopt(aside)
    timed = [each for each in again if each.timings or each.as_needed or each.words]
    if not timed:
        return
    if len(timed) != len(said) or not all(map(_agrees, said, timed)):
        values = (_shown(main), _shown(other))
        desk.flag("TIMING_CONFLICT", other[0].at, f"The timing here differs from that in {main[0].at}.", values)


def _agrees(first: Said, second: Said) -> bool:
    if not first.understood or not second.understood:
        return first.words == second.words or not second.words or not first.understood
    if second.as_needed and not first.as_needed:
        return False
    if not second.timings:
        return True
    if len(first.timings) != len(second.timings):
        return False
    return all(_part_agrees(one, two) for one, two in zip(first.timings, second.timings, strict=True))


def _part_agrees(first: Timing, second: Timing) -> bool:
    plain = replace(second, bounds=None)
    return (plain == Timing() or plain == replace(first, bounds=None)) and second.bounds in {None, first.bounds}


def _shown(fields: Sequence[Fields]) -> str:
    said = [repeat.code or repeat.words for each in fields for repeat in each.repeats]
    dates = [leaf for each in fields for leaf in (each.start, each.end)]
    return " ".join(leaf.raw for leaf in (*said, *dates) if leaf)


def _dose(desk: Desk, group: Group, source: Source, target: str) -> Dose | None:
    """Read RXE-3, 4 and 5, and hold if RXO-2, 3 and 4 say another dose."""
    places = [(group.rxe, 3), (group.rxo, 2)]
    found: list[tuple[Dose, str]] = []
    for segment, number in places:
        if segment is None:
            continue
        where = desk if not found else desk.aside()
        dose = _range(where, segment, number, target, source.row)
        if where is not desk:
            desk.adopt(where)
        if dose is not None:
            found.append((dose, segment.at(number)))
    if len(found) > 1 and found[0][0] != found[1][0]:
        values = (_worded_dose(found[0][0]), _worded_dose(found[1][0]))
        desk.flag("DOSE_CONFLICT", found[1][1], "RXO and RXE give different doses.", values)
    return found[0][0] if found else None


def _worded_dose(dose: Dose) -> str:
    if isinstance(dose, Quantity):
        return str(dose)
    return f"{dose.low} to {dose.high}"


def _range(desk: Desk, segment: Segment, number: int, target: str, row: ProductRow | None) -> Dose | None:
    low = amount(desk, desk.leaf(desk.one(segment, number)), f"{target}.value")
    high_leaf = desk.leaf(desk.one(segment, number + 1))
    high = _highest(desk, high_leaf, target)
    element = coded(desk, desk.one(segment, number + 2))
    if low is None and high is None:
        _unit_alone(desk, element)
        return None
    if element is None:
        desk.flag("UNIT_UNMAPPED", segment.at(number + 2), "The dose has no unit.")
    unit_ = unit(desk, element, f"{target}.unit", row)
    if high is None or high == low:
        return quantity(low, unit_)
    if low is not None and high < low:
        desk.flag("DOSE_CONFLICT", segment.at(number + 1), "The largest dose is below the smallest.")
        return None
    desk.trace(target, high_leaf, "copy", lexeme(high))
    return Range(low=quantity(low, unit_), high=quantity(high, unit_)) if unit_ else None


def _unit_alone(desk: Desk, element: Coded | None) -> None:
    """A unit without an amount says nothing of the dose."""
    if element:
        desk.use(*element.leaves())


def _highest(desk: Desk, leaf: Leaf | None, target: str) -> Decimal | None:
    """Read RXE-4; 0 is what some senders write for none."""
    if leaf is not None and parse_decimal(leaf.raw) == 0:
        desk.use(leaf)
        return None
    return amount(desk, leaf, f"{target}.high.value")


def _dose_of(desk: Desk, fields: Fields, dose: Dose | None, source: Source, index: int, *, many: int) -> Dose | None:
    """Give the dose of one timing statement: RXE-3's, or TQ1-2's where there is no other; never two that differ."""
    target = f"{source.target}.dosages[{index}].dose"
    if dose is not None:
        _second_amount(desk, fields, dose, source)
        if index and many > 1:
            desk.trace(target, None, "derive:line-dose", "")
        return dose
    if fields.amount is None:
        return None
    number = amount(desk, fields.amount, f"{target}.value")
    if fields.amount_unit is None:
        if _stands_alone(fields.amount):
            return None
        desk.flag("UNIT_UNMAPPED", fields.at, "The dose has no unit.")
    found = quantity(number, unit(desk, fields.amount_unit, f"{target}.unit", source.row))
    if found:
        desk.flag("DOSE_FROM_TQ1", fields.amount.locator, "The dose was read from the timing segment.")
    return found


def _stands_alone(leaf: Leaf) -> bool:
    """HL7's default quantity, 1 without a unit, says *one dose*, not how much."""
    return parse_decimal(leaf.raw) == 1


def _second_amount(desk: Desk, fields: Fields, dose: Dose | None, source: Source) -> None:
    """Compare a dose said beside the timing with the one in RXE-3 or RXO-2."""
    if fields.amount is None:
        return
    aside = desk.aside()
    number = amount(aside, fields.amount, source.target)
    unit_ = unit(aside, fields.amount_unit, source.target, source.row)
    desk.adopt(aside)
    if number is None or dose is None or (fields.amount_unit is None and _stands_alone(fields.amount)):
        return
    if not _equals(dose, number, unit_, said=fields.amount_unit is not None):
        values = (_worded_dose(dose), f"{lexeme(number)} {unit_.display if unit_ else ''}".strip())
        desk.flag("DOSE_CONFLICT", fields.amount.locator, "The dose here differs from that in RXE-3 or RXO-2.", values)


def _equals(dose: Dose, number: Decimal, unit_: Coding | None, *, said: bool) -> bool:
    if isinstance(dose, Range):
        return False
    same_unit = not said or (unit_ is not None and unit_.code == dose.unit.code)
    return dose.value == number and same_unit


def _assemble(
    desk: Desk, main: Sequence[Fields], said: Sequence[Said], doses: Sequence[Dose | None], source: Source
) -> tuple[Dosage, ...]:
    """Make the dosages: one for each statement and for each pattern that could not be merged."""
    sequences = _sequences(desk, main)
    found: list[Dosage] = []
    for position, dose in enumerate(doses):
        statement = said[position] if position < len(said) else None
        timings: tuple[Timing | None, ...] = statement.timings if statement and statement.timings else (None,)
        for timing in timings:
            at = f"{source.target}.dosages[{len(found)}]"
            if len(found) != position:
                desk.trace(at, None, "derive:further-repetition", "")
            desk.trace(f"{at}.sequence", None, "derive:TQ1-12", str(sequences[position]))
            found.append(
                Dosage(
                    sequence=sequences[position],
                    dose=dose,
                    timing=timing,
                    as_needed=statement.as_needed if statement else None,
                    route=_given(desk, source.administration.route, f"{at}.route"),
                    site=_given(desk, source.administration.site, f"{at}.site"),
                    method=_given(desk, source.administration.method, f"{at}.method"),
                    additional=tuple(
                        Coding(display=desk.words(leaf, f"{at}.additional[{index}].display"))
                        for index, leaf in enumerate(source.administration.instructions)
                    ),
                )
            )
    return tuple(found)


def _given(desk: Desk, given: Given | None, target: str) -> Coding | None:
    if given is None:
        return None
    desk.trace(target, given.at, given.how, given.coding.code)
    return given.coding


def _sequences(desk: Desk, main: Sequence[Fields]) -> list[int]:
    """Read how repeated timings join: S in turn, A together; silence between two is held (mapping.md 3.4, TQ1-12)."""
    numbers = [1]
    for before, after in pairwise(main):
        join = desk.text(before.join)
        if join not in {"S", "A"}:
            text = "Say how this timing joins the next: S, after it, or A, beside it."
            desk.flag("TIMING_JOIN_MISSING", before.join.locator if before.join else after.at, text)
        numbers.append(numbers[-1] + (join == "S"))
    if main:
        desk.use(main[-1].join)
    return numbers


def _rated(desk: Desk, group: Group, dosages: tuple[Dosage, ...], source: Source) -> tuple[Dosage, ...]:
    """Put the rate on the dosage; of several nobody says which it is for."""
    rate = read_rate(desk, group, source.row, f"{source.target}.dosages[0].rate")
    if rate is None or not dosages:
        return dosages
    if len(dosages) > 1:
        location = (group.rxe or group.rxo or group.orc).at(23 if group.rxe else 21)
        desk.not_understood(location, "One rate is sent for several dosages; say which it is for.")
    return (replace(dosages[0], rate=rate), *dosages[1:])


def _worded(desk: Desk, dosages: tuple[Dosage, ...], words: Words, target: str) -> tuple[Dosage, ...]:
    """Put the prescriber's words on the first dosage, where they stand for all of them."""
    if not dosages or not words.directions:
        return dosages
    text = "\n".join(leaf.raw for leaf in words.directions)
    for leaf in words.directions:
        desk.trace(f"{target}.dosages[0].text", leaf, "copy", leaf.raw)
    patient = "\n".join(desk.words(leaf, f"{target}.dosages[0].patient_instruction") for leaf in words.second)
    return (replace(dosages[0], text=text, patient_instruction=patient), *dosages[1:])


def _complete(
    desk: Desk, dosages: Sequence[Dosage], said: Sequence[Said], words: Words, group: Group, *, dose_sent: bool
) -> None:
    """A line needs words, or a dose with its timing; words alone are an order too, and said to be so."""
    location = (group.rxe or group.rxo or group.orc).at(3 if group.rxe else 2)
    timed = bool(dosages) and all(each.timing or each.as_needed for each in dosages)
    dosed = bool(dosages) and all(each.dose for each in dosages)
    understood = all(each.understood for each in said)
    if words.directions:
        if not dosed and not timed and understood and not dose_sent:
            desk.flag("DOSE_TEXT_ONLY", words.directions[0].locator, "No structured dose was sent.")
    elif not dosed and not dose_sent and not any(issue.code in _DOSE_FAULTS for issue in desk.issues):
        desk.flag("DOSE_MISSING", location, "State the dose, in words or as amount and unit.")
    elif dosed and not timed and understood:
        desk.flag(
            "DOSE_MISSING", f"{group.orc.locator}/TQ1", "State how often the dose is taken, in words or in TQ1-3."
        )


_DOSE_FAULTS = frozenset({"UNIT_UNMAPPED", "VALUE_INVALID", "FIELD_SHIFTED", "DOSE_CONFLICT"})
