"""What the segments and fields of HL7 v2 are called, for whoever reads a position.

Source: HL7 v2.5.1 chapters 2, 3, 4, 6 and 7 (segment attribute tables), v2.9 chapters 4A and 7 for what is newer;
mapping.md 3.5 for ZHC.
"""

import re
from collections.abc import Mapping
from typing import Final

_LOCATOR: Final = re.compile(r"(\w{3})(?:\[(\d+)\])?-(\d+)", re.ASCII)


def _names(text: str) -> dict[int, str]:
    return {number: name.strip() for number, name in enumerate(text.split("|"), start=1) if name.strip()}


SEGMENTS: Final[Mapping[str, str]] = {
    "MSH": "Message header",
    "MSA": "Message acknowledgment",
    "ERR": "Error",
    "EVN": "Event type",
    "SFT": "Software",
    "PID": "Patient identification",
    "PD1": "Patient additional demographics",
    "NK1": "Next of kin",
    "MRG": "Merge patient information",
    "PV1": "Patient visit",
    "PV2": "Patient visit, additional",
    "IN1": "Insurance",
    "AL1": "Patient allergy",
    "IAM": "Patient adverse reaction",
    "DG1": "Diagnosis",
    "NTE": "Notes and comments",
    "OBX": "Observation",
    "ORC": "Common order",
    "RXO": "Pharmacy or treatment order",
    "RXE": "Pharmacy or treatment encoded order",
    "RXR": "Pharmacy or treatment route",
    "RXC": "Pharmacy or treatment component",
    "RXD": "Pharmacy or treatment dispense",
    "RXG": "Pharmacy or treatment give",
    "RXA": "Pharmacy or treatment administration",
    "TQ1": "Timing and quantity",
    "TQ2": "Timing and quantity relationship",
    "PRT": "Participation",
    "CTI": "Clinical trial identification",
    "FT1": "Financial transaction",
    "BLG": "Billing",
    "DSC": "Continuation pointer",
    "QPD": "Query parameters",
    "QRD": "Query definition",
    "RCP": "Response control parameters",
    "ZHC": "Homecare (of this gateway's specification)",
}

