"""Notices outside the console: see `gateway.ports.notices`.

Who was handed an item has not taken it: only taking it stops the ladder. That a rung was told of an alert is one row,
written with the notices themselves: however many nodes look, each rung is told once. What is claimed is looked at again
first, so that nobody is told of what somebody has taken meanwhile.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from gateway.domain.escalation import Rung, Told, Unattended
from gateway.domain.identifiers import OdsCode
from gateway.domain.notice import (
    Channel,
    Item,
    NoticeKind,
    NoticeState,
    Outgoing,
    Standing,
    Words,
    daily_words,
    step_words,
    weekly_words,
)
from gateway.ports.notices import (
    Addressed,
    Attempted,
    NoticeCounts,
    NoticeView,
    Step,
    Summary,
)
from gateway.store.sql.alerts import open_alert
from gateway.store.sql.instants import instant, stored
from gateway.store.sql.leaves import append_leaf
from gateway.store.sql.transaction import Reader, Transaction

NOT_DELIVERED: Final = "notice-not-delivered"
"""Kind of the alert when a notice does not leave."""
_WEEK: Final = timedelta(days=7)

_UNATTENDED = """
SELECT id, kind, tenant, CASE WHEN snoozed_until > opened_at THEN snoozed_until ELSE opened_at END, line IS NOT NULL
FROM alert WHERE closed_at IS NULL AND id > :after AND taken_at IS NULL
    AND (snoozed_until IS NULL OR snoozed_until <= :now)
    AND NOT EXISTS (SELECT 1 FROM told WHERE told.alert = alert.id AND told.last = 1)
ORDER BY id LIMIT :limit
"""
_TOLD = "SELECT rung, at FROM told WHERE alert = ?"
_WANTED = """
SELECT kind, line IS NOT NULL FROM alert
WHERE id = :alert AND closed_at IS NULL AND taken_at IS NULL AND (snoozed_until IS NULL OR snoozed_until <= :now)
"""
_RECENT = """
SELECT 1 FROM notice WHERE circle = :circle AND kind = 'step' AND rung = :rung AND written_at > :since LIMIT 1
"""
_TELL = """
INSERT INTO told (alert, rung, at, last, occasion) VALUES (:alert, :rung, :at, :last, :occasion)
ON CONFLICT (alert, rung) DO NOTHING
"""
_WRITE = """
INSERT INTO notice (
    uuid, kind, circle, rung, occasion, person, channel, subject, words, path, written_at, due_at, state)
VALUES (:uuid, :kind, :circle, :rung, :occasion, :person, :channel, :subject, :words, :path, :at, :at, 'due')
ON CONFLICT (circle, kind, rung, occasion, person, channel) DO NOTHING
"""
_RELEASE = """
UPDATE notice SET state = 'due', lease = NULL, lease_until = NULL
WHERE state = 'claimed' AND channel = :channel AND lease_until <= :now
"""
_DUE = """
SELECT id, uuid, kind, circle, person, subject, words, path, written_at, attempts, occasion FROM notice
WHERE state = 'due' AND channel = :channel AND due_at <= :now ORDER BY due_at, id LIMIT :limit
"""
_CLAIM = """
UPDATE notice SET state = 'claimed', lease = :lease, lease_until = :until, attempts = attempts + 1 WHERE id = :id
"""
_NEEDED = """
SELECT 1 FROM told JOIN alert ON alert.id = told.alert
WHERE told.occasion = ? AND alert.closed_at IS NULL AND alert.taken_at IS NULL LIMIT 1
"""
_END = """
UPDATE notice SET state = :state, said = :said, ended_at = :at, due_at = :due, lease = NULL, lease_until = NULL
WHERE uuid = :uuid AND state = 'claimed' AND lease = :lease
"""
_DROP = "UPDATE notice SET state = 'dropped', said = :said, ended_at = :at WHERE id = :id AND state = 'due'"
_OF_ALERT = """
SELECT notice.kind, notice.circle, notice.rung, notice.person, notice.channel, notice.written_at, notice.state,
    notice.attempts, notice.said, notice.ended_at
