"""What makes books worked in: alerts, deliveries, answers, attempts, readings and figures, beside the prescriptions.

Written by SQL over the rows that `bench.backlog_rows` made, without the triggers, as rows would be that had passed
them. Of seven lines that are still open one has an alert, in a mix of kinds as a bad week would bring: most wait for
providers' answers, and three providers have gone silent, so that what they are late with is one row each. Alerted lines
have their documents, so that a row of the list costs what it costs. Two more are being supplied, and one in a hundred
waits for a pharmacist.
"""

import json
from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from random import Random
from typing import Final

import apsw

from bench.backlog_rows import PROVIDERS, TRUSTS, Bulk
from gateway.domain.lifecycle import LineState
from gateway.domain.service_figures import EVERYBODY, Measure
from gateway.domain.work_item import INCIDENTS, SILENT, reason_of
from gateway.store.sql.instants import instant, stored
from gateway.store.sql.leaves import abouts, leaf_body, leaf_hash

EACH: Final = 7
"""One open line in so many has an alert."""
PEOPLE: Final = tuple(f"person{number}" for number in range(40))
SILENT_PROVIDERS: Final = 3
READINGS: Final = 5
"""Readings in the audit for one alert."""
FIGURE_DAYS: Final = 270
_MIX: Final = (
    *(("overdue", "SENT"),) * 7,
    ("line-with-provider", "WITH_PROVIDER"),
    *(("line-uncertain", "UNCERTAIN"),) * 3,
    *(("line-rejected", "REJECTED"),) * 2,
    ("line-held", "HELD"),
    ("line-undeliverable", "UNDELIVERABLE"),
    ("overdue", "ACCEPTED"),
    ("balance-will-not-come", "PART_SUPPLIED"),
    ("delivery-failed", "IN_SUPPLY"),
    ("renewal-requested", "IN_SUPPLY"),
    ("overdue", "QUERIED"),
)
"""Kinds of alert, each with the state its line stands in, in turn."""
_HOLDERS: Final = {"HELD": "trust", "QUERIED": "trust", "REJECTED": "trust", "UNDELIVERABLE": "gateway"}
_MOVED: Final = """
UPDATE line SET state = mix.state, holder = mix.holder, first_sent_at = entered_at
FROM (SELECT value ->> 0 AS place, value ->> 1 AS state, value ->> 2 AS holder FROM json_each(:mix)) AS mix
WHERE line.id > 1 AND line.id % :every = :offset AND mix.place = line.id / :every % :length
"""
_READ: Final = """
UPDATE prescription SET document = (
    SELECT replace(replace(first.document, dashed(first.uuid), dashed(prescription.uuid)), dashed(own.uuid),
        dashed(line.uuid))
    FROM prescription AS first, line AS own, line WHERE first.id = 1 AND own.id = 1 AND line.id = prescription.id)
WHERE id > 1 AND id % :every = 0
"""
_ALERTED: Final = """
INSERT INTO alert (kind, subject, line, line_state, tenant, opened_at, text, place, last_day, risk, provider, silent,
    taken_by, taken_at, snoozed_until)
SELECT mix.kind, dashed(line.uuid), line.id, CASE mix.kind WHEN 'overdue' THEN line.state END, line.tenant,
    line.entered_at + :hour, 'Nobody has acted in time.',
    1, CASE WHEN line.id / :every % 7 = 0 THEN NULL ELSE date(:today, (line.id / :every % 61 - 20) || ' days') END,
    line.id / :every % 6, line.provider, mix.silent,
    CASE WHEN line.id / :every % 11 = 0 THEN 'person' || (line.id / :every % 40) ELSE '' END,
    CASE WHEN line.id / :every % 11 = 0 THEN :now END,
    CASE WHEN line.id / :every % 29 = 0 THEN :now + :hour * 24 END
FROM line JOIN (SELECT value ->> 0 AS place, value ->> 3 AS kind, value ->> 4 AS silent FROM json_each(:mix)) AS mix
    ON mix.place = line.id / :every % :length
WHERE line.id > 1 AND line.id % :every = 0
"""
_INCIDENTS: Final = """
INSERT INTO alert (kind, subject, line, tenant, opened_at, text, place, last_day, risk, provider)
SELECT 'safety-incident', dashed(uuid), id, tenant, entered_at + :hour, 'A supply was reported.', 0, :today, 1, provider
FROM line WHERE id > 1 AND id % (:every * 1000) = 0
"""
_CLOSED_BEFORE: Final = """
INSERT INTO alert (kind, subject, line, tenant, opened_at, closed_at, closed_by, close_reason, text, provider)
SELECT 'overdue', dashed(uuid), id, tenant, entered_at, entered_at + :hour, 'person1', 'Rang them.', 'Late.', provider
FROM line WHERE id > 1 AND id % :every IN (:open, 2 * :open)
"""
_DELIVERIES: Final = """
WITH issue (number) AS (VALUES (1), (2), (3))
INSERT INTO delivery (line, issue, epoch, state, due_on, covers_until, entered_at, tenant, provider)
SELECT line.id, number, 1,
    CASE number WHEN 1 THEN 'DELIVERED' WHEN 3 THEN 'PLANNED'
        ELSE CASE WHEN line.id / :every % 100 = 0 THEN 'FAILED' WHEN line.id / :every % 10 = 0 THEN 'RELEASED'
            WHEN line.id / :every % 10 = 1 THEN 'PLANNED' ELSE 'BOOKED' END END,
    date(:today, (line.id / :every % 28 + 28 * (number - 2)) || ' days'),
    CASE number WHEN 3 THEN date(:today, (line.id / :every % 28 + 56) || ' days') END, line.entered_at,
    line.tenant, line.provider
FROM line, issue WHERE line.id > 1 AND (line.id % :every IN (:open, 2 * :open) OR line.id % :every = 0
    AND line.state IN ('IN_SUPPLY', 'PART_SUPPLIED'))
"""
_ANSWERS: Final = """
INSERT INTO callback (destination, received_at, content_type, digest, body, answer_id, meaning, issues)
SELECT provider, CASE WHEN substr(provider, 3) < :silent THEN entered_at ELSE :now - id % 3600000000 END,
    'application/fhir+json', printf('%064x', id * 2654435761), x'7B7D', 'A-' || id, '[]', '[]'
FROM line WHERE id > 1 AND id % :every IN (:open, 2 * :open)
"""
_ATTEMPTS: Final = """
INSERT INTO attempt (outbox, number, at, lease, outcome, fenced, reason, evidence)
SELECT id + 1, 1, entered_at + :hour, 'bulk', 'taken', 0, '', x'7B7D' FROM line WHERE id > 1 AND id % :every < 3 * :open
    AND id % :open = 0
"""
_SENT: Final = "UPDATE outbox SET state = 'done', attempts = 1 WHERE (id - 1) % :every < 3 * :open AND state = 'due'"
_PEOPLE_WAIT: Final = """
UPDATE line SET state = CASE WHEN id / :every % 3 = 0 THEN 'QUERIED' ELSE 'AWAITING_SCREENING' END, holder = 'trust',
    last_day = date(:today, (id / :every % 30 - 5) || ' days'), risk = id / :every % 6
WHERE id > 1 AND id % :every = 3 * :open AND id / :every % 10 = 0
"""
_ITEMS: Final = """
INSERT INTO figure_item (line, epoch, tenant, provider, outcome, since)
SELECT id, 1, tenant, provider, CASE state WHEN 'UNCERTAIN' THEN 'not-known' WHEN 'READY' THEN 'to-send'
    WHEN 'REJECTED' THEN 'rejected' ELSE 'waiting' END, entered_at
FROM line WHERE state IN ('READY', 'SENT', 'UNCERTAIN', 'WITH_PROVIDER', 'REJECTED') AND id > 1
"""
_FIGURE: Final = "INSERT INTO figure (tenant, day, provider, measure, urgency, spread) VALUES (?, ?, ?, ?, ?, ?)"
_MARKS: Final = """
UPDATE figure_mark SET until = :now, looked_at = :now, upto = CASE source
    WHEN 'event' THEN (SELECT coalesce(max(seq), 0) FROM event)
    WHEN 'attempt' THEN (SELECT coalesce(max(id), 0) FROM attempt)
    WHEN 'callback' THEN (SELECT coalesce(max(id), 0) FROM callback)
    WHEN 'submission' THEN (SELECT coalesce(max(id), 0) FROM submission) ELSE 0 END
"""
_PULSES: Final = """
INSERT INTO provider_pulse (provider, heard_at, tried_at, tried_since)
SELECT destination, max(received_at), :now, 1 FROM callback GROUP BY destination
"""
_LEAF: Final = "INSERT INTO audit_leaf (seq, at, kind, body, leaf_hash) VALUES (?, ?, ?, ?, ?)"
_ABOUT: Final = "INSERT INTO audit_about (about, leaf) VALUES (?, ?)"
_WHICH: Final = "SELECT dashed(uuid) FROM prescription WHERE id % :every = 0 AND id > 1 ORDER BY id"
_TIMES: Final = json.dumps({str(600 * step): 5 for step in range(1, 25)}, separators=(",", ":"))
_HOURS: Final = json.dumps({str(hour): 5 for hour in range(24)}, separators=(",", ":"))
_ALL: Final = (Measure.TAKEN, Measure.GIVEN, Measure.SENT)
_FEW: Final = (Measure.REJECTED, Measure.CANCELLED)
_MEASURES: Final = {
    **dict.fromkeys((Measure.ACCEPTED.value, Measure.ANSWERED.value), _TIMES),
    **dict.fromkeys((one.value for one in _ALL), '{"0":200}'),
    **dict.fromkeys((one.value for one in _FEW), '{"0":20}'),
    f"{Measure.ATTEMPT}:taken": _HOURS,
}
"""What is counted of a day, with the times it took or the hours it was at."""


