"""What the EPS dialect's words mean here. A word that is not in these tables is an issue, never a guess.

Source: mapping.md 9.3; eps.md 1.5, 1.8, 6.2 and 6.6.
"""

from typing import Final

from gateway.domain.lifecycle import LineEvent

MESSAGE_EVENT: Final = "https://fhir.nhs.uk/CodeSystem/message-event"
STATUS_HISTORY: Final = "https://fhir.nhs.uk/CodeSystem/medicationrequest-status-history"
"""Its codes are looked for by system: the extension around them has had two names."""
REPLACEMENT_URLS: Final = frozenset(
    {
        "https://fhir.nhs.uk/StructureDefinition/Extension-replacementOf",
        "https://fhir.hl7.org.uk/StructureDefinition/Extension-replacementOf",
    }
)
NON_DISPENSING_URL: Final = "https://fhir.nhs.uk/StructureDefinition/Extension-DM-PrescriptionNonDispensingReason"
REPEATS_URL: Final = "https://fhir.nhs.uk/StructureDefinition/Extension-EPS-RepeatInformation"
ITEM_NUMBER: Final = "https://fhir.nhs.uk/Id/prescription-order-item-number"
NHS_NUMBER: Final = "https://fhir.nhs.uk/Id/nhs-number"
DISPENSE_TYPE: Final = "https://fhir.nhs.uk/CodeSystem/medicationdispense-type"

RESPONSES: Final[dict[str, LineEvent]] = {
    "ok": LineEvent.ACCEPTED,
    "transient-error": LineEvent.NOT_STORED,
    "fatal-error": LineEvent.REJECTED,
}
"""`MessageHeader.response.code` (FHIR R4 response-code), for an answer that names no line."""

TASKS: Final[dict[str, LineEvent]] = {
    "received": LineEvent.ARRIVED,
    "accepted": LineEvent.ACCEPTED,
    "rejected": LineEvent.REJECTED,
    "in-progress": LineEvent.VALIDATED,
    "on-hold": LineEvent.QUERIED,
}
"""`Task.status` (FHIR R4 task-status) for one line. `rejected` after an acceptance moves nothing and alerts a person:
nobody can tell from it which issues were supplied."""

TRACKING: Final = "https://fhir.nhs.uk/CodeSystem/task-businessStatus-nppt"
TRACKED: Final[dict[tuple[str, str], LineEvent]] = {
    ("in-progress", "With Pharmacy"): LineEvent.VALIDATED,
    ("in-progress", "Ready to Dispatch"): LineEvent.DISPENSED,
    ("completed", "Ready to Dispatch"): LineEvent.DISPENSED,
    ("completed", "Dispatched"): LineEvent.DISPATCHED,
    ("completed", "Not Dispensed"): LineEvent.NOT_SUPPLIED,
}
"""`Task.status` with `Task.businessStatus` of the prescription tracker (eps.md 1.11; mapping.md 9.4). Its words for a
remainder and for a part do not say how much, and its words for a collection have no place in homecare: they are not
read."""

CANCELS: Final[dict[str, LineEvent]] = {
    "R-0001": LineEvent.CANCEL_CONFIRMED,
    "R-0002": LineEvent.CANCEL_PENDING,
    "R-0003": LineEvent.CANCEL_PENDING,
    "R-0004": LineEvent.CANCEL_TOO_LATE,
    "R-0005": LineEvent.CANCEL_CONFIRMED,
    "R-0006": LineEvent.CANCEL_CONFIRMED,
    "R-0007": LineEvent.CANCEL_BY_OTHER,
    "R-0008": LineEvent.CANCEL_UNKNOWN,
    "R-0009": LineEvent.CANCEL_REPLY_ERROR,
    "R-0010": LineEvent.CANCEL_REPLY_ERROR,
    "R-5000": LineEvent.CANCEL_REPLY_ERROR,
    "R-5888": LineEvent.CANCEL_REPLY_ERROR,
}
"""The status history of a line: the verdict on a cancel, which the response code is not (mapping.md 0.12)."""

EPS_CODES: Final = "https://fhir.nhs.uk/CodeSystem/EPS-IssueCode"
OUTCOMES: Final[dict[tuple[str, str], LineEvent]] = {
    (STATUS_HISTORY, "R-0008"): LineEvent.CANCEL_UNKNOWN,
    (STATUS_HISTORY, "R-0009"): LineEvent.CANCEL_REPLY_ERROR,
    (STATUS_HISTORY, "R-5000"): LineEvent.CANCEL_REPLY_ERROR,
    (STATUS_HISTORY, "R-5888"): LineEvent.CANCEL_REPLY_ERROR,
    (EPS_CODES, "PRESCRIPTION_NOT_FOUND"): LineEvent.CANCEL_UNKNOWN,
    (EPS_CODES, "MEDICATIONREQUEST_NOT_FOUND"): LineEvent.CANCEL_UNKNOWN,
}
"""Verdicts on a cancel that come as an OperationOutcome (eps.md 1.5), and what the two codes of 1.3 say of one."""