FROM told JOIN notice ON notice.occasion = told.occasion AND notice.kind = 'step'
WHERE told.alert = :alert AND EXISTS (
    SELECT 1 FROM alert WHERE alert.id = told.alert
        AND (CAST(:tenant AS TEXT) IS NULL OR alert.tenant = :tenant))
ORDER BY notice.written_at, notice.id
"""
_WAITING = "SELECT count(*), min(written_at) FROM notice WHERE state IN ('due', 'claimed')"
_SPENT = "SELECT count(*) FROM notice WHERE state = 'spent' AND ended_at > ?"
_STANDING = """
SELECT count(*), coalesce(sum(CASE WHEN taken_at IS NULL THEN 1 ELSE 0 END), 0), min(opened_at), min(id) FROM alert
WHERE closed_at IS NULL AND (CAST(:tenant AS TEXT) IS NULL OR tenant = :tenant)
"""
_CLOSED = """
SELECT count(*) FROM alert WHERE closed_at > :since AND (CAST(:tenant AS TEXT) IS NULL OR tenant = :tenant)
"""


def unattended(reader: Reader, *, now: datetime, after: int, limit: int) -> tuple[Unattended, ...]:
    """Give open alerts that nobody has taken, and who was told of each."""
    rows = list(reader.execute(_UNATTENDED, {"after": after, "now": stored(now), "limit": limit}))
    return tuple(
        Unattended(
            alert=alert,
            kind=kind,
            tenant=OdsCode(tenant) if tenant else None,
            opened_at=instant(opened),
            prescription=bool(of_line),
            told=tuple(Told(rung=Rung(rung), at=instant(at)) for rung, at in reader.execute(_TOLD, (alert,))),
        )
        for alert, kind, tenant, opened, of_line in rows
    )


def tell_step(transaction: Transaction, step: Step, *, now: datetime) -> int:
    """Write the notices of one step; see `NoticeWrites.tell_step`."""
    recent = {"circle": step.circle, "rung": step.rung.value, "since": stored(now - step.gap)}
    if transaction.row(_RECENT, recent) is not None:
        return 0
    occasion = str(uuid4())
    items = [
        Item(alert=alert, kind=row[0], prescription=bool(row[1]))
        for alert, last in step.alerts
        if (row := _wanted(transaction, alert, now)) is not None
        and transaction.changed(
            _TELL,
            {"alert": alert, "rung": step.rung.value, "at": stored(now), "last": int(last), "occasion": occasion},
        )
    ]
    if items:
        head = {"kind": NoticeKind.STEP.value, "circle": step.circle, "rung": step.rung.value, "occasion": occasion}
        _write(transaction, head, step.to, step_words(items), now)
        append_leaf(transaction, "notice-written", at=now, circle=step.circle, rung=step.rung.value, items=len(items))
    return len(items)


def _wanted(transaction: Transaction, alert: int, now: datetime) -> tuple[Any, ...] | None:
    return transaction.row(_WANTED, {"alert": alert, "now": stored(now)})


def tell_summary(transaction: Transaction, summary: Summary, *, now: datetime) -> bool:
    """Write the notices of a digest; see `NoticeWrites.tell_summary`."""
    found = standing(transaction.connection, summary.tenant, now=now)
    if not found.still_open and not summary.even_if_none:
        return False
    words = weekly_words(found) if summary.kind is NoticeKind.WEEKLY else daily_words(found)
    head = {"kind": summary.kind.value, "circle": summary.circle, "rung": "", "occasion": summary.occasion}
    if not _write(transaction, head, summary.to, words, now):
        return False
    append_leaf(transaction, "notice-written", at=now, circle=summary.circle, rung=summary.kind.value, items=0)
    return True


def _write(
    transaction: Transaction, head: dict[str, str], to: Sequence[Addressed], words: Words, now: datetime
) -> bool:
    said = {"subject": words.subject, "words": words.text, "path": words.path, "at": stored(now)}
    written = [
        transaction.changed(
            _WRITE, {**head, **said, "uuid": uuid4().bytes, "person": one.person, "channel": one.channel.value}
        )
        for one in to
    ]
    return any(written)


def claim(
    transaction: Transaction, channel: Channel, *, worker: str, now: datetime, lease_seconds: float, limit: int
) -> tuple[Outgoing, ...]:
    """Lease what is due; see `NoticeWrites.claim_notices`."""
    transaction.run(_RELEASE, {"channel": channel.value, "now": stored(now)})
    claimed: list[Outgoing] = []
    until = stored(now + timedelta(seconds=lease_seconds))
    for row in transaction.rows(_DUE, {"channel": channel.value, "now": stored(now), "limit": limit}):
        if row[2] == NoticeKind.STEP and transaction.row(_NEEDED, (row[10],)) is None:
            transaction.run(_DROP, {"id": row[0], "said": "taken or closed before it was sent", "at": stored(now)})
            continue
        lease = f"{worker}:{transaction.generation}:{secrets.token_hex(8)}"
        transaction.run(_CLAIM, {"id": row[0], "lease": lease, "until": until})
        claimed.append(_outgoing(row, channel, lease))
    return tuple(claimed)


def _outgoing(row: tuple[Any, ...], channel: Channel, lease: str) -> Outgoing:
    return Outgoing(
        id=UUID(bytes=row[1]),
        kind=NoticeKind(row[2]),
        circle=row[3],
        person=row[4],
        channel=channel,
        words=Words(subject=row[5], text=row[6], path=row[7]),
        written_at=instant(row[8]),
        lease=lease,
        attempt=row[9] + 1,
    )


def record(transaction: Transaction, notice: Outgoing, outcome: Attempted, *, now: datetime) -> bool:
    """Record what came of an attempt; see `NoticeWrites.record_notice`."""
    over = outcome.state is not NoticeState.DUE
    changed = transaction.changed(
        _END,
        {
            "uuid": notice.id.bytes,
            "lease": notice.lease,
            "state": outcome.state.value,
            "said": outcome.said,
            "at": stored(now) if over else None,
            "due": stored(outcome.retry_at or now),
        },
    )
    if changed and over:
        append_leaf(transaction, f"notice-{outcome.state}", at=now, notice=str(notice.id), attempts=notice.attempt)
    if changed and outcome.alarm:
        subject = f"{notice.channel}:{notice.circle}" if over else notice.channel.value
        open_alert(transaction, kind=NOT_DELIVERED, subject=subject, at=now, text=outcome.alarm)
    return changed


def of_alert(reader: Reader, alert: int, *, tenant: OdsCode | None) -> tuple[NoticeView, ...]:
    """Give who was told of an alert."""
    values = {"alert": alert, "tenant": tenant.value if tenant else None}
    return tuple(
        NoticeView(
            kind=NoticeKind(row[0]),
            circle=row[1],
            rung=row[2],
            person=row[3],
            channel=Channel(row[4]),
            written_at=instant(row[5]),
            state=NoticeState(row[6]),
            attempts=row[7],
            said=row[8],
            ended_at=instant(row[9]) if row[9] is not None else None,
        )
        for row in reader.execute(_OF_ALERT, values)
    )


def counts(reader: Reader, *, now: datetime) -> NoticeCounts:
    """Tell how the notices stand."""
    ((waiting, since),) = reader.execute(_WAITING)
    ((spent,),) = reader.execute(_SPENT, (stored(now - _WEEK),))
    return NoticeCounts(waiting=waiting, since=instant(since) if since is not None else None, spent=spent)


def standing(reader: Reader, tenant: OdsCode | None, *, now: datetime) -> Standing:
    """Count what a digest says."""
    whose = tenant.value if tenant else None
    ((still_open, untaken, oldest, first),) = reader.execute(_STANDING, {"tenant": whose})
    ((closed,),) = reader.execute(_CLOSED, {"tenant": whose, "since": stored(now - _WEEK)})
    return Standing(
        still_open=still_open,
        untaken=int(untaken),
        oldest=instant(oldest) if oldest is not None else None,
        oldest_alert=first,
        closed=closed,
    )
