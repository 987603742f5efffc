"""Issues: the one vocabulary for everything that can be wrong with a submission.

An issue says what is wrong, where in the *sender's* own terms (`RXE[1]-3`, an XPath, a FHIRPath), and what follows:
the message is refused, its line is held for a person, or it passes with a warning. What follows is a property of the
code, not of the place that noticed it, so it stands in one table here.

Source: mapping.md 2.3 and 11; HL7 table 0357 for the numeric codes; FHIR R4 `issue-type`.
"""

from dataclasses import dataclass
from enum import StrEnum


class Effect(StrEnum):
    """What an issue does to the order it is found in."""

    REFUSE = "refuse"
    HOLD_MAP = "hold-map"
    """A code of the sender has no entry: two people approve one, and the stored bytes are read again."""
    HOLD_SOURCE = "hold-source"
    """The message contradicts itself: only the trust can end it."""
    WARN = "warn"


class Severity(StrEnum):
    """FHIR R4 `issue-severity`; HL7 table 0516 in brackets."""

    FATAL = "fatal"  # F
    ERROR = "error"  # E
    WARNING = "warning"  # W
    INFORMATION = "information"  # I


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRow:
    """One row of the table of issue codes.

    Attributes:
        effect: what follows.
        hl7: the error code of HL7 table 0357 for ERR-3.
        fhir: the FHIR R4 `issue-type` code.
        retryable: whether the same bytes may succeed later (answered AR, not AE).
        advice: what the sender should change, in one sentence without patient data.
    """

    effect: Effect
    hl7: str
    fhir: str
    advice: str
    retryable: bool = False


def _refuse(hl7: str, fhir: str, advice: str, *, retryable: bool = False) -> CodeRow:
    return CodeRow(effect=Effect.REFUSE, hl7=hl7, fhir=fhir, advice=advice, retryable=retryable)


def _map(advice: str) -> CodeRow:
    return CodeRow(effect=Effect.HOLD_MAP, hl7="103", fhir="code-invalid", advice=advice)


def _source(advice: str, hl7: str = "207", fhir: str = "conflict") -> CodeRow:
    return CodeRow(effect=Effect.HOLD_SOURCE, hl7=hl7, fhir=fhir, advice=advice)


def _warn(advice: str) -> CodeRow:
    return CodeRow(effect=Effect.WARN, hl7="0", fhir="informational", advice=advice)


