"""What ships in `fhir_profiles` is what its sources compile to."""

import json
import os
import tomllib
from pathlib import Path

import pytest

from fhir_profiles import compile_r4, manifest
from gateway.config.profiles import load_definitions, load_r4_table
from gateway.validate.fhir.profile import compile_profiles

ROOT = Path(__file__).parents[4]
# Read when the module is imported: every test starts with an empty environment.
DEFINITIONS = Path(os.environ.get("GATEWAY_DEFINITIONS", ROOT / "build/definitions"))


@pytest.mark.skipif(
    not (DEFINITIONS / "profiles-types.json").exists(), reason="the official R4 definitions are not at hand"
)
def test_the_table_is_what_the_official_definitions_compile_to() -> None:
    assert compile_r4.text_of(compile_r4.compile_folder(DEFINITIONS)) == compile_r4.TARGET.read_text()


def test_the_manifest_lists_every_file_as_it_is() -> None:
    assert manifest.TARGET.read_text() == manifest.text()
    listed = tomllib.loads(manifest.TARGET.read_text())["file"]
    assert len(listed) == len(list(manifest.FOLDER.rglob("*.json")))


def test_every_definition_has_its_own_url_and_says_where_it_comes_from() -> None:
    definitions = load_definitions()
    assert len({one["url"] for one in definitions}) == len(definitions)
    assert all(one["description"] and one["version"] and one["status"] == "active" for one in definitions)


def test_every_profile_is_compiled() -> None:
    profiles = compile_profiles(load_r4_table(), load_definitions())
    assert set(profiles.names) == {
        one["url"] for one in load_definitions() if one["resourceType"] == "StructureDefinition"
    }


PROFILE = {
    "resourceType": "StructureDefinition",
    "id": "x",
    "url": "urn:x",
    "type": "Patient",
    "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
}


@pytest.mark.parametrize(
    ("element", "said"),
    [
        ({"id": "Patient.nickname", "min": 1}, "no element nickname"),
        ({"id": "Patient.gender", "maxLength": 3}, "maxLength"),
        ({"id": "Patient.gender", "binding": {"strength": "required", "valueSet": "urn:none"}}, "no value set"),
        ({"id": "Patient.gender", "binding": {"strength": "example", "valueSet": "urn:none"}}, "strength example"),
        ({"id": "Patient.name", "constraint": [{"key": "own-1"}]}, "own-1"),
        ({"id": "Patient.managingOrganization", "type": [{"code": "Reference", "profile": ["urn:none"]}]}, "urn:none"),
    ],
)
def test_a_profile_that_says_what_cannot_be_checked_is_refused(element: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        compile_profiles(load_r4_table(), [{**PROFILE, "differential": {"element": [element]}}])


def test_the_table_is_compact_enough_to_load_at_once() -> None:
    assert len(json.dumps(load_r4_table())) < 2_000_000
