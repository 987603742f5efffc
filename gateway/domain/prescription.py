"""The canonical prescription: what every reader fills and every writer reads.

It stands between every input and every output (brief D1). Values are frozen; a field that was not said is None or an
empty tuple, never a guess. Everything a homecare prescription says is here or in the reading's leftovers.

Source: mapping.md 2.1; eps.md 2; trust-xml 1.0.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from gateway.domain.coding import Coding
from gateway.domain.identifiers import NhsNumber, OdsCode, PrescriptionNumber, ProfessionalId, Register, SnomedCode
from gateway.domain.quantity import Quantity


class Gender(StrEnum):
    """FHIR R4 `administrative-gender`."""

    MALE = "male"
    FEMALE = "female"
    OTHER = "other"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A person's name as sent. Its repr hides it."""

    family: str
    given: tuple[str, ...] = ()
    prefix: tuple[str, ...] = ()
    suffix: tuple[str, ...] = ()
    use: str = ""
    """FHIR `name-use`, where the sender stated one: official, usual, …"""

    def __repr__(self) -> str:
        return "Name(hidden)"

    def __str__(self) -> str:
        return " ".join((*self.prefix, *self.given, self.family, *self.suffix))


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A postal address. Its repr hides it."""

    lines: tuple[str, ...]
    city: str = ""
    district: str = ""
    postcode: str = ""
    country: str = ""
    use: str = ""
    """FHIR `address-use`: home, work, temp, old."""
    uprn: str = ""
    instructions: str = ""

    def __repr__(self) -> str:
        return "Address(hidden)"

    @property
    def no_fixed_abode(self) -> bool:
        """Whether the postcode is one of the ZZ99 pseudo-postcodes, where no van can deliver (mapping.md 3.3)."""
        return self.postcode.upper().replace(" ", "").startswith("ZZ99")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Contact:
    """One phone number or e-mail address."""

    system: str
    """FHIR `contact-point-system`: phone or email."""
    value: str
    use: str = ""
    """FHIR `contact-point-use`: home, work, mobile."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class LocalId:
    """A hospital number: the value and the organisation that gave it."""

    value: str
    assigner: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Patient:
    """The one patient of a prescription."""

    nhs_number: NhsNumber
    name: Name
    birth_date: date
    gender: Gender
    address: Address
    verification: str = ""
    """NHS number verification status, 01 to 08, where sent."""
    local_ids: tuple[LocalId, ...] = ()
    contacts: tuple[Contact, ...] = ()
    gp_practice: OdsCode | None = None
    stated_age: str = ""
    """The age as the prescriber wrote it; compulsory in law under 12 (HMR 2012 reg 217)."""
    language: Coding | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """An organisation by its ODS code; `trust` is the organisation it is part of."""

    ods: OdsCode
    name: str = ""
    trust: OdsCode | None = None
    trust_name: str = ""
    address: Address | None = None
    contacts: tuple[Contact, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Professional:
    """A clinician, with the numbers that identify them and where they work."""

    ids: tuple[ProfessionalId, ...]
    name: Name
    role: Coding | None = None
    specialty: Coding | None = None
    contacts: tuple[Contact, ...] = ()
    organisation: Organisation | None = None

    def number(self, register: Register) -> ProfessionalId | None:
        """Give this person's number on `register`, if sent."""
        return next((number for number in self.ids if number.register is register), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicalCheck:
    """A pharmacist's clinical check. Evidence only with its time (mapping.md 3.3)."""

    by: Professional
    at: datetime


class ProductLevel(StrEnum):
    """The level of a dm+d concept. A VTM is a substance and cannot be supplied."""

    VTM = "VTM"
    VMP = "VMP"
    AMP = "AMP"
    VMPP = "VMPP"
    AMPP = "AMPP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """What is to be supplied: a dm+d concept, and the words it was sent with."""

    code: SnomedCode
    display: str
    level: ProductLevel
    brand_required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """An amount from `low` to `high`; either end may be open."""

    low: Quantity | None = None
    high: Quantity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """An amount over a time: `amount` per `per`."""

    amount: Quantity
    per: Quantity | None = None


class TimeUnit(StrEnum):
    """UCUM units of time as FHIR R4 `units-of-time`. Units of different classes are never converted."""

    SECOND = "s"
    MINUTE = "min"
    HOUR = "h"
    DAY = "d"
    WEEK = "wk"
    MONTH = "mo"
    YEAR = "a"


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration:
    """A length of time in the unit it was said in."""

    value: Decimal
    unit: TimeUnit


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """When a dosage applies: from `start` to `end` inclusive, or for a `duration`. Dates are London dates."""

    start: date | None = None
    end: date | None = None
    duration: Duration | None = None
    duration_high: Duration | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How often: one to one with FHIR R4 `Timing.repeat` plus the dates of `Timing.event`."""

    frequency: int | None = None
    frequency_max: int | None = None
    period: Decimal | None = None
    period_max: Decimal | None = None
    period_unit: TimeUnit | None = None
    day_of_week: tuple[str, ...] = ()
    """FHIR `days-of-week`: mon … sun."""
    time_of_day: tuple[time, ...] = ()
    when: tuple[str, ...] = ()
    """FHIR `event-timing`: MORN, HS, PC, …"""
    offset_minutes: int | None = None
    administer_over: Duration | None = None
    administer_over_max: Duration | None = None
    count: int | None = None
    count_max: int | None = None
    bounds: Bounds | None = None
    on_dates: tuple[date, ...] = ()
    code: Coding | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AsNeeded:
    """As required; for the reasons given, or for none stated."""

    reasons: tuple[Coding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MaxDose:
    """At most `amount` within `within`."""

    amount: Quantity
    within: Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Dosage:
    """One dosage instruction: one to one with FHIR R4 `Dosage`.

    Attributes:
        sequence: equal numbers apply together, rising ones in turn.
        text: the prescriber's own words for this dosage; empty if none were given.
        dose: a single amount, or a range; at most one of the two.
    """

    sequence: int = 1
    text: str = ""
    method: Coding | None = None
    dose: Quantity | Range | None = None
    rate: Quantity | Range | Rate | None = None
    timing: Timing | None = None
    as_needed: AsNeeded | None = None
    route: Coding | None = None
    site: Coding | None = None
    max_per_period: MaxDose | None = None
    max_per_administration: Quantity | None = None
    max_per_lifetime: Quantity | None = None
    additional: tuple[Coding, ...] = ()
    patient_instruction: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstSupply:
    """A first supply that differs from the rest: a starter pack or loading doses."""

    quantity: Quantity
    lasts: Duration | None = None


class ControlledSchedule(StrEnum):
    """Schedule of the Misuse of Drugs Regulations 2001."""

    CD1 = "CD1"
    CD2 = "CD2"
    CD3 = "CD3"
    CD4 = "CD4"
    CD5 = "CD5"


NEVER_ELECTRONIC = frozenset({ControlledSchedule.CD1, ControlledSchedule.CD2, ControlledSchedule.CD3})
"""Schedules that never leave the gateway (D14): only the national EPS may carry them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One medication order of a prescription; one FHIR MedicationRequest.

    Attributes:
        id: the prescription-order-item-number.
        order_number: the trust's own number for the order (ORC-2), with its assigner, as `RX7001` and `RBA`.
        total_supplies: counting the first. HL7 refills and FHIR repeats are this minus one.
        days_per_supply: how long one supply lasts, if said.
        substitution_allowed: always written; False unless the trust's contract says otherwise.
    """

    id: UUID
    order_number: str
    order_assigner: str = ""
    provider_order_number: str = ""
    product: Product
    dosages: tuple[Dosage, ...]
    quantity: Quantity
    total_supplies: int = 1
    interval: Duration | None = None
    days_per_supply: int | None = None
    first_supply: FirstSupply | None = None
    schedule: ControlledSchedule | None = None
    quantity_in_words: str = ""
    substitution_allowed: bool = False
    priority: str = ""
    """FHIR `request-priority`: routine, urgent, asap, stat; empty if not said."""
    reasons: tuple[Coding, ...] = ()
    notes: tuple[str, ...] = ()
    endorsements: tuple[Coding, ...] = ()
    prior: UUID | None = None
    """The line this one replaces or renews."""
    status_reason: Coding | None = None
    """Why it is cancelled; only on a cancel."""


class CourseOfTherapy(StrEnum):
    """eps.md 2.10."""

    ACUTE = "acute"
    CONTINUOUS = "continuous"
    REPEAT_DISPENSING = "continuous-repeat-dispensing"


class AllergyStatus(StrEnum):
    """What the sender said about allergies as a whole. Not stated is never written as none known."""

    RECORDED = "recorded"
    NONE_KNOWN = "none-known"
    NOT_RECORDED = "not-recorded"
    NOT_STATED = "not-stated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allergy:
    """One recorded allergy or intolerance."""

    substance: Coding
    reaction: Coding | None = None
    criticality: str = ""
    """FHIR `allergy-intolerance-criticality`: low, high, unable-to-assess."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """A measurement that came with the prescription, such as weight."""

    code: Coding
    value: Quantity | Coding
    on: date | None = None
    status: str = "final"
    """FHIR `observation-status`: final or corrected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Where and when the medicine is to arrive. Envelope, not signed content."""

    first_required_by: date | None = None
    frequency: Duration | None = None
    total: int | None = None
    place: str = ""
    """home, work, clinic, collection-point or other."""
    address: Address | None = None
    cold_chain: bool | None = None
    contact_before: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ancillary:
    """Something delivered with the medicine, such as a sharps bin."""

    item: Coding
    quantity: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Homecare:
    """The service around the medicine: content of the envelope Task, not signed by the prescriber (mapping.md 0.10)."""

    provider: OdsCode | None = None
    provider_name: str = ""
    backups: tuple[OdsCode, ...] = ()
    tier: str = ""
    """low-tech, mid-tech, high-tech or complex."""
    registration: str = ""
    purchase_order: str = ""
    purchase_order_line: int | None = None
    funding: str = ""
    """trust, manufacturer, specialised-commissioning or icb: the scheme that pays, which also routes."""
    funding_contract: str = ""
    funding_approval: str = ""
    delivery: Delivery | None = None
    ancillaries: tuple[Ancillary, ...] = ()
    nurse_service: str = ""
    nurse_visits: int | None = None
    consent_given: bool | None = None
    consent_on: date | None = None
    stock_held_days: int | None = None
    stock_as_at: date | None = None
    kind: str = ""
    """NEW, RENEWAL or CHANGE, where the sender said so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrescriberSignature:
    """The prescriber's own signature, verbatim, with what is known of it (D7, D8).

    Attributes:
        format: `xmldsig-eps`, `xmldsig`, `jws` or `cades`.
        data: the signature as received.
        when: the signing time it claims.
        verdict: what it was found to be worth, in the words of D8; empty until it was looked at.
    """

    format: str
    data: bytes = field(repr=False)
    when: datetime | None = None
    verdict: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 of the signature as received, in hex."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Prescription:
    """One prescriber's set of lines for one patient.

    Attributes:
        id: the long-form prescription id.
        number: the EPS short-form number; kept if the sender gave one, otherwise derived.
        group_number: the trust's own number for the prescription (ORC-4), if it has one.
        authored: the appropriate date of HMR 2012 reg 217, with the time where it was said.
    """

    id: UUID
    number: PrescriptionNumber
    group_number: str = ""
    patient: Patient
    prescriber: Professional
    responsible_consultant: Professional | None = None
    clinical_check: ClinicalCheck | None = None
    authored: datetime
    type_code: str
    """Prescription type 12xx (eps.md 2.9)."""
    course: CourseOfTherapy
    valid_from: date | None = None
    valid_to: date | None = None
    replaces: UUID | None = None
    lines: tuple[Line, ...]
    homecare: Homecare = field(default_factory=Homecare)
    allergies: tuple[Allergy, ...] = ()
    allergy_status: AllergyStatus = AllergyStatus.NOT_STATED
    observations: tuple[Observation, ...] = ()
    patient_information: tuple[str, ...] = ()
    """Words for the patient (EPS CommunicationRequest payloads)."""
    medication_list: tuple[str, ...] = ()
    """The patient's list of repeat medicines, by name, where the sender included one."""
    notes: tuple[str, ...] = ()
    signature: PrescriberSignature | None = None