def work(connection: apsw.Connection, bulk: Bulk) -> None:
    """Add the work to bulk rows whose triggers have been taken off."""
    connection.create_scalar_function("dashed", _dashed, deterministic=True)
    every = EACH * bulk.open_every
    values = {
        "every": every,
        "open": bulk.open_every,
        "now": stored(bulk.until),
        "today": bulk.until.date().isoformat(),
        "hour": 3_600_000_000,
        "silent": f"{SILENT_PROVIDERS:03}",
        "length": len(_MIX),
    }
    connection.execute(_PEOPLE_WAIT, values)
    for offset, mix in _mixes(bulk.open_every):
        connection.execute(_MOVED, {**values, "offset": offset, "mix": json.dumps(mix)})
    alerts = json.dumps(_mixes(bulk.open_every)[0][1])
    for sql in (_READ, _ALERTED, _INCIDENTS, _CLOSED_BEFORE, _DELIVERIES, _ANSWERS, _ATTEMPTS, _SENT, _ITEMS):
        connection.execute(sql, {**values, "mix": alerts})
    for sql in (_MARKS, _PULSES):
        connection.execute(sql, values)
    connection.executemany(_FIGURE, _figures(bulk))
    _read_by_people(connection, bulk, every)


def _dashed(value: object) -> str:
    text = value.hex() if isinstance(value, bytes) else ""
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def _mixes(open_every: int) -> list[tuple[int, list[tuple[int, str, str, str, int]]]]:
    """Give the states of alerted lines, and of those that are being supplied, by where they stand in a round."""
    alerted = [
        (place, state, _HOLDERS.get(state, "provider"), kind, int(reason_of(kind, LineState(state)) in SILENT))
        for place, (kind, state) in enumerate(_MIX)
    ]
    assert not {kind for kind, _ in _MIX} & INCIDENTS
    supplied = [(place, "IN_SUPPLY", "provider", "", 0) for place in range(len(_MIX))]
    accepted = [(place, "ACCEPTED", "provider", "", 0) for place in range(len(_MIX))]
    return [(0, alerted), (open_every, supplied), (2 * open_every, accepted)]


