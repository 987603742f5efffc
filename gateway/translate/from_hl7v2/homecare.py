"""ZHC, the homecare segment of ours that trusts may send: the service around the medicine.

A trust's own map may name other places for these facts (`service_fields`); they keep the numbers of ZHC here.

1 set id, 2 provider, 3 tier, 4 delivery frequency, 5 total deliveries, 6 first required by, 7 purchase order,
8 funding, 9 deliver to, 10 cold chain, 11 ancillaries, 12 nurse service, 13 consent, 14 registration, 15 days held,
16 as at, 17 checking pharmacist, 18 check time, 19 backup providers, 20 kind.

Source: mapping.md 3.5.
"""

from dataclasses import replace
from datetime import tzinfo

from gateway.domain.coding import Coding
from gateway.domain.identifiers import OdsCode
from gateway.domain.prescription import Ancillary, ClinicalCheck, Delivery, Homecare
from gateway.translate.from_hl7v2.addresses import postal_address
from gateway.translate.from_hl7v2.amounts import duration, whole
from gateway.translate.from_hl7v2.coded import Named, coded, organisation
from gateway.translate.from_hl7v2.desk import Desk
from gateway.translate.from_hl7v2.groups import Group
from gateway.translate.from_hl7v2.moments import day, moment
from gateway.translate.from_hl7v2.participants import VERIFYING, part_of
from gateway.translate.from_hl7v2.people import read_person
from gateway.translate.from_hl7v2.service_fields import ServiceFields
from gateway.translate.maps.tables import table
from gateway.translate.record import Leaf

_TABLES = {name: table(name) for name in ("zhc-tier", "zhc-funding", "zhc-place", "zhc-nurse", "zhc-kind", "zhc-truth")}
"""What each word of ZHC means."""


def provider_location(group: Group, service: ServiceFields) -> str:
    """Give the place where the sender named the provider, or would have."""
    for segment, number in (service.place(2), (group.rxe, 40), (group.rxo, 32)):
        if segment is not None and segment.repetitions(number):
            return segment.at(number)
    return service.at(2) or (group.rxe or group.rxo or group.orc).at(40 if group.rxe else 32)


def read_homecare(desk: Desk, group: Group, service: ServiceFields, zone: tzinfo) -> Homecare:
    """Read the service around one order; every unknown word is held, for it may route the medicine."""
    provider = _provider(desk, group, service)
    order = service.one(desk, 7)
    registration = service.one(desk, 14)
    consent = service.one(desk, 13)
    given = _word(desk, desk.leaf(consent), "homecare.consent_given", "zhc-truth")
    desk.use(desk.leaf(order, 2), desk.leaf(registration, 2))
    return Homecare(
        provider=provider.ods if provider else None,
        provider_name=desk.words(provider.name, "homecare.provider_name") if provider else "",
        backups=_backups(desk, service),
        tier=_field(desk, service, 3, "homecare.tier", "zhc-tier"),
        registration=desk.words(desk.leaf(registration), "homecare.registration"),
        purchase_order=desk.words(desk.leaf(order), "homecare.purchase_order"),
        funding=_field(desk, service, 8, "homecare.funding", "zhc-funding"),
        delivery=_delivery(desk, group, service, zone),
        ancillaries=_ancillaries(desk, service),
        nurse_service=_field(desk, service, 12, "homecare.nurse_service", "zhc-nurse"),
        consent_given=given == "yes" if given else None,
        consent_on=day(desk, desk.leaf(consent, 2), "homecare.consent_on", zone),
        stock_held_days=whole(desk, desk.leaf(service.one(desk, 15)), "homecare.stock_held_days"),
        stock_as_at=day(desk, desk.leaf(service.one(desk, 16)), "homecare.stock_as_at", zone),
        kind=_field(desk, service, 20, "homecare.kind", "zhc-kind"),
    )


def _field(desk: Desk, service: ServiceFields, number: int, target: str, name: str) -> str:
    repetition = service.one(desk, number)
    return _word(desk, desk.leaf(repetition), target, name)


def _word(desk: Desk, leaf: Leaf | None, target: str, name: str) -> str:
    if leaf is None:
        return ""
    words = _TABLES[name]
    if leaf.raw not in words:
        desk.use(leaf)
        desk.not_understood(leaf.locator, "Send one of: " + ", ".join(words) + ".")
        return ""
    desk.trace(target, leaf, f"table:{name}", words[leaf.raw])
    return words[leaf.raw]


