"""The engines the store's contract suite runs on, and the values it stores. A new engine joins `ENGINES`."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

import apsw
import asyncpg

from gateway.destination import Taken
from gateway.domain.acknowledgement import Acknowledgement, LineReport
from gateway.domain.custody import CUSTODY, Custody
from gateway.domain.deadline import Deadlines
from gateway.domain.hold import HoldState
from gateway.domain.identifiers import OdsCode, derived_id
from gateway.domain.issue import Issue
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.domain.message import MessageEvent, SealedMessage
from gateway.domain.prescription import Prescription
from gateway.domain.submission import (
    Action,
    Answer,
    Envelope,
    OrderNumber,
    OrderVerdict,
    Outcome,
    Submission,
    Verdict,
    WireFormat,
)
from gateway.enquiries import Enquiries
from gateway.pipeline.changes import stands
from gateway.pipeline.holding import LineHold
from gateway.ports.acceptance import Acceptance, AcceptedOrder, CancelRequest, HoldRequest, KnownLine, StoredAnswer
from gateway.ports.callback import Callback, CallbackResult
from gateway.ports.store import Store
from gateway.ports.work import Claim
from gateway.store.postgres.connection import Address, Postgres
from gateway.store.postgres.enquiries import PostgresEnquiries
from gateway.store.postgres.store import PostgresStore
from gateway.store.sql.transaction import Row, Values
from gateway.store.sqlite.connection import open_writer
from gateway.store.sqlite.enquiries import SqliteEnquiries
from gateway.store.sqlite.store import SqliteStore
from tests.factories import MOMENT, line, prescription
from tests.postgres import database

TRUST = OdsCode("RBA")
PROVIDER = OdsCode("VNE51")


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    moment: datetime = MOMENT

    def now(self) -> datetime:
        return self.moment

    def move(self, **by: float) -> datetime:
        self.moment += timedelta(**by)
        return self.moment


REFUSED = (apsw.ConstraintError, asyncpg.IntegrityConstraintViolationError)
"""What an engine says where the database itself refuses a statement."""


class Raw(Protocol):
    """A connection past the store, of whoever has the database and writes SQL by hand."""

    def execute(self, sql: str, values: Values = (), /) -> list[Row]: ...

    def last_insert_rowid(self) -> int: ...

    def close(self) -> None: ...


class RawSqlite:
    """One over a file."""

    def __init__(self, folder: Path) -> None:
        self._connection = open_writer(folder / "gateway.db")

    def execute(self, sql: str, values: Values = (), /) -> list[Row]:
        return list(self._connection.execute(sql, values))

    def last_insert_rowid(self) -> int:
        return self._connection.last_insert_rowid()

    def close(self) -> None:
        self._connection.close()


class RawPostgres:
    """One to a server, on a thread of its own: a test may be inside a loop."""

    def __init__(self, where: Address) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._connection = self._thread.submit(Postgres, where).result()
        self._thread.submit(self._connection.connect).result()

    def execute(self, sql: str, values: Values = (), /) -> list[Row]:
        return list(self._thread.submit(self._connection.execute, sql, values).result())

    def last_insert_rowid(self) -> int:
        return self._connection.last_insert_rowid()

    def prepare(self, sql: str) -> None:
        """Let the server read and plan a statement; its values keep the types that it finds for them."""
        inner = self._connection._connection()
        self._thread.submit(self._connection._run, inner.prepare(sql)).result()

    def close(self) -> None:
        self._thread.submit(self._connection.close).result()
        self._thread.shutdown()


@dataclass
class Opened:
    """One engine over one place, with its clock."""

    store: Store
    enquiries: Enquiries
    connect: Callable[[], Raw]
    groups: list[int] = field(default_factory=list)
    _raw: Raw | None = None

    @property
    def raw(self) -> Raw:
        """A connection past the store; it ends with this."""
        self._raw = self._raw or self.connect()
        return self._raw

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """Read past the store."""
        return self.raw.execute(sql, values)

    async def close(self) -> None:
        """Let go of everything."""
        if self._raw is not None:
            self._raw.close()
            self._raw = None
        await self.store.close()
        await self.enquiries.close()  # type: ignore[attr-defined]


Opener = Callable[[Path, Clock, frozenset[OdsCode], Mapping[LineState, Custody]], Opened]


def open_sqlite(
    folder: Path,
    clock: Clock,
    tells: frozenset[OdsCode] = frozenset({TRUST}),
    custody: Mapping[LineState, Custody] = CUSTODY,
) -> Opened:
    groups: list[int] = []
    store = SqliteStore.open(
        folder / "gateway.db", now=clock.now, deadlines=Deadlines(custody=custody), tells=tells, grouped=groups.append
    )
    enquiries = SqliteEnquiries.open(folder / "gateway.db")

    return Opened(store, enquiries, lambda: RawSqlite(folder), groups)


def open_postgres(
    folder: Path,
    clock: Clock,
    tells: frozenset[OdsCode] = frozenset({TRUST}),
    custody: Mapping[LineState, Custody] = CUSTODY,
) -> Opened:
    groups: list[int] = []
    where = database(folder)
    deadlines = Deadlines(custody=custody)
    store = PostgresStore.open(where, now=clock.now, deadlines=deadlines, tells=tells, grouped=groups.append)
    enquiries = PostgresEnquiries.open(where)

    return Opened(store, enquiries, lambda: RawPostgres(where), groups)


ENGINES: dict[str, Opener] = {"sqlite": open_sqlite, "postgres": open_postgres}


def make_prescription(name: str = "A", lines: int = 1, total: int = 6) -> Prescription:
    numbers = [f"RX{name}{index}" for index in range(lines)]
    return prescription(group=f"GRP{name}", lines=tuple(line(number, total_supplies=total) for number in numbers))


def make_submission(name: str = "A", *, tenant: OdsCode = TRUST, body: bytes = b"") -> Submission:
    return Submission(
        tenant=tenant,
        format=WireFormat.HL7V2,
        body=body or f"MSH|{name}".encode(),
        content_type="application/hl7-v2",
        received_at=MOMENT,
    )


def seal(
    what: Prescription, *, provider: OdsCode = PROVIDER, epoch: int = 1, salt: str = "", now: datetime = MOMENT
) -> SealedMessage:
    return SealedMessage(
        id=derived_id("message", str(what.id), str(epoch), salt),
        event=MessageEvent.ORDER,
        destination=provider,
        line_ids=tuple(each.id for each in what.lines),
        epoch=epoch,
        not_valid_after=now + timedelta(days=180),
        body=b'{"resourceType":"Bundle"}',
    )


def make_order(
    what: Prescription,
    *,
    state: LineState = LineState.READY,
    provider: OdsCode = PROVIDER,
    salt: str = "",
    now: datetime = MOMENT,
) -> AcceptedOrder:
    """Make an order that may leave for half a year from a moment: the tests' own, or the machine's."""
    held = state is LineState.HELD
    issues = (Issue(code="DRUG_LOCAL_UNMAPPED", location="RXE[1]-2", text="Not mapped."),) if held else ()
    return AcceptedOrder(
        verdict=OrderVerdict(
            outcome=Outcome.HELD if held else Outcome.TRANSLATED,
            action=Action.NEW,
            numbers=tuple(OrderNumber(trust_number=each.order_number, location="ORC[1]-2") for each in what.lines),
            issues=issues,
            prescription_id=what.id,
            prescription_number=str(what.number),
        ),
        prescription=what,
        message=None if held else seal(what, provider=provider, salt=salt, now=now),
        destination=provider,
        state=state,
    )


def make_acceptance(
    name: str = "A",
    *orders: AcceptedOrder,
    control_id: str = "",
    tenant: OdsCode = TRUST,
    body: bytes = b"",
    later: bytes | None = None,
) -> Acceptance:
    submission = make_submission(name, tenant=tenant, body=body)
    chosen = orders or (make_order(make_prescription(name)),)
    outcome = Outcome.HELD if any(order.state is LineState.HELD for order in chosen) else Outcome.TRANSLATED
    return Acceptance(
        submission=submission,
        envelope=Envelope(format=submission.format, control_id=control_id or f"MSG{name}"),
        verdict=Verdict(outcome=outcome, orders=tuple(order.verdict for order in chosen)),
        answer=Answer(body=f"MSA|AA|{name}".encode(), content_type="application/hl7-v2", http_status=200, later=later),
        orders=chosen,
    )


def make_change(name: str, *holds: HoldRequest) -> Acceptance:
    """Give a submission that orders nothing, and holds or releases what is known."""
    return replace(make_acceptance(name), orders=(), holds=holds, verdict=Verdict(outcome=Outcome.TRANSLATED))


def make_update(line: KnownLine, what: Prescription, salt: str) -> SealedMessage:
    """Give what the present holder of a line is sent about it."""
    order = seal(what, provider=line.destination or PROVIDER, epoch=max(line.epoch, 1), salt=salt)
    return replace(order, event=MessageEvent.UPDATE, line_ids=(line.line_id,))


def make_hold(one: LineHold, what: Prescription, salt: str) -> HoldRequest:
    """Give the request of one line as the pipeline writes it."""
    asks = one.state is HoldState.ASKED
    sealed = make_update(one.line, what, salt)
    return HoldRequest(
        line_id=one.line.line_id,
        kind=one.kind,
        seen=one.line.state,
        beneath=one.beneath,
        open_request=one.line.hold,
        state=one.state,
        reason="blood test awaited",
        message=sealed if asks else None,
    )


def make_refusal(name: str) -> Acceptance:
    """Give a submission whose one order is refused by a rule."""
    issue = Issue(code="NHSNO_CHECK_DIGIT", location="PID[1]-3", text="The check digit is wrong.")
    order = OrderVerdict(
        outcome=Outcome.REFUSED, action=Action.NEW, numbers=(OrderNumber(trust_number=name),), issues=(issue,)
    )
    whole = make_acceptance(name)
    return replace(whole, orders=(), verdict=Verdict(outcome=Outcome.REFUSED, issues=(issue,), orders=(order,)))


def make_incomplete(name: str) -> AcceptedOrder:
    """Give a held order that could not be completed."""
    issue = Issue(code="DOSE_CONFLICT", location="RXE[1]-3", text="Two doses.")
    return AcceptedOrder(
        verdict=OrderVerdict(
            outcome=Outcome.HELD,
            action=Action.NEW,
            numbers=(OrderNumber(trust_number=f"RX{name}0", assigner="RBA"),),
            issues=(issue,),
        ),
        prescription=None,
        state=LineState.HELD,
        nhs_number="9990000077",
        group_number=f"GRP{name}",
    )


@dataclass
class Exchange:
    """A store with the moves of a worker and a provider, in one place so that tests read as stories."""

    opened: Opened
    clock: Clock

    @property
    def store(self) -> Store:
        return self.opened.store

    @property
    def enquiries(self) -> Enquiries:
        return self.opened.enquiries

    async def claim(self, destination: OdsCode = PROVIDER, room: int = 10) -> list[Claim]:
        return await self.store.claim(worker="w", now=self.clock.now(), lease_seconds=60, room={destination: room})

    async def send(self, destination: OdsCode = PROVIDER) -> Claim:
        """Claim one row and put it on the wire."""
        (claim,) = await self.claim(destination, room=1)
        assert await self.store.on_wire(claim, now=self.clock.now())
        return claim

    async def deliver(self, destination: OdsCode = PROVIDER) -> UUID:
        """Send one message, which is taken; gives its id."""
        claim = await self.send(destination)
        await self.store.record(claim, Taken(), now=self.clock.now(), retry_at=None)
        return claim.message_id

    async def answer(
        self,
        correlation: UUID | None,
        event: LineEvent,
        *,
        id: str = "",  # noqa: A002 - the field's own name
        line_id: UUID | None = None,
        provider: OdsCode = PROVIDER,
        epoch: int | None = None,
        reason: str = "",
        given: datetime | None = None,
        timeless: bool = False,
    ) -> CallbackResult:
        """Answer a message as its provider would; `given` before now, or without saying when."""
        name = id or f"{event}-{self.clock.now().isoformat()}"
        answer = Acknowledgement(
            id=name,
            correlation=correlation,
            reports=(LineReport(line_id=line_id, event=event, reason=reason),),
            epoch=epoch,
            at=None if timeless else given or self.clock.now(),
        )
        callback = Callback(
            destination=provider,
            received_at=self.clock.now(),
            content_type="application/json",
            body=f"{name}:{event}:{line_id}:{epoch}:{reason}".encode(),
        )
        return await self.store.acknowledge(callback, answer, ())

    async def states(self, what: Prescription) -> list[LineState]:
        view = await self.enquiries.prescription(what.id, tenant=None)
        assert view is not None
        return [each.state for each in view.lines]

    async def alert_kinds(self) -> list[str]:
        return [alert.kind for alert in await self.enquiries.open_alerts(tenant=None, limit=1000)]


async def stored_answer(store: Store, tenant: OdsCode, control_id: str) -> StoredAnswer | None:
    """Give the answer that a store has for a control id of a trust, if there is one."""
    found = await store.look_up(tenant, control_id, [])
    return found if isinstance(found, StoredAnswer) else None


async def ask_to_cancel(exchange: Exchange, what: Prescription, name: str) -> UUID:
    """Cancel the one line of an order that its provider has, as its trust asks it; gives the message it is asked by."""
    (line,) = await exchange.store.known_lines(TRUST, [], prescriptions=[what.id])
    message = make_update(line, what, f"{name} {exchange.clock.now().isoformat()}")
    asked = CancelRequest(line_id=line.line_id, seen=line.state, state=stands(line, (line,)), message=message)
    await exchange.store.accept(replace(make_change(name), cancels=(asked,)))
    return message.id
