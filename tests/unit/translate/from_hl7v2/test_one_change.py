"""One field changed at a time: what each change must give, in issue codes beside those of the whole message."""

from dataclasses import replace

import pytest

from gateway.domain.coding import SNOMED, Coding
from gateway.domain.issue import held, refused
from gateway.domain.partner import CodeEntry
from gateway.translate.from_hl7v2 import message
from tests.hl7v2_orders import CONTEXT, codes, edited, golden, issues, read, submission, with_codes, with_trust

CASES: list[tuple[str, dict[str, str], set[str]]] = [
    # the header
    ("another trust", {"MSH-4": "RXX"}, {"SENDER_MISMATCH"}),
    ("another receiver", {"MSH-5": "OTHER"}, {"RECEIVER_WRONG"}),
    ("live to test", {"MSH-11": "P"}, {"ENVIRONMENT_WRONG"}),
    ("no environment", {"MSH-11": ""}, {"FIELD_MISSING"}),
    ("unknown environment", {"MSH-11": "X"}, {"VALUE_INVALID"}),
    ("debugging is test", {"MSH-11": "D"}, set()),
    ("an old version", {"MSH-12": "2.1"}, {"VERSION_UNSUPPORTED"}),
    ("a new version", {"MSH-12": "2.9"}, set()),
    ("a national version", {"MSH-12": "2.5.1^GBR"}, set()),
    ("no control id", {"MSH-10": ""}, {"CONTROL_ID_MISSING"}),
    ("a blank control id", {"MSH-10": "   "}, {"CONTROL_ID_MISSING"}),
    ("a long control id", {"MSH-10": "1" * 200}, {"CONTROL_ID_MISSING"}),
    ("another type", {"MSH-9": "MDM^T02"}, {"MESSAGE_TYPE_UNSUPPORTED"}),
    ("another structure", {"MSH-9": "RDE^O11^OMP_O09"}, {"MESSAGE_TYPE_UNSUPPORTED"}),
    ("half a message", {"MSH-14": "1"}, {"STRUCTURE_INVALID"}),
    # the patient
    ("no PID", {"PID": ""}, {"SEGMENT_MISSING"}),
    ("no NHS number", {"PID-3": "HC1^^^RBA^MR"}, {"NHSNO_MISSING"}),
    ("an empty NHS number", {"PID-3": "HC1^^^RBA^MR~^^^NHS^NH"}, {"NHSNO_MISSING"}),
    ("a wrong check digit", {"PID-3": "9990000078^^^NHS^NH"}, {"NHSNO_CHECK_DIGIT"}),
    ("nine digits", {"PID-3": "999000007^^^NHS^NH"}, {"VALUE_INVALID"}),
    ("the NHS number by its OID", {"PID-3": "9990000077^^^&2.16.840.1.113883.2.1.4.1&ISO"}, set()),
    ("the spaces people write", {"PID-3": "999 000 0077^^^NHS^NH"}, set()),
    ("two NHS numbers", {"PID-3": "9990000077^^^NHS^NH~9990000212^^^NHS^NH"}, {"NHSNO_CONFLICT"}),
    ("one NHS number twice", {"PID-3": "9990000077^^^NHS^NH~9990000077^^^NHS^NH"}, set()),
    ("two names", {"PID-5": "OLD^Name^^^^^M~TESTPATIENT^Aoife^^^^^L"}, set()),
    ("no name", {"PID-5": ""}, {"FIELD_MISSING"}),
    ("no birth date", {"PID-7": ""}, {"FIELD_MISSING"}),
    ("a birth year", {"PID-7": "1979"}, {"VALUE_INVALID"}),
    ("30 February", {"PID-7": "19790230"}, {"VALUE_INVALID"}),
    ("an unknown gender", {"PID-8": "X"}, {"VALUE_INVALID"}),
    ("the NHS gender", {"PID-8": "2"}, set()),
    ("no address", {"PID-11": ""}, {"ADDRESS_REQUIRED"}),
    ("no fixed abode", {"PID-11": "No fixed abode^^^^ZZ99 3VZ^GBR^H"}, {"DELIVERY_ADDRESS_UNUSABLE"}),
    ("a date of death", {"PID-29": "20261001"}, {"PATIENT_DECEASED"}),
    ("dead", {"PID-30": "Y"}, {"PATIENT_DECEASED"}),
    ("not dead", {"PID-30": "N"}, set()),
    ("null death", {"PID-29": '""', "PID-30": '""'}, set()),
    ("two patients", {"+PID": "PID|2||9990000212^^^NHS^NH"}, {"STRUCTURE_INVALID"}),
    # the order and its people
    ("no ORC-1", {"ORC-1": ""}, {"FIELD_MISSING"}),
    ("a cancel without a reason", {"ORC-1": "CA"}, {"CANCEL_REASON_UNMAPPED"}),
    ("an unknown action", {"ORC-1": "ZZ"}, {"ACTION_UNSUPPORTED"}),
    ("no order number", {"ORC-2": ""}, {"FIELD_MISSING"}),
    ("a parent", {"ORC-8": "RX1^RBA"}, set()),
    ("a new order that is cancelled", {"ORC-5": "CA"}, {"FIELD_NOT_UNDERSTOOD"}),
    ("a new order that is discontinued", {"ORC-5": "DC"}, {"FIELD_NOT_UNDERSTOOD"}),
    ("a new order that is on hold", {"ORC-5": "HD"}, {"FIELD_NOT_UNDERSTOOD"}),
    ("a new order that is completed", {"ORC-5": "CM"}, {"FIELD_NOT_UNDERSTOOD"}),
    ("a new order that is scheduled", {"ORC-5": "SC"}, set()),
    ("a status of the sender's own", {"ORC-5": "Ordered"}, set()),
    ("a wrong prescription number", {"ORC-4": "A0548B-A99968-451486"}, {"SHORTID_CHECK_DIGIT"}),
    ("a right prescription number", {"ORC-4": "A0548B-A99968-451485"}, set()),
    ("no prescriber", {"ORC-12": ""}, {"PRESCRIBER_REQUIRED"}),
    ("a prescriber without register", {"ORC-12": "9999991^A^B"}, {"PRESCRIBER_REQUIRED"}),
    ("a misshapen number", {"ORC-12": "99^A^B^^^^^^GMC"}, {"IDENTIFIER_INVALID"}),
    ("a nurse", {"ORC-12": "99A1234B^A^B^^^^^^NMC"}, set()),
    ("a pharmacist", {"ORC-12": "2099991^A^B^^^^^^GPhC"}, set()),
    ("a profession HCPC does not tell", {"ORC-12": "PH123456^A^B^^^^^^HCPC"}, {"FIELD_NOT_UNDERSTOOD"}),
    ("two prescribers", {"ORC-12": "9999991^A^B^^^^^^GMC~9999992^C^D^^^^^^GMC"}, {"PRESCRIBER_AMBIGUOUS"}),
    ("two numbers of one prescriber", {"ORC-12": "9999991^A^B^^^^^^GMC~123456^A^B^^^^^^DIN"}, set()),
    ("authored by ORC-9", {"RXE-32": ""}, set()),
    ("never authored", {"RXE-32": "", "ORC-9": "", "ORC-15": ""}, {"AUTHORED_MISSING"}),
    ("authored in the repeated hour", {"RXE-32": "20261025013000"}, {"TIME_AMBIGUOUS"}),
    ("authored in the missing hour", {"RXE-32": "20260329013000"}, {"VALUE_INVALID"}),
    # the product
    ("no product", {"RXE-2": ""}, {"DRUG_UNCODED"}),
    ("words only", {"RXE-2": "^Methotrexate 10mg"}, {"DRUG_UNCODED"}),
    ("a local code", {"RXE-2": "123^Methotrexate^99LOC"}, {"DRUG_LOCAL_UNMAPPED"}),
    ("a code of no system", {"RXE-2": "15517911000001104^Methotrexate"}, {"DRUG_LOCAL_UNMAPPED"}),
    ("a wrong SNOMED check digit", {"RXE-2": "15517911000001105^Methotrexate^SCT"}, {"IDENTIFIER_INVALID"}),
    ("a code not in the release", {"RXE-2": "422145002^Inject^SCT"}, {"DRUG_UNKNOWN"}),
    (
        "an alternate dm+d code",
        {
            "RXE-2": "1^Local^99LOC^15517911000001104^Methotrexate 10mg/0.2ml solution for injection "
            "pre-filled syringes^SCT"
        },
        set(),
    ),
    ("two dm+d codes", {"RXE-2": "15517911000001104^A^SCT^325427002^B^SCT"}, {"DRUG_MISMATCH_RXO_RXE"}),
    ("template text", {"RXE-2": "##ITEM##,1^^SCT"}, {"TEMPLATE_TEXT_UNRESOLVED", "DRUG_UNCODED"}),
    ("template braces", {"RXE-7": "^{{directions}}"}, {"TEMPLATE_TEXT_UNRESOLVED"}),
    (
        "another strength in words",
        {"RXE-2": "15517911000001104^Methotrexate 15mg/0.3ml solution for injection^SCT"},
        {"STRENGTH_TEXT_MISMATCH"},
    ),
    (
        "another drug in words",
        {"RXE-2": "15517911000001104^Metformin 500mg tablets^SCT"},
        {"DRUG_TEXT_MISMATCH"},
    ),
    (
        "another drug in a local alternate",
        {
            "RXE-2": "15517911000001104^Methotrexate 10mg/0.2ml solution for injection "
            "pre-filled syringes^SCT^77^Etanercept inj^99LOC"
        },
        {"DRUG_TEXT_MISMATCH"},
    ),
    (
        "another strength in a local alternate",
        {
            "RXE-2": "15517911000001104^Methotrexate 10mg/0.2ml solution for injection "
            "pre-filled syringes^SCT^77^MTX 15mg^99LOC"
        },
        {"STRENGTH_TEXT_MISMATCH"},
    ),
    ("the brand in words", {"RXE-2": "15517911000001104^Metoject 10mg/0.2ml inj^SCT"}, {"DISPLAY_STALE"}),
    ("another strength as a number", {"RXE-25": "15", "RXE-26": "mg"}, {"STRENGTH_TEXT_MISMATCH"}),
    ("the same strength as a number", {"RXE-25": "10", "RXE-26": "mg"}, set()),
    ("the same strength with a nought", {"RXE-25": "10.0", "RXE-26": "mg"}, set()),
    ("the same strength in words", {"RXE-25": "10", "RXE-26": "milligrams"}, set()),
    ("the same strength in UCUM", {"RXE-25": "10", "RXE-26": "258684004^mg^SCT"}, set()),
    ("a tenth of the strength", {"RXE-25": "1", "RXE-26": "mg"}, {"STRENGTH_TEXT_MISMATCH"}),
    ("ten times the strength", {"RXE-25": "100", "RXE-26": "mg"}, {"STRENGTH_TEXT_MISMATCH"}),
    ("another unit of strength", {"RXE-25": "10", "RXE-26": "microgram"}, {"STRENGTH_TEXT_MISMATCH"}),
    ("the form", {"RXE-6": "INJ^Injection^99LOC"}, set()),
    ("a form of its own", {"RXE-6": "F1^Form one^99LOC"}, set()),
    (
        "words longer than any product's name",
        {"RXE-2": f"15517911000001104^{'methotrexate ' * 80}^SCT"},
        {"DRUG_TEXT_MISMATCH"},
    ),
    (
        "other words longer than any product's name",
        {
            "RXE-2": "15517911000001104^Methotrexate 10mg/0.2ml solution for injection "
            f"pre-filled syringes^SCT^77^{'methotrexate ' * 80}^99LOC"
        },
        {"DRUG_TEXT_MISMATCH"},
    ),
    ("a form longer than any product's name", {"RXE-6": f"F1^{'form ' * 300}^99LOC"}, {"DRUG_TEXT_MISMATCH"}),
    ("another form", {"RXE-6": "TAB^Tablet^99LOC"}, {"DRUG_TEXT_MISMATCH"}),
    ("another form as requested", {"RXO>": "RXO|||||CAP^Capsule^99LOC"}, {"DRUG_TEXT_MISMATCH"}),
    (
        "another form in the words",
        {"RXE-2": "15517911000001104^Methotrexate 10mg tablets^SCT"},
        {"DRUG_TEXT_MISMATCH"},
    ),
    (
        "a pen in the words, a syringe in the code",
        {"RXE-2": "15517911000001104^Methotrexate 10mg/0.2ml pre-filled pens^SCT"},
        {"DRUG_TEXT_MISMATCH"},
    ),
    (
        "its original text",
        {
            "RXE-2": "15517911000001104^Methotrexate 10mg/0.2ml solution for injection pre-filled syringes^SCT"
            "^^^^^^MTX 10mg inj"
        },
        set(),
    ),
    (
        "an original text that differs",
        {
            "RXE-2": "15517911000001104^Methotrexate 10mg/0.2ml solution for injection pre-filled syringes^SCT"
            "^^^^^^MTX 15mg inj"
        },
        {"STRENGTH_TEXT_MISMATCH"},
    ),
    ("the original text of the unit", {"RXE-5": "mg^milligram^UCUM^^^^^^mg"}, set()),
    ("another original text of the unit", {"RXE-5": "mg^milligram^UCUM^^^^^^microgram"}, {"DOSE_CONFLICT"}),
    ("the daily total of a weekly dose", {"RXE-19": "10^mg"}, set()),
    ("a daily total without unit", {"RXE-19": "10"}, set()),
    ("another daily total", {"RXE-19": "20^mg"}, {"DOSE_CONFLICT"}),
    ("a daily total in another unit", {"RXE-19": "1^tablet"}, set()),
    ("the daily total of two doses a day", {"RXE-19": "20^mg", "TQ1-3": "BID", "RXE-7": ""}, set()),
    ("half the daily total", {"RXE-19": "30^mg", "TQ1-3": "Q6H"}, {"DOSE_CONFLICT"}),
    ("RXO of another drug", {"RXO>": "RXO|325427002^Prednisolone^SCT"}, {"DRUG_MISMATCH_RXO_RXE"}),
    ("RXO of another name", {"RXO>": "RXO|99^Prednisolone^99LOC"}, {"DRUG_MISMATCH_RXO_RXE"}),
    ("RXO of the same drug", {"RXO>": "RXO|99^Methotrexate inj^99LOC"}, set()),
    ("schedule 2", {"RXE-35": "CD2"}, {"CD_SCHEDULE_NOT_ALLOWED"}),
    ("schedule 4 against the table", {"RXE-35": "CD4"}, {"SCHEDULE_CONFLICT"}),
    ("an unknown schedule", {"RXE-35": "X"}, {"FIELD_NOT_UNDERSTOOD"}),
    # the dose
    ("a comma", {"RXE-3": "1,5"}, {"VALUE_INVALID"}),
    ("a range in one field", {"RXE-3": "10-20"}, {"VALUE_INVALID"}),
    ("an exponent", {"RXE-3": "1e3"}, {"VALUE_INVALID"}),
    ("a sign", {"RXE-3": "+5"}, {"VALUE_INVALID"}),
    ("spaces", {"RXE-3": " 5 "}, {"VALUE_INVALID"}),
    ("other digits", {"RXE-3": "٥"}, {"VALUE_INVALID"}),
    ("nought", {"RXE-3": "0"}, {"VALUE_INVALID"}),
    ("words for a number", {"RXE-3": "ten"}, {"FIELD_SHIFTED"}),
    ("a unit in RXE-4", {"RXE-4": "mg"}, {"FIELD_SHIFTED"}),
    ("two doses", {"RXE-3": "10~20"}, {"VALUE_INVALID"}),
    ("a range", {"RXE-4": "20"}, set()),
    ("an equal range", {"RXE-4": "10"}, set()),
    ("a range upside down", {"RXE-4": "5"}, {"DOSE_CONFLICT"}),
    ("no unit", {"RXE-5": ""}, {"UNIT_UNMAPPED"}),
    ("a dangerous unit", {"RXE-5": "mcg"}, {"UNIT_UNMAPPED"}),
    ("IU", {"RXE-5": "IU"}, {"UNIT_UNMAPPED"}),
    ("capitals", {"RXE-5": "MG^milligram^UCUM"}, {"UNIT_UNMAPPED"}),
    ("a SNOMED unit", {"RXE-5": "258684004^mg^SCT"}, set()),
    ("a local unit", {"RXE-5": "mg^mg^99LOC"}, {"UNIT_UNMAPPED"}),
    ("a unit with a wrong alternate", {"RXE-5": "mg^^UCUM^g^^UCUM"}, {"DOSE_CONFLICT"}),
    ("words alone", {"RXE-3": "", "RXE-5": "", "TQ1": ""}, {"DOSE_TEXT_ONLY"}),
    ("neither words nor dose", {"RXE-3": "", "RXE-5": "", "RXE-7": ""}, {"DOSE_MISSING"}),
    ("a dose without its timing", {"RXE-7": "", "TQ1": ""}, {"DOSE_MISSING"}),
    ("the dose again", {"TQ1-2": "10^mg&milligram&UCUM"}, set()),
    ("the dose again with a nought", {"TQ1-2": "10.0^mg&milligram&UCUM"}, set()),
    ("another dose", {"TQ1-2": "20^mg&milligram&UCUM"}, {"DOSE_CONFLICT"}),
    ("another unit of dose", {"TQ1-2": "10^g&gram&UCUM"}, {"DOSE_CONFLICT"}),
    ("one of it", {"TQ1-2": "1"}, set()),
    ("two of it", {"TQ1-2": "2"}, {"DOSE_CONFLICT"}),
    ("a second text", {"TQ1-11": "with food"}, {"SECOND_TEXT"}),
    ("a give rate", {"RXE-23": "5", "RXE-24": "mL/h"}, {"FIELD_NOT_UNDERSTOOD", "UNIT_UNMAPPED"}),
    # the timing
    ("minutes", {"TQ1-3": "Q3M"}, set()),
    ("months", {"TQ1-3": "Q3L"}, set()),
    ("a weekday", {"TQ1-3": "Q1J1"}, set()),
    ("a Latin abbreviation", {"TQ1-3": "BD"}, {"TIMING_UNMAPPED"}),
    ("a phrase", {"TQ1-3": "every week"}, {"TIMING_FREE_TEXT"}),
    ("a phrase in words", {"TQ1-3": "^every week"}, {"TIMING_FREE_TEXT"}),
    ("words that contradict", {"TQ1-3": "Q1W^every two weeks^HL70335"}, {"TIMING_CONFLICT"}),
    ("a local code system", {"TQ1-3": "Q1W^every week^99LOC"}, {"TIMING_UNMAPPED"}),
    ("ORC-7 that agrees", {"ORC-7": "^Q1W^^20261019^20270405^R"}, set()),
    ("ORC-7 that differs", {"ORC-7": "^Q2W^^20261019^20270405^R"}, {"TIMING_CONFLICT"}),
    ("ORC-7 with another start", {"ORC-7": "^Q1W^^20261020^20270405^R"}, {"TIMING_CONFLICT"}),
    ("ORC-7 with another dose", {"ORC-7": "20&mg^Q1W^^20261019^20270405^R"}, {"DOSE_CONFLICT"}),
    ("RXE-1 that differs", {"RXE-1": "^Q1D"}, {"TIMING_CONFLICT"}),
    ("an end before the start", {"TQ1-8": "20261001"}, {"VALUE_INVALID"}),
    ("a date that is none", {"TQ1-7": "20261032"}, {"VALUE_INVALID"}),
    ("a range of days", {"TQ1-3": "Q1W^DW^1^3"}, {"TIMING_RANGE_AMBIGUOUS"}),
    ("one day", {"TQ1-3": "Q1W^DW^1^1"}, set()),
    ("a period that differs", {"TQ1-3": "Q1W^^^^2^wk"}, {"TIMING_CONFLICT"}),
    ("clock times", {"TQ1-3": "BID", "TQ1-4": "0800~2000"}, set()),
    ("too few clock times", {"TQ1-3": "BID", "TQ1-4": "0800"}, {"TIMING_CONFLICT"}),
    ("a condition", {"TQ1-10": "if unwell"}, {"FIELD_NOT_UNDERSTOOD"}),
    ("PRN with a condition", {"TQ1-9": "PRN", "TQ1-10": "pain"}, set()),
    ("an unknown priority", {"TQ1-9": "Q"}, {"FIELD_NOT_UNDERSTOOD"}),
    ("repeated without a join", {"+TQ1": "TQ1|2||Q1D"}, {"TIMING_JOIN_MISSING"}),
    ("a relation between services", {"+TQ2": "TQ2|1|S"}, {"FIELD_NOT_UNDERSTOOD"}),
    # route and more
    ("no RXR", {"RXR": ""}, {"SEGMENT_MISSING"}),
    ("a second route", {"+RXR": "RXR|26643006^Oral route^SCT"}, {"ROUTE_AMBIGUOUS"}),
    ("the same route again", {"+RXR": "RXR|SC"}, set()),
    ("a look-alike", {"RXR-1": "IT"}, {"ROUTE_UNMAPPED"}),
    ("a letter", {"RXR-1": "SC^Subcutaneous^HL70162"}, set()),
    ("a local route", {"RXR-1": "SC^Subcutaneous^99LOC"}, {"ROUTE_UNMAPPED"}),
    ("a local site", {"RXR-2": "LA^Left arm^99LOC"}, {"SITE_UNMAPPED"}),
    ("a local method", {"RXR-4": "CD:1"}, {"FIELD_NOT_UNDERSTOOD"}),
    ("a component", {"+RXC": "RXC|A|1^Sodium chloride^99LOC|10|mL"}, {"FIELD_NOT_UNDERSTOOD"}),
    # the supply
    ("no quantity", {"RXE-10": ""}, {"QUANTITY_MISSING"}),
    ("no unit of quantity", {"RXE-11": ""}, {"QUANTITY_MISSING"}),
    ("each", {"RXE-11": "EA"}, set()),
    ("packs", {"RXE-11": "pack"}, {"UNIT_UNMAPPED"}),
    (
        "RXO asks for more",
        {"RXO>": "RXO|99^Methotrexate^99LOC||||||||||8|3318611000001103^x^SCT"},
        {"QUANTITY_CONFLICT"},
    ),
    ("refills that disagree", {"RXE-12": "4"}, {"REPEATS_CONFLICT"}),
    ("no refills", {"RXE-12": ""}, set()),
    ("half a refill", {"RXE-12": "0.5"}, {"VALUE_INVALID"}),
    ("already dispensed", {"RXE-17": "2"}, {"REPEATS_CONFLICT"}),
    ("another interval", {"RXO>": "RXO|" + "|" * 26 + "|28"}, {"REPEATS_CONFLICT"}),
    ("substitution", {"RXE-9": "G"}, {"SUBSTITUTION_NOT_CARRIED"}),
    ("review wanted", {"RXE-20": "Y"}, set()),
    # homecare
    ("no ZHC", {"ZHC": ""}, set()),
    ("two ZHC", {"+ZHC": "ZHC|2|VNE51^Example Homecare Ltd^ODS"}, {"STRUCTURE_INVALID", "FIELD_NOT_UNDERSTOOD"}),
    ("a provider without ODS", {"ZHC-2": "Example Homecare"}, {"PROVIDER_UNKNOWN"}),
    ("another provider in RXE-40", {"RXE-40": "VNCEL^x^ODS"}, {"PROVIDER_UNKNOWN"}),
    ("an unknown tier", {"ZHC-3": "XX"}, {"FIELD_NOT_UNDERSTOOD"}),
    ("an unknown place", {"ZHC-9": "BOAT"}, {"FIELD_NOT_UNDERSTOOD"}),
    ("a later ZHC field", {"ZHC-21": "x"}, {"FIELD_NOT_UNDERSTOOD"}),
    # the rest
    ("an unknown segment", {"+ZXX": "ZXX|1|x"}, set()),
    ("a note", {"+NTE": "NTE|1||Keep in the fridge"}, set()),
    ("no known allergy beside one", {"+AL1": "AL1|2||716186003^No known allergy^SCT"}, {"FIELD_NOT_UNDERSTOOD"}),
    ("no allergy said", {"AL1": ""}, set()),
    ("a signature of no known form", {"+OBX": "OBX|2|ED|HCSIG||^x^y^Base64^AA==|||||||F"}, {"SIGNATURE_INVALID"}),
    ("enclosed data", {"+OBX": "OBX|2|ED|SCAN||^x^y^Base64^AA==|||||||F"}, {"FIELD_NOT_UNDERSTOOD"}),
    ("a stated age", {"+OBX": "OBX|2|NM|30525-0^Age^LN||8|a^years^UCUM|||||F"}, set()),
    ("a preliminary weight", {"OBX-11": "P"}, set()),
    ("a weight without unit", {"OBX-6": ""}, {"UNIT_UNMAPPED"}),
    ("two RXE", {"+RXE": "RXE||325427002^Prednisolone^SCT|1"}, {"STRUCTURE_INVALID", "FIELD_NOT_UNDERSTOOD"}),
]


