"""What travels beside the order: signature, words for the patient, allergies, measurements.

Source: eps.md 2.12; mapping.md 3.6 and 6.2.
"""

import base64
import binascii
from datetime import datetime

from gateway.domain.prescription import Allergy, AllergyStatus, Observation, PrescriberSignature
from gateway.translate import lexical
from gateway.translate.context import ReadingContext
from gateway.translate.from_fhir.bundle import Entries
from gateway.translate.from_fhir.nodes import Node
from gateway.translate.from_fhir.subjects import is_of
from gateway.translate.from_fhir.values import day, quantity, worded
from gateway.translate.maps.rules import FHIR
from gateway.translate.record import Leaf, Record
from gateway.translate.to_fhir import systems

_RECIPIENT = FHIR.named("FHIR.ignored.recipient")
_COMMUNICATION = FHIR.named("FHIR.ignored.communication")
_LIST_IGNORED = FHIR.named("FHIR.ignored.list")

_NO_KNOWN_ALLERGY = "716186003"
_NO_ALLERGY = frozenset({"refuted", "entered-in-error"})


def signature(
    record: Record, entries: Entries, lines: tuple[Node, ...], requester: Node | None
) -> PrescriberSignature | None:
    """Keep the prescriber's signature verbatim; only one by the requester counts, and at most one.

    It is not verified here. A target that leads nowhere, or a line that no target names, is a warning.
    """
    found: list[PrescriberSignature] = []
    for item in entries.of("Provenance"):
        for part in item.many("signature"):
            if requester is None or entries.find(part.one("who"), item) is not requester:
                continue
            _targets(record, entries, item, lines)
            record.use(*(leaf for leaf in item.below() if not leaf.locator.startswith(f"{part.path}.")))
            signed = _signed(record, part)
            found.extend([signed] if signed else [])
    if len(found) > 1:
        place = entries.of("Provenance")[0].path
        record.flag("SIGNATURE_INVALID", place, "Several signatures of the prescriber stand here; send one.")
    return found[0] if found else None


def _signed(record: Record, part: Node) -> PrescriberSignature | None:
    data = part.leaf("data")
    record.use(*(leaf for leaf in part.below() if leaf is not data))
    octets = record.take(
        data, "signature", _octets, "parse:base64", "The signature is not base64.", "SIGNATURE_INVALID"
    )
    when: datetime | None = lexical.instant(part.raw("when"))
    if when:
        record.trace("signature.when", part.leaf("when"), "parse:instant", when.isoformat())
    return PrescriberSignature(format="xmldsig-eps", data=octets, when=when) if octets else None


def _octets(text: str) -> bytes | None:
    try:
        return base64.b64decode("".join(text.split()), validate=True) or None
    except (binascii.Error, ValueError):
        return None


def _targets(record: Record, entries: Entries, item: Node, lines: tuple[Node, ...]) -> None:
    named = [entries.find(target, item) for target in item.many("target")]
    record.use(*(target.leaf("reference") for target in item.many("target")))
    if None in named or any(not any(line is node for node in named) for line in lines):
        text = "The targets of the signature do not name every MedicationRequest, or one leads nowhere."
        record.flag("REFERENCE_INCOMPLETE", f"{item.path}.target", text)


