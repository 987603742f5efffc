"""What each issue code means, and an example of it: code, meaning, example. What to change is the code's own advice.

Source: mapping.md 11. Examples are invented and name nobody.
"""

from collections.abc import Iterable

_TABLE = """
UNREADABLE | The bytes are not a complete message in the format of the address. | A JSON body that ends in the middle of a string.
FRAME_INVALID | The bytes on the MLLP connection are not one framed message. | A message without the closing 1C 0D.
TOO_LARGE | The body is larger than the gateway takes. | A prescription with a 20 MiB scan inside.
MESSAGE_TYPE_UNSUPPORTED | The message is of a kind that is not served here. | ADT^A01, or a Bundle of type searchset.
VERSION_UNSUPPORTED | The message is of a version that is not read here. | A MedicationRequest with medication.reference, which is FHIR R5.
CHARSET_INVALID | The bytes do not agree with the character set that the message declares. | MSH-18 says UNICODE UTF-8 and the bytes are Latin-1.
RECEIVER_WRONG | The message is addressed to another system. | MSH-5 names a laboratory.
SENDER_MISMATCH | The organisation named as sender is not the one whose credential was used. | A message of RZA sent with the credential of RBA.
ENVIRONMENT_WRONG | A test message came to the live gateway, or the reverse. | MSH-11 is T and the gateway is live.
CONTROL_ID_REUSED | The name of this message was used before for other content. | MSH-10 MSG0001 again, with another dose.
CONTROL_ID_MISSING | The message has no name by which it can be answered and recognised. | A single MedicationRequest sent without Idempotency-Key.
NOT_STORED | The gateway could not store the message, so it has not been taken. | The disk is full.
CREDENTIAL_INVALID | The credential is missing, unknown or no longer valid. | Authorization holds last year's token.
NOT_ALLOWED | The credential is valid, and not for this. | A provider posts a prescription.
CONTENT_TYPE_UNSUPPORTED | The media type or encoding of the body is not taken at this address. | text/plain at /hl7v2.
ANSWER_TYPE_UNSUPPORTED | The caller accepts none of the media types that this address gives. | Accept: text/html at /xml.
ADDRESS_UNKNOWN | There is nothing at this address. | POST /prescriptions.
METHOD_UNSUPPORTED | The address exists, and does not serve this method. | GET /hl7v2.
REQUEST_INVALID | The request is not well-formed, apart from its body. | A search with a parameter that is not known.
PATIENT_DATA_IN_ADDRESS | An NHS number stood in the address, which is written to logs everywhere. | GET /FHIR/R4/Task?patient:identifier=999...
TOO_SLOW | The whole body did not arrive in time. | A connection that stalls half-way.
TOO_MANY_REQUESTS | More messages of one sender are under way than are taken at once. | Two hundred messages in parallel.
GATEWAY_FAULT | Something failed inside the gateway that nobody foresaw. | The answer names a correlation id.
SEGMENT_MISSING | A segment or element that must be there is not. | RDE^O11 without an RXE.
FIELD_MISSING | A field that must be filled is empty. | MedicationRequest without status.
VALUE_INVALID | A value does not have the form that its field demands. | A date of 2026-02-30.
STRUCTURE_INVALID | The message does not keep to the published structure. | An element that FHIR R4 does not have.
DUPLICATE_KEY | A JSON member stands twice in one object, and only one could be right. | Two values for doseQuantity.
EXTENSION_NOT_UNDERSTOOD | The message says that it means something else in a way not known here. | A modifierExtension on a MedicationRequest.
ACTION_UNSUPPORTED | The message asks for something that is not done here. | A transaction with a DELETE.
NHSNO_MISSING | The patient has no NHS number in the message. | PID-3 holds a hospital number only.
NHSNO_CHECK_DIGIT | The NHS number fails its own check digit. | Two digits were exchanged in typing.
NHSNO_CONFLICT | Two different NHS numbers are sent for one patient. | Two repetitions of PID-3 of type NHS.
PATIENT_DECEASED | The message says that the patient has died. | PID-30 is Y.
GROUP_PATIENT_MISMATCH | Orders of one prescription name different patients, or it is not clear which. | One ORC-4 for two NHS numbers.
ORDER_REUSED | A new order has the number of an order that is already known, or that is over. | RX7001 again, after its cancel.
SHORTID_CHECK_DIGIT | The prescription number fails its own check character. | A0548B-A99968-451486.
IDENTIFIER_INVALID | An identifier does not have its form, or fails its check digit. | A SNOMED CT code with one digit wrong.
ORDER_UNKNOWN | The message refers to an order that this gateway has not received. | A change of RX9999.
REPORT_UNBOUND | A provider reported a supply that cannot be tied to one line that was sent to it. | RDS^O13 with the order number of another patient.
CANCEL_TOO_LATE | The medicine was supplied before the cancel came. | A cancel on the day after the delivery.
HOLD_NOT_POSSIBLE | Nothing of the order can be put on hold where it now is. | A hold of an order that was delivered.
RELEASE_NOT_POSSIBLE | The order is not on hold, or cannot be released by itself. | A release that was sent twice.
CANCEL_ORDER_UNKNOWN | The cancel came before the order; the order will be stopped if it comes. | Messages that overtook each other.
CD_SCHEDULE_NOT_ALLOWED | A controlled drug of Schedule 1 to 3 may not be prescribed by this way. | Morphine tablets.
SIGNATURE_MISSING | The trust's policy asks for the prescriber's signature, and there is none. | A Bundle without a Provenance.
SIGNATURE_INVALID | The prescriber's signature does not fit the prescription. | The dose was changed after signing.
AUTHORED_MISSING | The date of the prescription is not stated. | MedicationRequest without authoredOn.
AUTHORED_IN_FUTURE | The prescription is dated more than a day ahead. | The year is wrong.
VALIDITY_TOO_LONG | The prescription is to be valid for longer than twelve months. | A validity from 2026 to 2028.
EXPIRED | The prescription is too old to be dispensed. | Written seven months ago.
AGE_REQUIRED_UNDER_12 | The law asks for the age of a patient under 12 on the prescription. | A patient of nine years.
ADDRESS_REQUIRED | The patient's address is missing. | PID-11 is empty.
PRESCRIBER_REQUIRED | The prescriber, or the prescriber's registration number, is missing. | ORC-12 with a name alone.
DRUG_UNCODED | The product has no code, only words. | RXE-2 is ^Humira pen.
DRUG_LOCAL_UNMAPPED | The product has a local code that nobody has mapped to dm+d. | CD:14490226 of the trust's own system.
DRUG_UNKNOWN | The code has the form of dm+d and is not in the release used here. | A product licensed last week.
CD_SCHEDULE_UNKNOWN | It is not known whether the product is a controlled drug. | A new product without a schedule in the table.
MESSAGE_INVALID | The message the gateway wrote from this prescription does not pass the FHIR check. | A value that no FHIR element can hold.
MAP_TEXT_CHANGED | A mapped local code came with other words than those it was mapped with. | Code 42 now says 80 mg.
UNIT_UNMAPPED | The unit of an amount is not one that is safe to read. | U for units, or EA.
ROUTE_UNMAPPED | The route is not one that is safe to read. | IT, which two systems use differently.
SITE_UNMAPPED | The body site has no SNOMED CT code. | Left arm, in words.
TIMING_FREE_TEXT | The timing is words, where a code is wanted. | twice a day in RXE-1.
TIMING_UNMAPPED | The timing is a code that is not known here. | Q5J9.
TEMPLATE_TEXT_UNRESOLVED | The sending interface put its own template where a value belongs. | ##ITEM## in RXE-2.
CANCEL_PENDING | The cancel is with the provider, who has not said yet whether it was in time. | A cancel on the day of dispensing.
HOLD_PENDING | The hold is with the provider, who has not confirmed it yet: it is not on hold. | A hold on the day of dispensing.
RELEASE_PENDING | The release is with the provider, who has not confirmed it yet: it is on hold. | A release on a Sunday.
CANCEL_REASON_UNMAPPED | The reason for the cancel is not one of the national codes. | Reason WRONG.
DRUG_MISMATCH_RXO_RXE | RXO and RXE name different products. | RXO 40 mg, RXE 80 mg.
DOSE_CONFLICT | The dose is sent twice and differently. | RXE-3 is 10 mg and TQ1-2 is 20 mg.
DOSE_MISSING | There is no dose, neither in words nor as structure. | RXE without RXE-3 and RXE-7.
TIMING_CONFLICT | The timing is sent twice and differently. | RXE-1 weekly, TQ1-3 daily.
TIMING_RANGE_AMBIGUOUS | A range of times can be read in two ways. | QJ15: on day 1 and 5, or 1 to 5.
TIMING_JOIN_MISSING | Several dosages are sent, and not whether together or in turn. | Two TQ1 without TQ1-12.
ROUTE_AMBIGUOUS | Several routes are sent for one line. | Two RXR segments.
REPEATS_CONFLICT | Numbers of supplies are sent twice and differently. | RXE-12 is 5 and ZHC-5 is 4.
TEXT_STRUCTURE_MISMATCH | The directions in words and the structured dose contradict each other. | ONE daily in words, weekly in the structure.
TEXT_NOT_A_DOSE | The directions do not state a dose. | As directed.
WEEKLY_MEDICINE_MORE_OFTEN | A medicine given once a week or less often is prescribed more often. | Methotrexate once a day.
STRENGTH_TEXT_MISMATCH | The product's words and its code differ in strength. | The words say 80 mg, the code 40 mg.
DRUG_TEXT_MISMATCH | The words beside the product's code name another medicine than the code does, or another brand. | The words say Humira, the code is Amgevita's.
VTM_NEEDS_PRODUCT | The code names a substance, and a product must be chosen. | Adalimumab.
PRODUCT_LEVEL_MISMATCH | The level that is stated is not the level of the code. | level AMP with the code of a VMP.
CD_SCHEDULE_CONFLICT | The schedule that is stated is not the product's. | CD5 stated for a product of Schedule 4.
BRAND_REQUIRED | A biologic must be prescribed by brand. | Adalimumab 40mg pens, without a brand.
FIELD_SHIFTED | Fields have moved by one place. | RXE-3 holds mg.
FIELD_NOT_UNDERSTOOD | A value stands in the order that no rule reads, and it may bear on the medicine. | A comparator < beside a dose.
QUANTITY_MISSING | The quantity of a supply is missing. | dispenseRequest without quantity.
QUANTITY_CONFLICT | The quantity is sent twice and differently. | RXO-11 is 4 and RXE-10 is 2.
QUANTITY_UNIT_MISMATCH | The quantity is in a unit in which the product is not supplied. | 40 milligrams of a pre-filled syringe.
SCHEDULE_CONFLICT | The schedule that is stated is not the product's. | CD5 stated for a product of Schedule 4.
PRESCRIBER_AMBIGUOUS | Several prescribers are named, or one with several registration numbers. | ORC-12 with two people.
PROVIDER_UNKNOWN | The homecare provider is not named, not known here, or not the same for all lines. | ZHC-2 is ABC99.
PROVIDER_CANNOT_CARRY | The provider's system cannot carry something the prescription says. | A signature, for a provider without signatures.
TOO_MANY_ITEMS | A prescription has more than four items. | Five orders under one ORC-4.
DELIVERY_ADDRESS_UNUSABLE | No van can find the delivery address. | A postcode ZZ99 3VZ.
REF_UNRESOLVED | A reference leads to nothing in this message; references elsewhere are not followed. | requester is a URL of the sender's server.
POSSIBLE_DUPLICATE | Two lines order the same product with the same directions. | The order was entered twice.
SIGNATURE_UNVERIFIED | The prescriber's signature could not be verified. | No current revocation list for its issuer.
DOSE_TEXT_ONLY | The dose is in words only; a pharmacist reads it. | RXE-7 without RXE-3.
DOSE_FROM_TQ1 | The dose stood in TQ1-2 and was taken from there. | A step-down course.
UNIT_LOCAL_MAPPED | A local unit was read by the trust's own table. | PFS for pre-filled syringe.
SECOND_TEXT | A second set of words was sent and carried as an instruction or note. | RXE-7 and NTE.
TEXT_NOT_CHECKED | The words could not be compared with the structure, or not with all of it. | Use as in the booklet, with a structured dose.
TEXT_UNSEEN_CHARACTERS | The words of a medicine or dose hold characters that nobody sees, or that turn the reading round. | A right-to-left override before 01mg.
ALLERGY_NOT_STATED | Nothing was said about allergies. | No AL1 segment.
SUBSTITUTION_NOT_CARRIED | Substitution was allowed, and the product stands as written all the same. | RXE-9 is G.
TIME_AMBIGUOUS | The time exists twice, on the night when clocks go back. | 01:30 on 25 October 2026 without a zone.
GROUP_NOT_STATED | No group number was sent, so each order is its own prescription. | Two ORC without ORC-4.
SUPPLY_SUM_MISMATCH | Quantity, dose and days of supply do not fit, or one dose is more than the whole quantity. Beyond a factor of two the line is held. | 5 ml for 25 ml a day over 10 days.
DRUG_CODE_REPLACED | dm+d has since given the product another code. It is the same product, and the code stands as it was sent. | A code of 2018.
DISPLAY_STALE | The name sent with a code is not the one dm+d gives it now. | The name of the previous release.
LINE_ENDINGS_NORMALISED | Segments ended in LF where HL7 ends them in CR. | A message edited by hand.
REFERENCE_INCOMPLETE | MessageHeader.focus or Provenance.target does not name every line. | Two lines, one focus.
RECIPIENT_MISMATCH | Words for the patient name another patient, and were not carried. | A CommunicationRequest with another NHS number.
"""  # noqa: E501 - one code a row


def _rows() -> dict[str, tuple[str, str]]:
    rows = (line.split(" | ") for line in _TABLE.strip().splitlines())
    return {code: (meaning, example) for code, meaning, example in rows}


TEXTS = _rows()
"""Code to its meaning and an example."""


def in_words(codes: Iterable[str]) -> str:
    """Say what each code means, one sentence each with the code last: people read the words, and quote the code.

    Args:
        codes: each is said once; one that only another version knows stands alone.

    Source: console.md 10 (no codes without words).
    """
    return " ".join(f"{_meaning(code)} ({code})." for code in dict.fromkeys(codes))


def _meaning(code: str) -> str:
    return TEXTS[code][0].rstrip(".") if code in TEXTS else "A reason of another version"
