"""One order group to one line of a prescription."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from gateway.domain.identifiers import derived_id
from gateway.domain.prescription import Homecare, Line
from gateway.domain.submission import OrderNumber
from gateway.translate.from_hl7v2.clinical import read_notes, read_reasons
from gateway.translate.from_hl7v2.coded import coded
from gateway.translate.from_hl7v2.desk import Desk
from gateway.translate.from_hl7v2.dose import Source, read_dosages
from gateway.translate.from_hl7v2.drug import read_drug, read_schedule
from gateway.translate.from_hl7v2.groups import Group
from gateway.translate.from_hl7v2.homecare import read_homecare
from gateway.translate.from_hl7v2.moments import moment
from gateway.translate.from_hl7v2.route import read_administration
from gateway.translate.from_hl7v2.service_fields import service_fields
from gateway.translate.from_hl7v2.supply import read_supply
from gateway.translate.from_hl7v2.words import read_words
from gateway.translate.maps.tables import table
from gateway.translate.record import Leaf
from gateway.wire.er7 import Segment

_PRIORITIES = table("HL70485")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLine:
    """A line as read, with what the prescription needs of its order."""

    line: Line | None
    authored: datetime | None
    homecare: Homecare
    total: int | None


def order_number(desk: Desk, group: Group) -> OrderNumber:
    """Give the numbers the answer must repeat; an order without its own number is refused."""
    place = desk.one(group.orc, 2)
    number = desk.leaf(place)
    if number is None:
        desk.flag("FIELD_MISSING", group.orc.at(2), "Give the order its number in ORC-2.")
    return OrderNumber(
        trust_number=desk.text(number),
        assigner=desk.text(desk.leaf(place, 2)),
        location=group.orc.at(2),
        order_control=desk.text(desk.leaf(desk.one(group.orc, 1))),
    )


def read_line(
    desk: Desk, group: Group, index: int, shared: Sequence[Segment], zone: tzinfo, *, salt: str = ""
) -> ReadLine:
    """Read one order group; every fault is gathered, whatever else fails.

    `salt` tells the line of a change from the one it replaces, which bore the same number.
    """
    target = f"lines[{index}]"
    _check_structure(desk, group)
    service = service_fields(desk, group, shared)
    drug = read_drug(desk, group, target)
    schedule = read_schedule(desk, group.rxe, drug, target)
    administration = read_administration(desk, group, drug_known=drug.product is not None)
    words = read_words(desk, group)
    source = Source(target=target, zone=zone, row=drug.row, administration=administration)
    dosages = read_dosages(desk, group, source, words)
    supply = read_supply(desk, group, service, drug.row, target)
    authored = _authored(desk, group, zone)
    homecare = read_homecare(desk if not index else desk.aside(), group, service, zone)
    reasons = read_reasons(desk, group, [segment for segment in shared if segment.name == "DG1"], target)
    notes = read_notes(desk, group.named("NTE"), f"{target}.notes", (*words.notes, *administration.devices))
    priority = _priority(desk, group, target)
    number = order_number(desk.aside(), group)
    line = None
    line_id = derived_id("line", desk.sender.value, *filter(None, (number.trust_number, number.assigner, salt)))
    if number.trust_number:
        # also where the line is not complete: it keeps this name when what it was held for is settled
        _trace_identity(desk, group, target, str(line_id))
    if drug.product and supply.quantity and supply.total and dosages and number.trust_number:
        line = Line(
            id=line_id,
            order_number=number.trust_number,
            order_assigner=number.assigner,
            product=drug.product,
            dosages=dosages,
            quantity=supply.quantity,
            total_supplies=supply.total,
            interval=supply.interval,
            first_supply=supply.first,
            schedule=schedule,
            priority=priority,
            reasons=reasons,
            notes=notes,
        )
    return ReadLine(line=line, authored=authored, homecare=homecare, total=supply.total)


def _check_structure(desk: Desk, group: Group) -> None:
    if group.rxe is None and group.rxo is None:
        desk.flag("SEGMENT_MISSING", f"{group.orc.locator}/RXE", "Send RXE or RXO with the medicine.")
    for segment in group.repeated:
        desk.flag("STRUCTURE_INVALID", segment.locator, "An order has one RXO and one RXE; begin each with its ORC.")


def _authored(desk: Desk, group: Group, zone: tzinfo) -> datetime | None:
    """Read when it was written: RXE-32, else ORC-9, else ORC-15; never the message's own time."""
    for segment, number in ((group.rxe, 32), (group.orc, 9), (group.orc, 15)):
        leaf = desk.leaf(desk.one(segment, number))
        if leaf is not None:
            return moment(desk, leaf, "authored", zone)
    desk.flag("AUTHORED_MISSING", group.orc.at(9), "Say when it was written, in RXE-32 or ORC-9.")
    return None


def _priority(desk: Desk, group: Group, target: str) -> str:
    """Read how urgent it is, wherever timing is said; two answers are held."""
    leaves: list[Leaf] = []
    for segment in (*group.encoded_timings, *group.ordered_timings):
        elements = [coded(desk, part) for part in desk.all(segment, 9)]
        leaves += [next(element.leaves()) for element in elements if element]
    for place, number in ((group.rxe, 1), (group.orc, 7)):
        leaves += [leaf for part in desk.all(place, number) if (leaf := desk.leaf(part, 6))]
    found: dict[str, Leaf] = {}
    for leaf in leaves:
        desk.use(leaf)
        if leaf.raw == "PRN":
            continue
        if leaf.raw.upper() not in _PRIORITIES:
            desk.not_understood(leaf.locator, "The priority is not one of R, P, A, S and U.")
        else:
            found.setdefault(_PRIORITIES[leaf.raw.upper()], leaf)
    if len(found) > 1:
        first = next(iter(found.values()))
        desk.flag("TIMING_CONFLICT", first.locator, "Different priorities are sent for one order.", tuple(found))
    for word, leaf in found.items():
        desk.trace(f"{target}.priority", leaf, "table:HL70485", word)
    return next(iter(found), "")


def _trace_identity(desk: Desk, group: Group, target: str, line_id: str) -> None:
    place = desk.one(group.orc, 2)
    desk.trace(f"{target}.id", None, "derive:line-id", line_id)
    desk.words(desk.leaf(place), f"{target}.order_number")
    desk.words(desk.leaf(place, 2), f"{target}.order_assigner")
    desk.trace(f"{target}.substitution_allowed", None, "default:as-written", "False")
