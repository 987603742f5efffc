"""HL7 v2 messages that between them show every row of its rules, besides the golden ones."""

from collections.abc import Iterator, Mapping

from gateway.domain.coding import SNOMED, UCUM, Coding
from gateway.domain.partner import CodeEntry
from gateway.domain.submission import Reading
from tests.hl7v2_orders import GOLDEN, edited, golden, read, with_codes, with_trust

_MG = Coding(system=UCUM, code="mg", display="milligram")
_ROUTE = Coding(system=SNOMED, code="34206005", display="Subcutaneous route")
_SITE = Coding(system=SNOMED, code="818983003", display="Abdomen")
_METHOD = Coding(system=SNOMED, code="422145002", display="Inject")
_DRUG = Coding(system=SNOMED, code="15517911000001104", display="Methotrexate 10mg/0.2ml")
_HEAD = "NTE|1||Dose in words here|DOSE"

_PLAIN: tuple[Mapping[str, str], ...] = (
    {},
    # The patient, the people and the places.
    {
        "PID-3": "9990000077^^^NHS^NH~HC100001^^^RBA^MR~X1^^^RBA^PI",
        "PID-5": "TESTPATIENT^Aoife^Mary^JR^MS^^L~OLDNAME^Aoife^^^^^M",
        "PID-11": "1 Example Street^^Testville^Testshire^TA1 1AA^GBR^H~2 Old Street^^^^TA1 1AB^^BA",
        "PID-14": "^WPN^PH^^^^01632960123",
        "PID-15": "cy^Welsh",
        "PID-32": "US~01",
        "PID-40": "^PRN^CP^^^^07700900124",
        "PV1-10": "410",
        "ORC-14": "^WPN^PH^^^^01632960123",
        "ORC-22": "1 Hospital Road^^Testville^^TA1 1AA^^B",
        "ORC-23": "^WPN^PH^^^^01632960125",
    },
    {"ORC-21": "", "ORC-17": "RHEUMATOLOGY^^RBA11^^^ODS"},
    {"ORC-21": ""},
    # The clinical check by whom ORC-11 names.
    {"ZHC-17": "", "ZHC-18": "", "ORC-11": "2099991^PHARMACIST^Perry^^^MR^^^GPhC"},
    # When it was written.
    {"RXE-32": ""},
    {"RXE-32": "", "ORC-9": ""},
    # Dose, rate, quantity, repeats.
    {"RXE-4": "15", "RXE-39": "2^&pre-filled disposable injection"},
    {"RXE-39": "2^3318611000001103&pre-filled disposable injection&SCT"},
    {"RXE-22": "H1", "RXE-23": "5", "RXE-24": "mg^milligram^UCUM"},
    {"RXE-12": "5"},
    {"RXE-12": "", "ZHC-5": "", "ZHC-4": ""},
    {"RXE-5": "mg"},
    {"RXE-11": "EA"},
    # Words.
    {"RXE-21": "^For the pharmacy", "+NTE": "NTE|1||A comment", "RXR-3": "^Sharps pen", "RXR-5": "^In turn"},
    {"RXE-7": "", "TQ1-11": "Inject 10mg ONCE a WEEK on a Monday"},
    {"TQ1-11": "Rotate the site of injection"},
    {"RXO>": "RXO|||||||^Rotate the site of injection"},
    {"RXE-2": "15517911000001104^^SCT"},
    {"RXE-2": "325906003^Somatropin (epr) 5mg/1.5ml solution for injection cartridges^SCT"},
    # Timing.
    {"TQ1-3": "^^^^2^wk"},
    {"TQ1-3": "Q1W^DW^1^1"},
    {"TQ1-3": "BID^^^^^^^AC"},
    {"TQ1-3": "QD", "TQ1-4": "0800"},
    {"TQ1-3": "", "TQ1-5": "1^wk"},
    {"TQ1-3": "Q1W PRN"},
    {"TQ1-6": "24^wk", "TQ1-8": ""},
    {"TQ1-6": "24^wk", "TQ1-7": "", "TQ1-8": ""},
    {"TQ1-9": "PRN", "TQ1-10": "pain", "TQ1-13": "10^min", "TQ1-14": "6"},
    {"TQ1-3": "QD~Q1W"},
    {"TQ1-3": "QD", "TQ1-12": "S", "+TQ1": "TQ1|2||Q1W|||||20261120"},
    {"RXE-3": "", "RXE-5": "", "TQ1-2": "10^mg&milligram&UCUM"},
    # Beside the order.
    {"RXE-27": "69896004^Rheumatoid arthritis^SCT", "ORC-16": "NEW^Started in clinic", "+DG1": "DG1|1||M06.9^RA^I10"},
    {"AL1": "AL1|1|DA|716186003^No known allergy^SCT"},
    {"AL1": ""},
    {"AL1": "IAM|1|DA|91936005^Allergy to penicillin^SCT|SV|Rash|A"},
    {"AL1": "IAM|1|DA|716186003^No known allergy^SCT||||A"},
    {"+OBX": "OBX|2|NM|30525-0^Age^LN||47|a^year^UCUM|||||F"},
    {"+OBX": "OBX|2|ED|HCSIG^^99HC||^application^pkcs7-signature^Base64^TUlJ||||||F|||20261005091000+0100"},
    {"+OBX": "OBX|2|CWE|27113001^Body weight^SCT||260385009^Negative^SCT||||||F|||20261001"},
    {"+OBX": "OBX|2|NM|27113001^Body weight^SCT||70|kg^kilogram^UCUM|||||P|||20261001"},
    {"RXE-43": "1 Work Road^^Testville^^TA1 1AA^^B", "ZHC-2": "", "RXE-40": "VNE51^Example Homecare^ODS"},
    {"+OBX": "OBX|2|NM|27113001^Body weight^SCT||5|kPa^kilopascal^UCUM|||||F"},
    # What is left out.
    {
        "MSH-13": "7",
        "MSH-5": "HCGATEWAY^x",
        "PID-2": "1",
        "PID-16": "M",
        "PV1-44": "20261005",
        "ORC-3": "F1",
        "ORC-8": "P1&RBA",
    },
    {"ORC-5": "IP", "ORC-10": "1^CLERK", "RXE-6": "INJ", "RXE-13": "1^SOMEONE", "RXE-16": "3", "RXE-19": "10^mg"},
    {"RXE-36": "1", "RXE-2": "15517911000001104^Methotrexate 10mg/0.2ml^SCT^^^^2026-10", "PID-19": '""'},
    {"RXR-1": "34206005^Subcutaneous route^SCT^^^^2026", "+NTE": "NTE|1|P|A comment|RE"},
    {"ORC-2": "RX7001^RBA^1.2.3^ISO"},
)

