"""I3 and I7 a second time: the tables themselves keep who has an open line and until when, and whose word ends it.

What got past the tables all the same, by a hand that took their rules away, the watch and the books still find.
"""

from datetime import timedelta

import pytest

from gateway.destination import Taken
from gateway.domain.custody import CUSTODY
from gateway.domain.lifecycle import LineState
from gateway.watch import Watch
from tests.contract.store_engines import PROVIDER, REFUSED, Exchange, Raw, RawSqlite, make_acceptance, make_incomplete

WITH_A_PROVIDER = [
    LineState.SENT,
    LineState.UNCERTAIN,
    LineState.WITH_PROVIDER,
    LineState.ACCEPTED,
    LineState.VALIDATED,
    LineState.QUERIED,
    LineState.IN_SUPPLY,
    LineState.PART_SUPPLIED,
]
PLACES = [(state, None) for state in WITH_A_PROVIDER] + [
    (LineState.ON_HOLD, state) for state in WITH_A_PROVIDER if state not in {LineState.SENT, LineState.UNCERTAIN}
]
"""Where a line is its provider's: the state, and the one beneath where it is on hold there."""
_MOVE = """
INSERT INTO event (line, at, event, actor, state_before, state_after, moved, epoch, reason_code, reason, amount, unit,
    text) SELECT id, 0, ?, ?, state, ?, 1, 1, '', '', '', '', '' FROM line
"""
_CONFIRM = """
INSERT INTO cancel (line, submission, tenant, order_number, order_assigner, state, reason_code, reason, asked_at,
    ended_at) SELECT id, 1, 'RBA', '', '', 'CONFIRMED', '', '', 0, 0 FROM line
"""


def refused(raw: Raw, sql: str, *values: str) -> str:
    """Give the words in which the database refuses a statement; empty where it obeys. Undone either way."""
    raw.execute("BEGIN")
    try:
        raw.execute(sql, values)
    except REFUSED as error:
        return str(error)
    finally:
        raw.execute("ROLLBACK")
    return ""


def put(raw: Raw, state: LineState, before: LineState | None = None) -> None:
    """Put the one line where no arrow need lead, by taking the rule away that asks for one."""
    without(raw, "line_follows_history", "line")
    values = (state, before, CUSTODY[state].holder)
    raw.execute("UPDATE line SET state = ?, state_before = ?, holder = ?, act_by = 0", values)


def without(raw: Raw, rule: str, table: str) -> None:
    """Take one of the database's rules away, as whoever owns the tables can."""
    raw.execute(f"DROP TRIGGER {rule}" if isinstance(raw, RawSqlite) else f"DROP TRIGGER {rule} ON {table}")


async def sweep(exchange: Exchange) -> int:
    return await Watch(enquiries=exchange.enquiries, store=exchange.store, clock=exchange.clock).sweep()


async def faults(exchange: Exchange) -> list[str]:
    books = await exchange.enquiries.ledger(day=None, now=exchange.clock.now())
    return [fault.what for fault in books.faults]


@pytest.mark.parametrize("edit", ["act_by = NULL", "holder = 'nobody'", "act_by = NULL, holder = 'nobody'"])
async def test_an_open_line_keeps_its_holder_and_its_deadline(exchange: Exchange, edit: str) -> None:
    await exchange.store.accept(make_acceptance("A"))
    raw = exchange.opened.raw
    assert "has a holder and a deadline" in refused(raw, f"UPDATE line SET {edit}")  # noqa: S608 - constants
    assert not refused(raw, "UPDATE line SET act_by = 1, holder = 'trust'")


@pytest.mark.parametrize(("state", "before"), PLACES)
async def test_what_a_provider_has_is_cancelled_by_its_word_alone(
    exchange: Exchange, state: LineState, before: LineState | None
) -> None:
    await exchange.store.accept(make_acceptance("A"))
    raw = exchange.opened.raw
    put(raw, state, before)
    ours = refused(raw, _MOVE, "cancel_confirmed", "GW", "CANCELLED")
    assert "its provider's to confirm" in ours
    assert not refused(raw, _MOVE, "cancel_confirmed", "PS", "CANCELLED")