def _figures(bulk: Bulk) -> Iterator[tuple[str, str, str, str, str, str]]:
    """Give the sums of each day: of everybody with every provider, and of each trust with two."""
    for back in range(FIGURE_DAYS):
        day = (bulk.until.date() - timedelta(days=back)).isoformat()
        for tenant in (EVERYBODY, *(f"R{number:03}" for number in range(TRUSTS))):
            own = (PROVIDERS[int(tenant[1:]) % len(PROVIDERS)],) if tenant != EVERYBODY else PROVIDERS
            for provider, (measure, spread) in product(own, _MEASURES.items()):
                yield tenant, day, provider.value, measure, "routine", spread


def _read_by_people(connection: apsw.Connection, bulk: Bulk, every: int) -> None:
    """Append the leaves of people who looked at prescriptions, as the store writes them."""
    source = Random(3)  # noqa: S311 - who looked at what
    size: int = connection.execute("SELECT size FROM audit_head").get
    ids = [str(row[0]) for row in connection.execute(_WHICH, {"every": every})] * READINGS
    leaves, named = [], []
    for seq, one in enumerate(ids, size + 1):
        at = instant(stored(bulk.until) - (size + len(ids) - seq) * 60_000_000)
        facts = {"principal": source.choice(PEOPLE), "action": "view", "subject": f"prescription {one}"}
        body = leaf_body("access", seq=seq, at=at, facts={**facts})
        leaves.append((seq, stored(at), "access", body, leaf_hash(body)))
        named += [(about, seq) for about in abouts(facts)]
    connection.executemany(_LEAF, leaves)
    connection.executemany(_ABOUT, sorted(named))
    connection.execute("UPDATE audit_head SET size = ?", (size + len(leaves),))
