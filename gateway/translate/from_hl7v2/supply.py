"""What is supplied: how much, how often, how many times.

Inside, supplies are counted one way, counting the first; refills are that minus one.

Source: mapping.md 0.8, 3.4 and 8.5.
"""

from dataclasses import dataclass

from gateway.domain.prescription import Duration, FirstSupply, TimeUnit
from gateway.domain.quantity import Quantity, lexeme, parse_decimal
from gateway.domain.reference import ProductRow
from gateway.translate.from_hl7v2.amounts import amount, duration, quantity, unit, whole
from gateway.translate.from_hl7v2.coded import coded, coded_within
from gateway.translate.from_hl7v2.desk import Desk
from gateway.translate.from_hl7v2.groups import Group
from gateway.translate.from_hl7v2.service_fields import ServiceFields
from gateway.wire.er7 import Segment


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """The supply part of one line."""

    quantity: Quantity | None
    total: int | None
    interval: Duration | None
    first: FirstSupply | None


def read_supply(desk: Desk, group: Group, service: ServiceFields, row: ProductRow | None, target: str) -> Supply:
    """Read the supply of one order."""
    _already_dispensed(desk, group.rxe)
    _substitution(desk, group)
    return Supply(
        quantity=_quantity(desk, group, row, f"{target}.quantity"),
        total=_total(desk, group, service, target),
        interval=_interval(desk, group, service, f"{target}.interval"),
        first=_first_supply(desk, group.rxe, row, f"{target}.first_supply"),
    )


def _quantity(desk: Desk, group: Group, row: ProductRow | None, target: str) -> Quantity | None:
    """Read RXE-10 and 11, else RXO-11 and 12. Nought in RXO beside an RXE is what senders write for none."""
    found: list[tuple[Quantity, str]] = []
    sent = False
    for segment, number in ((group.rxe, 10), (group.rxo, 11)):
        leaf = desk.leaf(desk.one(segment, number))
        if segment is None or leaf is None:
            continue
        if sent and parse_decimal(leaf.raw) == 0:
            desk.use(leaf)
            continue
        sheet = desk.aside() if sent else desk
        sent = True
        said = _amount_and_unit(sheet, segment, number, row, target)
        if sheet is not desk:
            desk.adopt(sheet)
        if said:
            found.append((said, segment.at(number)))
    if not sent:
        for segment, number in ((group.rxe, 11), (group.rxo, 12)):
            desk.mark(desk.one(segment, number))
        location = (group.rxe or group.rxo or group.orc).at(10 if group.rxe else 11)
        desk.flag("QUANTITY_MISSING", location, "State how much each supply is, with its unit.")
    if len(found) > 1 and found[0][0] != found[1][0]:
        text = "RXO and RXE ask for different quantities."
        desk.flag("QUANTITY_CONFLICT", found[1][1], text, (str(found[0][0]), str(found[1][0])))
    return found[0][0] if found else None


def _amount_and_unit(desk: Desk, segment: Segment, number: int, row: ProductRow | None, target: str) -> Quantity | None:
    value = amount(desk, desk.leaf(desk.one(segment, number)), f"{target}.value")
    element = coded(desk, desk.one(segment, number + 1))
    if element is None:
        desk.flag("QUANTITY_MISSING", segment.at(number + 1), "State the unit of the quantity.")
        return None
    if row is None and element.first.code and element.first.code.raw == "EA":
        desk.use(*element.leaves())
        return None
    return quantity(value, unit(desk, element, f"{target}.unit", row))


def _total(desk: Desk, group: Group, service: ServiceFields, target: str) -> int | None:
    """Join refills (RXE-12, RXO-13) and total deliveries (ZHC-5); they must agree."""
    before = len(desk.issues)
    claims: list[tuple[int, str]] = []
    for segment, number in ((group.rxe, 12), (group.rxo, 13)):
        leaf = desk.leaf(desk.one(segment, number))
        refills = whole(desk, leaf, "" if claims else f"{target}.total_supplies")
        if refills is not None and leaf:
            claims.append((refills + 1, leaf.locator))
    leaf = desk.leaf(service.one(desk, 5))
    total = whole(desk, leaf, "" if claims else f"{target}.total_supplies", least=1)
    if total is not None and leaf:
        claims.append((total, leaf.locator))
    if len(desk.issues) > before:
        return None
    if len({number for number, _ in claims}) > 1:
        values = tuple(f"{number} supplies in {at}" for number, at in claims)
        desk.flag("REPEATS_CONFLICT", claims[0][1], "Refills plus one and total deliveries differ.", values)
        return None
    if not claims:
        desk.trace(f"{target}.total_supplies", None, "default:one-supply", "1")
    return claims[0][0] if claims else 1


def _interval(desk: Desk, group: Group, service: ServiceFields, target: str) -> Duration | None:
    """Read ZHC-4 or RXO-28; a bare number in RXO-28 is days."""
    from_zhc = duration(desk, service.one(desk, 4), target)
    repetition = desk.one(group.rxo, 28)
    if repetition is None:
        return from_zhc
    sheet = desk.aside() if from_zhc else desk
    if repetition.leaf(2) is not None:
        from_rxo = duration(sheet, repetition, target)
    else:
        leaf = desk.leaf(repetition)
        value = amount(sheet, leaf, f"{target}.value")
        from_rxo = Duration(value=value, unit=TimeUnit.DAY) if value else None
        sheet.trace(f"{target}.unit", leaf, "default:days", "d")
    desk.adopt(sheet) if sheet is not desk else None
    if from_zhc and from_rxo and from_zhc != from_rxo:
        values = tuple(f"{lexeme(each.value)} {each.unit}" for each in (from_rxo, from_zhc))
        text = "RXO-28 and the frequency of deliveries give different intervals."
        desk.flag("REPEATS_CONFLICT", repetition.locator, text, values)
    return from_zhc or from_rxo


def _first_supply(desk: Desk, rxe: Segment | None, row: ProductRow | None, target: str) -> FirstSupply | None:
    """Read RXE-39, a first supply that differs from the rest."""
    repetition = desk.one(rxe, 39)
    if repetition is None:
        return None
    value = amount(desk, desk.leaf(repetition), f"{target}.quantity.value")
    element = coded_within(desk, repetition, 2)
    if element is None:
        desk.flag("QUANTITY_MISSING", repetition.locator, "State the unit of the first supply.")
        return None
    said = quantity(value, unit(desk, element, f"{target}.quantity.unit", row))
    return FirstSupply(quantity=said) if said else None


def _already_dispensed(desk: Desk, rxe: Segment | None) -> None:
    """A new order that claims refills already dispensed contradicts itself."""
    leaf = desk.leaf(desk.one(rxe, 17))
    if leaf:
        desk.use(leaf)
        if parse_decimal(leaf.raw) != 0:
            desk.flag("REPEATS_CONFLICT", leaf.locator, "A new order says that refills were already dispensed.")


def _substitution(desk: Desk, group: Group) -> None:
    """The product stands as written, whatever substitution is allowed; the trust is told (mapping.md 3.4)."""
    for segment in (group.rxe, group.rxo):
        element = coded(desk, desk.one(segment, 9))
        if element is None:
            continue
        desk.use(*element.leaves())
        code = element.first.code
        if code is None or code.raw not in {"N", "0"}:
            desk.flag("SUBSTITUTION_NOT_CARRIED", element.location, "Substitution is not carried.")
