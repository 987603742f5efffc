"""What a cancel, a change, a hold, a release or a question refers to: the order's number, the reason, and who asks.

It repeats parts of the order it names. Only what identifies it is read: the number, the patient and the product,
so that a cancel of the wrong order is noticed. The rest is left out by a named rule; what is cancelled or held is the
order as it was accepted.

Source: mapping.md 3.4 (ORC-16), 4.1, 4.3.
"""

from collections.abc import Sequence
from dataclasses import replace

from gateway.domain.coding import SNOMED, Coding
from gateway.domain.submission import Action, Change, OrderNumber
from gateway.translate.cancel_reasons import CHANGED, reason_of
from gateway.translate.from_hl7v2.coded import Coded, coded
from gateway.translate.from_hl7v2.desk import Desk
from gateway.translate.from_hl7v2.groups import Group, parent_of
from gateway.translate.from_hl7v2.participants import ordering
from gateway.translate.from_hl7v2.people import read_person
from gateway.translate.maps.rules import HL7V2
from gateway.wire.er7 import Repetition

_REPEATED = HL7V2.named("HL7V2.ignored.cancel")
_CODED = frozenset({Action.CANCEL, Action.REPLACE})
"""What has a list of reasons; why an order is held or released is told in words."""


def read_change(desk: Desk, groups: Sequence[Group], numbers: tuple[OrderNumber, ...], *, action: Action) -> Change:
    """Read what the groups of one cancel, change, hold, release or question refer to."""
    replacing = action is Action.REPLACE
    named = _named(desk, groups, numbers)
    reason, words = _reason(desk, groups, action)
    change = Change(orders=tuple(named), location=named[0].location, reason=reason, reason_text=words)
    if replacing:
        for group, number in zip(groups, numbers, strict=True):
            if number.order_control == "RP":
                _pass_over(desk, group)
        return change
    by = read_person(desk.aside(), *_asking(desk, groups[0]))
    products = {code for group in groups if (code := _product(desk, group))}
    for group in groups:
        _pass_over(desk, group)
    return replace(change, by=by, product_code=products.pop() if len(products) == 1 else "")


def _asking(desk: Desk, group: Group) -> tuple[tuple[Repetition, ...], str, str]:
    repetitions, at = ordering(desk, group)
    return repetitions, "change.by", at


def _named(desk: Desk, groups: Sequence[Group], numbers: Sequence[OrderNumber]) -> list[OrderNumber]:
    """Give the orders meant: those of RP, which ORC-8 of RO may repeat; for RO by itself those of ORC-8."""
    stated = [number for number in numbers if number.order_control == "RP"]
    known = {number.trust_number for number in stated}
    parents = [
        parent
        for group, number in zip(groups, numbers, strict=True)
        if number.order_control == "RO" and (parent := parent_of(desk, group))
    ]
    for parent in parents if stated else ():
        if parent.trust_number not in known:
            text = "ORC-8 names another order to be replaced than the ORC with RP."
            desk.not_understood(parent.location, text)
    return stated or parents or list(numbers)


def _reason(desk: Desk, groups: Sequence[Group], action: Action) -> tuple[Coding | None, str]:
    """Read ORC-16: a code of the NHS list, or one of the trust's own that its map knows; the words in any case."""
    sent = [element for group in groups if (element := coded(desk, desk.one(group.orc, 16)))]
    for element in sent:
        desk.use(*element.leaves())
    words = next((element.words.raw for element in sent if element.words), "")
    found = [reason for element in sent if (reason := _mapped(desk, element))]
    if found:
        return found[0], words
    if action is Action.REPLACE and not sent:
        return reason_of(CHANGED), ""
    if action not in _CODED:
        return None, words
    text = "The reason is not one of 0001 to 0009. The cancel goes on with the words alone."
    desk.flag("CANCEL_REASON_UNMAPPED", groups[0].orc.at(16), text)
    return None, words


def _mapped(desk: Desk, element: Coded) -> Coding | None:
    for term in element.terms:
        code = term.code.raw if term.code else ""
        words = term.words.raw if term.words else ""
        entry = desk.context.trust.entry("cancel-reason", code, words, term.system)
        found = reason_of(entry.target.code) if entry else reason_of(code)
        if found:
            return found
    return None


def _product(desk: Desk, group: Group) -> str:
    """Give the coded product the sender names, from RXE-2, else RXO-1."""
    for segment, number in ((group.rxe, 2), (group.rxo, 1)):
        element = coded(desk, desk.one(segment, number))
        terms = element.of(SNOMED) if element else ()
        if terms and terms[0].code:
            desk.use(terms[0].code)
            return terms[0].code.raw
    return ""


def _pass_over(desk: Desk, group: Group) -> None:
    for segment in (group.orc, *group.segments):
        for leaf in segment.leaves():
            desk.leave_out(leaf.locator, _REPEATED)
