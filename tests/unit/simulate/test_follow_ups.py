"""What a trust sends after its order is read here by other libraries than the gateway's."""

import json
from datetime import UTC, datetime
from random import Random

import hl7
import pytest
from lxml import etree

from gateway.simulate.follow_ups import Deed, FollowUp, compose_follow_up
from gateway.simulate.messages import V2, Style
from gateway.simulate.world import NAMES, PROFILES
from gateway.simulate.written import Flaw, Written, write_prescriptions

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
CONTROLS = {Deed.CANCEL: "CA", Deed.HOLD: "HD", Deed.RELEASE: "RL", Deed.CHANGE: "XO"}
STATUSES = {Deed.CANCEL: "cancelled", Deed.HOLD: "on-hold", Deed.RELEASE: "active"}
ASKS = tuple(STATUSES)
"""What every format can ask; the others only HL7 v2 says."""


def written(trust: str) -> Written:
    return next(
        write_prescriptions(
            Random(7), trust=trust, run="T", flaws=(Flaw.NONE,), providers=("VNE51",), now=NOW, flawed_in=1
        )
    )


def message(trust: str, style: Style, deed: Deed) -> tuple[FollowUp, bytes]:
    profile = PROFILES[trust]
    one = FollowUp(deed=deed, written=written(trust))
    return one, compose_follow_up(one, style, system=profile.system, site=profile.site, names=NAMES, at=NOW)


@pytest.mark.parametrize("deed", CONTROLS)
@pytest.mark.parametrize("style", sorted(V2))
def test_a_v2_follow_up_names_the_order_and_what_is_done_with_it(style: Style, deed: Deed) -> None:
    one, body = message("RBA", style, deed)
    parsed = hl7.parse(body.decode("iso-8859-1" if style is Style.V2_ORIGINAL else "utf-8"))
    assert str(parsed.segment("MSH")[10]) == str(one.message)
    assert str(parsed.segment("ORC")[1]) == CONTROLS[deed]
    assert str(parsed.segment("ORC")[2]).startswith(one.written.key)
    assert one.written.patient.nhs_number in str(parsed.segment("PID")[3])


@pytest.mark.parametrize("deed", ASKS)
def test_an_xml_follow_up_is_valid_and_names_the_item(deed: Deed) -> None:
    one, body = message("RZB", Style.XML, deed)
    root = etree.fromstring(body)
    name = {"t": "urn:x-homecare-gateway:trust-prescription:1"}
    assert root.get("messageId") == str(one.message)
    assert root.findtext("t:Header/t:Action", namespaces=name) == deed.value
    assert root.findtext("t:Change/t:ItemId", namespaces=name) == str(one.written.item)


@pytest.mark.parametrize("deed", ASKS)
def test_a_fhir_follow_up_states_the_status_that_is_wanted(deed: Deed) -> None:
    one, body = message("RZC", Style.FHIR, deed)
    bundle = json.loads(body)
    header, request = (entry["resource"] for entry in bundle["entry"][:2])
    assert bundle["identifier"]["value"] == str(one.message)
    assert header["reason"]["coding"][0]["code"] == deed.value
    assert request["status"] == STATUSES[deed]
    assert request["identifier"][0]["value"] == str(one.written.item)
    assert ("coding" in request["statusReason"]) is (deed is Deed.CANCEL)


def test_equal_follow_ups_have_equal_control_ids_and_others_have_others() -> None:
    ids = {FollowUp(deed=deed, written=written("RBA")).message for deed in Deed}
    assert len(ids) == len(Deed)
    assert ids == {FollowUp(deed=deed, written=written("RBA")).message for deed in Deed}


@pytest.mark.parametrize("style", sorted(V2))
def test_a_patient_who_moves_house_is_told_of_with_the_new_address(style: Style) -> None:
    one, body = message("RBA", style, Deed.MOVE)
    parsed = hl7.parse(body.decode())
    assert str(parsed.segment("MSH")[9]) == "ADT^A08^ADT_A01"
    assert one.written.patient.nhs_number in str(parsed.segment("PID")[3])
    assert str(parsed.segment("PID")[11]).startswith("2 New Close^")
    assert one.written.patient.house not in body.decode()


@pytest.mark.parametrize("deed", [Deed.CHANGE, Deed.MOVE])
@pytest.mark.parametrize("style", [Style.XML, Style.FHIR])
def test_only_v2_orders_are_changed_and_only_v2_tells_of_a_patient(style: Style, deed: Deed) -> None:
    with pytest.raises(ValueError, match="HL7 v2"):
        message("RZB", style, deed)