@pytest.mark.parametrize(("changes", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_one_change_gives_its_issues(changes: dict[str, str], expected: set[str]) -> None:
    reading = read(edited(golden("S01"), changes))
    assert codes(reading) == expected
    assert reading.unaccounted == ()
    found = tuple(issues(reading))
    assert all(issue.location for issue in found)
    if reading.orders and reading.orders[0].change is None and not refused(found) and not held(found):
        assert reading.orders[0].prescription is not None


def test_line_feeds_are_tolerated_and_told() -> None:
    sent = submission(golden("S01"))
    reading = message.read(replace(sent, body=sent.body.replace(b"\r", b"\r\n")), CONTEXT)
    assert codes(reading) == {"LINE_ENDINGS_NORMALISED"}


def test_a_mapped_phrase_is_read_after_folding_case_and_spaces() -> None:
    entry = CodeEntry(kind="timing", code="Every  Week", target=Coding(system="HL70335", code="Q1W"))
    reading = read(edited(golden("S01"), {"TQ1-3": "every week"}), with_codes(entry))
    assert codes(reading) == set()
    assert reading.orders[0].prescription == read(golden("S01")).orders[0].prescription


def test_a_mapped_drug_is_read_and_its_words_are_part_of_the_key() -> None:
    target = Coding(system=SNOMED, code="15517911000001104")
    entry = CodeEntry(kind="drug", code="M10", text="Methotrexate pen", system="99LOC", target=target)
    context = with_codes(entry)
    assert "DRUG_LOCAL_UNMAPPED" not in codes(
        read(edited(golden("S01"), {"RXE-2": "M10^Methotrexate pen^99LOC"}), context)
    )
    changed = read(edited(golden("S01"), {"RXE-2": "M10^Methotrexate vial^99LOC"}), context)
    assert codes(changed) == {"MAP_TEXT_CHANGED"}


def test_a_mapped_dangerous_unit_is_told() -> None:
    entry = CodeEntry(kind="unit", code="mcg", target=Coding(system="http://unitsofmeasure.org", code="ug"))
    assert codes(read(edited(golden("S01"), {"RXE-5": "mcg"}), with_codes(entry))) == {"UNIT_LOCAL_MAPPED"}


def test_a_profession_may_be_mapped() -> None:
    entry = CodeEntry(kind="profession", code="HCPC", target=Coding(code="1216"))
    reading = read(edited(golden("S01"), {"ORC-12": "PH123456^A^B^^^^^^HCPC"}), with_codes(entry))
    assert reading.orders[0].prescription is not None
    assert reading.orders[0].prescription.type_code == "1216"


def test_the_system_must_be_registered_where_the_trust_names_its_systems() -> None:
    assert codes(read(golden("S01"), with_trust(systems=("EPMA",)))) == set()
    assert codes(read(golden("S01"), with_trust(systems=("OTHER",)))) == {"SENDER_MISMATCH"}


def test_comments_of_the_dosing_type_are_directions() -> None:
    text = edited(golden("S01"), {"RXE-7": "", "+NTE": "NTE|1||Inject 10mg weekly|DOSING"})
    prescription = read(text, with_trust(dosing_comment_types=("DOSING",))).orders[0].prescription
    assert prescription is not None
    assert prescription.lines[0].dosages[0].text == "Inject 10mg weekly"
    assert prescription.lines[0].notes == ()


def test_every_issue_is_gathered_not_the_first() -> None:
    changes = {"PID-3": "9990000078^^^NHS^NH", "RXE-3": "1e3", "RXR-1": "IT", "ORC-12": ""}
    wanted = {"NHSNO_CHECK_DIGIT", "VALUE_INVALID", "ROUTE_UNMAPPED", "PRESCRIBER_REQUIRED"}
    assert codes(read(edited(golden("S01"), changes))) == wanted


def test_no_issue_tells_patient_data() -> None:
    text = edited(golden("S09"), {"PID-7": "19790230", "PID-8": "X"})
    for issue in issues(read(text)):
        assert "9990000078" not in issue.text
        assert "TESTPATIENT" not in issue.text
        assert "19790230" not in issue.text


def test_a_stated_age_is_carried_as_it_was_written() -> None:
    text = edited(golden("S01"), {"+OBX": "OBX|2|NM|30525-0^Age^LN||8|a^years^UCUM|||||F"})
    prescription = read(text).orders[0].prescription
    assert prescription is not None
    assert prescription.patient.stated_age == "8 years"
