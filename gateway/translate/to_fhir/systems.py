"""Names of systems, extensions and codes of the EPS dialect, each as its source spells it.

Source: eps.md 2 and 3; FHIR R4 terminologies; `urn:x-homecare-gateway:` names are our own.
"""

from gateway.domain.identifiers import Register
from gateway.domain.prescription import CourseOfTherapy

UUID_SYSTEM = "https://tools.ietf.org/html/rfc4122"
ODS = "https://fhir.nhs.uk/Id/ods-organization-code"
NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"
ITEM_NUMBER = "https://fhir.nhs.uk/Id/prescription-order-item-number"
ORDER_NUMBER = "https://fhir.nhs.uk/Id/prescription-order-number"
LONG_FORM = "https://fhir.nhs.uk/Id/prescription"
ROLE_PROFILE = "https://fhir.nhs.uk/Id/sds-role-profile-id"

MESSAGE_EVENT = "https://fhir.nhs.uk/CodeSystem/message-event"
PRESCRIPTION_TYPE = "https://fhir.nhs.uk/CodeSystem/prescription-type"
SITE_PREFERENCE = "https://fhir.nhs.uk/CodeSystem/dispensing-site-preference"
CONTROLLED_DRUG = "https://fhir.nhs.uk/CodeSystem/medicationrequest-controlled-drug"
CANCEL_REASON = "https://fhir.nhs.uk/CodeSystem/medicationrequest-status-reason"
MESSAGE_REASON = "https://fhir.nhs.uk/CodeSystem/message-reason-prescription"
HOLD_REASON = "urn:x-homecare-gateway:CodeSystem:message-reason"
CATEGORY = "http://terminology.hl7.org/CodeSystem/medicationrequest-category"
IDENTIFIER_TYPE = "http://terminology.hl7.org/CodeSystem/v2-0203"
TASK_CODE = "http://hl7.org/fhir/CodeSystem/task-code"
PARTICIPANT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
SIGNATURE_TYPE = "urn:iso-astm:E1762-95:2013"
AUTHOR_SIGNATURE = "1.2.840.10065.1.12.1.1"
ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
ALLERGY_CLINICAL = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
VERIFICATION = "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatus"
ADDRESS_KEY = "https://fhir.hl7.org.uk/CodeSystem/UKCore-AddressKeyType"
ENVELOPE_FACT = "urn:x-homecare-gateway:task-input:1"

_NHS = "https://fhir.nhs.uk/StructureDefinition/"
_UK_CORE = "https://fhir.hl7.org.uk/StructureDefinition/"
PRESCRIPTION_TYPE_EXTENSION = _NHS + "Extension-DM-PrescriptionType"
PRESCRIPTION_ID_EXTENSION = _NHS + "Extension-DM-PrescriptionId"
RESPONSIBLE_EXTENSION = _NHS + "Extension-DM-ResponsiblePractitioner"
REPLACEMENT_EXTENSION = _NHS + "Extension-replacementOf"
SITE_TYPE_EXTENSION = _NHS + "Extension-DM-PerformerSiteType"
CONTROLLED_EXTENSION = _NHS + "Extension-DM-ControlledDrug"
REPEATS_EXTENSION = _NHS + "Extension-EPS-RepeatInformation"
ENDORSEMENT_EXTENSION = _NHS + "Extension-DM-PrescriptionEndorsement"
VERIFICATION_EXTENSION = _UK_CORE + "Extension-UKCore-NHSNumberVerificationStatus"
ADDRESS_KEY_EXTENSION = _UK_CORE + "Extension-UKCore-AddressKey"
INSTRUCTIONS_EXTENSION = "urn:x-homecare-gateway:StructureDefinition:delivery-instructions"
COUNT_EXTENSION = "urn:x-homecare-gateway:StructureDefinition:input-count"

COURSE: dict[CourseOfTherapy, tuple[str, str]] = {
    CourseOfTherapy.ACUTE: (
        "http://terminology.hl7.org/CodeSystem/medicationrequest-course-of-therapy",
        "Short course (acute) therapy",
    ),
    CourseOfTherapy.CONTINUOUS: (
        "http://terminology.hl7.org/CodeSystem/medicationrequest-course-of-therapy",
        "Continuous long term therapy",
    ),
    CourseOfTherapy.REPEAT_DISPENSING: (
        "https://fhir.nhs.uk/CodeSystem/medicationrequest-course-of-therapy",
        "Continuous long term (repeat dispensing)",
    ),
}
"""System and display of a course of therapy; eps.md 2.10."""

TYPE_DISPLAY = {"1201": "Outpatient Homecare Prescriber - Medical Prescriber"}
"""Displays of prescription types that a public source states; the others go without."""

VERIFICATION_DISPLAY = {
    "01": "Number present and verified",
    "02": "Number present but not traced",
    "03": "Trace required",
    "04": "Trace attempted - No match or multiple match found",
    "05": "Trace needs to be resolved - (NHS Number or patient detail conflict)",
    "06": "Trace in progress",
    "07": "Number not present and trace not required",
    "08": "Trace postponed (baby under six weeks old)",
}

PROFESSIONAL_CODE: dict[Register, str] = {
    Register.GMC: "https://fhir.hl7.org.uk/Id/gmc-number",
    Register.NMC: "https://fhir.hl7.org.uk/Id/nmc-number",
    Register.GPHC: "https://fhir.hl7.org.uk/Id/gphc-number",
    Register.HCPC: "https://fhir.hl7.org.uk/Id/hcpc-number",
    Register.GDC: "https://fhir.hl7.org.uk/Id/professional-code",
    Register.PROFESSIONAL: "https://fhir.hl7.org.uk/Id/professional-code",
    Register.CONSULTANT: "https://fhir.hl7.org.uk/Id/professional-code",
}
"""Systems of the one professional code EPS wants, in order of choice; eps.md 2.5. EPS knows none for GDC numbers and
consultant codes, which are therefore written as `professional-code`, never as a GMC number."""

OTHER_CODE: dict[Register, str] = {
    Register.DIN: "https://fhir.hl7.org.uk/Id/din-number",
    Register.SDS_USER: "https://fhir.nhs.uk/Id/sds-user-id",
}
"""Systems of further numbers a Practitioner may carry; eps.md 2.5."""
