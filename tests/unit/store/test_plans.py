"""No question that is asked all day reads a whole table: what it costs must not grow with the books."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import apsw
import pytest

from gateway.store.sql import (
    accept,
    affected,
    alert_order,
    archiving,
    attention,
    attention_rows,
    board,
    claims,
    clock,
    counting,
    dossier,
    finding,
    known,
    late,
    lookup,
    reckoning,
    renewals,
    seeing,
    silences,
    tending,
    viewing,
    waiting_rows,
    watching,
)
from gateway.store.sqlite.schema import migrate

GROWS = {
    "prescription", "line", "event", "submission", "allocation", "message", "outbox", "attempt", "callback", "delivery",
    "delivery_event", "alert", "audit_leaf", "cancel", "hold", "wait", "archived_prescription", "archived_line",
    "figure", "figure_item",
    "patient_index", "other_number", "refused_order",
}  # fmt: skip
ALIASES = {
    "same",
    "later",
    "one",
    "held",
    "begun",
    "earlier",
    "asked",
    "other",
    "said",
    "made",
    "tried",
    "old",
    "newest",
}
SCAN = re.compile(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?$")
PARTIAL = {
    "reroute_waits",
    "reroute_confirmed",
    "cancel_waits",
    "hold_answer_by",
    "alert_open_id",
    "renewal_open",
    "alert_in_order",
    "alert_in_order_of_trust",
    "alert_in_order_of_provider",
    "alert_silent",
    "line_waits",
    "line_without_deadline",
    "delivery_failed",
    "delivery_released",
}
"""Indexes of what is open alone: to read such a one whole is to read what is asked for."""


def looked_up() -> Iterator[tuple[str, str]]:
    """Give what the search box asks, and what stands behind a prescription's page."""
    for key, sql in lookup.FOUND.items():
        yield f"look up by {key}", sql
    for name in ("ANSWERED", "_NAMED", "_UNREAD", "_DOCUMENTS", "_STANDS", "_REFUSED", "_TENANTS"):
        yield f"look up {name}", getattr(lookup, name)
    for key, sql in lookup._ARCHIVED.items():
        yield f"look up archived {key}", sql
    for name in (
        "_ROWS", "_HEAD", "_MESSAGES", "_ATTEMPTS", "_EVENTS", "_ANSWERS", "_ANSWER", "_STEPS", "_CANCELS", "_OF_LINE",
        "_NUMBER", "_GROUP", "_RENEWED", "_STATED", "_LEAF_FROM",
    ):  # fmt: skip
        yield f"behind a prescription {name}", getattr(dossier, name)


def of_attention() -> Iterator[tuple[str, str]]:
    for every in (alert_order.IN_ORDER, waiting_rows.WAITING):
        for each, one in every.items():
            yield f"needs attention {each}", one
    yield "needs attention, where a line that waited stands", waiting_rows.STANDS
    yield "needs attention, the next late provider", alert_order.NEXT_LATE
    for mine in (False, True):
        yield f"tended, {mine}", tending._NUMBERS[mine]
        yield f"how many are tended, {mine}", tending._COUNT[mine]
    yield "silences, the next late provider of a trust", silences.NEXT_OURS
    yield "silences, when it was heard", silences.HEARD
    for every in (silences.SILENT, silences.LATE_SINCE):
        for scope, one in every.items():
            yield f"silences, {scope}", one
    yield "needs attention _OPEN", attention._OPEN
    for name in ("_ALERTS", "_LINES", "_SAID", "_OF_SAME_LINE", "_OTHERS"):
        yield f"needs attention {name}", getattr(attention_rows, name)
    for name in ("_LINES", "_DELIVERED", "_BEFORE", "_SAID_AT_HOME"):
        yield f"reckoning {name}", getattr(reckoning, name)
    for name in ("_LINES", "_PATIENTS"):
        yield f"affected {name}", getattr(affected, name)
    for name in ("_QUEUED", "_AWAITS", "_STAGES"):
        yield f"late {name}", getattr(late, name)


def questions() -> Iterator[tuple[str, str]]:
    for by, condition in finding.BY.items():
        newest = "1" if by == "control_id" else finding.NEWEST
        yield f"search by {by}", finding._FIND.format(condition=condition, visible=finding.VISIBLE, newest=newest)
    yield from looked_up()
    yield "one prescription", viewing._LINES
    yield "its history", viewing._EVENTS
    yield "its alerts", viewing._ALERTS
    yield "on its way", finding._ON_ITS_WAY
    yield "overdue", watching._OVERDUE
    yield "unanswered", watching._UNANSWERED
    yield "open alerts", watching._OPEN
    yield "due", claims._DUE.format() if "{" in claims._DUE else claims._DUE
    yield "deliveries due", clock._DUE
    yield "windows", clock._WINDOW
    yield "validity", clock._EXPIRING
    yield "renewals", renewals._ENDING
    yield "answered", accept._ANSWERED
    for name in ("_BY_ORDER", "_BY_GROUP", "_BY_ITEM", "_BY_PRESCRIPTION", "_ALLOCATED"):
        yield f"known {name}", getattr(known, name)
    yield from of_attention()
    for table, condition in {**archiving.OWN, **archiving.SHARED, "wait": archiving.WAITS}.items():
        yield f"archive: {table}", f"SELECT * FROM {table} WHERE {condition}"  # noqa: S608
        yield f"let go: {table}", f"DELETE FROM {table} WHERE {condition}" if table in archiving.OWN else "SELECT 1"  # noqa: S608
    for source, stretch in counting._STRETCH.items():
        yield f"count {source}", stretch
    for name in ("_HISTORIES", "_ATTEMPTS", "_CALLBACKS", "_REFUSALS", "_APART", "_FIGURE"):
        yield f"count {name}", getattr(counting, name)
    for name in ("_FIGURES", "_SINCE", "_NEXT", "_OF_PROVIDER", "_OF_TRUST", "_ITEMS_OF_TRUST", "_ITEMS_OF_PROVIDER"):
        yield f"board {name}", getattr(board, name)
    for name in ("_OPEN", "_ALERTED", "_HELD", "_LAST", "_LEAVE", "_SUBMISSION_HANGS", "_CALLBACK_HANGS"):
        yield f"archive {name}", getattr(archiving, name)