CODES: dict[str, CodeRow] = {
    # envelope: refused, for a reason outside the clinical content
    "UNREADABLE": _refuse("100", "structure", "Send a complete, well-formed message."),
    "FRAME_INVALID": _refuse("100", "structure", "Wrap each message in one MLLP block: 0B, message, 1C 0D."),
    "TOO_LARGE": _refuse("207", "too-long", "Send a smaller message; the limit is named in the text."),
    "MESSAGE_TYPE_UNSUPPORTED": _refuse(
        "200", "not-supported", "Send one of the served message types.", retryable=True
    ),
    "VERSION_UNSUPPORTED": _refuse("203", "not-supported", "Send HL7 v2.3 to v2.8, or FHIR R4.", retryable=True),
    "CHARSET_INVALID": _refuse("102", "structure", "Send bytes that agree with the declared character set."),
    "RECEIVER_WRONG": _refuse("207", "security", "Address the message to this gateway.", retryable=True),
    "SENDER_MISMATCH": _refuse("207", "security", "Send under the credential of the trust named in the message."),
    "ENVIRONMENT_WRONG": _refuse("202", "business-rule", "Send test messages to test and live messages to live."),
    "CONTROL_ID_REUSED": _refuse("205", "duplicate", "Give a changed message a new control id."),
    "CONTROL_ID_MISSING": _refuse("101", "required", "Give every message a control id of its own."),
    "NOT_STORED": _refuse("207", "transient", "Send the same bytes again later.", retryable=True),
    # door: refused before the message is read
    "CREDENTIAL_INVALID": _refuse("207", "login", "Send a valid credential, as Authorization: Bearer."),
    "NOT_ALLOWED": _refuse("207", "forbidden", "Use a credential that may do this."),
    "CONTENT_TYPE_UNSUPPORTED": _refuse("207", "not-supported", "Send one of the media types that are named."),
    "ANSWER_TYPE_UNSUPPORTED": _refuse("207", "not-supported", "Accept one of the media types that are named."),
    "ADDRESS_UNKNOWN": _refuse("207", "not-found", "Use an address of the capability statement."),
    "METHOD_UNSUPPORTED": _refuse("207", "not-supported", "Use a method that this address serves."),
    "REQUEST_INVALID": _refuse("207", "value", "Send the request as the capability statement describes it."),
    "PATIENT_DATA_IN_ADDRESS": _refuse(
        "207", "security", "Never put an NHS number in an address: search by POST to /FHIR/R4/Task/_search."
    ),
    "TOO_SLOW": _refuse("207", "timeout", "Send the whole message within the time that is named.", retryable=True),
    "TOO_MANY_REQUESTS": _refuse("207", "throttled", "Send fewer messages at once.", retryable=True),
    "GATEWAY_FAULT": _refuse(
        "207", "exception", "Send the same bytes again later; quote the correlation id.", retryable=True
    ),
    # structure: refused, the sender must correct the message
    "SEGMENT_MISSING": _refuse("100", "required", "Send the segment or element that is named."),
    "FIELD_MISSING": _refuse("101", "required", "Fill the field that is named."),
    "VALUE_INVALID": _refuse("102", "value", "Send a value of the stated form."),
    "STRUCTURE_INVALID": _refuse("102", "structure", "Send a message that keeps to the published structure."),
    "DUPLICATE_KEY": _refuse("102", "structure", "Name each JSON member once."),
    "EXTENSION_NOT_UNDERSTOOD": _refuse(
        "207", "extension", "Leave out the modifierExtension, or agree its meaning first."
    ),
    "ACTION_UNSUPPORTED": _refuse(
        "103", "not-supported", "Send an action that is served; see the capability statement."
    ),
    # identity
    "NHSNO_MISSING": _refuse("101", "required", "Send the patient's NHS number."),
    "NHSNO_CHECK_DIGIT": _refuse("102", "value", "Correct the NHS number: its check digit is wrong."),
    "NHSNO_CONFLICT": _refuse("207", "business-rule", "Send one NHS number."),
    "PATIENT_DECEASED": _refuse("207", "business-rule", "Do not prescribe: the message says the patient has died."),
    "GROUP_PATIENT_MISMATCH": _refuse("204", "business-rule", "Give each patient's prescription its own group number."),
    "ORDER_REUSED": _refuse("205", "business-rule", "Give a new order a new number, or send a change."),
    "SHORTID_CHECK_DIGIT": _refuse("102", "value", "Correct the prescription number: its check character is wrong."),
    "IDENTIFIER_INVALID": _refuse("102", "value", "Correct the identifier: its form or check digit is wrong."),
    "ORDER_UNKNOWN": _refuse("204", "not-found", "Refer to an order that this gateway has received."),
    "REPORT_UNBOUND": _refuse(
        "204", "business-rule", "Check order number, patient, product and unit: the report was kept, and nothing moved."
    ),
    "CANCEL_TOO_LATE": _refuse(
        "207", "business-rule", "Ring the provider and the patient: it cannot be cancelled from here."
    ),
    "HOLD_NOT_POSSIBLE": _refuse("207", "business-rule", "Look up where the order is; ring whoever has it."),
    "RELEASE_NOT_POSSIBLE": _refuse("207", "business-rule", "Look up where the order is; it was not released."),
    "CANCEL_ORDER_UNKNOWN": _source(
        "Check the order number. If the order comes after all, it is cancelled and nothing is sent.",
        hl7="204",
        fhir="not-found",
    ),
    # law
    "CD_SCHEDULE_NOT_ALLOWED": _refuse(
        "207", "business-rule", "Use the paper or EPS route: Schedule 1 to 3 cannot go by homecare."
    ),
    "SIGNATURE_MISSING": _refuse("101", "required", "Sign the prescription: this trust's policy requires it."),
    "SIGNATURE_INVALID": _refuse("207", "security", "Sign the prescription again."),
    "AUTHORED_MISSING": _refuse("101", "required", "State when the prescription was written."),
    "AUTHORED_IN_FUTURE": _refuse("207", "business-rule", "State a date that is not in the future."),
    "VALIDITY_TOO_LONG": _refuse("207", "business-rule", "State a validity of at most 12 months."),
    "EXPIRED": _refuse("207", "business-rule", "Send a new prescription: this one is too old to be dispensed."),
    "AGE_REQUIRED_UNDER_12": _refuse("101", "required", "State the age of a patient under 12 on the prescription."),
    "ADDRESS_REQUIRED": _refuse("101", "required", "State the patient's address."),
    "PRESCRIBER_REQUIRED": _refuse("101", "required", "State the prescriber with a professional registration number."),
    # map holds: a table entry, approved by two people, releases the line
    "DRUG_UNCODED": _map("Send a dm+d code, or have the local code mapped."),
    "DRUG_LOCAL_UNMAPPED": _map("Have the local drug code mapped to dm+d."),
    "DRUG_UNKNOWN": _map("Send a dm+d code that is in the release named, or have it added."),
    "CD_SCHEDULE_UNKNOWN": _map("Have the product's controlled-drug schedule confirmed; until then it stays here."),
    "MESSAGE_INVALID": CodeRow(
        effect=Effect.HOLD_MAP,
        hl7="207",
        fhir="exception",
        advice="Nothing to change: the gateway's own message failed its check, and its operator must act.",
    ),
    "MAP_TEXT_CHANGED": _map("Confirm what the local code means now: its words have changed."),
    "UNIT_UNMAPPED": _map("Have the unit mapped, or send UCUM or dm+d."),
    "ROUTE_UNMAPPED": _map("Have the route mapped, or send SNOMED CT."),
    "SITE_UNMAPPED": _map("Have the site mapped, or send SNOMED CT."),
    "TIMING_FREE_TEXT": _map("Have the timing phrase mapped, or send a coded repeat pattern."),
    "TIMING_UNMAPPED": _map("Have the timing code mapped, or send a code of table 0335."),
    "TEMPLATE_TEXT_UNRESOLVED": _map("Correct the interface: it sent its own template text in place of a value."),
    "CANCEL_PENDING": _warn("Nothing is cancelled until the provider confirms it. If it is urgent, also ring them."),
    "HOLD_PENDING": _warn("Nothing is on hold until the provider confirms it. If it is urgent, also ring them."),
    "RELEASE_PENDING": _warn(
        "It stays on hold until the provider confirms the release. If it is urgent, also ring them."
    ),
    "CANCEL_REASON_UNMAPPED": _warn("Have the cancel reason mapped to 0001 to 0009."),
    # source holds: only the trust can end them
    "DRUG_MISMATCH_RXO_RXE": _source("Send one product in RXO and RXE."),
    "DOSE_CONFLICT": _source("Send one dose, or the same dose wherever it is said."),
    "DOSE_MISSING": _source("State the dose, in words or as structure.", hl7="101", fhir="incomplete"),
    "TIMING_CONFLICT": _source("Send one timing, or the same timing wherever it is said."),
    "TIMING_RANGE_AMBIGUOUS": _source("State the days; a phase range can be read in two ways."),
    "TIMING_JOIN_MISSING": _source("State how repeated timings join (TQ1-12)."),
    "ROUTE_AMBIGUOUS": _source("Send one route for each line."),
    "REPEATS_CONFLICT": _source("Make refills and total supplies agree."),
    "TEXT_STRUCTURE_MISMATCH": _source("Make the directions and the structured dose agree."),
    "TEXT_NOT_A_DOSE": _source("Write directions that state the dose."),
    "WEEKLY_MEDICINE_MORE_OFTEN": _source(
        "Confirm how often it is given: this medicine is given once a week or less often."
    ),
    "STRENGTH_TEXT_MISMATCH": _source("Make the drug's words and its code agree in strength."),
    "DRUG_TEXT_MISMATCH": _source("Make the drug's words and its code name one medicine."),
    "VTM_NEEDS_PRODUCT": _source("Choose a product; a substance alone cannot be supplied."),
    "PRODUCT_LEVEL_MISMATCH": _source("Make the stated dm+d level and the code agree."),
    "CD_SCHEDULE_CONFLICT": _source("Make the stated controlled-drug schedule and the product agree."),
    "BRAND_REQUIRED": _source("Prescribe this biologic by brand."),
    "FIELD_SHIFTED": _source("Correct the interface: a unit stands where an amount belongs."),
    "FIELD_NOT_UNDERSTOOD": _source("Have the field mapped: it may bear on what the patient takes.", fhir="incomplete"),
    "QUANTITY_MISSING": _source("State the quantity for each supply, with its unit.", hl7="101", fhir="incomplete"),
    "QUANTITY_CONFLICT": _source("Send one quantity, or the same quantity wherever it is said."),
    "QUANTITY_UNIT_MISMATCH": _source("Send the quantity in the unit in which dm+d counts or measures the product."),
    "SCHEDULE_CONFLICT": _source("Make the stated schedule and the product's agree."),
    "PRESCRIBER_AMBIGUOUS": _source("Name one prescriber."),
    "PROVIDER_UNKNOWN": _source(
        "Name a homecare provider that is known here, or have the route configured.", hl7="204"
    ),
    "PROVIDER_CANNOT_CARRY": _source("Send what this provider's system can carry, or choose another provider."),
    "TOO_MANY_ITEMS": _source("Send at most four items in one prescription."),
    "DELIVERY_ADDRESS_UNUSABLE": _source("State an address that a van can find.", fhir="incomplete"),
    "REF_UNRESOLVED": _source("Send the resource that is referred to.", hl7="204", fhir="not-found"),
    "POSSIBLE_DUPLICATE": _source("Send the order once, or say how the two differ."),
    "SIGNATURE_UNVERIFIED": _source("Confirm the prescriber's signature: it could not be verified.", fhir="security"),
    # warnings
    "DOSE_TEXT_ONLY": _warn("No structured dose was sent; the words stand alone."),
    "DOSE_FROM_TQ1": _warn("The dose was read from TQ1-2."),
    "UNIT_LOCAL_MAPPED": _warn("A local unit was mapped by this trust's table."),
    "SECOND_TEXT": _warn("A second set of words was carried as an instruction or note."),
    "TEXT_NOT_CHECKED": _warn("The words could not be compared with the structure; a pharmacist should."),
    "TEXT_UNSEEN_CHARACTERS": _warn(
        "Send the words again without invisible characters; a pharmacist should read what was meant."
    ),
    "ALLERGY_NOT_STATED": _warn("No allergy status was sent. It is not written as none known."),
    "SUBSTITUTION_NOT_CARRIED": _warn("Substitution is not carried; the product stands as written."),
    "TIME_AMBIGUOUS": _warn("The time falls in the repeated hour of October."),
    "GROUP_NOT_STATED": _warn("No group number was sent; each order became its own prescription."),
    "SUPPLY_SUM_MISMATCH": _warn("Quantity, dose and days of supply differ by more than one pack."),
    "DRUG_CODE_REPLACED": _warn("Send the code that dm+d gives this product now."),
    "DISPLAY_STALE": _warn("The name sent with a code is not the current one."),
    "LINE_ENDINGS_NORMALISED": _warn("Segments ended in LF; HL7 ends them in CR."),
    "REFERENCE_INCOMPLETE": _warn("Name every MedicationRequest in MessageHeader.focus and in Provenance.target."),
    "RECIPIENT_MISMATCH": _warn("A CommunicationRequest names another patient as recipient and was not carried."),
}