FIELDS: Final[Mapping[str, Mapping[int, str]]] = {
    "MSH": _names(
        "Field separator|Encoding characters|Sending application|Sending facility|Receiving application"
        "|Receiving facility|Date/time of message|Security|Message type|Message control ID|Processing ID|Version ID"
        "|Sequence number|Continuation pointer|Accept acknowledgment type|Application acknowledgment type"
        "|Country code|Character set|Principal language of message|Alternate character set handling scheme"
        "|Message profile identifier"
    ),
    "MSA": _names(
        "Acknowledgment code|Message control ID|Text message|Expected sequence number|Delayed acknowledgment type"
        "|Error condition"
    ),
    "ERR": _names(
        "Error code and location|Error location|HL7 error code|Severity|Application error code"
        "|Application error parameter|Diagnostic information|User message|Inform person indicator|Override type"
        "|Override reason code|Help desk contact point"
    ),
    "EVN": _names(
        "Event type code|Recorded date/time|Date/time planned event|Event reason code|Operator ID|Event occurred"
        "|Event facility"
    ),
    "PID": _names(
        "Set ID|Patient ID|Patient identifier list|Alternate patient ID|Patient name|Mother's maiden name"
        "|Date/time of birth|Administrative sex|Patient alias|Race|Patient address|County code|Phone number - home"
        "|Phone number - business|Primary language|Marital status|Religion|Patient account number"
        "|SSN number - patient|Driver's license number|Mother's identifier|Ethnic group|Birth place"
        "|Multiple birth indicator|Birth order|Citizenship|Veterans military status|Nationality"
        "|Patient death date and time|Patient death indicator|Identity unknown indicator|Identity reliability code"
        "|Last update date/time|Last update facility|Species code|Breed code|Strain|Production class code"
        "|Tribal citizenship|Patient telecommunication information"
    ),
    "PD1": _names(
        "Living dependency|Living arrangement|Patient primary facility|Patient primary care provider|Student indicator"
        "|Handicap|Living will code|Organ donor code|Separate bill|Duplicate patient|Publicity code"
        "|Protection indicator"
    ),
    "NK1": _names("Set ID|Name|Relationship|Address|Phone number|Business phone number|Contact role"),
    "MRG": _names("Prior patient identifier list|Prior alternate patient ID|Prior patient account number"),
    "PV1": _names(
        "Set ID|Patient class|Assigned patient location|Admission type|Preadmit number|Prior patient location"
        "|Attending doctor|Referring doctor|Consulting doctor|Hospital service|Temporary location"
        "|Preadmit test indicator|Re-admission indicator|Admit source|Ambulatory status|VIP indicator"
        "|Admitting doctor|Patient type|Visit number"
    ),
    "AL1": _names(
        "Set ID|Allergen type code|Allergen code, mnemonic or description|Allergy severity code|Allergy reaction code"
        "|Identification date"
    ),
    "IAM": _names(
        "Set ID|Allergen type code|Allergen code, mnemonic or description|Allergy severity code|Allergy reaction code"
        "|Allergy action code|Allergy unique identifier|Action reason|Sensitivity to causative agent code"
    ),
    "DG1": _names(
        "Set ID|Diagnosis coding method|Diagnosis code|Diagnosis description|Diagnosis date/time|Diagnosis type"
    ),
    "NTE": _names("Set ID|Source of comment|Comment|Comment type"),
    "OBX": _names(
        "Set ID|Value type|Observation identifier|Observation sub-ID|Observation value|Units|References range"
        "|Abnormal flags|Probability|Nature of abnormal test|Observation result status"
        "|Effective date of reference range|User defined access checks|Date/time of the observation|Producer's ID"
        "|Responsible observer"
    ),
    "ORC": _names(
        "Order control|Placer order number|Filler order number|Placer group number|Order status|Response flag"
        "|Quantity/timing|Parent|Date/time of transaction|Entered by|Verified by|Ordering provider"
        "|Enterer's location|Call back phone number|Order effective date/time|Order control code reason"
        "|Entering organization|Entering device|Action by|Advanced beneficiary notice code|Ordering facility name"
        "|Ordering facility address|Ordering facility phone number|Ordering provider address|Order status modifier"
        "|Advanced beneficiary notice override reason|Filler's expected availability date/time|Confidentiality code"
        "|Order type|Enterer authorization mode"
    ),
    "RXO": _names(
        "Requested give code|Requested give amount - minimum|Requested give amount - maximum|Requested give units"
        "|Requested dosage form|Provider's pharmacy/treatment instructions|Provider's administration instructions"
        "|Deliver-to location|Allow substitutions|Requested dispense code|Requested dispense amount"
        "|Requested dispense units|Number of refills|Ordering provider's DEA number"
        "|Pharmacist/treatment supplier's verifier ID|Needs human review|Requested give per (time unit)"
        "|Requested give strength|Requested give strength units|Indication|Requested give rate amount"
        "|Requested give rate units|Total daily dose|Supplementary code|Requested drug strength volume"
        "|Requested drug strength volume units|Pharmacy order type|Dispensing interval"
        "|Medication instance identifier|Segment instance identifier|Mood code|Dispensing pharmacy"
        "|Dispensing pharmacy address|Deliver-to patient location|Deliver-to address|Pharmacy phone number"
    ),
    "RXE": _names(
        "Quantity/timing|Give code|Give amount - minimum|Give amount - maximum|Give units|Give dosage form"
        "|Provider's administration instructions|Deliver-to location|Substitution status|Dispense amount"
        "|Dispense units|Number of refills|Ordering provider's DEA number|Pharmacist/treatment supplier's verifier ID"
        "|Prescription number|Number of refills remaining|Number of refills/doses dispensed"
        "|Date/time of most recent refill or dose dispensed|Total daily dose|Needs human review"
        "|Pharmacy/treatment supplier's special dispensing instructions|Give per (time unit)|Give rate amount"
        "|Give rate units|Give strength|Give strength units|Give indication|Dispense package size"
        "|Dispense package size unit|Dispense package method|Supplementary code|Original order date/time"
        "|Give drug strength volume|Give drug strength volume units|Controlled substance schedule|Formulary status"
        "|Pharmaceutical substance alternative|Pharmacy of most recent fill|Initial dispense amount"
        "|Dispensing pharmacy|Dispensing pharmacy address|Deliver-to patient location|Deliver-to address"
        "|Pharmacy order type"
    ),
    "RXR": _names(
        "Route|Administration site|Administration device|Administration method|Routing instruction"
        "|Administration site modifier"
    ),
    "RXC": _names(
        "Component type|Component code|Component amount|Component units|Component strength|Component strength units"
        "|Supplementary code|Component drug strength volume|Component drug strength volume units"
    ),
    "RXD": _names(
        "Dispense sub-ID counter|Dispense/give code|Date/time dispensed|Actual dispense amount|Actual dispense units"
        "|Actual dosage form|Prescription number|Number of refills remaining|Dispense notes|Dispensing provider"
        "|Substitution status|Total daily dose|Dispense-to location|Needs human review"
        "|Special dispensing instructions|Actual strength|Actual strength unit|Substance lot number"
        "|Substance expiration date|Substance manufacturer name|Indication|Dispense package size"
        "|Dispense package size unit|Dispense package method|Supplementary code"
    ),
    "TQ1": _names(
        "Set ID|Quantity|Repeat pattern|Explicit time|Relative time and units|Service duration|Start date/time"
        "|End date/time|Priority|Condition text|Text instruction|Conjunction|Occurrence duration|Total occurrences"
    ),
    "TQ2": _names(
        "Set ID|Sequence/results flag|Related placer number|Related filler number|Related placer group number"
        "|Sequence condition code|Cyclic entry/exit indicator|Sequence condition time interval"
        "|Cyclic group maximum number of repeats|Special service request relationship"
    ),
    "PRT": _names(
        "Participation instance ID|Action code|Action reason|Participation|Participation person"
        "|Participation person provider type|Participant organization unit type|Participation organization"
        "|Participant location|Participation device|Participation begin date/time|Participation end date/time"
        "|Participation qualitative duration|Participation address|Participant telecommunication address"
    ),
    "ZHC": _names(
        "Set ID|Homecare provider|Service tier|Delivery frequency|Number of deliveries|First delivery required by"
        "|Purchase order number|Funding|Delivery place|Cold chain|Ancillaries|Nursing service|Patient consent"
        "|Patient's registration with the provider|Days of stock held at home|Stock counted on|Clinical check by"
        "|Clinical check at|Backup providers|Kind of request"
    ),
}


def name_of(locator: str) -> str:
    """Give what a position is called, `RXE-3 Give amount - minimum`; empty where it is no position of HL7 v2.

    Args:
        locator: `RXE[1]-3.1`, `RXE-3`.
    """
    found = _LOCATOR.match(locator)
    if found is None:
        return ""
    name = FIELDS.get(found[1], {}).get(int(found[3]), "")
    return f"{found[1]}-{found[3]} {name}".rstrip()
