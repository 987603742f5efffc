import json
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from gateway.wire import strict_json
from gateway.wire.fhir_xml import FhirXml, FhirXmlError

SHARED = Path(__file__).parents[3] / "../shared/eps-examples"
CODEC = FhirXml(json.loads((resources.files("fhir_profiles") / "r4-4.0.1.json").read_text()))

CASES: dict[str, dict[str, Any]] = {
    "a decimal keeps its lexeme": {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "weight"},
        "valueQuantity": {"value": Decimal("72.50"), "unit": "kg"},
    },
    "false and nought are values": {
        "resourceType": "MedicationRequest",
        "dispenseRequest": {"numberOfRepeatsAllowed": 0},
        "substitution": {"allowedBoolean": False},
    },
    "companions of an array": {
        "resourceType": "Patient",
        "name": [{"given": ["A", None, "C"], "_given": [None, {"id": "b"}, None]}],
    },
    "extensions on a primitive": {
        "resourceType": "Patient",
        "birthDate": "1979-04-12",
        "_birthDate": {"extension": [{"url": "https://example.nhs.uk/t", "valueDateTime": "1979-04-12T01:00:00Z"}]},
    },
    "contained and nested resources": {
        "resourceType": "Bundle",
        "type": "message",
        "entry": [
            {
                "fullUrl": "urn:uuid:1",
                "resource": {
                    "resourceType": "MedicationRequest",
                    "contained": [{"resourceType": "Organization", "id": "o", "name": "x"}],
                    "dispenseRequest": {"performer": {"reference": "#o"}},
                },
            }
        ],
    },
    "characters that XML escapes": {"resourceType": "Patient", "name": [{"text": 'a & b < "c"\n é'}]},
    "a narrative": {
        "resourceType": "Patient",
        "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml"><p>x &amp; y</p></div>'},
    },
}


@pytest.mark.parametrize("name", CASES)
def test_json_to_xml_and_back_is_the_same_resource(name: str) -> None:
    resource = CASES[name]
    again = CODEC.to_json(CODEC.to_xml(resource))
    assert again == resource
    assert strict_json.dumps(again) == strict_json.dumps(resource)


@pytest.mark.skipif(not SHARED.exists(), reason="the published EPS examples are not beside this checkout")
def test_published_homecare_messages_survive_the_round_trip() -> None:
    tried = 0
    for path in sorted(SHARED.glob("homecare/**/*.json")):
        resource = strict_json.loads(path.read_bytes())
        assert isinstance(resource, dict)
        assert CODEC.to_json(CODEC.to_xml(resource)) == resource, path.name
        tried += 1
    assert tried > 20


def patient(inner: str) -> bytes:
    return f'<Patient xmlns="http://hl7.org/fhir">{inner}</Patient>'.encode()


WRONG = "STRUCTURE_INVALID"
BAD = {
    "a DOCTYPE": (b'<!DOCTYPE x><Patient xmlns="http://hl7.org/fhir"/>', "UNREADABLE", "byte 0"),
    "an entity": (b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e "v">]>' + patient("&e;"), "UNREADABLE", "byte 21"),
    "UTF-16": (patient("").decode().encode("utf-16"), "CHARSET_INVALID", "byte 0"),
    "UTF-16 without a mark": (patient("").decode().encode("utf-16-le"), "CHARSET_INVALID", "byte 1"),
    "another encoding declared": (b"<?xml version='1.0' encoding='UTF-7'?>" + patient(""), "CHARSET_INVALID", ""),
    "broken XML": (b"<Patient", "UNREADABLE", ""),
    "another namespace": (b'<Patient xmlns="urn:x"/>', WRONG, "Patient"),
    "another namespace inside": (patient('<gender xmlns="urn:x" value="male"/>'), WRONG, "Patient.gender"),
    "a narrative of FHIR": (patient('<text><status value="empty"/><div/></text>'), WRONG, "Patient.text.div"),
    "an unknown element": (patient('<nickname value="x"/>'), WRONG, "Patient.nickname"),
    "a single element twice": (patient('<id value="a"/><id value="b"/>'), WRONG, "Patient.id[1]"),
    "text between elements": (patient('x<gender value="male"/>'), WRONG, "Patient"),
    "text inside a value": (patient('<gender value="male">x</gender>'), WRONG, "Patient.gender"),
    "an instruction inside a value": (patient('<gender value="male"><?x?></gender>'), WRONG, "Patient.gender"),
    "an instruction in a container": (
        b'<Bundle xmlns="http://hl7.org/fhir"><entry><resource><?x?></resource></entry></Bundle>',
        WRONG,
        "Bundle.entry[0].resource",
    ),
    "a style sheet": (b'<?xml-stylesheet href="http://127.0.0.1/"?>' + patient(""), WRONG, "Patient"),
    "an element that says nothing": (patient("<gender/>"), WRONG, "Patient.gender"),
    "a boolean that is neither": (patient('<active value="1"/>'), WRONG, "Patient.active"),
    "a number of 5,000 digits": (
        patient(f'<multipleBirthInteger value="{"9" * 5000}"/>'),
        WRONG,
        "Patient.multipleBirthInteger",
    ),
    "minus nought": (
        patient('<extension url="u"><valueDecimal value="-0.0"/></extension>'),
        WRONG,
        "Patient.extension[0].valueDecimal",
    ),
    "an id as an attribute of a resource": (b'<Patient id="a" xmlns="http://hl7.org/fhir"/>', WRONG, "Patient"),
    "a schema to fetch": (
        (
            b'<Patient xmlns="http://hl7.org/fhir" xmlns:i="http://www.w3.org/2001/XMLSchema-instance" '
            b'i:schemaLocation="http://hl7.org/fhir http://127.0.0.1/"/>'
        ),
        WRONG,
        "Patient",
    ),
    "a resource not served": (b'<Basic xmlns="http://hl7.org/fhir"/>', WRONG, "Basic"),
    "a datatype for a resource": (b'<HumanName xmlns="http://hl7.org/fhir"/>', WRONG, "HumanName"),
    "an element deep in a Bundle": (
        (
            b'<Bundle xmlns="http://hl7.org/fhir"><entry><resource><Patient/></resource></entry><entry><resource><Patient>'
            b'<name><given value="a"/><given valu="b"/></name></Patient></resource></entry></Bundle>'
        ),
        WRONG,
        "Bundle.entry[1].resource.name[0].given[1]",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_xml_that_could_be_misread_is_refused_at_its_place(name: str) -> None:
    body, code, location = BAD[name]
    with pytest.raises(FhirXmlError) as refused:
        CODEC.to_json(body)
    assert (refused.value.code, refused.value.location) == (code, location)
