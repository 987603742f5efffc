"""What is configured of a provider, and who may see which part of it."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from gateway.console.board.provider_facts import facts
from gateway.domain.identifiers import OdsCode
from tests.contract.store_engines import PROVIDER, TRUST
from tests.unit.console.test_providers import BOOK, NEXT, OTHER


@pytest.mark.parametrize(
    ("tenant", "seen"), [(None, {PROVIDER, NEXT}), (TRUST, {PROVIDER, NEXT}), (PROVIDER, {PROVIDER}), (NEXT, {NEXT})]
)
def test_a_provider_sees_itself_and_anybody_else_all(tenant: OdsCode | None, seen: set[OdsCode]) -> None:
    assert {one.ods for one in BOOK.shown_to(tenant)} == seen
    assert (BOOK.find("VNE51", tenant) is not None) == (PROVIDER in seen)
    assert BOOK.find("VNXXX", tenant) is None


@pytest.mark.parametrize(
    ("tenant", "trusts"), [(None, {TRUST, OTHER}), (PROVIDER, {TRUST, OTHER}), (TRUST, {TRUST}), (OTHER, {OTHER})]
)
def test_a_trust_sees_no_other_trust_s_route(tenant: OdsCode | None, trusts: set[OdsCode]) -> None:
    assert {row.trust for row in BOOK.routes_to(PROVIDER, tenant)} == trusts


def test_what_a_supply_needs_is_said_with_whose_word_it_is() -> None:
    one = BOOK.providers[NEXT]
    for lead, said in (
        (None, "Not stated by it. We assume 5 days, as for every provider that has not stated it."),
        (timedelta(days=1), "1 day, as the provider's file states."),
    ):
        told = dict(facts(replace(one, lead_time=lead), BOOK, None, {}, date(2026, 10, 5)))
        assert told["Time that a supply needs"] == [said]


def test_what_is_not_stated_is_said_to_be_not_stated() -> None:
    told = dict(facts(BOOK.providers[NEXT], BOOK, None, {}, date(2026, 10, 5)))
    assert told["Telephone"] == ["Not stated in the configuration"]
    assert told["Out of hours"] == ["01632 960109"]
    assert "Not active: nothing new is routed to it." in told["Channel"]
    assert told["Routes"] == ["product 24590211000001100"]
    assert told["Trusts with a route to it"] == ["None by name"]