@pytest.fixture(scope="module")
def schema() -> Iterator[apsw.Connection]:
    connection = apsw.Connection(":memory:")
    migrate(connection, now=datetime.now(UTC))
    yield connection
    connection.close()


WALKED = {
    "loud": "alert_in_order",
    "quiet": "alert_in_order",
    "kind": "alert_in_order_of_kind",
    "provider": "alert_in_order_of_provider",
    "late": "alert_in_order_of_provider",
    "nobody": "alert_in_order_of_provider",
    "trust": "alert_in_order_of_trust",
    "ours": "alert_in_order_of_both",
    "given": "alert_in_order_of_provider",
    "taken": "alert_taken",
}


@pytest.mark.parametrize(("walk", "part"), list(alert_order.IN_ORDER))
def test_every_walk_through_what_is_open_has_an_index_that_holds_its_order(
    schema: apsw.Connection, walk: str, part: str
) -> None:
    sql = alert_order.IN_ORDER[walk, part]
    values = dict.fromkeys(re.findall(r":(\w+)", sql))
    steps = [str(row[3]) for row in schema.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
    assert any(re.match(rf"SEARCH alert USING INDEX {WALKED[walk]} \(", step) for step in steps), steps
    sorts = any("TEMP B-TREE" in step for step in steps)
    assert sorts == (part == "incidents" or walk == "taken"), steps


def test_the_next_late_provider_is_one_look_into_an_index(schema: apsw.Connection) -> None:
    steps = [str(row[3]) for row in schema.execute(f"EXPLAIN QUERY PLAN {alert_order.NEXT_LATE}", {"last": ""})]
    assert steps == ["SEARCH alert USING INDEX alert_silent (provider>?)"]


def test_a_trust_s_next_late_provider_is_one_look_too(schema: apsw.Connection) -> None:
    values = {"tenant": "RBA", "last": ""}
    steps = [str(row[3]) for row in schema.execute(f"EXPLAIN QUERY PLAN {silences.NEXT_OURS}", values)]
    assert steps == ["SEARCH alert USING INDEX alert_silent_of_both (tenant=? AND provider>?)"]


def test_what_a_provider_may_see_is_read_from_the_rows_that_are_asked_for(schema: apsw.Connection) -> None:
    steps = [str(row[3]) for row in schema.execute(f"EXPLAIN QUERY PLAN {seeing._SPANS}", {"provider": "", "rows": ""})]
    assert next(step for step in steps if step.startswith("SEARCH")).startswith("SEARCH wanted"), steps
    assert any(re.match(r"SEARCH allocation USING INDEX \w+ \(line=\?", step) for step in steps), steps


@pytest.mark.parametrize("scope", ["all", "trust"])
def test_what_is_late_of_a_provider_is_found_by_when_it_became_late(schema: apsw.Connection, scope: str) -> None:
    for sql in (silences.SILENT[scope], silences.LATE_SINCE[scope]):
        values = dict.fromkeys(re.findall(r":(\w+)", sql))
        steps = [str(row[3]) for row in schema.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
        index = "alert_silent" if scope == "all" else "alert_silent_of_both"
        assert any(f"USING INDEX {index} (" in step for step in steps), steps


@pytest.mark.parametrize(("name", "sql"), list(questions()))
def test_no_table_that_grows_is_read_whole(schema: apsw.Connection, name: str, sql: str) -> None:
    named = set(re.findall(r":(\w+)", sql))
    values = dict.fromkeys(named) if named else (None,) * sql.count("?")
    steps = [str(row[3]) for row in schema.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
    scans = [match for step in steps if (match := SCAN.match(step))]
    whole = [match[0] for match in scans if match[1] in GROWS | ALIASES and match[2] not in PARTIAL]
    assert whole == [], f"{name}: {steps}"


def test_letting_a_row_go_looks_for_what_refers_to_it_by_an_index(schema: apsw.Connection) -> None:
    tables = [str(name) for (name,) in schema.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    missing = []
    for table in tables:
        columns = {str(row[1]): bool(row[5]) for row in schema.execute(f"PRAGMA table_info({table})")}
        firsts = {name for name, is_key in columns.items() if is_key}
        for index in [row[1] for row in schema.execute(f"PRAGMA index_list({table})")]:
            firsts.add(next(str(row[2]) for row in schema.execute(f"PRAGMA index_info({index})")))
        refers = schema.execute(f"PRAGMA foreign_key_list({table})")
        missing += [f"{table}.{row[3]}" for row in refers if row[2] in archiving.OWN and row[3] not in firsts]
    assert missing == []
