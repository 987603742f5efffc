"""Destination choice; prescriptions come from the factory beside the other tests."""

import pytest

from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import Issue
from gateway.domain.partner import Environment, Provider
from gateway.domain.prescription import Homecare
from gateway.domain.routing import RouteRow, RoutingTable, choose_destination
from tests.factories import prescription

RBA = OdsCode("RBA")
ONE, TWO, GONE, LIVE = OdsCode("VNE51"), OdsCode("VNCEL"), OdsCode("VGONE"), OdsCode("VLIVE")


def provider(ods: OdsCode, *, active: bool = True, environment: Environment = Environment.TEST) -> Provider:
    return Provider(
        ods=ods, name=str(ods), environment=environment, adapter="sandbox", endpoint="http://127.0.0.1", active=active
    )


PROVIDERS = {
    ONE: provider(ONE),
    TWO: provider(TWO),
    GONE: provider(GONE, active=False),
    LIVE: provider(LIVE, environment=Environment.LIVE),
}


def choose(homecare: Homecare, *rows: RouteRow) -> Provider | Issue:
    return choose_destination(
        prescription(homecare=homecare),
        RBA,
        Environment.TEST,
        RoutingTable(rows=rows, providers=PROVIDERS),
        location="ZHC[1]-2",
    )


def chosen(homecare: Homecare, *rows: RouteRow) -> OdsCode:
    result = choose(homecare, *rows)
    assert isinstance(result, Provider)
    return result.ods


def test_a_provider_the_sender_names_is_taken_and_the_table_is_not_asked() -> None:
    assert chosen(Homecare(provider=TWO), RouteRow(provider=ONE, trust=RBA)) == TWO


@pytest.mark.parametrize("ods", [GONE, LIVE, OdsCode("VNONE")], ids=["inactive", "of the live environment", "unknown"])
def test_a_named_provider_that_cannot_be_used_is_a_hold_and_never_replaced(ods: OdsCode) -> None:
    result = choose(Homecare(provider=ods), RouteRow(provider=ONE))
    assert isinstance(result, Issue)
    assert (result.code, result.location) == ("PROVIDER_UNKNOWN", "ZHC[1]-2")


def test_the_scheme_outweighs_the_trust() -> None:
    rows = (RouteRow(provider=ONE, trust=RBA), RouteRow(provider=TWO, scheme="manufacturer"))
    assert chosen(Homecare(funding="manufacturer"), *rows) == TWO
    assert chosen(Homecare(funding="trust"), *rows) == ONE


def test_a_product_row_must_cover_every_line() -> None:
    code = prescription().lines[0].product.code.value
    assert chosen(Homecare(), RouteRow(provider=ONE), RouteRow(provider=TWO, product=code)) == TWO
    assert chosen(Homecare(), RouteRow(provider=ONE), RouteRow(provider=TWO, product="317972000")) == ONE


def test_a_registration_prefix_routes_to_the_provider_that_registered_the_patient() -> None:
    row = RouteRow(provider=TWO, registration_prefix="HCREG-")
    assert chosen(Homecare(registration="HCREG-5521"), RouteRow(provider=ONE), row) == TWO


def test_equal_routes_to_different_providers_are_a_hold() -> None:
    result = choose(Homecare(), RouteRow(provider=ONE), RouteRow(provider=TWO))
    assert isinstance(result, Issue)


def test_no_route_is_a_hold() -> None:
    assert isinstance(choose(Homecare()), Issue)
