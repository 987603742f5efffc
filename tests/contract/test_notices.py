"""Notices are written before they are sent, told once whoever looks, and end once; on every engine."""

import asyncio
from datetime import timedelta

import pytest

from gateway.domain.escalation import Rung
from gateway.domain.identifiers import OdsCode
from gateway.domain.notice import Channel, NoticeKind, NoticeState, Outgoing
from gateway.ports.notices import Addressed, Attempted, Step, Summary
from gateway.store.sql.instants import stored
from tests.contract.store_engines import REFUSED, TRUST, Exchange, make_acceptance

OTHER = OdsCode("RZA")
PERRY = Addressed(person="Perry Pharmacist", channel=Channel.MAIL)
HOOK = Addressed(person="Perry Pharmacist", channel=Channel.WEBHOOK)


async def an_alert(exchange: Exchange, kind: str = "line-rejected", *, name: str = "A") -> int:
    acceptance = make_acceptance(name)
    await exchange.store.accept(acceptance)
    what = acceptance.orders[0].prescription
    assert what is not None
    now = exchange.clock.now()
    line = what.lines[0].id
    assert await exchange.store.open_alert(kind=kind, subject=str(line), line_id=line, now=now, text="Look.")
    return max(one.alert for one in await exchange.enquiries.unattended(now=now))


def step(*alerts: int, rung: Rung = Rung.OWNER, last: bool = False, gap: timedelta = timedelta(0)) -> Step:
    return Step(circle="RBA", rung=rung, alerts=[(alert, last) for alert in alerts], to=(PERRY, HOOK), gap=gap)


async def tell(exchange: Exchange, what: Step) -> int:
    return await exchange.store.tell_step(what, now=exchange.clock.now())


async def claim(exchange: Exchange, channel: Channel = Channel.MAIL, worker: str = "one") -> tuple[Outgoing, ...]:
    return await exchange.store.claim_notices(
        channel, worker=worker, now=exchange.clock.now(), lease_seconds=60, limit=10
    )


async def test_an_open_alert_is_unattended_until_its_ladder_ends(exchange: Exchange) -> None:
    alert = await an_alert(exchange)
    assert await tell(exchange, step(alert)) == 1
    (found,) = await exchange.enquiries.unattended(now=exchange.clock.now())
    assert (found.kind, found.tenant, found.prescription) == ("line-rejected", TRUST, True)
    assert [(told.rung, told.at) for told in found.told] == [(Rung.OWNER, exchange.clock.now())]
    assert await tell(exchange, step(alert, rung=Rung.CHIEF, last=True)) == 1
    assert await exchange.enquiries.unattended(now=exchange.clock.now()) == ()


async def test_each_rung_is_told_once_however_many_look(exchange: Exchange) -> None:
    alert = await an_alert(exchange)
    told = await asyncio.gather(*(tell(exchange, step(alert)) for _ in range(8)))
    assert sorted(told) == [0] * 7 + [1]
    assert len(await claim(exchange)) == 1


async def test_what_comes_within_the_gap_is_told_together(exchange: Exchange) -> None:
    first, second = await an_alert(exchange, name="A"), await an_alert(exchange, name="B")
    gap = timedelta(minutes=5)
    assert await tell(exchange, step(first, gap=gap)) == 1
    exchange.clock.move(minutes=4)
    assert await tell(exchange, step(second, gap=gap)) == 0
    exchange.clock.move(minutes=2)
    assert await tell(exchange, step(first, second, gap=gap)) == 1
    notices = await claim(exchange)
    assert [one.words.path for one in notices] == [f"/console/work/{first}", f"/console/work/{second}"]


@pytest.mark.parametrize("how", ["taken", "put off", "closed"])
async def test_nobody_is_told_of_what_somebody_has_seen_to(exchange: Exchange, how: str) -> None:
    alert = await an_alert(exchange)
    assert await tell(exchange, step(alert)) == 1
    statement = {
        "taken": "UPDATE alert SET taken_by = 'p.first', taken_at = 1",
        "put off": "UPDATE alert SET snoozed_until = 1152921504606846976",
        "closed": "",
    }[how]
    if statement:
        exchange.opened.rows(statement)
    else:
        assert await exchange.store.close_alert(alert, by="p.first", reason="Done.", now=exchange.clock.now())
    assert await exchange.enquiries.unattended(now=exchange.clock.now()) == ()
    assert await tell(exchange, step(alert, rung=Rung.DEPUTY)) == 0
    if how != "put off":
        assert await claim(exchange) == ()
        assert exchange.opened.rows("SELECT state FROM notice WHERE channel = 'mail'") == [("dropped",)]


async def test_what_was_put_off_comes_back_by_itself(exchange: Exchange) -> None:
    await an_alert(exchange)
    until = exchange.clock.now() + timedelta(hours=1)
    exchange.opened.rows("UPDATE alert SET snoozed_until = ?", (stored(until),))
    assert await exchange.enquiries.unattended(now=exchange.clock.now()) == ()
    exchange.clock.move(hours=1)
    (found,) = await exchange.enquiries.unattended(now=exchange.clock.now())
    assert found.opened_at == until


