"""T17: whoever holds the file and writes SQL by hand still moves nothing that the published tables do not let move.

Every pair of states and every event of every machine is tried in raw SQL, from a subject that was walked to its state
along published arrows. What the tables have is let through; everything else is refused by the database itself.
"""

import asyncio
import os
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from gateway.domain.cancel import CANCEL_TABLE, CancelState
from gateway.domain.custody import CUSTODY
from gateway.domain.delivery import DeliveryEvent, DeliveryState
from gateway.domain.hold import HOLD_TABLE, HoldState
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.domain.renewal import RENEWAL_TABLE, RenewalState
from gateway.ports.acceptance import Acceptance
from gateway.store.sql.schema import arrows, region_arrows
from tests.contract.store_engines import (
    ENGINES,
    PROVIDER,
    REFUSED,
    TRUST,
    Clock,
    Raw,
    RawSqlite,
    make_acceptance,
    make_order,
    make_prescription,
)

Move = Callable[[Raw, int, str, str, str], None]
Triple = tuple[str, str, str]

LINE: set[Triple] = {(state.value, event, end.value) for state, event, end in arrows()}
DELIVERY: set[Triple] = {(state, event, end) for machine, state, event, end in region_arrows() if machine == "delivery"}
CANCEL: set[tuple[str, str]] = {(state, row.to) for row in CANCEL_TABLE for state in row.states}
RENEWAL: set[tuple[str, str]] = {(state, row.to) for row in RENEWAL_TABLE for state in row.states}


def filled(engine: str, folder: Path, acceptance: Acceptance) -> Iterator[Raw]:
    """Give a connection inside a transaction that is never committed, over a store that has one submission."""
    connect: list[Callable[[], Raw]] = []

    async def fill() -> None:
        opened = ENGINES[engine](folder, Clock(), frozenset({TRUST}), CUSTODY)
        await opened.store.accept(acceptance)
        connect.append(opened.connect)
        await opened.close()

    asyncio.run(fill())
    connection = connect[0]()
    connection.execute("BEGIN")
    yield connection
    connection.close()


@pytest.fixture(scope="module", params=sorted(ENGINES))
def file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Raw]:
    yield from filled(request.param, tmp_path_factory.mktemp("raw"), make_acceptance("A"))


@pytest.fixture(params=sorted(ENGINES))
def three(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Raw]:
    """Give a store with one line of three supplies that never left."""
    order = make_order(make_prescription("A", total=3))
    yield from filled(request.param, tmp_path, make_acceptance("A", order))


@contextmanager
def undone(connection: Raw) -> Iterator[None]:
    connection.execute("SAVEPOINT attempt")
    try:
        yield
    finally:
        connection.execute("ROLLBACK TO attempt")
        connection.execute("RELEASE attempt")


def refused(connection: Raw, act: Callable[[], object]) -> bool:
    with undone(connection):
        try:
            act()
        except REFUSED:
            return True
    return False


def add_line(connection: Raw) -> int:
    connection.execute(
        """INSERT INTO line (uuid, prescription, tenant, action, order_number, order_assigner, product_code,
           product_display, directions, quantity, total_supplies, state, holder, entered_at, epoch)
           VALUES (?, 1, 'RBA', 'new', '', '', '', '', '', '', 3, 'RECEIVED', 'gateway', 0, 0)""",
        (os.urandom(16),),
    )
    return connection.last_insert_rowid()


def add_line_given_up(connection: Raw) -> int:
    """Add a line whose cancel is confirmed, so that a change may take its place from wherever it stands."""
    line = add_line(connection)
    connection.execute(
        """INSERT INTO cancel (line, submission, tenant, order_number, order_assigner, state, reason_code, reason,
           asked_at) VALUES (?, 1, 'RBA', '', '', 'CONFIRMED', '', '', 0)""",
        (line,),
    )
    return line


def move_line(connection: Raw, line: int, before: str, event: str, after: str) -> None:
    connection.execute(
        """INSERT INTO event (line, at, event, actor, state_before, state_after, moved, reason_code, reason, amount,
           unit, text) VALUES (?, 0, ?, 'PS', ?, ?, 1, '', '', '', '', '')""",
        (line, event, before, after),
    )
    keeps = CUSTODY[LineState(after)]
    values = (after, keeps.holder, None if keeps.limit_seconds is None else 0, line)
    connection.execute("UPDATE line SET state = ?, holder = ?, act_by = ? WHERE id = ?", values)


