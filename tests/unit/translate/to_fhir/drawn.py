"""Prescriptions of every shape the canonical form allows, drawn by Hypothesis."""

from datetime import UTC, date, datetime, time
from decimal import Decimal

from hypothesis import strategies as st

from gateway.domain.coding import SNOMED, UCUM, Coding
from gateway.domain.identifiers import NhsNumber, OdsCode, PrescriptionNumber, ProfessionalId, Register, SnomedCode
from gateway.domain.prescription import (
    Address,
    Allergy,
    Ancillary,
    AsNeeded,
    Bounds,
    ClinicalCheck,
    Contact,
    Delivery,
    Dosage,
    Duration,
    FirstSupply,
    Homecare,
    Line,
    LocalId,
    MaxDose,
    Name,
    Observation,
    Organisation,
    Patient,
    PrescriberSignature,
    Prescription,
    Product,
    Professional,
    Range,
    Rate,
    TimeUnit,
    Timing,
)
from gateway.domain.quantity import Quantity

words = st.text(st.characters(min_codepoint=32, max_codepoint=0x24F, exclude_characters="\x7f"), min_size=1, max_size=8)
maybe_words = st.just("") | words
numbers = st.decimals(min_value="0.001", max_value=99999, places=3).map(lambda n: Decimal(str(n)))
counts = st.integers(min_value=1, max_value=99)
days = st.dates(date(1930, 1, 1), date(2030, 1, 1))
moments = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - aware by zone
coded = st.builds(Coding, system=st.sampled_from([SNOMED, UCUM]), code=words, display=maybe_words)
codings = coded | st.builds(Coding, display=words)
quantities = st.builds(Quantity, value=numbers, unit=codings)
durations = st.builds(Duration, value=numbers, unit=st.sampled_from(TimeUnit))
ods = st.from_regex(r"[A-Z0-9]{3,6}", fullmatch=True).map(OdsCode)


def some(strategy: st.SearchStrategy, most: int = 2) -> st.SearchStrategy:
    return st.lists(strategy, max_size=most).map(tuple)


def maybe(strategy: st.SearchStrategy) -> st.SearchStrategy:
    return st.none() | strategy


names = st.builds(
    Name, family=words, given=some(words), prefix=some(words), suffix=some(words), use=st.sampled_from(["", "official"])
)
addresses = st.builds(
    Address,
    lines=some(words),
    city=maybe_words,
    district=maybe_words,
    postcode=maybe_words,
    country=maybe_words,
    use=maybe_words,
    uprn=maybe_words,
    instructions=maybe_words,
)
contacts = st.builds(
    Contact, system=st.sampled_from(["phone", "email"]), value=words, use=st.sampled_from(["", "home"])
)
organisations = st.builds(
    Organisation,
    ods=ods,
    name=maybe_words,
    trust=maybe(ods),
    trust_name=maybe_words,
    address=maybe(addresses),
    contacts=some(contacts),
)
professionals = st.builds(
    Professional,
    ids=st.lists(st.builds(ProfessionalId, st.sampled_from(Register), words), unique=True, max_size=5).map(tuple),
    name=names,
    role=maybe(codings),
    specialty=maybe(codings),
    contacts=some(contacts),
    organisation=maybe(organisations),
)
ranges = st.builds(Range, low=quantities, high=quantities) | st.builds(Range, high=quantities)
bounds = (
    st.builds(Bounds, start=days, end=maybe(days))
    | st.builds(Bounds, duration=durations, duration_high=maybe(durations))
    | st.builds(Bounds, duration_high=durations)
)


@st.composite
def timings(draw: st.DrawFn) -> Timing:
    unit = draw(st.sampled_from(TimeUnit))
    over = draw(maybe(st.builds(Duration, value=numbers, unit=st.just(unit))))
    return Timing(
        frequency=draw(maybe(counts)),
        frequency_max=draw(maybe(counts)),
        period=draw(maybe(numbers)),
        period_max=draw(maybe(numbers)),
        period_unit=draw(maybe(st.sampled_from(TimeUnit))),
        day_of_week=draw(some(st.sampled_from(["mon", "tue"]))),
        time_of_day=draw(some(st.times(time(0), time(23)).map(lambda t: t.replace(microsecond=0)))),
        when=draw(some(st.sampled_from(["MORN", "HS"]))),
        offset_minutes=draw(maybe(counts)),
        administer_over=over,
        administer_over_max=draw(maybe(st.builds(Duration, value=numbers, unit=st.just(unit)))),
        count=draw(maybe(counts)),
        count_max=draw(maybe(counts)),
        bounds=draw(maybe(bounds)),
        on_dates=draw(some(days)),
        code=draw(maybe(codings)),
    )


