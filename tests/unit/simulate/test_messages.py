"""What the simulated trusts send is what such systems send: read here by other libraries than the gateway's."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.resources import files
from random import Random

import hl7
import pytest
from lxml import etree

from gateway.domain.identifiers import PrescriptionNumber
from gateway.simulate.messages import Style, change_bytes, compose
from gateway.simulate.world import NAMES, PROFILES
from gateway.simulate.written import EXPECTED, NOT_IN_ANY_RELEASE, UNKNOWN_PROVIDER, Flaw, Written, write_prescriptions

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
V2 = (Style.V2_ENHANCED, Style.V2_ORIGINAL, Style.V2_OMP)


def prescriptions(trust: str, seed: int = 7) -> Iterator[Written]:
    profile = PROFILES[trust]
    return write_prescriptions(
        Random(seed), trust=trust, run="T", flaws=profile.flaws, providers=profile.providers, now=NOW, flawed_in=2
    )


def message(written: Written, style: Style) -> bytes:
    profile = PROFILES[written.trust]
    return compose(written, style, system=profile.system, site=profile.site, names=NAMES)


def some(trust: str, count: int = 40) -> list[Written]:
    return [written for written, _ in zip(prescriptions(trust), range(count), strict=False)]


@pytest.mark.parametrize("trust", PROFILES)
def test_equal_seeds_prescribe_equal_things(trust: str) -> None:
    assert some(trust) == some(trust)


def _misnamed(flaws: set[Flaw]) -> set[str]:
    return {UNKNOWN_PROVIDER} if Flaw.PROVIDER_UNKNOWN in flaws else set()


@pytest.mark.parametrize("trust", PROFILES)
def test_a_few_dozen_prescriptions_meet_every_flaw_and_every_provider(trust: str) -> None:
    written = some(trust)
    flaws, providers = set(PROFILES[trust].flaws), set(PROFILES[trust].providers)
    assert {one.flaw for one in written} == {Flaw.NONE} | flaws
    assert {one.provider for one in written} == providers | _misnamed(flaws)


def test_every_flaw_has_an_expected_answer() -> None:
    assert set(EXPECTED) == set(Flaw)


@pytest.mark.parametrize("style", V2)
def test_a_v2_message_says_the_same_to_another_library(style: Style) -> None:
    for written in some("RBA"):
        parsed = hl7.parse(message(written, style).decode("iso-8859-1" if style is Style.V2_ORIGINAL else "utf-8"))
        order = parsed.segment("RXO" if style is Style.V2_OMP else "RXE")
        dose, unit = (order[2], order[4]) if style is Style.V2_OMP else (order[3], order[5])
        assert str(parsed.segment("MSH")[10]) == str(written.message)
        assert str(parsed.segment("ORC")[2][0][0]) == written.key
        assert str(dose) == written.medicine.dose
        assert str(unit).partition("^")[0] == written.medicine.ucum
        assert str(parsed.segment("ZHC")[5]) == str(written.supplies)
        assert hl7.parse_datetime(str(parsed.segment("ORC")[9])) == written.authored


@pytest.mark.parametrize("written", some("RZB"), ids=lambda written: written.key)
def test_a_trust_xml_message_keeps_to_the_schema(written: Written) -> None:
    schema = etree.XMLSchema(
        etree.fromstring(files("gateway.translate").joinpath("homecare-prescription-1.0.xsd").read_bytes())
    )
    schema.assertValid(etree.fromstring(message(written, Style.XML)))


@pytest.mark.parametrize("written", some("RZC"), ids=lambda written: written.key)
def test_a_fhir_message_resolves_its_references_and_numbers(written: Written) -> None:
    bundle = json.loads(message(written, Style.FHIR))
    urls = {entry["fullUrl"] for entry in bundle["entry"]}
    request = bundle["entry"][1]["resource"]
    assert PrescriptionNumber.parse(request["groupIdentifier"]["value"]) is not None
    assert {request["subject"]["reference"], request["requester"]["reference"]} <= urls
    assert request["dispenseRequest"]["numberOfRepeatsAllowed"] == written.supplies - 1


@pytest.mark.parametrize(("trust", "style"), [("RBA", Style.V2_ENHANCED), ("RZB", Style.XML), ("RZC", Style.FHIR)])
def test_an_unknown_drug_is_the_only_thing_that_is_wrong_with_its_message(trust: str, style: Style) -> None:
    written = next(one for one in some(trust) if one.flaw is Flaw.DRUG_UNKNOWN)
    octets = message(written, style)
    assert octets.count(NOT_IN_ANY_RELEASE.encode()) == 1
    assert written.patient.nhs_number.encode() in octets


@pytest.mark.parametrize("style", Style)
def test_changed_bytes_keep_the_control_id(style: Style) -> None:
    trust = {Style.XML: "RZB", Style.FHIR: "RZC"}.get(style, "RBA")
    written = next(prescriptions(trust))
    octets = message(written, style)
    changed = change_bytes(octets)
    assert changed != octets
    assert str(written.message).encode() in changed
    assert len(changed) - len(octets) <= 1


def test_no_medicine_has_the_dose_that_contradicts_it() -> None:
    for written in some("RBA"):
        if written.flaw is Flaw.DOSE_TWICE:
            assert b"|33^" in message(written, Style.V2_ENHANCED)
            assert written.medicine.dose != "33"


@pytest.mark.parametrize("style", sorted(V2))
def test_a_message_that_nobody_checked_says_so_and_is_else_the_same(style: Style) -> None:
    written = next(one for one in prescriptions("RBA") if one.flaw is Flaw.NONE)
    checked, unchecked = (
        compose(written, style, system="EPMA", site="RBA11", names=NAMES, checked=each) for each in (True, False)
    )
    assert b"2099991^PHARMACIST" in checked
    assert b"2099991" not in unchecked
    assert len(checked.split(b"|")) == len(unchecked.split(b"|"))
