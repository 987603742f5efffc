"""The doors on a real socket, with what stands behind them replaced by something small that keeps the same promises."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import uvicorn
from starlette.types import ASGIApp

from gateway.access.directory import Directory
from gateway.access.principal import Credential, Kind, Principal, digest_of
from gateway.domain.books import DayList, Listed, Side
from gateway.domain.cover import Cover
from gateway.domain.errors import Unavailable
from gateway.domain.identifiers import OdsCode, PrescriptionNumber, derived_id
from gateway.domain.issue import Issue
from gateway.domain.lifecycle import LineState
from gateway.domain.person import Grant
from gateway.domain.submission import Answer, Submission
from gateway.enquiries import (
    MOST_OVERDUE,
    AlertView,
    EventView,
    Found,
    LineView,
    Overdue,
    PauseView,
    PrescriptionView,
    Waiting,
)
from gateway.ports.attention import Aliveness, Attention, AttentionQuery, Places, WorkNote
from gateway.ports.audit_trail import AuditList, AuditWanted, Busy
from gateway.ports.callback import Callback, CallbackResult, Effectiveness
from gateway.ports.code_maps import HeldCode
from gateway.ports.dossier import Dossier, SubmissionFacts
from gateway.ports.looking_up import Hit, Hits, Key, OwnMessage, RefusedMessage
from gateway.ports.outages import PlannedOutage
from gateway.ports.work import News

NOW = datetime(2026, 11, 22, 10, 41, 20, tzinfo=UTC)
RBA, RZA, VNE51, VDEM1 = OdsCode("RBA"), OdsCode("RZA"), OdsCode("VNE51"), OdsCode("VDEM1")
NAMES = {RBA: "Example Trust", RZA: "Example North", VNE51: "Example Homecare Ltd"}
NHS_NUMBER = "9990000077"

TOKENS = {"rba": RBA, "rza": RZA, "vne51": VNE51, "vdem1": VDEM1, "operator": None}


def directory() -> Directory:
    """Five callers whose tokens are their names."""
    kinds = {"r": Kind.TRUST, "v": Kind.PROVIDER, "o": Kind.OPERATOR}
    return Directory(
        Credential(
            principal=Principal(kind=kinds[token[0]], tenant=ods, name=ods.value if ods else "operator"),
            token_sha256=digest_of(token),
        )
        for token, ods in TOKENS.items()
    )


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@dataclass
class Story:
    """A pipeline that remembers what it was given.

    Attributes:
        fails: raised instead of answering.
        gate: if given, answers wait for it.
    """

    submissions: list[Submission] = field(default_factory=list)
    unread: list[tuple[Submission, tuple[Issue, ...]]] = field(default_factory=list)
    callbacks: list[tuple[Callback, Mapping[str, str]]] = field(default_factory=list)
    answer: Answer = field(default_factory=lambda: Answer(body=b"held", content_type="text/x-answer", http_status=202))
    result: CallbackResult = field(default_factory=lambda: CallbackResult(effect=Effectiveness.APPLIED))
    fails: Exception | None = None
    gate: asyncio.Event | None = None

    async def receive(self, submission: Submission) -> Answer:
        if self.gate is not None:
            await self.gate.wait()
        if self.fails is not None:
            raise self.fails
        self.submissions.append(submission)
        return self.answer

    async def refuse_unread(self, submission: Submission, *issues: Issue) -> Answer:
        self.unread.append((submission, issues))
        return Answer(body=b"unread", content_type="text/x-answer", http_status=400)

    async def acknowledge(self, callback: Callback, headers: Mapping[str, str]) -> CallbackResult:
        if self.fails is not None:
            raise self.fails
        self.callbacks.append((callback, headers))
        return self.result


@dataclass
class Notes:
    """Audit leaves, or none while the store is away."""

    leaves: list[tuple[str, str, str]] = field(default_factory=list)
    people: list[tuple[str, str, OdsCode | None]] = field(default_factory=list)
    away: bool = False

    async def note_access(self, *, principal: str, action: str, subject: str, now: datetime) -> None:
        if self.away:
            raise Unavailable("away")
        assert now.tzinfo is not None
        self.leaves.append((principal, action, subject))

    async def let_in(self, name: str, *, person: str, role: str, tenant: OdsCode | None, now: datetime) -> None:
        assert person
        assert now.tzinfo is not None
        self.people.append((name, role, tenant))


PRESCRIPTION = derived_id("prescription", "RBA", "G1")
LINE = derived_id("line", "RBA", "PO-1")
NUMBER = PrescriptionNumber.derive(RBA, "RBA", "G1").value


def line_view(**change: Any) -> LineView:
    stated: dict[str, Any] = {
        "line_id": LINE,
        "order_number": "PO-1",
        "product": "Methotrexate 10mg/0.2ml solution for injection pre-filled syringes",
        "product_code": "15517911000001104",
        "directions": "Inject 10mg ONCE a WEEK on a Monday",
        "quantity": "4 pre-filled disposable injection",
        "state": LineState.WITH_PROVIDER,
        "holder": "provider",
        "act_by": NOW + timedelta(hours=23),
        "epoch": 1,
        "delivered": 0,
        "total_supplies": 6,
    }
    return LineView(**(stated | change))


def event_view(
    seq: int, minutes: float, event: str, moved: tuple[str, str], actor: str, *, text: str = ""
) -> EventView:
    return EventView(
        seq=seq,
        at=NOW - timedelta(minutes=minutes),
        line_id=LINE,
        event=event,
        state_before=moved[0],
        state_after=moved[1],
        actor=actor,
        text=text,
    )


def alert_view(**change: Any) -> AlertView:
    stated: dict[str, Any] = {
        "id": 1,
        "kind": "overdue",
        "subject": str(LINE),
        "line_id": LINE,
        "opened_at": NOW - timedelta(minutes=12),
        "closed_at": None,
        "text": "Nothing has been heard from the provider since it arrived.",
        "prescription_id": PRESCRIPTION,
    }
    return AlertView(**(stated | change))


def view(**change: Any) -> PrescriptionView:
    lines = change.get("lines", (line_view(),))
    stated: dict[str, Any] = {
        "found": Found(
            prescription_id=PRESCRIPTION,
            number=NUMBER,
            group_number="G1",
            tenant=RBA,
            destination=VNE51,
            state=lines[0].state,
            received_at=NOW - timedelta(hours=4),
            medicines=tuple(shown.product for shown in lines),
            alerts=1,
        ),
        "control_id": "S01-0001",
        "format": "hl7v2",
        "patient_name": "Ms Aoife Mary TESTPATIENT",
        "nhs_number": NHS_NUMBER,
        "birth_date": "1979-04-12",
        "prescriber": "Dr Casey PRESCRIBER",
        "lines": lines,
        "events": (
            event_view(1, 240, "clear", ("RECEIVED", "READY"), "GW"),
            event_view(2, 239.9, "on_wire", ("READY", "SENT"), "GW", text="Attempt 1."),
            event_view(3, 61, "arrived", ("SENT", "WITH_PROVIDER"), "PS", text="HTTP 202"),
        ),
        "alerts": (alert_view(),),
        "issues": (
            Issue(
                code="DOSE_CONFLICT", location="TQ1[1]-2", text="The doses differ.", values=("10 mg", "<b>20</b> mg")
            ),
        ),
        "source": b"MSH|^~\\&|EPMA|RBA\rPID|1||9990000077\r",
        "message": b'{"resourceType":"Bundle","entry":[{"a":5.00,"b":"x{,}\\"y"},[],{}]}',
    }
    return PrescriptionView(**(stated | change))


@dataclass
class Enquiries:
    """A handful of prescriptions, seen as the port demands: a tenant its own, None all."""

    views: list[PrescriptionView] = field(default_factory=lambda: [view()])
    messages: dict[tuple[OdsCode, str], tuple[OwnMessage, ...]] = field(default_factory=dict)
    asked: list[dict[str, object]] = field(default_factory=list)
    away: bool = False
    swept_at: datetime | None = NOW
    paused: tuple[PauseView, ...] = ()
    granted: tuple[Grant, ...] = ()

    async def granted_to(self, name: str, *, now: datetime) -> tuple[Grant, ...]:
        self._seen(None)
        return tuple(one for one in self.granted if one.name == name and one.until > now)

    async def leaf_count(self) -> int:
        self._seen(None)
        return 0

    async def proposals(self, **_: object) -> tuple[()]:
        self._seen(None)
        return ()

    async def held_codes(self, *, tenant: OdsCode | None) -> tuple[HeldCode, ...]:
        self._seen(tenant)
        return ()

    async def trail(
        self, *, tenant: OdsCode | None, wanted: AuditWanted, below: int | None = None, limit: int = 50
    ) -> AuditList:
        del wanted, below, limit
        self._seen(tenant)
        return AuditList(leaves=())

    async def busy(self, *, tenant: OdsCode | None, since: datetime, patients: int) -> tuple[Busy, ...]:
        del since, patients
        self._seen(tenant)
        return ()

    def _seen(self, tenant: OdsCode | None) -> list[PrescriptionView]:
        if self.away:
            raise Unavailable("away")
        return [one for one in self.views if tenant in {None, one.found.tenant, one.found.destination}]

    async def search(
        self, *, tenant: OdsCode | None, nhs_number: str = "", number: str = "", order_number: str = ""
    ) -> tuple[Found, ...]:
        self.asked.append({"tenant": tenant, "nhs_number": nhs_number, "number": number, "order_number": order_number})
        assert sum(map(bool, (nhs_number, number, order_number))) == 1
        return tuple(
            one.found
            for one in self._seen(tenant)
            if nhs_number in {one.nhs_number} - {""}
            or number in {one.found.number} - {""}
            or order_number in {one.found.group_number, *(shown.order_number for shown in one.lines)}
        )

    async def look_up(self, key: Key, value: str, *, tenant: OdsCode | None) -> Hits:
        def named(one: PrescriptionView) -> set[str]:
            return {
                Key.NHS_NUMBER: {one.nhs_number},
                Key.NUMBER: {one.found.number},
                Key.ORDER_NUMBER: {one.found.group_number, *(shown.order_number for shown in one.lines)},
                Key.CONTROL_ID: {one.control_id},
                Key.ID: {str(one.found.prescription_id)},
            }.get(key, set())

        found = [one for one in self._seen(tenant) if value in named(one) - {""}]
        hits = (
            Hit(found=one.found, nhs_number=one.nhs_number, since=one.found.received_at, holder="provider")
            for one in found
        )
        return Hits(hits=tuple(hits), total=len(found))

    async def refused(self, value: str, *, tenant: OdsCode | None) -> tuple[RefusedMessage, ...]:
        assert value
        self._seen(tenant)
        return ()

    async def own_messages(self, control_id: str, *, tenant: OdsCode) -> tuple[OwnMessage, ...]:
        self._seen(tenant)
        return self.messages.get((tenant, control_id), ())

    async def needs_attention(self, *, tenant: OdsCode | None, query: AttentionQuery, now: datetime) -> Attention:
        self.asked.append({"tenant": tenant, "query": query, "now": now})
        return Attention(rows=(), total=len(self._seen(tenant)) * 0)

    async def attention_places(self, *, tenant: OdsCode | None, query: AttentionQuery, now: datetime) -> Places:
        self.asked.append({"tenant": tenant, "query": query, "now": now})
        return Places(rows=(), more=False, speaks_at=now)

    async def attention_count(self, *, tenant: OdsCode | None, now: datetime) -> int:
        self.asked.append({"tenant": tenant, "now": now})
        return 0

    async def aliveness(self, *, tenant: OdsCode | None) -> Aliveness:
        return Aliveness(open=len(self._seen(tenant)), oldest_unanswered=None)

    async def latest(self, *, tenant: OdsCode | None, limit: int) -> tuple[Found, ...]:
        return tuple(one.found for one in self._seen(tenant))[:limit]

    async def on_its_way(self, *, provider: OdsCode, limit: int) -> tuple[Found, ...]:
        self.asked.append({"provider": provider, "limit": limit})
        return tuple(one.found for one in self._seen(provider) if one.found.state in {"SENT", "UNCERTAIN"})[:limit]

    async def prescription(self, prescription_id: UUID, *, tenant: OdsCode | None) -> PrescriptionView | None:
        found = (one for one in self._seen(tenant) if one.found.prescription_id == prescription_id)
        return next(found, None)

    async def dossier(
        self, prescription_id: UUID, *, tenant: OdsCode | None
    ) -> tuple[PrescriptionView, Dossier] | None:
        seen = await self.prescription(prescription_id, tenant=tenant)
        if seen is None:
            return None
        submission = SubmissionFacts(
            row=1,
            control_id=seen.control_id,
            format=seen.format,
            content_type="application/hl7-v2",
            received_at=seen.found.received_at,
            digest="0" * 64,
            length=len(seen.source),
        )
        return seen, Dossier(document=None, submission=submission)

    async def covers(self, prescription_id: UUID, *, tenant: OdsCode | None) -> Mapping[UUID, Cover]:
        assert prescription_id
        self._seen(tenant)
        return {}

    async def awaited_paper(self, prescription_id: UUID, *, tenant: OdsCode | None) -> None:
        assert prescription_id
        self._seen(tenant)

    async def stated(self, prescription_id: UUID, *, tenant: OdsCode | None) -> tuple[WorkNote, ...]:
        assert prescription_id
        self._seen(tenant)
        return ()

    async def by_control_id(self, control_id: str, *, tenant: OdsCode) -> tuple[Found, ...]:
        return tuple(one.found for one in self._seen(tenant) if one.control_id == control_id)

    async def news(self, seq: int) -> News:
        raise NotImplementedError(seq)

    async def overdue(
        self, *, now: datetime, after: Overdue | None = None, limit: int = MOST_OVERDUE
    ) -> tuple[Overdue, ...]:
        assert now
        assert after is None
        assert limit
        return ()

    async def open_alerts(self, *, tenant: OdsCode | None, limit: int) -> tuple[AlertView, ...]:
        alerts = (alert for one in self._seen(tenant) for alert in one.alerts if alert.closed_at is None)
        return tuple(alerts)[:limit]

    async def last_beat(self, name: str) -> datetime | None:
        assert name == "watch"
        return self.swept_at

    async def pauses(self) -> tuple[PauseView, ...]:
        return self.paused

    async def planned_outages(self, *, now: datetime) -> tuple[PlannedOutage, ...]:
        assert now
        return ()

    async def listed(self, party: OdsCode, *, side: Side, day: date) -> DayList:
        rows = (Listed(id=one.control_id, digest="0" * 64, state="translated") for one in self._seen(party))
        return DayList(party=party, side=side, day=day, rows=tuple(rows))

    async def waiting(self) -> Waiting:
        return Waiting(total=0, by_tenant={})

    async def books(self) -> dict[str, int]:
        return {"submitted": len(self._seen(None)), "accepted": 1, "refused": 0, "open": 1}

    async def ready(self) -> dict[str, str]:
        self._seen(None)
        return {"synchronous": "FULL"}


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[str]:
    """Serve an application with uvicorn on a free port of loopback, and give its address."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, access_log=False, lifespan="off")
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()  # in place of serve(), whose loop looks up only ten times a second
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await server.shutdown()
