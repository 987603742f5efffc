"""T17: whoever holds the file and writes SQL by hand still moves nothing that the published tables do not let move.

Every pair of states and every event of every machine is tried in raw SQL, from a subject that was walked to its state
along published arrows. What the tables have is let through; everything else is refused by the database itself.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import apsw
import pytest

from gateway.domain.cancel import CANCEL_TABLE, CancelState
from gateway.domain.delivery import DeliveryEvent, DeliveryState
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.domain.renewal import RENEWAL_TABLE, RenewalState
from gateway.store.sqlite.connection import open_writer
from gateway.store.sqlite.schema import arrows, region_arrows
from tests.contract.store_engines import Clock, make_acceptance, open_sqlite

Move = Callable[[apsw.Connection, int, str, str, str], None]
Triple = tuple[str, str, str]

LINE: set[Triple] = {(state.value, event, end.value) for state, event, end in arrows()}
DELIVERY: set[Triple] = {(state, event, end) for machine, state, event, end in region_arrows() if machine == "delivery"}
CANCEL: set[tuple[str, str]] = {(state, row.to) for row in CANCEL_TABLE for state in row.states}
RENEWAL: set[tuple[str, str]] = {(state, row.to) for row in RENEWAL_TABLE for state in row.states}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[apsw.Connection]:
    folder = tmp_path_factory.mktemp("raw")

    async def fill() -> None:
        opened = open_sqlite(folder, Clock())
        await opened.store.accept(make_acceptance("A"))
        await opened.store.close()
        await opened.enquiries.close()  # type: ignore[attr-defined]

    asyncio.run(fill())
    connection = open_writer(Path(folder) / "gateway.db")
    yield connection
    connection.close()


@contextmanager
def undone(connection: apsw.Connection) -> Iterator[None]:
    connection.execute("SAVEPOINT attempt")
    try:
        yield
    finally:
        connection.execute("ROLLBACK TO attempt")
        connection.execute("RELEASE attempt")


def refused(connection: apsw.Connection, act: Callable[[], object]) -> bool:
    with undone(connection):
        try:
            act()
        except apsw.ConstraintError:
            return True
    return False


def add_line(connection: apsw.Connection) -> int:
    connection.execute(
        """INSERT INTO line (uuid, prescription, tenant, action, order_number, order_assigner, product_code,
           product_display, directions, quantity, total_supplies, state, holder, entered_at, epoch)
           VALUES (randomblob(16), 1, 'RBA', 'new', '', '', '', '', '', '', 3, 'RECEIVED', 'gateway', 0, 0)"""
    )
    return connection.last_insert_rowid()


def move_line(connection: apsw.Connection, line: int, before: str, event: str, after: str) -> None:
    connection.execute(
        """INSERT INTO event (line, at, event, actor, state_before, state_after, moved, reason_code, reason, amount,
           unit, text) VALUES (?, 0, ?, 'GW', ?, ?, 1, '', '', '', '', '')""",
        (line, event, before, after),
    )
    connection.execute("UPDATE line SET state = ? WHERE id = ?", (after, line))


def add_delivery(connection: apsw.Connection) -> int:
    line = add_line(connection)
    connection.execute(
        "INSERT INTO delivery (line, issue, epoch, state, entered_at) VALUES (?, 1, 1, 'PLANNED', 0)", (line,)
    )
    return connection.last_insert_rowid()


def move_delivery(connection: apsw.Connection, delivery: int, before: str, event: str, after: str) -> None:
    connection.execute(
        """INSERT INTO delivery_event (delivery, at, event, actor, state_before, state_after, text)
           VALUES (?, 0, ?, 'PS', ?, ?, '')""",
        (delivery, event, before, after),
    )
    connection.execute("UPDATE delivery SET state = ? WHERE id = ?", (after, delivery))


def add_renewal(connection: apsw.Connection, line: int) -> None:
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
    add: Callable[[apsw.Connection], int]
    move: Move
    allowed: set[Triple]
    states: list[str]
    events: list[str]


MACHINES = [
    Machine("line", "RECEIVED", add_line, move_line, LINE, list(LineState), list(LineEvent)),
    Machine("delivery", "PLANNED", add_delivery, move_delivery, DELIVERY, list(DeliveryState), list(DeliveryEvent)),
]


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.table)
def test_every_state_event_and_next_that_the_table_has_not_is_refused(file: apsw.Connection, machine: Machine) -> None:
    walks = paths(machine.start, machine.allowed)
    assert set(walks) == set(machine.states)
    for state, walk in walks.items():
        with undone(file):
            subject = machine.add(file)
            for before, event, after in walk:
                machine.move(file, subject, before, event, after)
            for event in machine.events:
                for after in machine.states:
                    act = partial(machine.move, file, subject, state, event, after)
                    assert refused(file, act) is ((state, event, after) not in machine.allowed), (state, event, after)
            for after in set(machine.states) - {state}:  # the state alone, without an event that says so
                sql = f"UPDATE {machine.table} SET state = ? WHERE id = ?"  # noqa: S608 - one of two constants
                assert refused(file, partial(file.execute, sql, (after, subject))), (state, after)


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.table)
def test_an_event_cannot_claim_that_a_subject_is_elsewhere(file: apsw.Connection, machine: Machine) -> None:
    with undone(file):
        subject = machine.add(file)
        for state, event, after in sorted(machine.allowed):
            if state != machine.start:
                assert refused(file, partial(machine.move, file, subject, state, event, after)), (state, event)


def test_a_cancel_moves_only_as_its_table_says(file: apsw.Connection) -> None:
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


def test_a_renewal_moves_only_as_its_table_says(file: apsw.Connection) -> None:
    sql = "UPDATE renewal SET state = ?, prescription = randomblob(16) WHERE id = ?"
    for before in RenewalState:
        with undone(file):
            add_renewal(file, add_line(file))
            row = file.last_insert_rowid()
            if before is not RenewalState.REQUESTED:
                file.execute(sql, (before, row))
            for after in RenewalState:
                was = refused(file, partial(file.execute, sql, (after, row)))
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
def test_the_file_itself_keeps_deliveries_and_renewals(file: apsw.Connection, edit: str) -> None:
    with undone(file):
        delivery = add_delivery(file)
        move_delivery(file, delivery, "PLANNED", "supply_planned", "BOOKED")
        file.execute("UPDATE delivery SET agreed_first = '2026-12-01' WHERE id = ?", (delivery,))
        line = file.execute("SELECT line FROM delivery").get
        add_renewal(file, int(str(line)))
        assert refused(file, partial(file.execute, edit))
