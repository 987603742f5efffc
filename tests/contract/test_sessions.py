"""Sessions of the console: what the store keeps of them, on each engine."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gateway.domain.identifiers import derived_id
from gateway.domain.person import Grant
from gateway.domain.session import KeptSession, Why
from tests.contract.store_engines import REFUSED, TRUST, Exchange

CANCEL = "/console/prescriptions/1/cancel"


def digest(number: int) -> str:
    return f"{number:064x}"


def kept(exchange: Exchange, number: int = 1, **change: Any) -> KeptSession:
    now = exchange.clock.now()
    one = KeptSession(digest=digest(number), name="perry", who='{"person":"Perry"}', opened_at=now, seen_at=now)
    return replace(one, **change)


async def found(exchange: Exchange, number: int = 1) -> KeptSession:
    session = await exchange.enquiries.session(digest(number))
    assert session is not None
    return session


async def test_a_session_is_found_by_its_digest_as_it_was_opened(exchange: Exchange) -> None:
    one = kept(exchange, notice="Come in.")
    assert await exchange.store.open_session(one, alone=True) == ""
    assert await found(exchange) == one
    assert await exchange.enquiries.session(digest(2)) is None
    assert "Perry" not in repr(one)
    assert one.digest not in repr(one)


async def test_who_is_alone_ends_the_others_of_the_same_name_and_nobody_else(exchange: Exchange) -> None:
    for number, name in ((1, "perry"), (2, "robin"), (3, "perry")):
        await exchange.store.open_session(kept(exchange, number, name=name), alone=name == "robin")
    assert (await found(exchange, 1)).why is None
    await exchange.store.open_session(kept(exchange, 4), alone=True)
    assert [(await found(exchange, number)).why for number in (1, 2, 3, 4)] == [
        Why.ELSEWHERE,
        None,
        Why.ELSEWHERE,
        None,
    ]


async def test_that_its_person_asked_is_kept_and_time_never_goes_back(exchange: Exchange) -> None:
    await exchange.store.open_session(kept(exchange), alone=True)
    begun = exchange.clock.now()
    later = exchange.clock.move(minutes=5)
    await exchange.store.see_session(digest(1), now=later)
    await exchange.store.see_session(digest(1), now=begun)
    assert (await found(exchange)).seen_at == later


async def test_a_session_ends_once_and_keeps_its_first_reason(exchange: Exchange) -> None:
    await exchange.store.open_session(kept(exchange, notice="Not for anybody else."), alone=True)
    at = exchange.clock.move(minutes=1)
    await exchange.store.end_session(digest(1), why=Why.LEFT, now=at)
    assert await exchange.store.end_sessions("perry", why=Why.POST, now=exchange.clock.move(minutes=1)) == 0
    await exchange.store.see_session(digest(1), now=exchange.clock.now())
    await exchange.store.say_next(digest(1), notice="Too late.")
    session = await found(exchange)
    assert (session.why, session.ended_at, session.notice) == (Why.LEFT, at, "")
    assert session.seen_at < at


async def test_the_end_of_a_granted_role_ends_every_session_of_its_owner_in_one_step(exchange: Exchange) -> None:
    now = exchange.clock.now()
    grant = Grant(
        id=derived_id("grant", "a"),
        name="perry",
        person="Perry",
        role="map-approver",
        tenant=TRUST,
        reason="Covers for leave.",
        by="charlie@id",
        second_by="olu@id",
        at=now,
        until=now + timedelta(days=14),
    )
    assert await exchange.store.grant(grant) == ()
    for number, name in ((1, "perry"), (2, "perry"), (3, "robin")):
        await exchange.store.open_session(kept(exchange, number, name=name), alone=False)
    assert await exchange.store.end_grant(grant.id, by="c@id", reason="Back.", tenant=TRUST, now=now) == ()
    assert [(await found(exchange, number)).why for number in (1, 2, 3)] == [Why.POST, Why.POST, None]


async def test_an_order_to_end_sessions_counts_once(exchange: Exchange) -> None:
    await exchange.store.open_session(kept(exchange), alone=True)
    now = exchange.clock.now()
    assert await exchange.store.end_sessions("perry", why=Why.ISSUER, now=now, order="jti-1") == 1
    await exchange.store.open_session(kept(exchange, 2), alone=True)
    assert await exchange.store.end_sessions("perry", why=Why.ISSUER, now=now, order="jti-1") is None
    assert (await found(exchange, 2)).why is None
    assert await exchange.store.end_sessions("perry", why=Why.ISSUER, now=now, order="jti-2") == 1


async def test_a_form_is_used_once_in_each_session_and_says_where_it_led(exchange: Exchange) -> None:
    for number in (1, 2):
        await exchange.store.open_session(kept(exchange, number), alone=False)
    now = exchange.clock.now()
    uses = [exchange.store.use_form(digest(1), "token", now=now) for _ in range(4)]
    assert sorted(await asyncio.gather(*uses)) == [False, False, False, True]
    assert await exchange.enquiries.led_to(digest(1), "token") == ""
    assert await exchange.enquiries.is_used(digest(1), "token")
    assert not await exchange.enquiries.is_used(digest(2), "token")
    await exchange.store.say_next(digest(1), notice="Done.", token="token", path="/console/x")
    assert await exchange.enquiries.led_to(digest(1), "token") == "/console/x"
    assert await exchange.enquiries.led_to(digest(2), "token") == ""
    assert await exchange.store.use_form(digest(2), "token", now=now)
    assert (await found(exchange)).notice == "Done."


async def test_a_notice_is_forgotten_when_it_was_said_and_a_newer_one_is_not(exchange: Exchange) -> None:
    await exchange.store.open_session(kept(exchange, notice="First."), alone=True)
    await exchange.store.say_next(digest(1), notice="Second.")
    await exchange.store.said(digest(1), notice="First.")
    assert (await found(exchange)).notice == "Second."
    await exchange.store.said(digest(1), notice="Second.")
    assert (await found(exchange)).notice == ""


async def test_searches_are_their_own_session_s_bounded_and_end_with_it(exchange: Exchange) -> None:
    for number in (1, 2):
        await exchange.store.open_session(kept(exchange, number), alone=False)
    for number in range(40):
        now = exchange.clock.move(seconds=1)
        await exchange.store.keep_search(digest(1), f"key {number}", f"sought {number}", now=now)
    assert await exchange.enquiries.sought(digest(1), "key 39") == "sought 39"
    assert await exchange.enquiries.sought(digest(1), "key 8") == "sought 8"
    assert await exchange.enquiries.sought(digest(1), "key 7") is None
    assert await exchange.enquiries.sought(digest(2), "key 39") is None
    await exchange.store.keep_search(digest(1), "key 39", "sought later", now=exchange.clock.now())
    assert await exchange.enquiries.sought(digest(1), "key 39") == "sought later"
    await exchange.store.end_session(digest(1), why=Why.LEFT, now=exchange.clock.now())
    assert await exchange.enquiries.sought(digest(1), "key 39") is None


async def test_what_was_typed_waits_for_the_next_session_of_the_same_person(exchange: Exchange) -> None:
    now = exchange.clock.now()
    await exchange.store.keep_form("perry", CANCEL, '{"reason":["a"]}', now=now)
    await exchange.store.keep_form("perry", CANCEL, '{"reason":["b"]}', now=exchange.clock.move(seconds=1))
    assert await exchange.store.open_session(kept(exchange, 1, name="robin"), alone=True) == ""
    assert await exchange.store.open_session(kept(exchange, 2, path="/console/"), alone=False) == ""  # picks a role yet
    assert await exchange.store.open_session(kept(exchange, 3), alone=True) == CANCEL
    assert (await found(exchange, 1)).typed == {}
    assert (await found(exchange, 3)).typed == {CANCEL: '{"reason":["b"]}'}
    await exchange.store.forget_form("perry", CANCEL)
    assert (await found(exchange, 3)).typed == {}


async def test_what_one_session_was_given_another_is_not_led_to(exchange: Exchange) -> None:
    await exchange.store.keep_form("perry", CANCEL, "{}", now=exchange.clock.now())
    assert await exchange.store.open_session(kept(exchange, 1), alone=True) == CANCEL
    assert await exchange.store.open_session(kept(exchange, 2), alone=True) == ""
    await exchange.store.keep_form("perry", "/console/b", "{}", now=exchange.clock.move(seconds=1), digest=digest(2))
    assert list((await found(exchange, 2)).typed) == ["/console/b"]


async def test_of_one_person_four_forms_are_kept_the_newest(exchange: Exchange) -> None:
    for page in range(6):
        await exchange.store.keep_form("perry", f"/console/{page}", "{}", now=exchange.clock.move(seconds=1))
    assert await exchange.store.open_session(kept(exchange), alone=True) == "/console/5"
    assert list((await found(exchange)).typed) == [f"/console/{page}" for page in (2, 3, 4, 5)]


async def test_what_is_old_is_forgotten_by_whoever_comes_in_next(exchange: Exchange) -> None:
    now = exchange.clock.now()
    await exchange.store.open_session(kept(exchange), alone=True)
    await exchange.store.use_form(digest(1), "token", now=now)
    await exchange.store.keep_search(digest(1), "key", "sought", now=now)
    await exchange.store.keep_form("robin", CANCEL, "{}", now=now)
    exchange.clock.move(hours=12, seconds=1)
    assert await exchange.store.open_session(kept(exchange, 2, name="robin"), alone=True) == ""
    assert await exchange.enquiries.sought(digest(1), "key") == "sought"
    exchange.clock.move(hours=12)
    await exchange.store.open_session(kept(exchange, 3, name="robin"), alone=True)
    assert await exchange.enquiries.session(digest(1)) is None
    assert await exchange.enquiries.sought(digest(1), "key") is None
    for table in ("console_once", "console_search", "console_form"):
        assert exchange.opened.rows(f"SELECT count(*) FROM {table}") == [(0,)]  # noqa: S608 - of the three above


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE console_session SET ended_at = NULL, why = ''",
        "UPDATE console_session SET who = 'somebody else'",
        "UPDATE console_session SET name = 'robin'",
        "UPDATE console_session SET why = ''",
    ],
)
async def test_nobody_brings_back_a_session_that_has_ended_or_makes_it_another_s(exchange: Exchange, sql: str) -> None:
    await exchange.store.open_session(kept(exchange), alone=True)
    await exchange.store.end_session(digest(1), why=Why.LEFT, now=exchange.clock.now())
    with pytest.raises(REFUSED):
        exchange.opened.raw.execute(sql)
