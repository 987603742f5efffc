"""People of the console: who was let in, and roles that two people gave a third until a date."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.domain.identifiers import OdsCode, derived_id
from gateway.domain.person import Grant
from tests.contract.store_engines import REFUSED, TRUST, Exchange

OTHER = OdsCode("RCB")


def wanted(exchange: Exchange, key: str = "a", *, tenant: OdsCode | None = TRUST) -> Grant:
    now = exchange.clock.now()
    return Grant(
        id=derived_id("grant", key),
        name="1234@id",
        person="Perry Pharmacist",
        role="map-approver",
        tenant=tenant,
        reason="Covers for leave.",
        by="charlie@id",
        second_by="olu@id",
        at=now,
        until=now + timedelta(days=14),
    )


async def test_whoever_is_let_in_is_known_by_role_and_organisation(exchange: Exchange) -> None:
    first = exchange.clock.now()
    for role, tenant in (("homecare-pharmacist", TRUST), ("chief-pharmacist", TRUST), ("auditor", None)):
        await exchange.store.let_in("1234@id", person="Perry", role=role, tenant=tenant, now=exchange.clock.now())
    await exchange.store.let_in("9@id", person="Robin", role="prescriber", tenant=OTHER, now=exchange.clock.now())
    exchange.clock.move(minutes=5)
    later = exchange.clock.now()
    await exchange.store.let_in(
        "1234@id", person="Perry Pharmacist", role="homecare-pharmacist", tenant=TRUST, now=later
    )
    seen = {(one.name, one.role): one for one in await exchange.enquiries.people(tenant=TRUST)}
    assert set(seen) == {("1234@id", "homecare-pharmacist"), ("1234@id", "chief-pharmacist")}
    again = seen["1234@id", "homecare-pharmacist"]
    assert (again.person, again.first_at, again.last_at, again.tenant) == ("Perry Pharmacist", first, later, TRUST)
    assert len(await exchange.enquiries.people(tenant=None)) == 4
    assert len(await exchange.enquiries.people(tenant=None, limit=2)) == 2
    assert "Perry" not in repr(again)


async def test_a_role_that_is_given_can_be_taken_until_its_date(exchange: Exchange) -> None:
    one = wanted(exchange)
    assert await exchange.store.grant(one) == ()
    assert await exchange.store.grant(one) == ()
    assert await exchange.enquiries.granted_to("1234@id", now=exchange.clock.now()) == (one,)
    assert await exchange.enquiries.granted_to("9@id", now=exchange.clock.now()) == ()
    (view,) = await exchange.enquiries.grants(tenant=TRUST, now=exchange.clock.now())
    assert view.grant == one
    assert view.in_force(exchange.clock.now())
    assert await exchange.enquiries.grants(tenant=OTHER, now=exchange.clock.now()) == ()
    assert await exchange.enquiries.granted_to("1234@id", now=one.until) == ()
    assert len(await exchange.enquiries.grants(tenant=TRUST, now=one.until)) == 1
    assert await exchange.enquiries.grants(tenant=TRUST, now=one.until + timedelta(days=91)) == ()


async def test_a_grant_ends_early_once_and_says_by_whom(exchange: Exchange) -> None:
    one = wanted(exchange)
    await exchange.store.grant(one)

    async def end(by: str, tenant: OdsCode | None) -> tuple[str, ...]:
        now = exchange.clock.now()
        return await exchange.store.end_grant(one.id, by=by, reason="Back from leave.", tenant=tenant, now=now)

    assert await end("charlie@id", OTHER) == ("There is no such role.",)
    exchange.clock.move(minutes=1)
    assert await end("charlie@id", TRUST) == ()
    assert await exchange.enquiries.granted_to("1234@id", now=exchange.clock.now()) == ()
    assert await end("olu@id", TRUST) == ("charlie@id has ended it already.",)
    (view,) = await exchange.enquiries.grants(tenant=TRUST, now=exchange.clock.now())
    assert (view.ended_by, view.ended_at) == ("charlie@id", exchange.clock.now())


async def test_a_grant_that_ended_by_itself_is_not_ended_again(exchange: Exchange) -> None:
    one = wanted(exchange)
    await exchange.store.grant(one)
    (reason,) = await exchange.store.end_grant(one.id, by="x", reason="late", tenant=TRUST, now=one.until)
    assert "by itself" in reason


@pytest.mark.parametrize("change", [{"by": "1234@ID"}, {"second_by": " 1234@id"}])
async def test_nobody_gives_a_role_to_themselves(exchange: Exchange, change: dict[str, str]) -> None:
    (reason,) = await exchange.store.grant(replace(wanted(exchange), **change))
    assert "themselves" in reason
    assert await exchange.enquiries.grants(tenant=None, now=exchange.clock.now()) == ()


async def test_a_grant_lasts_a_year_at_most_and_not_into_the_past(exchange: Exchange) -> None:
    one = wanted(exchange)
    assert await exchange.store.grant(replace(one, until=one.at + timedelta(days=400)))
    assert await exchange.store.grant(replace(one, until=one.at))


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM local_grant",
        "UPDATE local_grant SET until = until + 1",
        "UPDATE local_grant SET role = 'operator'",
        "UPDATE local_grant SET second_by = proposed_by",
        "DELETE FROM person",
    ],
)
async def test_the_database_itself_keeps_what_was_given(exchange: Exchange, statement: str) -> None:
    one = wanted(exchange)
    await exchange.store.grant(one)
    await exchange.store.let_in("1234@id", person="Perry", role="x", tenant=None, now=one.at)
    with pytest.raises(REFUSED):
        exchange.opened.rows(statement)
    assert await exchange.enquiries.granted_to("1234@id", now=one.at) == (one,)
