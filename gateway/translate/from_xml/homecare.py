"""The `Homecare` element: the service around the medicine."""

from datetime import date
from typing import Any

from gateway.domain.coding import Coding
from gateway.domain.prescription import Ancillary, Delivery, Homecare
from gateway.translate import lexical
from gateway.translate.from_xml.document import Node
from gateway.translate.from_xml.dosage import count, duration
from gateway.translate.from_xml.people import address, ods
from gateway.translate.maps.rules import XML
from gateway.translate.record import Leaf, Record

_PROVIDER = XML.named("XML.ignored.provider")
_DATE = "Send a real date."


def homecare(record: Record, node: Node | None) -> Homecare:
    """Read the service: provider, funding, delivery, ancillaries, nurse, consent and stock."""
    if node is None:
        return Homecare()
    provider = node.one("Provider")
    backups = [
        ods(record, item.attribute("ods"), f"homecare.backups[{index}]")
        for index, item in enumerate(node.many("BackupProvider"))
    ]
    for item in (*([provider] if provider else []), *node.many("BackupProvider")):
        used = (item.attribute("ods"), item.words("Name") if item is provider else None)
        record.ignore((leaf for leaf in item.leaves() if leaf not in used), _PROVIDER)
    return Homecare(
        provider=ods(record, provider.attribute("ods") if provider else None, "homecare.provider"),
        provider_name=record.words(provider.words("Name") if provider else None, "homecare.provider_name"),
        backups=tuple(code for code in backups if code),
        tier=record.words(node.words("ServiceTier"), "homecare.tier"),
        registration=_number(record, node.words("RegistrationNumber"), "homecare.registration"),
        purchase_order=_number(record, node.words("PurchaseOrder"), "homecare.purchase_order"),
        purchase_order_line=count(record, _attribute(node, "PurchaseOrder", "line"), "homecare.purchase_order_line"),
        funding=record.words(_attribute(node, "Funding", "scheme"), "homecare.funding"),
        funding_contract=record.words(_attribute(node, "Funding", "contract"), "homecare.funding_contract"),
        funding_approval=record.words(_attribute(node, "Funding", "approvalReference"), "homecare.funding_approval"),
        delivery=_delivery(record, node.one("Delivery"), "homecare.delivery"),
        ancillaries=tuple(_ancillaries(record, node)),
        **_service(record, node),
    )


def _service(record: Record, node: Node) -> dict[str, Any]:
    return {
        "nurse_service": record.words(_attribute(node, "NurseService", "kind"), "homecare.nurse_service"),
        "nurse_visits": count(record, _attribute(node, "NurseService", "visits"), "homecare.nurse_visits"),
        "consent_given": _truth(record, _attribute(node, "ConsentToShare", "given"), "homecare.consent_given"),
        "consent_on": _day(record, _attribute(node, "ConsentToShare", "on"), "homecare.consent_on"),
        "stock_held_days": record.take(
            _attribute(node, "StockHeld", "days"),
            "homecare.stock_held_days",
            lexical.whole,
            "parse:integer",
            "Send whole days.",
        ),
        "stock_as_at": _day(record, _attribute(node, "StockHeld", "asAt"), "homecare.stock_as_at"),
    }


def _delivery(record: Record, node: Node | None, target: str) -> Delivery | None:
    if node is None:
        return None
    return Delivery(
        first_required_by=_day(record, node.words("FirstRequiredBy"), f"{target}.first_required_by"),
        frequency=duration(record, node.one("Frequency"), f"{target}.frequency"),
        place=record.words(node.words("Place"), f"{target}.place"),
        address=address(record, node.one("Address"), f"{target}.address"),
        cold_chain=_truth(record, node.words("ColdChain"), f"{target}.cold_chain"),
        contact_before=_truth(record, node.words("ContactBefore"), f"{target}.contact_before"),
    )


def _ancillaries(record: Record, node: Node) -> list[Ancillary]:
    found = []
    for index, item in enumerate(node.many("Ancillary")):
        target = f"homecare.ancillaries[{index}]"
        code = record.words(item.attribute("code"), f"{target}.item.code")
        display = record.words(item.text, f"{target}.item.display")
        quantity = count(record, item.attribute("quantity"), f"{target}.quantity")
        found.append(Ancillary(item=Coding(code=code, display=display), quantity=quantity))
    return found


def _attribute(node: Node, element: str, name: str) -> Leaf | None:
    child = node.one(element)
    return child.attribute(name) if child else None


def _number(record: Record, leaf: Leaf | None, target: str) -> str:
    wanted = "Send the number without spaces around it or control characters in it."
    return record.take(leaf, target, lexical.local_number, "copy", wanted) or ""


def _day(record: Record, leaf: Leaf | None, target: str) -> date | None:
    return record.take(leaf, target, lexical.day, "parse:date", _DATE)


def _truth(record: Record, leaf: Leaf | None, target: str) -> bool | None:
    return record.take(leaf, target, lexical.truth, "parse:boolean", "Send true or false.")