dosages = st.builds(
    Dosage,
    sequence=counts,
    text=maybe_words,
    method=maybe(codings),
    dose=maybe(quantities | ranges),
    rate=maybe(quantities | ranges | st.builds(Rate, amount=quantities, per=maybe(quantities))),
    timing=maybe(timings()),
    as_needed=maybe(st.builds(AsNeeded, reasons=st.lists(codings, min_size=1, max_size=3).map(tuple))),
    route=maybe(codings),
    site=maybe(codings),
    max_per_period=maybe(st.builds(MaxDose, amount=quantities, within=durations)),
    max_per_administration=maybe(quantities),
    max_per_lifetime=maybe(quantities),
    additional=some(codings),
    patient_instruction=maybe_words,
)
lines = st.builds(
    Line,
    id=st.uuids(),
    order_number=words,
    order_assigner=maybe_words,
    provider_order_number=maybe_words,
    product=st.builds(
        Product, code=st.just(SnomedCode("15517911000001104")), display=words, level=..., brand_required=...
    ),
    dosages=st.lists(dosages, min_size=1, max_size=3).map(tuple),
    quantity=quantities,
    total_supplies=counts,
    interval=maybe(durations),
    days_per_supply=maybe(counts),
    first_supply=maybe(st.builds(FirstSupply, quantity=quantities, lasts=maybe(durations))),
    schedule=...,
    quantity_in_words=maybe_words,
    substitution_allowed=...,
    priority=maybe_words,
    reasons=some(codings),
    notes=some(words, 3),
    endorsements=some(codings),
    prior=maybe(st.uuids()),
    status_reason=maybe(codings),
)
homecare = st.builds(
    Homecare,
    provider=maybe(ods | st.just(OdsCode("VNE51"))),
    provider_name=maybe_words,
    backups=some(ods),
    tier=maybe_words,
    registration=maybe_words,
    purchase_order=maybe_words,
    purchase_order_line=maybe(counts),
    funding=maybe_words,
    funding_contract=maybe_words,
    funding_approval=maybe_words,
    delivery=maybe(
        st.builds(
            Delivery,
            first_required_by=maybe(days),
            frequency=maybe(durations),
            total=maybe(counts),
            place=maybe_words,
            address=maybe(addresses),
            cold_chain=...,
            contact_before=...,
        )
    ),
    ancillaries=some(st.builds(Ancillary, item=codings, quantity=maybe(counts))),
    nurse_service=maybe_words,
    nurse_visits=maybe(counts),
    consent_given=...,
    consent_on=maybe(days),
    stock_held_days=maybe(st.integers(min_value=0, max_value=99)),
    stock_as_at=maybe(days),
    kind=maybe_words,
)
prescriptions = st.builds(
    Prescription,
    id=st.uuids(),
    number=st.builds(PrescriptionNumber.derive, ods, words),
    group_number=maybe_words,
    patient=st.builds(
        Patient,
        nhs_number=st.just(NhsNumber("9990000077")),
        verification=st.sampled_from(["", "01", "08"]),
        name=names,
        birth_date=days,
        gender=...,
        address=addresses,
        local_ids=some(st.builds(LocalId, value=words, assigner=words | ods.map(str))),
        contacts=some(contacts),
        gp_practice=maybe(ods),
        stated_age=maybe_words,
        language=maybe(codings),
    ),
    prescriber=professionals,
    responsible_consultant=maybe(professionals),
    clinical_check=maybe(st.builds(ClinicalCheck, by=professionals, at=moments)),
    authored=moments,
    type_code=st.sampled_from(["1201", "1204"]),
    course=...,
    valid_from=maybe(days),
    valid_to=maybe(days),
    replaces=maybe(st.uuids()),
    lines=st.lists(lines, min_size=1, max_size=2, unique_by=lambda line: line.id).map(tuple),
    homecare=homecare,
    allergies=some(
        st.builds(Allergy, substance=codings, reaction=maybe(codings), criticality=st.sampled_from(["", "high"]))
    ),
    allergy_status=...,
    observations=some(
        st.builds(
            Observation,
            code=codings,
            value=quantities | codings,
            on=maybe(days),
            status=st.sampled_from(["final", "corrected"]),
        )
    ),
    patient_information=some(words),
    medication_list=some(words),
    notes=some(words),
    signature=maybe(
        st.builds(
            PrescriberSignature,
            format=st.sampled_from(["xmldsig-eps", "xmldsig", "jws", "cades"]),
            data=st.binary(min_size=1, max_size=9),
            when=maybe(moments),
        )
    ),
)
