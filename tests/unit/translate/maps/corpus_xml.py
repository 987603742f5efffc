"""Trust XML messages that between them show every row of its rules."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from gateway.domain.coding import SNOMED, Coding
from gateway.domain.partner import CodeEntry
from gateway.domain.submission import Reading, WireFormat
from tests.unit.translate.maps.corpus import CONTEXT, read

XML = Path(__file__).parents[3] / "golden" / "xml"
_SYRINGE = Coding(system=SNOMED, code="3318611000001103", display="pre-filled disposable injection")

_ORGANISATION = (
    '<Organisation ods="RBA11" trustOds="RBA"><Name>Rheumatology</Name>'
    "<Address><Line>1 Hospital Road</Line><Postcode>TA1 1AA</Postcode></Address>"
    "<Contact><Phone>01632960123</Phone></Contact></Organisation>"
)
_PERSON = (
    '<Id type="GMC">9999991</Id><Name><Prefix>DR</Prefix><Given>Casey</Given><Family>PERSON</Family></Name>'
    '<Role code="R8000" system="urn:x">Consultant</Role><Contact><Email>c@example.test</Email></Contact>'
    + _ORGANISATION
)
_DOSAGE = (
    '<Dosage sequence="1"><Method code="422145002">Inject</Method>{dose}<Timing>{timing}</Timing>{prn}'
    '<Route code="34206005">Subcutaneous route</Route><Site code="818983003">Abdomen</Site>'
    '<MaxPerPeriod><Amount value="20" unit="milligram" ucum="mg"/><In value="1" unit="wk"/></MaxPerPeriod>'
    '<AdditionalInstruction code="418577003">Take at regular intervals</AdditionalInstruction>'
    "<PatientInstruction>Rotate the site</PatientInstruction></Dosage>"
)
_FIRST = (
    '<FirstSupply><Quantity value="2" unit="pre-filled disposable injection" snomed="3318611000001103"/>'
    '<Lasts value="2" unit="wk"/></FirstSupply>'
)
_BESIDE = (
    '<ControlledDrug schedule="CD4"><QuantityInWords>four</QuantityInWords></ControlledDrug>'
    '<Indication code="69896004" system="http://snomed.info/sct">RA</Indication><Note>A note</Note>'
)
_ONE_DOSE = '<Dose value="10" unit="milligram" ucum="mg"/>'
_RANGE = '<DoseRange><Low value="10" unit="milligram" ucum="mg"/><High value="15" unit="mg"/></DoseRange>'
_TIMINGS = (
    (
        '<Frequency times="1" timesMax="2" period="1" periodMax="2" unit="wk"/><TimeOfDay>08:00:00</TimeOfDay>'
        '<AdministerOver value="10" unit="min"/><For value="24" unit="wk"/><Doses>6</Doses>'
    ),
    '<Frequency times="1" period="1" unit="d"/><When offsetMinutes="30">AC</When>',
    "<OnDate>2026-10-19</OnDate>",
)


def _xml_texts() -> Iterator[str]:
    new = (XML / "example-new.xml").read_text()
    yield new
    yield (XML / "example-cancel.xml").read_text()
    dosage = re.search(r"<Dosage .*?</Dosage>", new, re.DOTALL)
    assert dosage
    for timing in _TIMINGS:
        for dose, prn in ((_ONE_DOSE, ""), (_RANGE, '<AsRequired><For code="22253000">Pain</For></AsRequired>')):
            yield new.replace(dosage[0], _DOSAGE.format(dose=dose, timing=timing, prn=prn))
    yield new.replace(dosage[0], "")
    product = re.search(r"<Product .*?</Product>", new)
    assert product
    yield new.replace(product[0], '<Product dmd="15517911000001104"/>')
    yield new.replace("<Timing>", "<Timing>").replace("</Timing>", "</Timing><AsRequired/>")
    for element in ("Prescriber", "By"):
        yield re.sub(f"<{element}>.*?</{element}>", f"<{element}>{_PERSON}</{element}>", new, count=1, flags=re.DOTALL)
    yield new.replace("</Prescriber>", f"</Prescriber><ResponsibleConsultant>{_PERSON}</ResponsibleConsultant>")
    cancel = (XML / "example-cancel.xml").read_text()
    yield re.sub("<RequestedBy>.*?</RequestedBy>", f"<RequestedBy>{_PERSON}</RequestedBy>", cancel, flags=re.DOTALL)
    yield _full(new)
    yield new.replace(' status="01"', "").replace('<Funding scheme="trust"/>', '<Funding scheme="icb" contract="C1"/>')
    signature = '<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/>'
    yield new.replace("</PrescriptionMessage>", f"{signature}</PrescriptionMessage>")
    yield new.replace("<Sender ods", '<Sender xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ods').replace(
        'schemaVersion="1.0"',
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:x a.xsd" schemaVersion="1.0"',
    )


def _full(new: str) -> str:
    """Give the example with every optional element of the item and of the service."""
    place = "<Address><Line>1 Work Road</Line><Postcode>TA1 1AA</Postcode></Address>"
    changes = (
        ("<TrustGroupNumber>", "<ShortId>A0548B-A99968-451485</ShortId><TrustGroupNumber>"),
        ('level="VMP"', 'level="VMP" brandRequired="true"'),
        (
            "</DaysPerSupply>",
            "</DaysPerSupply>" + _FIRST,
        ),
        (
            "</Supply>",
            "</Supply>" + _BESIDE,
        ),
        ("<PurchaseOrder>", '<PurchaseOrder line="2">'),
        ('<Funding scheme="trust"/>', '<Funding scheme="trust" contract="C1" approvalReference="A1"/>'),
        ("</Place>", f"</Place>{place}"),
        ("</ColdChain>", "</ColdChain><ContactBefore>true</ContactBefore>"),
        ('<Ancillary quantity="1">', '<Ancillary code="SB1" quantity="1">'),
        ("<ConsentToShare", '<NurseService kind="training" visits="2"/><ConsentToShare'),
        ("</Contact>", '</Contact><GpPractice ods="B81001"/>'),
        ("</Substance>", '</Substance><Reaction code="271807003" system="http://snomed.info/sct">Rash</Reaction>'),
        ("</Homecare>", "</Homecare><Note>For the whole prescription</Note>"),
        ('unit="kilogram" ucum="kg"', 'unit="kg"'),
    )
    for old, to in changes:
        assert old in new, old
        new = new.replace(old, to, 1)
    replaces = "<Replaces>2c9f2f3e-5d0b-4d6a-8a54-0f6f2d1b7999</Replaces>"
    return re.sub(r"(<Validity [^>]*/>)", rf"\1{replaces}", new)


def xml() -> Iterator[Reading]:
    """Give every reading in the trust XML."""
    for text in _xml_texts():
        yield read(WireFormat.XML, text.encode())
    entry = CodeEntry(kind="unit", code="PFS", text="PFS", target=_SYRINGE)
    trust = replace(CONTEXT.trust, codes=(entry,))
    text = (XML / "example-new.xml").read_text()
    text = text.replace('unit="pre-filled disposable injection" snomed="3318611000001103"', 'unit="PFS"')
    yield read(WireFormat.XML, text.encode(), replace(CONTEXT, trust=trust))