@pytest.mark.parametrize(("state", "before"), PLACES)
async def test_a_change_takes_the_place_of_what_its_provider_gave_up_alone(
    exchange: Exchange, state: LineState, before: LineState | None
) -> None:
    await exchange.store.accept(make_acceptance("A"))
    raw = exchange.opened.raw
    put(raw, state, before)
    assert "waits for the cancel" in refused(raw, _MOVE, "replaced", "TP", "SUPERSEDED")
    raw.execute(_CONFIRM)
    assert not refused(raw, _MOVE, "replaced", "TP", "SUPERSEDED")


async def test_what_is_on_hold_here_is_ours_to_cancel_and_to_replace(exchange: Exchange) -> None:
    await exchange.store.accept(make_acceptance("A"))
    raw = exchange.opened.raw
    put(raw, LineState.ON_HOLD, LineState.READY)
    assert not refused(raw, _MOVE, "cancel_confirmed", "GW", "CANCELLED")
    assert not refused(raw, _MOVE, "replaced", "TP", "SUPERSEDED")


@pytest.mark.parametrize(
    ("by", "reason"),
    [
        ("\t", "Rung."),
        ("anna", "\n\r"),
        ("anna", "\u00a0\u0085 "),
        (" ", "Rung."),
        ("anna", " "),
        ("", "Rung."),
        ("anna", ""),
    ],
)
async def test_an_alert_is_closed_in_words(exchange: Exchange, by: str, reason: str) -> None:
    await exchange.store.accept(make_acceptance("A", make_incomplete("A")))
    close = "UPDATE alert SET closed_at = 1, closed_by = ?, close_reason = ?"
    assert "only a person closes an alert" in refused(exchange.opened.raw, close, by, reason)
    assert not refused(exchange.opened.raw, close, "anna", "Rung.")


async def test_a_line_without_a_deadline_is_found_by_the_watch_and_by_the_books(exchange: Exchange) -> None:
    await exchange.store.accept(make_acceptance("A", make_incomplete("A")))
    await exchange.store.accept(make_acceptance("B"))
    assert (await sweep(exchange), await faults(exchange)) == (0, [])
    raw = exchange.opened.raw
    without(raw, "line_is_kept", "line")
    raw.execute("UPDATE line SET act_by = NULL WHERE state = 'READY'")
    assert await faults(exchange) == ["open, and without a holder or a deadline"]
    assert await sweep(exchange) == 1
    assert await sweep(exchange) == 0
    alert = next(one for one in await exchange.enquiries.open_alerts(tenant=None, limit=10) if one.kind == "books-out")
    said = (
        "and without a deadline: nobody would have been told. It is a fault of the gateway; look at the line by hand."
    )
    assert alert.text.endswith(said)
    await exchange.store.close_alert(alert.id, by="anna", reason="Seen.", now=exchange.clock.move(minutes=1))
    assert await sweep(exchange) == 1
    alert = next(one for one in await exchange.enquiries.open_alerts(tenant=None, limit=10) if one.kind == "books-out")
    assert (
        alert.text
        == f"Ready to send since 5 Oct 2026, 10:15:00, {said} An alert of this was closed, and it is still so."
    )


async def test_what_has_ended_or_was_all_supplied_needs_no_deadline(exchange: Exchange) -> None:
    await exchange.store.accept(make_acceptance("A"))
    raw = exchange.opened.raw
    without(raw, "line_follows_history", "line")
    for state, custody in CUSTODY.items():
        if custody.limit_seconds is None:
            raw.execute("UPDATE line SET state = ?, holder = 'nobody', act_by = NULL", (state,))
            assert await sweep(exchange) == 0, state


async def test_a_confirmed_cancel_of_a_line_that_goes_on_is_out_of_balance(exchange: Exchange) -> None:
    await exchange.store.accept(make_acceptance("A"))
    claim = await exchange.send()
    now = exchange.clock.now() + timedelta(seconds=1)
    await exchange.store.record(claim, Taken(evidence=b""), now=now, retry_at=None)
    assert await faults(exchange) == []
    exchange.opened.raw.execute(_CONFIRM)
    assert await faults(exchange) == ["its cancel confirmed, and still open"]
    assert PROVIDER.value in exchange.opened.rows("SELECT provider FROM line")[0]