def add_delivery(connection: Raw) -> int:
    line = add_line(connection)
    connection.execute(
        "INSERT INTO delivery (line, issue, epoch, state, entered_at) VALUES (?, 1, 1, 'PLANNED', 0)", (line,)
    )
    return connection.last_insert_rowid()


def move_delivery(connection: Raw, delivery: int, before: str, event: str, after: str) -> None:
    connection.execute(
        """INSERT INTO delivery_event (delivery, at, event, actor, state_before, state_after, text)
           VALUES (?, 0, ?, 'PS', ?, ?, '')""",
        (delivery, event, before, after),
    )
    connection.execute("UPDATE delivery SET state = ? WHERE id = ?", (after, delivery))


def add_renewal(connection: Raw, line: int) -> None:
    sql = "INSERT INTO renewal (line, state, opened_at, entered_at) VALUES (?, 'REQUESTED', 0, 0)"
    connection.execute(sql, (line,))


def paths(start: str, allowed: set[Triple]) -> dict[str, list[Triple]]:
    """Give a shortest walk to every state that can be reached."""
    found: dict[str, list[Triple]] = {start: []}
    waiting = deque([start])
    while waiting:
        state = waiting.popleft()
        for step in sorted(step for step in allowed if step[0] == state):
            if step[2] not in found:
                found[step[2]] = [*found[state], step]
                waiting.append(step[2])
    return found


@dataclass(frozen=True)
class Machine:
    """A machine with a history of its own."""

    table: str
    start: str
    add: Callable[[Raw], int]
    move: Move
    allowed: set[Triple]
    states: list[str]
    events: list[str]


STRIDE = 23
MACHINES = [
    Machine("line", "RECEIVED", add_line_given_up, move_line, LINE, list(LineState), list(LineEvent)),
    Machine("delivery", "PLANNED", add_delivery, move_delivery, DELIVERY, list(DeliveryState), list(DeliveryEvent)),
]


def tried(connection: Raw, machine: Machine, state: str) -> list[tuple[str, str]]:
    """Give what is tried from a state: all there is; of a server, to which each statement travels, some of what it has
    not, and all of what it has."""
    every = [(event, after) for event in machine.events for after in machine.states]
    if isinstance(connection, RawSqlite):
        return every
    allowed = [(event, after) for before, event, after in machine.allowed if before == state]
    return allowed + [one for one in every if one not in allowed][len(state) % STRIDE :: STRIDE]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.table)
def test_every_state_event_and_next_that_the_table_has_not_is_refused(file: Raw, machine: Machine) -> None:
    walks = paths(machine.start, machine.allowed)
    assert set(walks) == set(machine.states)
    for state, walk in walks.items():
        with undone(file):
            subject = machine.add(file)
            for before, event, after in walk:
                machine.move(file, subject, before, event, after)
            for event, after in tried(file, machine, state):
                act = partial(machine.move, file, subject, state, event, after)
                assert refused(file, act) is ((state, event, after) not in machine.allowed), (state, event, after)
            for after in sorted(set(machine.states) - {state}):  # the state alone, without an event that says so
                sql = f"UPDATE {machine.table} SET state = ? WHERE id = ?"  # noqa: S608 - one of two constants
                assert refused(file, partial(file.execute, sql, (after, subject))), (state, after)


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.table)
def test_an_event_cannot_claim_that_a_subject_is_elsewhere(file: Raw, machine: Machine) -> None:
    with undone(file):
        subject = machine.add(file)
        for state, event, after in sorted(machine.allowed):
            if state != machine.start:
                assert refused(file, partial(machine.move, file, subject, state, event, after)), (state, event)


def test_a_cancel_moves_only_as_its_table_says(file: Raw) -> None:
    kept = [state for state in CancelState if state is not CancelState.NONE]
    for before in kept:
        with undone(file):
            line = None if before is CancelState.TOMBSTONE else add_line(file)
            file.execute(
                """INSERT INTO cancel (line, submission, tenant, order_number, order_assigner, state, reason_code,
                   reason, asked_at) VALUES (?, 1, 'RBA', '', '', ?, '', '', 0)""",
                (line, before),
            )
            row = file.last_insert_rowid()
            met = line or add_line(file)
            for after in set(kept) - {before}:
                values = (after, None if after is CancelState.TOMBSTONE else met, row)
                was = refused(file, partial(file.execute, "UPDATE cancel SET state = ?, line = ? WHERE id = ?", values))
                assert was is ((before, after) not in CANCEL), (before, after)


