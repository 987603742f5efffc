"""One FHIR Dosage.

Source: FHIR R4 dosage.html; eps.md 2.8; mapping.md 6.2.
"""

from typing import Any

from gateway.domain.coding import Coding
from gateway.domain.prescription import AsNeeded, Dosage, MaxDose, Range, Rate
from gateway.domain.quantity import Quantity
from gateway.translate import lexical
from gateway.translate.context import ReadingContext
from gateway.translate.from_fhir.nodes import Node
from gateway.translate.from_fhir.timing import timing
from gateway.translate.from_fhir.values import coded, duration, quantity, snomed, spread, worded
from gateway.translate.maps.rules import FHIR
from gateway.translate.record import Record
from gateway.translate.terms import route

_DOSE_TYPE = FHIR.named("FHIR.ignored.dose-type")


def dosage(record: Record, context: ReadingContext | None, node: Node, target: str) -> Dosage:
    """Read one dosage.

    Args:
        record: takes the trace and the issues.
        context: tables of units and routes, and the trust's own entries; without them, units and routes are taken
            as sent.
        node: the Dosage.
        target: canonical path of the dosage.
    """
    sequence = record.take(
        node.leaf("sequence"), f"{target}.sequence", lexical.counted, "parse:integer", "Send a number from 1 up."
    )
    if sequence is None:
        record.trace(f"{target}.sequence", None, "default:first", "1")
    administration_route = route_known = snomed(record, node.one("route"), f"{target}.route")
    if context is not None:
        route_known = route(record, context, administration_route, f"{node.path}.route")
    if node.one("route") and administration_route is None:
        record.flag("ROUTE_UNMAPPED", f"{node.path}.route", "The route has no SNOMED CT code that can be read.")
    return Dosage(
        sequence=sequence or 1,
        text=record.words(node.leaf("text"), f"{target}.text"),
        method=snomed(record, node.one("method"), f"{target}.method"),
        route=route_known,
        site=_site(record, node, target),
        timing=timing(record, node.one("timing"), f"{target}.timing"),
        as_needed=_as_needed(record, node, f"{target}.as_needed"),
        additional=_additional(record, node, f"{target}.additional"),
        patient_instruction=record.words(node.leaf("patientInstruction"), f"{target}.patient_instruction"),
        max_per_period=_most(record, context, node.one("maxDosePerPeriod"), f"{target}.max_per_period"),
        max_per_administration=quantity(
            record, context, node.one("maxDosePerAdministration"), f"{target}.max_per_administration"
        ),
        max_per_lifetime=quantity(record, context, node.one("maxDosePerLifetime"), f"{target}.max_per_lifetime"),
        **_dose_and_rate(record, context, node, target),
    )


def _site(record: Record, node: Node, target: str) -> Coding | None:
    site = snomed(record, node.one("site"), f"{target}.site")
    if node.one("site") and site is None:
        record.flag("SITE_UNMAPPED", f"{node.path}.site", "The site has no SNOMED CT code that can be read.")
    return site


def _additional(record: Record, node: Node, target: str) -> tuple[Coding, ...]:
    said = (worded(record, part, f"{target}[{n}]") for n, part in enumerate(node.many("additionalInstruction")))
    return tuple(coding for coding in said if coding)


def _as_needed(record: Record, node: Node, target: str) -> AsNeeded | None:
    flag, reason = node.leaf("asNeededBoolean"), node.one("asNeededCodeableConcept")
    if flag and reason:
        record.use(flag, *reason.below())
        record.flag("VALUE_INVALID", f"{node.path}.asNeededBoolean", "Send asNeeded as boolean or as reason, not both.")
        return None
    if flag is not None:
        record.trace(target, flag, "copy", flag.raw)
        return AsNeeded() if flag.raw == "true" else None
    if reason is None:
        return None
    several = reason.many("coding")
    if several:
        said = [coded(record, part, reason.leaf("text"), f"{target}.reasons[{n}]") for n, part in enumerate(several)]
        return AsNeeded(reasons=tuple(said))
    only = worded(record, reason, f"{target}.reasons[0]")
    return AsNeeded(reasons=(only,) if only else ())


def _dose_and_rate(record: Record, context: ReadingContext | None, node: Node, target: str) -> dict[str, Any]:
    parts = node.many("doseAndRate")
    if len(parts) > 1:
        record.flag("DOSE_CONFLICT", f"{node.path}.doseAndRate", "Several doses stand in one dosage; send one.")
    if not parts:
        return {}
    part = parts[0]
    kind = part.one("type")
    record.ignore(kind.below() if kind else (), _DOSE_TYPE)
    doses = [part.one("doseQuantity"), part.one("doseRange")]
    rates = [part.one("rateQuantity"), part.one("rateRange"), part.one("rateRatio")]
    if sum(map(bool, doses)) > 1 or sum(map(bool, rates)) > 1:
        record.flag("DOSE_CONFLICT", part.path, "The dose or the rate is sent in two ways.")
    dose: Quantity | Range | None = quantity(record, context, doses[0], f"{target}.dose")
    rate: Quantity | Range | Rate | None = quantity(record, context, rates[0], f"{target}.rate")
    return {
        "dose": dose or spread(record, context, doses[1], f"{target}.dose"),
        "rate": rate or spread(record, context, rates[1], f"{target}.rate") or _rate(record, context, rates[2], target),
    }


def _rate(record: Record, context: ReadingContext | None, node: Node | None, target: str) -> Rate | None:
    if node is None:
        return None
    of = quantity(record, context, node.one("numerator"), f"{target}.rate.amount")
    per = quantity(record, context, node.one("denominator"), f"{target}.rate.per")
    if node.one("numerator") is None or node.one("denominator") is None:
        record.flag("FIELD_MISSING", node.path, "A rate needs an amount and a time.")
    return Rate(amount=of, per=per) if of and per else None


def _most(record: Record, context: ReadingContext | None, node: Node | None, target: str) -> MaxDose | None:
    if node is None:
        return None
    most = quantity(record, context, node.one("numerator"), f"{target}.amount")
    within = duration(record, node.one("denominator"), f"{target}.within")
    if node.one("numerator") is None or node.one("denominator") is None:
        record.flag("FIELD_MISSING", node.path, "A greatest dose needs an amount and a time.")
    return MaxDose(amount=most, within=within) if most and within else None