def _provider(desk: Desk, group: Group, service: ServiceFields) -> Named | None:
    """Read the provider wherever it is named; two that differ are held (mapping.md 3.4)."""
    found: list[Named] = []
    for segment, number in (service.place(2), (group.rxe, 40), (group.rxo, 32)):
        repetition = desk.one(segment, number)
        named = organisation(desk, repetition)
        if named:
            found.append(named)
        elif repetition is not None and segment is not None:
            desk.mark(repetition)
            if not any(issue.location.startswith(segment.at(number)) for issue in desk.issues):
                text = "The provider is not named by its ODS code, with the system ODS."
                desk.flag("PROVIDER_UNKNOWN", segment.at(number), text)
    if len({named.ods for named in found}) > 1:
        values = tuple(named.ods.value for named in found)
        desk.flag("PROVIDER_UNKNOWN", found[1].at.locator, "Two different providers are named.", values)
    if not found:
        return None
    desk.trace("homecare.provider", found[0].at, "copy", found[0].ods.value)
    return found[0]


def _backups(desk: Desk, service: ServiceFields) -> tuple[OdsCode, ...]:
    found: list[OdsCode] = []
    for repetition in service.all(desk, 19):
        named = organisation(desk, repetition)
        if named:
            desk.trace(f"homecare.backups[{len(found)}]", named.at, "copy", named.ods.value)
            found.append(named.ods)
        else:
            desk.mark(repetition)
            desk.flag("PROVIDER_UNKNOWN", repetition.locator, "The backup is not named by its ODS code.")
    return tuple(found)


def _delivery(desk: Desk, group: Group, service: ServiceFields, zone: tzinfo) -> Delivery | None:
    at = "homecare.delivery"
    addresses = [part for segment, number in ((group.rxe, 43), (group.rxo, 35)) for part in desk.all(segment, number)]
    for other in addresses[1:]:
        desk.mark(other)
        desk.flag("DELIVERY_ADDRESS_UNUSABLE", other.locator, "More than one delivery address is sent.")
    cold = _field(desk, service, 10, f"{at}.cold_chain", "zhc-truth")
    delivery = Delivery(
        first_required_by=day(desk, desk.leaf(service.one(desk, 6)), f"{at}.first_required_by", zone),
        frequency=duration(desk, service.one(desk, 4), f"{at}.frequency"),
        total=whole(desk, desk.leaf(service.one(desk, 5)), f"{at}.total", least=1),
        place=_field(desk, service, 9, f"{at}.place", "zhc-place"),
        address=postal_address(desk, addresses[0], f"{at}.address") if addresses else None,
        cold_chain=cold == "yes" if cold else None,
    )
    return delivery if delivery != Delivery() else None


def _ancillaries(desk: Desk, service: ServiceFields) -> tuple[Ancillary, ...]:
    """Read what is delivered beside the medicine, in the trust's own codes and words."""
    found: list[Ancillary] = []
    for repetition in service.all(desk, 11):
        element = coded(desk, repetition)
        if element is None:
            continue
        term, at = element.first, f"homecare.ancillaries[{len(found)}].item"
        desk.use(*element.leaves())
        item = Coding(
            system=term.known_system,
            code=desk.words(term.code, f"{at}.code"),
            display=desk.words(term.words, f"{at}.display"),
        )
        found.append(Ancillary(item=item))
    return tuple(found)


def read_clinical_check(desk: Desk, group: Group, service: ServiceFields, zone: tzinfo) -> ClinicalCheck | None:
    """Read the pharmacist's check: ZHC-17 with 18, else ORC-11 with ORC-9, else PRT-5 with PRT-11.

    It is evidence only with a number and a time.
    """
    verified = [((segment, 5), (segment, 11)) for segment in part_of(desk, group, VERIFYING)]
    for person, when in ((service.place(17), service.place(18)), ((group.orc, 11), (group.orc, 9)), *verified):
        repetitions = desk.all(*person)
        if not repetitions or person[0] is None:
            continue
        by = read_person(desk, repetitions, "clinical_check.by", person[0].at(person[1]))
        at = moment(desk, desk.leaf(desk.one(*when)), "clinical_check.at", zone)
        if by and by.ids and at:
            return ClinicalCheck(by=by, at=at)
    return None


def same_service(one: Homecare, other: Homecare) -> bool:
    """Tell whether two orders ask for the same service; only the number of deliveries may differ."""
    return _without_total(one) == _without_total(other)


def _without_total(homecare: Homecare) -> Homecare:
    delivery = replace(homecare.delivery, total=None) if homecare.delivery else None
    return replace(homecare, delivery=delivery)