LINE_EVENT: Final = "urn:x-homecare-gateway:CodeSystem:line-event"
HOLDS: Final[dict[str, LineEvent]] = {
    "hold_confirmed": LineEvent.HOLD_CONFIRMED,
    "hold_refused": LineEvent.HOLD_REFUSED,
    "release_confirmed": LineEvent.RELEASE_CONFIRMED,
    "release_refused": LineEvent.RELEASE_REFUSED,
}
"""The status history of a line, in our own code system: the verdict on a hold or a release, which EPS does not know. A
`Task.status` of on-hold stays what it is, a question: nobody can tell from it that nothing will be supplied."""

STATED: Final[dict[str, LineEvent]] = {"active": LineEvent.ACCEPTED, "on-hold": LineEvent.HOLD_CONFIRMED}
"""`MedicationRequest.status` of a line without a status history. A release is confirmed by its own word only: every
line that was ever accepted is active."""

FULLY: Final = "0001"
"""Item fully dispensed: what exactly was done is in `MedicationDispense.status` and its times."""
DISPENSES: Final[dict[str, LineEvent | None]] = {
    "0002": LineEvent.NOT_SUPPLIED,
    "0003": LineEvent.SUPPLY_SHORT,
    "0004": LineEvent.SUPPLY_SHORT,
    "0005": LineEvent.NOT_SUPPLIED,
    "0006": LineEvent.NOT_SUPPLIED,
    "0007": None,
    "0008": None,
}
"""`medicationdispense-type` other than fully dispensed. 0007 and 0008 restate an item nothing has happened to. 0005
(cancelled) and 0006 (expired) say that nothing will come; they are no answer to a cancel, which has its own message."""

HANDED_OVER: Final = frozenset({"completed", "unknown"})
"""`MedicationDispense.status` beside type 0001. EPS senders write `unknown` and let type and hand-over time speak."""
PROGRESS: Final[dict[str, LineEvent]] = {
    "preparation": LineEvent.SUPPLY_PLANNED,
    "in-progress": LineEvent.DISPENSED,
}
"""`MedicationDispense.status` before completion."""

TASK_CODE: Final = "http://hl7.org/fhir/CodeSystem/task-code"
RETURN_REASON: Final = "https://fhir.nhs.uk/CodeSystem/EPS-task-dispense-return-status-reason"
WITHDRAW_REASON: Final = "https://fhir.nhs.uk/CodeSystem/EPS-task-dispense-withdraw-reason"
NON_DISPENSING_REASON: Final = "https://fhir.nhs.uk/CodeSystem/medicationdispense-status-reason"
BUSINESS_STATUS: Final = "https://fhir.nhs.uk/CodeSystem/EPS-task-business-status"
BUSINESS_STATUS_URL: Final = "https://fhir.nhs.uk/StructureDefinition/Extension-EPS-TaskBusinessStatus"
ORDER_NUMBER: Final = "https://fhir.nhs.uk/Id/prescription-order-number"

RETURNS: Final[dict[str, str]] = {
    "0001": "Patient non-attendance",
    "0002": "Unable to dispense medication on prescriptions",
    "0003": "Patient requested release",
    "0004": "Another dispenser requested release on behalf of patient",
    "0005": "Invalid digital signature",
    "0006": "Rejected due to version problem",
    "0007": "Prescription otherwise invalid or unreadable",
    "0008": "Prescription expired",
}
"""Why a prescription is returned (eps.md 6.6)."""

WITHDRAWALS: Final[dict[str, str]] = {
    "QU": "Quantity Update",
    "MU": "Medication Updated",
    "DA": "Dosage Amendments",
    "PA": "Patient Detail Amendments",
    "OC": "Other Clinical",
    "ONC": "Other Non-Clinical",
}
"""Why a dispense notification is withdrawn (eps.md 6.6)."""

NOT_DISPENSED: Final[dict[str, str]] = {
    "0001": "Not required as instructed by the patient",
    "0002": "Clinically unsuitable",
    "0003": "Owings note issued to patient",
    "0004": "Prescription cancellation",
    "0005": "Prescription cancellation due to death",
    "0006": "Illegal NHS prescription",
    "0007": "Prescribed out of scope item",
    "0008": "Item or prescription expired",
    "0009": "Not allowed on FP10",
    "0010": "Patient did not collect medication",
    "0011": "Patient purchased medication over the counter",
}
"""Why an item was not dispensed (eps.md 6.6)."""

BUSINESS_STATUSES: Final[dict[str, str]] = {
    "0000": "Awaiting Release Ready",
    "0001": "To Be Dispensed",
    "0002": "With Dispenser",
    "0003": "With Dispenser - Active",
    "0004": "Expired",
    "0005": "Cancelled",
    "0006": "Dispensed",
    "0007": "Not Dispensed",
    "0008": "Claimed",
    "0009": "No-Claimed",
    "9000": "Repeat dispense future instance",
    "9001": "Prescription future instance",
    "9005": "Cancelled future instance",
}
"""Status of the whole prescription (eps.md 6.1), which a notification restates on each item."""
