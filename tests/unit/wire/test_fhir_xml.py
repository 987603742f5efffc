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


BAD = {
    "a DOCTYPE": b'<!DOCTYPE x><Patient xmlns="http://hl7.org/fhir"/>',
    "an entity": b'<!DOCTYPE x [<!ENTITY e "v">]><Patient xmlns="http://hl7.org/fhir"><id value="&e;"/></Patient>',
    "another namespace": b'<Patient xmlns="urn:x"/>',
    "an unknown element": b'<Patient xmlns="http://hl7.org/fhir"><nickname value="x"/></Patient>',
    "a single element twice": b'<Patient xmlns="http://hl7.org/fhir"><id value="a"/><id value="b"/></Patient>',
    "text between elements": b'<Patient xmlns="http://hl7.org/fhir">x<gender value="male"/></Patient>',
    "a boolean that is neither": b'<Patient xmlns="http://hl7.org/fhir"><active value="1"/></Patient>',
    "broken XML": b"<Patient",
    "a resource not served": b'<Basic xmlns="http://hl7.org/fhir"/>',
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_xml_that_could_be_misread_is_refused(name: str) -> None:
    with pytest.raises(FhirXmlError):
        CODEC.to_json(BAD[name])
