"""Order groups that share a group number to one prescription."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from gateway.domain.coding import Coding
from gateway.domain.identifiers import NhsNumber, PrescriptionNumber, derived_id
from gateway.domain.prescription import (
    ClinicalCheck,
    Contact,
    CourseOfTherapy,
    Homecare,
    Organisation,
    Patient,
    Prescription,
    Professional,
)
from gateway.domain.submission import Action, Change, Notice, Order, OrderNumber
from gateway.translate.from_hl7v2.addresses import postal_address
from gateway.translate.from_hl7v2.change import read_change
from gateway.translate.from_hl7v2.clinical import read_allergies, read_notes, read_observations, read_stated_age
from gateway.translate.from_hl7v2.coded import organisation
from gateway.translate.from_hl7v2.desk import Desk
from gateway.translate.from_hl7v2.groups import Group, Orders, parent_of
from gateway.translate.from_hl7v2.header import Header
from gateway.translate.from_hl7v2.homecare import provider_location, read_clinical_check, same_service
from gateway.translate.from_hl7v2.line import ReadLine, order_number, read_line
from gateway.translate.from_hl7v2.moments import LONDON
from gateway.translate.from_hl7v2.notices import renewal
from gateway.translate.from_hl7v2.order_control import (
    ACTIONS,
    NAMES_ORDERS,
    action_of,
    check_status,
    control_of,
    has_no_children,
)
from gateway.translate.from_hl7v2.participants import (
    check_participants,
    ordering,
    phones_of_ordering,
    place_of_ordering,
)
from gateway.translate.from_hl7v2.patient import read_identity, read_patient
from gateway.translate.from_hl7v2.people import prescription_type, read_person, read_prescriber
from gateway.translate.from_hl7v2.service_fields import service_fields
from gateway.translate.from_hl7v2.signature import read_signature
from gateway.translate.from_hl7v2.telecom import contact_points
from gateway.wire.er7 import Repetition, Segment

_EPS_FORM = re.compile(r"[0-9A-F]{6}-[0-9A-Z]{6}-[0-9A-F]{5}[0-9A-Z+]", re.ASCII)


@dataclass(frozen=True, slots=True)
class OnDesk:
    """An order that has been read, with the desk it was read at and its groups."""

    desk: Desk
    groups: tuple[Group, ...]
    action: Action
    served: bool
    numbers: tuple[OrderNumber, ...]
    prescription: Prescription | None
    nhs_number: str
    group_number: str
    shared: tuple[Segment, ...] = ()
    change: Change | None = None
    notice: Notice | None = None
    needs_review: bool = False

    def order(self) -> Order:
        """Give the order with everything its desk holds."""
        first = self.groups[0]
        return Order(
            action=self.action,
            numbers=self.numbers,
            prescription=self.prescription,
            issues=tuple(self.desk.issues),
            trace=tuple(self.desk.rows),
            unknown=tuple(self.desk.unknown),
            provider_location=provider_location(first, service_fields(self.desk.aside(), first, self.shared)),
            nhs_number=self.nhs_number,
            group_number=self.group_number,
            change=self.change,
            notice=self.notice,
            needs_review=self.needs_review,
        )


def batches(desk: Desk, orders: Orders) -> list[tuple[Group, ...]]:
    """Gather the groups into prescriptions: by ORC-4, else new ones by ORC-8, else each by itself (mapping.md 3.2)."""
    found: dict[tuple[str, str, str, str], list[Group]] = {}
    waiting: list[Group] = []
    for group in orders.groups:
        control = control_of(desk, group)
        if control == "RP":
            waiting.append(group)
            continue
        place = desk.one(group.orc, 4)
        number, assigner = desk.text(desk.leaf(place)), desk.text(desk.leaf(place, 2))
        action = ACTIONS.get(control, Action.NEW)
        parent = parent_of(desk, group) if action is Action.NEW and not number else None
        if parent is not None:
            number, assigner = parent.trust_number, parent.assigner
        key = (number, assigner, "parent" if parent else "", action) if number else ("", "", group.orc.locator, action)
        taken = waiting if control == "RO" else []
        found.setdefault(key, []).extend([*taken, group])
        waiting = [] if control == "RO" else waiting
        if not number and len(orders.groups) > 1:
            text = "No group number was sent; each order became its own prescription."
            desk.flag("GROUP_NOT_STATED", group.orc.at(4), text)
    # An order that is to be replaced, by nothing: read, and refused.
    return [*(tuple(groups) for groups in found.values()), *((group,) for group in waiting)]


def read_order(desk: Desk, groups: tuple[Group, ...], orders: Orders, header: Header) -> OnDesk:
    """Read one prescription's worth of a message."""
    numbers = tuple(order_number(desk, group) for group in groups)
    group_number = desk.text(desk.leaf(desk.one(groups[0].orc, 4)))
    renewals = header.envelope.message_type.startswith("RDE^O25")
    action = action_of(desk, groups, numbers, alone=has_no_children(desk, orders), renewals=renewals)
    makes_lines = action in {Action.NEW, Action.REPLACE}
    patient = _patient(desk, orders, header.envelope.sent_at) if makes_lines or action is None else None
    named = patient.nhs_number if patient else _identity(desk, orders) if action and not makes_lines else None
    asked = tuple(number.trust_number for number in numbers if number.trust_number)
    prescription, change = None, None
    if action in NAMES_ORDERS:
        change = read_change(desk, groups, numbers, action=action)
    if action is Action.NEW:
        check_status(desk, groups)
    if makes_lines:
        new = tuple(group for group, number in zip(groups, numbers, strict=True) if number.order_control != "RP")
        own = tuple(number for number in numbers if number.order_control != "RP")
        salt = header.envelope.control_id if action is Action.REPLACE else ""
        if new:
            prescription = _Reader(desk, new, orders, header, patient, salt=salt).prescription(own, group_number)
        else:
            desk.flag("SEGMENT_MISSING", groups[0].orc.locator, "RP needs the new order beside it, in an ORC with RO.")
    return OnDesk(
        desk=desk,
        groups=groups,
        action=action or Action.NEW,
        served=makes_lines,
        numbers=numbers,
        prescription=prescription,
        nhs_number=named.value if named else "",
        group_number=group_number,
        shared=orders.shared,
        change=change,
        needs_review=True in [_needs_review(desk, group) for group in groups],
        notice=renewal(named, asked) if action is Action.RENEWAL_REQUEST else None,
    )