_RXO = (
    "RXO|15517911000001104^Methotrexate 10mg/0.2ml solution for injection pre-filled syringes^SCT|10||mg^milligram^UCUM"
)
_REQUESTED: tuple[Mapping[str, str], ...] = (
    {"RXO-6": "^Inject 10mg ONCE a WEEK"},
    {"RXO-3": "15", "RXO-5": "INJ", "RXO-7": "^Inject 10mg ONCE a WEEK", "RXO-6": "^Ring the ward"},
    {"RXO-14": "1^SOMEONE", "RXO-20": "69896004^RA^SCT", "RXO-28": "28", "RXO-32": "VNE51^Example^ODS"},
    {"RXO-17": "H1", "RXO-21": "5", "RXO-22": "mg^milligram^UCUM", "RXO-35": "1 Work Road^^^^TA1 1AA^^B"},
    {"RXO-1": "15517911000001104^Methotrexate 10mg/0.2ml^SCT^^^^2026", "RXO-13": "5"},
    {"RXO-28": "4^wk", "ZHC-4": ""},
)


def _requested() -> Iterator[Reading]:
    base = edited(golden("S01"), {"RXE": _RXO, "ZHC-5": "", "ZHC-2": "", "ZHC-4": ""})
    base = edited(base, {"RXO-11": "4", "RXO-12": "3318611000001103^pre-filled disposable injection^SCT"})
    base = base.replace("ORC|NW|RX7001^RBA||GRP7001^RBA|||||", "ORC|NW|RX7001^RBA||A0548B-A99968-451485|||||")
    for change in _REQUESTED:
        yield read(edited(base, change))