def test_a_hold_moves_only_as_its_table_says(file: Raw) -> None:
    kept = [state for state in HoldState if state is not HoldState.NONE]
    allowed = {(state, row.to) for row in HOLD_TABLE for state in row.states}
    for before in kept:
        with undone(file):
            file.execute(
                """INSERT INTO hold (line, submission, kind, state, reason_code, reason, asked_at, answer_by, ended_at)
                   VALUES (?, 1, 'hold', ?, '', '', 0, 1, ?)""",
                (add_line(file), before, None if before is HoldState.ASKED else 1),
            )
            row = file.last_insert_rowid()
            for after in set(kept) - {before}:
                values = (after, None if after is HoldState.ASKED else 1, row)
                sql = "UPDATE hold SET state = ?, ended_at = ? WHERE id = ?"
                assert refused(file, partial(file.execute, sql, values)) is ((before, after) not in allowed), after


def test_a_renewal_moves_only_as_its_table_says(file: Raw) -> None:
    sql = "UPDATE renewal SET state = ?, prescription = ? WHERE id = ?"
    for before in RenewalState:
        with undone(file):
            add_renewal(file, add_line(file))
            row = file.last_insert_rowid()
            if before is not RenewalState.REQUESTED:
                file.execute(sql, (before, b"p" * 16, row))
            for after in RenewalState:
                was = refused(file, partial(file.execute, sql, (after, b"p" * 16, row)))
                assert was is ((before, after) not in RENEWAL), (before, after)


@pytest.mark.parametrize(
    "edit",
    [
        "DELETE FROM delivery",
        "UPDATE delivery SET issue = 2",
        "UPDATE delivery SET due_on = '2030-01-01'",
        "UPDATE delivery SET agreed_first = '2030-01-01' WHERE agreed_first IS NOT NULL",
        "DELETE FROM delivery_event",
        "UPDATE delivery_event SET event = 'delivered'",
        "DELETE FROM renewal",
        "INSERT INTO delivery (line, issue, epoch, state, entered_at) SELECT line, 2, 1, 'DELIVERED', 0 FROM delivery",
        "INSERT INTO delivery (line, issue, epoch, state, entered_at) SELECT line, 4, 1, 'PLANNED', 0 FROM delivery",
        "INSERT INTO renewal (line, state, opened_at, entered_at) SELECT line, 'REQUESTED', 0, 0 FROM renewal",
        "INSERT INTO renewal (line, state, opened_at, entered_at) SELECT line, 'LAPSED', 0, 0 FROM delivery",
    ],
)
def test_the_file_itself_keeps_deliveries_and_renewals(file: Raw, edit: str) -> None:
    with undone(file):
        delivery = add_delivery(file)
        move_delivery(file, delivery, "PLANNED", "supply_planned", "BOOKED")
        file.execute("UPDATE delivery SET agreed_first = '2026-12-01' WHERE id = ?", (delivery,))
        ((line,),) = file.execute("SELECT line FROM delivery")
        add_renewal(file, line)
        assert refused(file, partial(file.execute, edit))


def walk_delivery(connection: Raw, state: str, *, issue: int = 1) -> int:
    """Plan an issue of line 1 and walk it to a state."""
    connection.execute(
        "INSERT INTO delivery (line, issue, epoch, state, entered_at) VALUES (1, ?, 1, 'PLANNED', 0)", (issue,)
    )
    delivery = connection.last_insert_rowid()
    for before, event, after in paths("PLANNED", DELIVERY)[state]:
        move_delivery(connection, delivery, before, event, after)
    return delivery


def give_to_the_next(connection: Raw) -> None:
    """Re-route line 1 by hand, with everything in order that the tables ask of the holder and of two people."""
    connection.execute(
        """INSERT INTO message (id, prescription, event, destination, epoch, not_valid_after, key_id, digest, body,
           content_type, created_at) VALUES (?, 1, 'prescription-order', 'VNCEL', 2, 1, '', '', ?, '', 1)""",
        (b"m" * 16, b"{}"),
    )
    connection.execute("UPDATE allocation SET ended_at = 1")
    connection.execute(
        """INSERT INTO reroute (line, epoch, earlier, provider, person, second_person, reason, state, ground, asked_at,
           ended_at) VALUES (1, 1, ?, 'VNCEL', 'a', 'b', 'r', 'DONE', 'never_on_wire', 1, 1)""",
        (PROVIDER.value,),
    )
    connection.execute(
        """INSERT INTO allocation (line, prescription, epoch, provider, message, made_at)
           VALUES (1, 1, 2, 'VNCEL', ?, 2)""",
        (b"m" * 16,),
    )


