"""RXE-2 and RXO-1: the product, as a dm+d code.

RXE is authoritative where it is present; RXO must not name another medicine. A local code is read only by the trust's
own entry, whose words are part of the key: a code that now has other words is not the code that was approved.

Source: mapping.md 3.2, 3.4 and 5.
"""

import re
from dataclasses import dataclass

from gateway.domain.code_map import MapKind, UnknownCode
from gateway.domain.coding import SNOMED
from gateway.domain.prescription import NEVER_ELECTRONIC, ControlledSchedule, Product
from gateway.domain.reference import ProductRow
from gateway.translate import terms
from gateway.translate.form_words import names_another_form
from gateway.translate.from_hl7v2.coded import Coded, Term, coded
from gateway.translate.from_hl7v2.desk import Desk
from gateway.translate.from_hl7v2.groups import Group
from gateway.translate.record import Leaf
from gateway.wire.er7 import Segment

_SCHEDULES = {
    **{name: ControlledSchedule(f"CD{number}") for number, name in enumerate(("I", "II", "III", "IV", "V"), start=1)},
    **{f"CD{number}": ControlledSchedule(f"CD{number}") for number in range(1, 6)},
    **{str(number): ControlledSchedule(f"CD{number}") for number in range(1, 6)},
}


@dataclass(frozen=True, slots=True)
class Drug:
    """The product and what the tables say of it; both None while it is not known."""

    product: Product | None
    row: ProductRow | None


def read_drug(desk: Desk, group: Group, target: str) -> Drug:
    """Read the product of one order."""
    rxe, rxo = coded(desk, desk.one(group.rxe, 2)), coded(desk, desk.one(group.rxo, 1))
    sent = group.rxe is not None and (rxe is not None or bool(group.rxe.repetitions(2)))
    main = rxe if sent else rxo
    location = group.rxe.at(2) if sent and group.rxe else (group.rxo or group.orc).at(1)
    drug = _product(desk, main, target, location)
    if sent and rxo is not None:
        _agree(desk, drug, rxo)
    if drug.row is not None:
        _check_strength(desk, group, drug.row)
        _check_form(desk, group, drug.row)
    return drug


def _product(desk: Desk, element: Coded | None, target: str, location: str) -> Drug:
    if element is None:
        desk.flag("DRUG_UNCODED", location, "No code of the product can be read.")
        return Drug(None, None)
    desk.use(*element.leaves())
    dmd = element.of(SNOMED)
    if len({term.code.raw for term in dmd if term.code}) > 1:
        values = tuple(term.code.raw for term in dmd if term.code)
        desk.flag("DRUG_MISMATCH_RXO_RXE", location, "Two dm+d codes are sent for one product.", values)
        return Drug(None, None)
    if dmd and dmd[0].code:
        words = dmd[0].words or element.words
        drug = _known(desk, dmd[0].code, words, f"{target}.product")
        if drug.product:
            terms.other_words(desk, desk.context, drug.product, (term.words for term in element.terms))
        return drug
    return _local(desk, element, target, location)


def _known(desk: Desk, code: Leaf, words: Leaf | None, at: str) -> Drug:
    product = terms.product(desk, desk.context, code, words, at)
    if product:
        desk.trace(f"{at}.brand_required", None, "default:not-stated", str(product.brand_required))
    return Drug(product, desk.context.reference.products.get(code.raw) if product else None)


def _local(desk: Desk, element: Coded, target: str, location: str) -> Drug:
    """Read a local code by the trust's entries; the words are part of the key."""
    coded_terms = [term for term in element.terms if _is_code(term)]
    if not coded_terms:
        words = element.words.raw if element.words else ""
        desk.unmapped(_unknown(location, "DRUG_UNCODED", text=words), "The product is in words only.")
        return Drug(None, None)
    for term in coded_terms:
        code, words = _words(term)
        entry = desk.context.trust.entry("drug", code, words, term.system)
        if entry is None:
            continue
        desk.trace(f"{target}.product.code", term.code, entry.how, entry.target.code)
        return _known(desk, Leaf(term.at, entry.target.code), term.words, f"{target}.product")
    code, words = _words(coded_terms[0])
    changed = any(row.kind == "drug" and row.code == code for row in desk.context.trust.codes)
    issue = "MAP_TEXT_CHANGED" if changed else "DRUG_LOCAL_UNMAPPED"
    desk.unmapped(
        _unknown(location, issue, code=code, text=words, system=coded_terms[0].system),
        "The words of this local code are not those that were approved."
        if changed
        else "The code is neither dm+d nor mapped for this trust.",
    )
    return Drug(None, None)


def _unknown(location: str, issue: str, *, code: str = "", text: str = "", system: str = "") -> UnknownCode:
    return UnknownCode(kind=MapKind.DRUG, code=code, text=text, system=system, location=location, issue=issue)


def _is_code(term: Term) -> bool:
    """A name without system, words or a single digit is words in the place of a code."""
    return term.code is not None and bool(term.system or term.words or re.search(r"\d", term.code.raw))


