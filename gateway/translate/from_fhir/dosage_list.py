"""FHIR dosages that stand alone, outside any prescription: the one reader, told without tables and without a trust.

Units and routes are taken as sent. Whatever would hold or refuse an order refuses here, for there is nobody to ask.

Source: FHIR R4 `Dosage`; mapping.md 6.2 and 8.
"""

from gateway.domain.errors import Refusal
from gateway.domain.issue import Effect, Issue
from gateway.domain.prescription import Dosage
from gateway.translate.from_fhir.dosage import dosage
from gateway.translate.from_fhir.nodes import Builder
from gateway.translate.maps.rules import FHIR
from gateway.translate.record import Record
from gateway.translate.tracer import Tracer, lexemes
from gateway.wire.strict_json import JSON


def dosages(values: JSON, path: str = "dosageInstruction") -> tuple[Dosage, ...]:
    """Read a list of dosages.

    Args:
        values: the list, as strict JSON.
        path: its FHIRPath, for the issues.

    Returns:
        The dosages in the order sent.

    Raises:
        Refusal: with every issue found. Several dosages without `sequence` are TIMING_JOIN_MISSING: whether they
            apply together or in turn is not ours to choose.
    """
    if not isinstance(values, list) or not values:
        text = "A list with at least one dosage is expected here."
        raise Refusal(Issue(code="STRUCTURE_INVALID", location=path, text=text))
    issues: list[Issue] = []
    read = [_one(value, f"{path}[{index}]", issues) for index, value in enumerate(values)]
    for index, value in enumerate(values):
        if len(values) > 1 and isinstance(value, dict) and "sequence" not in value:
            text = "Give every one of several dosages its sequence."
            issues.append(Issue(code="TIMING_JOIN_MISSING", location=f"{path}[{index}]", text=text))
    found = tuple(issue for issue in issues if issue.effect is not Effect.WARN)
    if found:
        raise Refusal(*found)
    return tuple(read)


def _one(value: JSON, path: str, issues: list[Issue]) -> Dosage:
    if not isinstance(value, dict):
        issues.append(Issue(code="STRUCTURE_INVALID", location=path, text="An object is expected here."))
        return Dosage()
    builder = Builder()
    node = builder.build(value, "Dosage", path)
    record = Record(Tracer(lexemes(node.below()), FHIR))
    read = dosage(record, None, node, "dosage")
    for locator in record.unread():
        modifier = ".modifierExtension[" in locator
        code = "EXTENSION_NOT_UNDERSTOOD" if modifier else "FIELD_NOT_UNDERSTOOD"
        record.flag(code, locator, "No rule reads this value, and it may bear on the medicine.")
    issues.extend((*builder.issues, *record.issues))
    return read