def owe_a_rest(connection: Raw) -> None:
    connection.execute("UPDATE delivery SET owed = 1 WHERE id = ?", (walk_delivery(connection, "PREPARING"),))


def report_without_counting(connection: Raw) -> None:
    connection.execute(
        """INSERT INTO event (line, at, event, actor, state_before, state_after, moved, epoch, reason_code, reason,
           amount, unit, text) VALUES (1, 0, 'delivered', 'PS', 'READY', 'READY', 0, 1, '', '', '', '', '')"""
    )
    connection.execute(
        """INSERT INTO alert (kind, subject, line, tenant, opened_at, text)
           VALUES ('answer-unexpected', 's', 1, 'RBA', 0, '')"""
    )


def withdraw_what_was_ready(connection: Raw) -> None:
    """End a supply that was ready to go by the re-route itself, as no lawful one does."""
    delivery = walk_delivery(connection, "READY_TO_GO")
    connection.execute(
        """INSERT INTO event (line, at, event, actor, state_before, state_after, moved, epoch, reason_code, reason,
           amount, unit, text)
           VALUES (1, 0, 'revoked_for_reroute', 'OP2', 'READY', 'READY', 0, 1, '', '', '', '', '')"""
    )
    connection.execute(
        """INSERT INTO delivery_event (delivery, at, event, actor, state_before, state_after, source, text)
           VALUES (?, 0, 'line_ended', 'OP2', 'READY_TO_GO', 'WITHDRAWN', ?, '')""",
        (delivery, connection.last_insert_rowid()),
    )
    connection.execute("UPDATE delivery SET state = 'WITHDRAWN' WHERE id = ?", (delivery,))


def rescue_all(connection: Raw) -> None:
    connection.execute("UPDATE line SET delivered = 2 WHERE id = 1")
    walk_delivery(connection, "RESCUED", issue=3)


OPEN_SUPPLIES: dict[str, Callable[[Raw], object]] = {
    "ready": partial(walk_delivery, state="READY_TO_GO"),
    "on its way": partial(walk_delivery, state="DISPATCHED"),
    "owes a rest": owe_a_rest,
    "reported and not counted": report_without_counting,
    "was ready when it was revoked": withdraw_what_was_ready,
    "all were made": rescue_all,
}


@pytest.mark.parametrize("matter", OPEN_SUPPLIES.values(), ids=OPEN_SUPPLIES.keys())
def test_raw_sql_gives_no_line_on_whose_supplies_are_not_accounted_for(
    three: Raw, matter: Callable[[Raw], object]
) -> None:
    matter(three)
    with undone(three), pytest.raises(REFUSED, match="a supply that is not accounted for"):
        give_to_the_next(three)


def rule_on_it(connection: Raw) -> None:
    report_without_counting(connection)
    connection.execute("UPDATE alert SET closed_at = 1, closed_by = 'j.smith', close_reason = 'rang'")


def rescue_the_rest(connection: Raw) -> None:
    owe_a_rest(connection)
    ((row,),) = connection.execute("SELECT max(id) FROM delivery")
    move_delivery(connection, row, "PREPARING", "rescued", "RESCUED")


SETTLED: dict[str, Callable[[Raw], object]] = {
    "nothing was supplied": lambda _: None,
    "one was delivered": partial(walk_delivery, state="DELIVERED"),
    "one failed": partial(walk_delivery, state="FAILED"),
    "one was being made up": partial(walk_delivery, state="PREPARING"),
    "one was given back": partial(walk_delivery, state="WITHDRAWN"),
    "a person ruled on what was not counted": rule_on_it,
    "another made the rest": rescue_the_rest,
}


@pytest.mark.parametrize("matter", SETTLED.values(), ids=SETTLED.keys())
def test_a_lawful_reroute_passes_where_every_supply_is_accounted_for(
    three: Raw, matter: Callable[[Raw], object]
) -> None:
    matter(three)
    give_to_the_next(three)
    held = three.execute("SELECT epoch, provider FROM allocation WHERE ended_at IS NULL")
    assert list(held) == [(2, "VNCEL")]