def _needs_review(desk: Desk, group: Group) -> bool:
    """Read RXE-20 and RXO-16, "needs human review"; anything but yes and no is held."""
    leaves = [desk.leaf(desk.one(group.rxe, 20)), desk.leaf(desk.one(group.rxo, 16))]
    for leaf in leaves:
        if leaf and leaf.raw in {"Y", "N"}:
            desk.use(leaf)
    return any(leaf is not None and leaf.raw == "Y" for leaf in leaves)


def _patient(desk: Desk, orders: Orders, sent: datetime | None) -> Patient | None:
    pid, pd1 = orders.named("PID"), orders.named("PD1")
    return read_patient(desk, pid[0] if pid else None, pd1[0] if pd1 else None, sent)


def _identity(desk: Desk, orders: Orders) -> NhsNumber | None:
    pid = orders.named("PID")
    return read_identity(desk, pid[0] if pid else None)


class _Reader:
    """Reads what the lines of one prescription share."""

    def __init__(
        self,
        desk: Desk,
        groups: tuple[Group, ...],
        orders: Orders,
        header: Header,
        patient: Patient | None,
        *,
        salt: str = "",
    ) -> None:
        self._desk = desk
        self._groups = groups
        self._orders = orders
        self._zone = header.zone
        self._patient = patient
        self._salt = salt

    def prescription(self, numbers: tuple[OrderNumber, ...], group_number: str) -> Prescription | None:
        """Read it whole, gathering every fault; None if anything compulsory is missing."""
        desk = self._desk
        lines = [
            read_line(desk, group, index, self._orders.shared, self._zone, salt=self._salt)
            for index, group in enumerate(self._groups)
        ]
        prescriber, named_at = self._prescriber()
        type_code = prescription_type(desk, prescriber, named_at)
        consultant = self._consultant()
        homecare = self._homecare(lines)
        check = self._clinical_check()
        allergies, status = read_allergies(desk, [*self._segments("AL1"), *self._segments("IAM")])
        observations = read_observations(desk, self._segments("OBX"), self._zone)
        age = read_stated_age(desk, self._segments("OBX"))
        signature = read_signature(desk, self._segments("OBX"), self._zone)
        notes = read_notes(desk, self._orders.named("NTE"), "notes")
        authored = self._authored(lines)
        self._check_delivery(lines)
        check_participants(desk, self._groups)
        number = self._number(group_number, numbers[0].trust_number, prescriber)
        named = group_number or numbers[0].trust_number
        identity = self._id(group_number, numbers[0].trust_number) if named else None
        ready = [each.line for each in lines if each.line]
        whole = len(ready) == len(lines)
        if not (identity and self._patient and prescriber and type_code and authored and number and whole):
            return None
        return Prescription(
            id=identity,
            number=number,
            group_number=group_number,
            patient=replace(self._patient, stated_age=age) if age else self._patient,
            prescriber=prescriber,
            responsible_consultant=consultant,
            clinical_check=check,
            authored=authored,
            type_code=type_code,
            course=self._course(lines),
            lines=tuple(ready),
            homecare=homecare,
            allergies=allergies,
            allergy_status=status,
            observations=observations,
            notes=notes,
            signature=signature,
        )

    def _segments(self, name: str) -> list[Segment]:
        return [*self._orders.named(name), *(segment for group in self._groups for segment in group.named(name))]

    def _clinical_check(self) -> ClinicalCheck | None:
        """Read the pharmacist's check; the orders of one prescription must not name different ones."""
        checks = []
        for index, group in enumerate(self._groups):
            sheet = self._desk.aside() if index else self._desk
            service = service_fields(sheet, group, self._orders.shared)
            checks.append(read_clinical_check(sheet, group, service, self._zone))
            if sheet is not self._desk:
                self._desk.adopt(sheet)
            if checks[-1] != checks[0]:
                text = "The orders of one prescription state different clinical checks."
                self._desk.not_understood(f"{group.orc.locator}/ZHC", text)
        return checks[0]

    def _prescriber(self) -> tuple[Professional | None, str]:
        """Read who prescribed, and where that is said."""
        desk, first = self._desk, self._groups[0]
        repetitions, at = ordering(desk, first)
        person = read_prescriber(desk, repetitions, at)
        for group in self._groups[1:]:
            aside = desk.aside()
            again, place = ordering(aside, group)
            other = read_prescriber(aside, again, place)
            desk.adopt(aside)
            if person and other and (person.ids, person.name) != (other.ids, other.name):
                desk.flag("PRESCRIBER_AMBIGUOUS", place, "One prescription has one prescriber.")
        if person is None:
            return None, at
        phones = (*desk.all(first.orc, 14), *phones_of_ordering(desk, first))
        contacts, site = self._phones(phones, "prescriber.contacts"), self._site(first)
        return Professional(ids=person.ids, name=person.name, contacts=contacts, organisation=site), at

    def _phones(self, parts: Sequence[Repetition], target: str) -> tuple[Contact, ...]:
        found: list[Contact] = []
        for part in parts:
            found.extend(contact_points(self._desk, part, target, len(found), "work"))
        return tuple(found)

    def _site(self, group: Group) -> Organisation:
        """Read where it was ordered: ORC-21, else ORC-17, else PRT-8, else the trust itself."""
        desk, at, orc = self._desk, "prescriber.organisation", group.orc
        trust = desk.context.trust
        sent, addresses = place_of_ordering(desk, group)
        named = organisation(desk, desk.one(orc, 21)) or organisation(desk, desk.one(orc, 17))
        beside = organisation(desk, sent)
        if named and beside and named.ods != beside.ods:
            desk.not_understood(beside.at.locator, "ORC-21 and PRT-8 name different places of ordering.")
        named = named or beside
        places = (*desk.all(orc, 22), *addresses)
        address = postal_address(desk, places[0], f"{at}.address") if places else None
        desk.mark(*places[1:])
        contacts = self._phones(desk.all(orc, 23), f"{at}.contacts")
        desk.trace(f"{at}.trust", None, "derive:credential", trust.ods.value)
        desk.trace(f"{at}.trust_name", None, "table:partners", trust.name)
        if named is None:
            desk.trace(f"{at}.ods", None, "default:trust", trust.ods.value)
            desk.trace(f"{at}.name", None, "table:partners", trust.name)
            ods, name = trust.ods, trust.name
        else:
            desk.trace(f"{at}.ods", named.at, "copy", named.ods.value)
            ods, name = named.ods, desk.words(named.name, f"{at}.name")
        return Organisation(
            ods=ods, name=name, trust=trust.ods, trust_name=trust.name, address=address, contacts=contacts
        )

    def _consultant(self) -> Professional | None:
        """Read the responsible consultant from PV1-7, or the field the trust's settings name."""
        desk = self._desk
        pv1 = next(iter(self._orders.named("PV1")), None)
        number = int(desk.context.trust.consultant_field.removeprefix("PV1-"))
        if pv1 is None:
            return None
        person = read_person(desk, desk.all(pv1, number), "responsible_consultant", pv1.at(number))
        specialty = desk.leaf(desk.one(pv1, 10))
        if person is None or specialty is None:
            return person
        return replace(person, specialty=Coding(code=desk.words(specialty, "responsible_consultant.specialty.code")))

    def _homecare(self, lines: Sequence[ReadLine]) -> Homecare:
        first = lines[0].homecare
        for group, each in zip(self._groups[1:], lines[1:], strict=True):
            if not same_service(first, each.homecare):
                text = "The orders of one prescription ask for different services."
                self._desk.not_understood(f"{group.orc.locator}/ZHC", text)
        return first

    def _authored(self, lines: Sequence[ReadLine]) -> datetime | None:
        """Give when the first line was written; a prescription bears one date, so lines of other days are held."""
        times = [each.authored for each in lines if each.authored]
        for group, each in zip(self._groups, lines, strict=True):
            if each.authored and each.authored.astimezone(LONDON).date() != times[0].astimezone(LONDON).date():
                text = "The orders of one prescription were written on different days; give each day its own group."
                self._desk.not_understood(group.orc.at(9), text)
        return min(times) if times and len(times) == len(lines) else None

    def _check_delivery(self, lines: Sequence[ReadLine]) -> None:
        """A patient of no fixed abode needs a place to deliver to (mapping.md 3.3, PID-11)."""
        patient, delivery = self._patient, lines[0].homecare.delivery
        elsewhere = delivery is not None and (delivery.address or delivery.place not in {"", "home"})
        if patient and patient.address.no_fixed_abode and not elsewhere:
            text = "The address is no fixed abode; send a delivery address in RXE-43 or RXO-35."
            self._desk.flag("DELIVERY_ADDRESS_UNUSABLE", "PID[1]-11", text)

    def _course(self, lines: Sequence[ReadLine]) -> CourseOfTherapy:
        """One supply is acute; more are continuous. HL7 v2 has no word for repeat dispensing."""
        several = any(each.total and each.total > 1 for each in lines)
        course = CourseOfTherapy.CONTINUOUS if several else CourseOfTherapy.ACUTE
        self._desk.trace("course", None, "derive:total-supplies", course.value)
        return course

    def _id(self, group_number: str, trust_number: str) -> UUID:
        named = filter(None, (group_number or trust_number, self._salt))
        found = derived_id("prescription", self._desk.sender.value, *named)
        self._desk.trace("id", None, "derive:prescription-id", str(found))
        return found

    def _number(
        self, group_number: str, trust_number: str, prescriber: Professional | None
    ) -> PrescriptionNumber | None:
        """Keep the EPS number if the trust sent one in ORC-4; derive it otherwise, and always for a change.

        A change is a new prescription and bears a number of its own (eps.md 6.5).
        """
        desk, orc = self._desk, self._groups[0].orc
        leaf = desk.leaf(desk.one(orc, 4))
        if leaf:
            desk.trace("group_number", leaf, "copy", group_number)
        if leaf and _EPS_FORM.fullmatch(group_number) and not self._salt:
            number = PrescriptionNumber.parse(group_number)
            if number is None:
                desk.flag("SHORTID_CHECK_DIGIT", leaf.locator, "The prescription number's check character is wrong.")
            else:
                desk.trace("number", leaf, "parse:prescription-number", number.value)
            return number
        site = prescriber.organisation.ods if prescriber and prescriber.organisation else desk.sender
        named = filter(None, (group_number or trust_number, self._salt))
        derived = PrescriptionNumber.derive(site, desk.sender.value, *named)
        desk.trace("number", None, "derive:prescription-number", derived.value)
        return derived