ENVELOPE = frozenset(
    {
        "UNREADABLE",
        "FRAME_INVALID",
        "TOO_LARGE",
        "MESSAGE_TYPE_UNSUPPORTED",
        "VERSION_UNSUPPORTED",
        "CHARSET_INVALID",
        "RECEIVER_WRONG",
        "SENDER_MISMATCH",
        "ENVIRONMENT_WRONG",
        "CONTROL_ID_MISSING",
        "NOT_STORED",
    }
)
"""Refusals of the message itself: kept apart, answered AR (commit CR), and never the stored answer of a control id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One problem, told in the sender's terms.

    Attributes:
        code: a key of `CODES`.
        location: where, in the sender's notation: `PID[1]-3[1].1`, an XPath, a FHIRPath.
        text: what is wrong and what to change. Never patient data: ids, codes and field names only.
        values: for a contradiction, both values as received; shown to people, never logged.
        escalated: a warning grave enough to hold the line (SUPPLY_SUM_MISMATCH beyond a factor of two).
    """

    code: str
    location: str
    text: str
    values: tuple[str, ...] = ()
    escalated: bool = False

    def __post_init__(self) -> None:
        """Refuse a code that is not in the table: an unknown issue would have no effect."""
        if self.code not in CODES:
            raise KeyError(self.code)

    @property
    def row(self) -> CodeRow:
        """The code's row."""
        return CODES[self.code]

    @property
    def effect(self) -> Effect:
        """What follows from this issue."""
        return Effect.HOLD_SOURCE if self.escalated and self.row.effect is Effect.WARN else self.row.effect

    @property
    def severity(self) -> Severity:
        """Refusals are errors; holds and warnings are warnings, for the message itself was taken."""
        return Severity.ERROR if self.effect is Effect.REFUSE else Severity.WARNING


def of_the_envelope(issues: tuple[Issue, ...]) -> bool:
    """Tell whether the message was not taken at all, so that nothing is stored under its control id."""
    return any(issue.code in ENVELOPE for issue in issues)


def refused(issues: tuple[Issue, ...]) -> bool:
    """Tell whether any of the issues refuses."""
    return any(issue.effect is Effect.REFUSE for issue in issues)


def held(issues: tuple[Issue, ...]) -> bool:
    """Tell whether any of the issues holds the line."""
    return any(issue.effect in {Effect.HOLD_MAP, Effect.HOLD_SOURCE} for issue in issues)