def _quantities_in_timing() -> Iterator[Reading]:
    """Give orders of the older form, whose timing stands in RXE-1 or ORC-7."""
    tq = "10&mg^Q1W^W4^20261019^20261115^R^^Rotate the site"
    prn = "^QD^D7^^^PRN^pain^^^^^6"
    for place, other in (("RXE-1", "ORC-7"), ("ORC-7", "RXE-1")):
        for said in (tq, prn, "10&mg^Q1W^^^^R^^Inject 10mg once a week"):
            yield read(edited(golden("S03"), {place: said, other: "", "RXE-3": "", "RXE-5": "", "RXE-7": ""}))
        yield read(edited(golden("S03"), {place: tq, other: "", "RXE-7": "^Inject 10mg ONCE a WEEK"}))
        yield read(edited(golden("S03"), {place: "^Q1W^W4^^^R", other: ""}))


def _by_settings() -> Iterator[Reading]:
    """Give what is read only by the trust's own settings and entries."""
    consultant = "C9999991^CONSULTANT^Casey^^^DR^^^GMC"
    for number in (8, 9):
        text = edited(golden("S01"), {f"PV1-{number}": consultant})
        yield read(text, with_trust(consultant_field=f"PV1-{number}"))
    yield read(edited(golden("S01"), {"RXE-7": "", "+NTE": _HEAD}), with_trust(dosing_comment_types=("DOSE",)))
    yield read(edited(golden("S01"), {"+NTE": _HEAD}), with_trust(dosing_comment_types=("DOSE",)))
    entries = (
        CodeEntry(kind="drug", code="MTX10", text="Methotrexate 10mg/0.2ml", target=_DRUG),
        CodeEntry(kind="unit", code="MGS", target=_MG),
        CodeEntry(kind="route", code="SUBCUT", target=_ROUTE),
        CodeEntry(kind="site", code="TUM", target=_SITE),
        CodeEntry(kind="method", code="INJ", target=_METHOD),
        CodeEntry(kind="profession", code="HCPC", target=Coding(system="x", code="1214", display="-")),
    )
    local = {"RXE-2": "MTX10^Methotrexate 10mg/0.2ml^99LOC", "RXE-5": "MGS", "RXR-1": "SUBCUT", "RXR-2": "TUM"}
    person = {"RXR-4": "INJ", "ORC-12": "PH12345^PRESCRIBER^Casey^^^DR^^^HCPC"}
    yield read(edited(golden("S01"), {**local, **person}), with_codes(*entries))
    requested = edited(golden("S01"), {"RXE": _RXO, "RXO-1": "MTX10^Methotrexate 10mg/0.2ml^99LOC", "ZHC-5": ""})
    yield read(requested, with_codes(*entries))
    yield read(edited(golden("S01"), {"RXR-1": "SC", "RXR-2": "818983003^Abdomen^SCT"}), with_codes())


def _with_people() -> str:
    """Give the golden order with its people in PRT, as version 2.9 names them."""
    people = {"MSH-12": "2.9", "ORC-12": "", "ORC-21": "", "ZHC-17": "", "ZHC-18": ""}
    lines = edited(golden("S01"), people).strip("\n").split("\n")
    at = next(index for index, line in enumerate(lines) if line.startswith("ORC")) + 1
    prescriber = "9999991^PRESCRIBER^Casey^^^DR^^^GMC|||RHEUMATOLOGY^^RBA11^^^ODS"
    reached = "1 Hospital Road^^Testville^^TA1 1AA^^B|^WPN^PH^^^^01632960123"
    pharmacist = "2099991^PHARMACIST^Perry^^^MR^^^GPhC"
    parts = [
        f"PRT|1|AD||OP|{prescriber}||||||{reached}",
        f"PRT|2|AD||VP|{pharmacist}||||||20261005085500+0100",
        "PRT|3|AD||EP|77^CLERK^Chris",
    ]
    return "\n".join([*lines[:at], *parts, *lines[at:]]) + "\n"


def _placed() -> Iterator[Reading]:
    """Give segments that stand at a place of their own."""
    lines = golden("S01").strip("\n").split("\n")
    early = [*lines[:2], "PD1||F|Example Surgery^^B81001^^^ODS", "NTE|1||About the patient", *lines[2:]]
    yield read("\n".join([lines[0], "SFT|Example|1", *early[1:]]) + "\n")
    yield read(_with_people())
    yield read(golden("S12"))


def hl7v2() -> Iterator[Reading]:
    """Give every reading in HL7 v2."""
    for file in sorted(GOLDEN.glob("*.hl7")):
        yield read(golden(file.stem))
    for change in _PLAIN:
        yield read(edited(golden("S01"), change))
    yield from _requested()
    yield from _quantities_in_timing()
    yield from _by_settings()
    yield from _placed()