async def test_one_node_sends_each_notice_and_a_lost_lease_is_due_again_under_the_same_id(exchange: Exchange) -> None:
    await tell(exchange, step(await an_alert(exchange)))
    both = await asyncio.gather(claim(exchange, worker="one"), claim(exchange, worker="two"))
    ((first,),) = [found for found in both if found]
    assert first.attempt == 1
    exchange.clock.move(seconds=61)
    (again,) = await claim(exchange, worker="three")
    assert (again.id, again.attempt) == (first.id, 2)
    sent = Attempted(state=NoticeState.SENT, said="taken")
    assert not await exchange.store.record_notice(first, sent, now=exchange.clock.now())
    assert await exchange.store.record_notice(again, sent, now=exchange.clock.now())
    assert await claim(exchange) == ()


async def test_channels_do_not_wait_for_one_another(exchange: Exchange) -> None:
    await tell(exchange, step(await an_alert(exchange)))
    assert len(await claim(exchange, Channel.WEBHOOK)) == 1
    assert len(await claim(exchange, Channel.MAIL)) == 1


async def test_what_does_not_leave_is_tried_again_when_it_is_due_and_opens_one_alert(exchange: Exchange) -> None:
    await tell(exchange, step(await an_alert(exchange)))
    for _ in range(3):
        (notice,) = await claim(exchange)
        later = Attempted(
            state=NoticeState.DUE,
            said="SMTPConnectError",
            retry_at=exchange.clock.now() + timedelta(minutes=1),
            alarm="Notices by mail do not leave.",
        )
        assert await exchange.store.record_notice(notice, later, now=exchange.clock.now())
        assert await claim(exchange) == ()
        exchange.clock.move(minutes=1)
    kinds = await exchange.alert_kinds()
    assert kinds.count("notice-not-delivered") == 1
    counts = await exchange.enquiries.notice_counts(now=exchange.clock.now())
    assert (counts.waiting, counts.spent) == (2, 0)
    (notice,) = await claim(exchange)
    spent = Attempted(state=NoticeState.SPENT, said="550", alarm="Refused.")
    await exchange.store.record_notice(notice, spent, now=exchange.clock.now())
    assert (await exchange.enquiries.notice_counts(now=exchange.clock.now())).spent == 1


async def test_a_digest_is_written_once_for_its_day(exchange: Exchange) -> None:
    daily = Summary(kind=NoticeKind.DAILY, circle="RBA", tenant=TRUST, occasion="2026-11-23", to=(PERRY,))
    assert not await exchange.store.tell_summary(daily, now=exchange.clock.now())
    await an_alert(exchange)
    told = await asyncio.gather(
        *(exchange.store.tell_summary(daily, now=exchange.clock.now()) for _ in range(4)),
    )
    assert sorted(told) == [False, False, False, True]
    (notice,) = await claim(exchange)
    assert notice.words.text.startswith("1 item is open this morning")


async def test_a_weekly_digest_is_written_also_when_nothing_is_open(exchange: Exchange) -> None:
    weekly = Summary(
        kind=NoticeKind.WEEKLY, circle="gateway", tenant=None, occasion="2026-W48", to=(PERRY,), even_if_none=True
    )
    assert await exchange.store.tell_summary(weekly, now=exchange.clock.now())
    standing = await exchange.enquiries.standing_of(None, now=exchange.clock.now())
    assert (standing.still_open, standing.closed, standing.oldest) == (0, 0, None)


async def test_a_digest_counts_one_trust_s_own(exchange: Exchange) -> None:
    alert = await an_alert(exchange)
    await an_alert(exchange, name="B")
    await exchange.store.close_alert(alert, by="p", reason="Done.", now=exchange.clock.now())
    own = await exchange.enquiries.standing_of(TRUST, now=exchange.clock.now())
    assert (own.still_open, own.untaken, own.closed) == (1, 1, 1)
    assert (await exchange.enquiries.standing_of(OTHER, now=exchange.clock.now())).still_open == 0


async def test_who_was_told_is_shown_to_those_who_may_see_the_alert(exchange: Exchange) -> None:
    alert = await an_alert(exchange)
    await tell(exchange, step(alert))
    (notice,) = await claim(exchange)
    await exchange.store.record_notice(
        notice, Attempted(state=NoticeState.SENT, said="taken"), now=exchange.clock.now()
    )
    for tenant in (None, TRUST):
        found = await exchange.enquiries.notices_of(alert, tenant=tenant)
        assert [(one.person, one.channel, one.state) for one in found] == [
            ("Perry Pharmacist", Channel.MAIL, NoticeState.SENT),
            ("Perry Pharmacist", Channel.WEBHOOK, NoticeState.DUE),
        ]
    assert await exchange.enquiries.notices_of(alert, tenant=OTHER) == ()


async def test_the_record_of_who_was_told_cannot_be_changed(exchange: Exchange) -> None:
    await tell(exchange, step(await an_alert(exchange)))
    (notice,) = await claim(exchange)
    await exchange.store.record_notice(notice, Attempted(state=NoticeState.SENT, said="x"), now=exchange.clock.now())
    for statement in (
        "DELETE FROM told",
        "UPDATE told SET rung = 'deputy'",
        "DELETE FROM notice",
        "UPDATE notice SET person = 'Somebody else'",
        "UPDATE notice SET said = 'y' WHERE channel = 'mail'",
        "UPDATE notice SET words = 'y' WHERE channel = 'webhook'",
    ):
        with pytest.raises(REFUSED):
            exchange.opened.rows(statement)