def words(
    record: Record, entries: Entries, patient: Node | None, nhs_number: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Read the words for the patient and the list of repeat medicines.

    A CommunicationRequest that names another patient as recipient is not carried: its words may be about somebody
    else. The list it points at stands under its own subject, and is carried if that is this patient.
    """
    said: list[str] = []
    listed: list[str] = []
    for item in entries.of("CommunicationRequest"):
        if item.one("subject") and not is_of(entries, item, "subject", patient):
            record.flag("GROUP_PATIENT_MISMATCH", f"{item.path}.subject", "These words are about another patient.")
        wrong = _other_recipient(item, nhs_number)
        if wrong:
            text = "The recipient is another patient; these words are not carried."
            record.flag("RECIPIENT_MISMATCH", wrong.locator, text)
        for part in item.many("payload"):
            if content := part.leaf("contentString"):
                if wrong:
                    record.ignore((content,), _RECIPIENT)
                else:
                    said.append(record.words(content, f"patient_information[{len(said)}]"))
            if reference := part.one("contentReference"):
                _listed(record, entries.follow(record, reference, "List", item), patient, entries, listed)
        record.ignore(item.below(), _COMMUNICATION)
    return tuple(said), tuple(listed)


def _other_recipient(item: Node, nhs_number: str) -> Leaf | None:
    for recipient in item.many("recipient"):
        named = recipient.one("identifier")
        if nhs_number and named and named.raw("system") == systems.NHS_NUMBER and named.raw("value") != nhs_number:
            return named.leaf("value")
    return None


def _listed(record: Record, node: Node | None, patient: Node | None, entries: Entries, listed: list[str]) -> None:
    if node is None:
        return
    if node.one("subject") and not is_of(entries, node, "subject", patient):
        record.flag("GROUP_PATIENT_MISMATCH", f"{node.path}.subject", "The list is of another patient.")
        return
    for entry in node.many("entry"):
        item = entry.one("item")
        if item and (name := item.leaf("display")):
            listed.append(record.words(name, f"medication_list[{len(listed)}]"))
    record.ignore(node.below(), _LIST_IGNORED)


def allergies(record: Record, entries: Entries, patient: Node | None) -> tuple[AllergyStatus, tuple[Allergy, ...]]:
    """Read the allergies; none sent is not the same as none known."""
    found: list[Allergy] = []
    none_known = False
    for item in entries.of("AllergyIntolerance"):
        if not _of(record, entries, item, "patient", patient):
            continue
        _standing(record, item)
        concept = item.one("code")
        if concept and any(coding.raw("code") == _NO_KNOWN_ALLERGY for coding in concept.many("coding")):
            none_known = True
            record.use(*item.below())
            continue
        target = f"allergies[{len(found)}]"
        substance = worded(record, concept, f"{target}.substance")
        reaction = next(iter(item.many("reaction")), None)
        shown = next(iter(reaction.many("manifestation")), None) if reaction else None
        manifestation = worded(record, shown, f"{target}.reaction")
        criticality = record.words(item.leaf("criticality"), f"{target}.criticality")
        if substance:
            found.append(Allergy(substance=substance, reaction=manifestation, criticality=criticality))
    if found and none_known:
        place = entries.of("AllergyIntolerance")[0].path
        record.flag("FIELD_NOT_UNDERSTOOD", place, "An allergy stands beside 'no known allergy'.")
    status = AllergyStatus.NOT_STATED
    if found or none_known:
        status = AllergyStatus.RECORDED if found else AllergyStatus.NONE_KNOWN
    record.trace("allergy_status", None, "derive:allergies", status.value)
    return status, tuple(found)


def _standing(record: Record, item: Node) -> None:
    """Hold an allergy that is over, or that was found to be none: it is written as one that stands."""
    for member, wrong in (("clinicalStatus", {"inactive", "resolved"}), ("verificationStatus", _NO_ALLERGY)):
        status = item.one(member)
        codings = status.many("coding") if status else ()
        record.use(*(leaf for coding in codings for leaf in (coding.leaf("system"), coding.leaf("code"))))
        if status and any(coding.raw("code") in wrong for coding in codings):
            record.flag("FIELD_NOT_UNDERSTOOD", status.path, "Only an allergy that stands is carried; leave it out.")


def observations(
    record: Record, context: ReadingContext, entries: Entries, patient: Node | None
) -> tuple[Observation, ...]:
    """Read the measurements that are final or corrected; another status is held."""
    found: list[Observation] = []
    for item in entries.of("Observation"):
        if not _of(record, entries, item, "subject", patient):
            continue
        target = f"observations[{len(found)}]"
        status = item.leaf("status")
        if status is None or status.raw not in {"final", "corrected", "amended"}:
            record.flag("FIELD_NOT_UNDERSTOOD", f"{item.path}.status", "Only final or corrected values are carried.")
        code = worded(record, item.one("code"), f"{target}.code")
        value = quantity(record, context, item.one("valueQuantity"), f"{target}.value") or worded(
            record, item.one("valueCodeableConcept"), f"{target}.value"
        )
        if value is None and not any(item.path in issue.location for issue in record.issues):
            text = "Only one value is carried, with its unit or as a code; send it so, or leave it out."
            record.flag("FIELD_NOT_UNDERSTOOD", item.path, text)
        on = day(record, item.leaf("effectiveDateTime"), f"{target}.on")
        kind = record.words(status, f"{target}.status")
        if code and value:
            found.append(Observation(code=code, value=value, on=on, status=kind))
    return tuple(found)


def _of(record: Record, entries: Entries, item: Node, member: str, patient: Node | None) -> bool:
    reference = item.one(member)
    record.use(reference.leaf("reference") if reference else None)
    same = is_of(entries, item, member, patient)
    if not same:
        record.flag("GROUP_PATIENT_MISMATCH", f"{item.path}.{member}", "This is about another patient, or nobody.")
    return same