def _words(term: Term) -> tuple[str, str]:
    return (term.code.raw if term.code else "", term.words.raw if term.words else "")


def _agree(desk: Desk, drug: Drug, requested: Coded) -> None:
    """RXO must not name another product than RXE: by code where both are dm+d, otherwise by the medicine's name."""
    desk.use(*requested.leaves())
    if drug.product is None or drug.row is None:
        return
    code = next((term.code for term in requested.of(SNOMED)), None)
    if code is not None:
        if code.raw != drug.product.code.value:
            values = (code.raw, drug.product.code.value)
            text = "RXO-1 and RXE-2 name different products."
            desk.flag("DRUG_MISMATCH_RXO_RXE", requested.location, text, values)
        return
    words = requested.words
    name = re.match(r"[A-Za-z-]{3,}", words.raw) if words else None
    if words and (name is None or name[0].casefold() not in f"{drug.product.display} {drug.row.display}".casefold()):
        values = (words.raw, drug.row.display)
        text = "RXO-1 and RXE-2 name different medicines."
        desk.flag("DRUG_MISMATCH_RXO_RXE", requested.location, text, values)


def _check_strength(desk: Desk, group: Group, row: ProductRow) -> None:
    """Compare the strength sent as a number (RXE-25/26, RXO-18/19) with the product's; it is not carried."""
    for segment, number in ((group.rxe, 25), (group.rxo, 18)):
        amount, unit = desk.leaf(desk.one(segment, number)), coded(desk, desk.one(segment, number + 1))
        if amount is None:
            continue
        desk.use(amount, *(unit.leaves() if unit else ()))
        word = (unit.first.code or unit.first.words) if unit else None
        said = f"{amount.raw}{word.raw if word else ''}"
        if not _is_strength(desk, amount.raw, unit, row):
            text = "The strength sent beside the product is not the product's."
            desk.flag("STRENGTH_TEXT_MISMATCH", amount.locator, text, (said, row.strength))


def _is_strength(desk: Desk, number: str, sent: Coded | None, row: ProductRow) -> bool:
    """Tell whether a number with its unit stands in the product's strength: `2.50 milligrams` in `2.5mg`."""
    words = [leaf.raw for term in (sent.terms if sent else ()) for leaf in (term.code, term.words) if leaf]
    known = (desk.context.reference.units.get(word) or desk.context.reference.unit_words.get(word) for word in words)
    names = {*words, *(name for unit in known if unit for name in (unit.code, unit.display))}
    plain = number.rstrip("0").rstrip(".") if "." in number else number
    strength = row.strength.replace(" ", "").replace(",", "")
    return any(
        re.search(rf"(?<![\d.]){re.escape(figure + name)}s?(?![A-Za-z])", strength, re.IGNORECASE)
        for figure in {number, plain}
        for name in names or {""}
    )


def _check_form(desk: Desk, group: Group, row: ProductRow) -> None:
    """Compare the form sent (RXE-6, RXO-5) with the product's name; it is not carried, and never read as route."""
    for segment, number in ((group.rxe, 6), (group.rxo, 5)):
        element = coded(desk, desk.one(segment, number))
        said = " ".join(leaf.raw for leaf in element.leaves()) if element else ""
        if element and len(said) > terms.LONGEST_NAME:
            text = f"The form sent is {len(said)} characters long: too long to be compared with the product's."
            desk.flag("DRUG_TEXT_MISMATCH", element.location, text)
        elif element and names_another_form(said, row.display):
            text = "The form sent beside the product is not the product's."
            desk.flag("DRUG_TEXT_MISMATCH", element.location, text, (said, row.display))


def read_schedule(desk: Desk, rxe: Segment | None, drug: Drug, target: str) -> ControlledSchedule | None:
    """Give the controlled-drug schedule: dm+d decides, a statement that differs is held, Schedule 1 to 3 is refused."""
    row = drug.row
    said = _stated_schedule(desk, rxe)
    known = row.schedule if row else None
    location = rxe.at(35) if rxe is not None and said else rxe.at(2) if rxe is not None else ""
    if {said, known} & NEVER_ELECTRONIC:
        desk.flag("CD_SCHEDULE_NOT_ALLOWED", location, "A Schedule 1 to 3 controlled drug cannot go by homecare.")
    elif said and row and said is not known:
        text = "RXE-35 and dm+d name different schedules."
        desk.flag("SCHEDULE_CONFLICT", location, text, (said.value, known.value if known else "not controlled"))
    elif row and not row.schedule_known:
        desk.flag("DRUG_UNKNOWN", location, "The release does not say whether this product is a controlled drug.")
    if known:
        desk.trace(f"{target}.schedule", None, "table:products", known.value)
    return known


def _stated_schedule(desk: Desk, rxe: Segment | None) -> ControlledSchedule | None:
    element = coded(desk, desk.one(rxe, 35))
    if element is None:
        return None
    desk.use(*element.leaves())
    leaf = element.first.code
    said = _SCHEDULES.get(leaf.raw) if leaf else None
    if said is None:
        desk.not_understood(element.location, "The schedule is none of CD1 to CD5, 1 to 5 or I to V.")
    return said
