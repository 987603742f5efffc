"""Acknowledgements that are late, repeated, crossed, forged, corrupted or of nothing we sent, at the provider's door.

Each is stored, shown in the timeline of the line it speaks of and told to a person, and moves nothing that it should
not. So too where the clock jumps, or a provider is taken out of the configuration while it has lines.
"""

import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import apsw
import pytest

from gateway.config.load import load
from gateway.destination import Taken
from gateway.domain.identifiers import OdsCode
from gateway.enquiries import PrescriptionView
from gateway.ports.work import Claim
from gateway.store.sqlite.enquiries import SqliteEnquiries
from gateway.watch import Watch
from gateway.wiring.standing import orphaned
from tests.acceptance.doors import test_first_prescription as doors
from tests.acceptance.doors.test_first_prescription import Gateway, gateway, pytestmark, sample
from tests.doors import bearer

__all__ = ["gateway", "pytestmark"]

PROVIDER = OdsCode("VNE51")
ITEM = "https://fhir.nhs.uk/Id/prescription-order-item-number"
HISTORY = "https://fhir.nhs.uk/CodeSystem/medicationrequest-status-history"
EVENTS = "https://fhir.nhs.uk/CodeSystem/message-event"
TYPE = "https://fhir.nhs.uk/CodeSystem/medicationdispense-type"


class Clock:
    def now(self) -> datetime:
        return doors.RECEIVED


@dataclass
class Line:
    """One prescription of one line that its provider has, and everything that can be said of it."""

    gateway: Gateway
    enquiries: SqliteEnquiries
    file: Path
    monkeypatch: pytest.MonkeyPatch
    order: Claim = field(init=False)
    sent: dict[str, Claim] = field(default_factory=dict)

    @property
    def item(self) -> str:
        return _item(self.order)

    async def say(self, body: bytes, *, token: str = "vne51", door: str = "VNE51") -> int:  # noqa: S107 - no secret
        headers = bearer(token) if token else {}
        url = f"{self.gateway.address}/callbacks/{door}"
        kind = {"Content-Type": "application/fhir+json"}
        async with self.gateway.client.post(url, data=body, headers=headers | kind) as response:
            await response.read()
            return response.status

    async def view(self) -> PrescriptionView:
        (found,) = [one for one in await self.enquiries.latest(tenant=None, limit=9) if one.group_number == "GRP7001"]
        shown = await self.enquiries.prescription(found.prescription_id, tenant=None)
        assert shown is not None
        return shown

    async def alerts(self) -> set[str]:
        return {one.kind for one in await self.enquiries.open_alerts(tenant=None, limit=99)}

    def kept(self) -> int:
        connection = apsw.Connection(str(self.file), flags=apsw.SQLITE_OPEN_READONLY)
        ((count,),) = list(connection.execute("SELECT count(*) FROM callback"))
        connection.close()
        return int(count)

    def jump(self, **by: float) -> None:
        self.monkeypatch.setattr(doors, "RECEIVED", doors.RECEIVED + timedelta(**by))

    async def post(self, control: str, name: str) -> None:
        """Post the order of the sample, or a cancel of it."""
        lines = sample("S01").decode().split("\r")
        msh = lines[0].replace("|||AL|AL|", "|||||").replace("S01-0001", name)
        orc = "ORC|CA|RX7001^RBA||GRP7001^RBA|||||20261005091400+0100|||||||^no longer needed"
        body = [msh, *lines[1:]] if control == "NW" else [msh, lines[1], orc, ""]
        status, answer = await self.gateway.post("\r".join(body).encode())
        assert status == 200, answer

    async def cancelled(self) -> None:
        """Let the trust cancel it, and the provider say that it is so."""
        await self.post("CA", "BAD-2")
        self.sent["cancel"] = await _send(self.gateway)
        confirmed = _response(self.sent["cancel"].message_id, "cancelled", _history(self.item, "R-0001"))
        assert await self.say(confirmed) == 200


def _item(claim: Claim) -> str:
    assert claim.octets is not None
    sent = json.loads(claim.octets)["entry"][1]["resource"]
    return str(next(one["value"] for one in sent["identifier"] if one.get("system") == ITEM))


async def _send(gateway: Gateway) -> Claim:
    now = doors.RECEIVED
    (claim,) = await gateway.store.claim(worker="w", now=now, lease_seconds=60, room={PROVIDER: 10})
    assert await gateway.store.on_wire(claim, now=now)
    await gateway.store.record(claim, Taken(), now=now, retry_at=None)
    return claim


def _message(correlation: UUID, name: str, event: str, *resources: dict[str, Any]) -> bytes:
    header = {
        "resourceType": "MessageHeader",
        "eventCoding": {"system": EVENTS, "code": event},
        "response": {"identifier": str(correlation), "code": "ok"},
    }
    return json.dumps(
        {
            "resourceType": "Bundle",
            "identifier": {"value": name},
            "type": "message",
            "entry": [{"resource": one} for one in (header, *resources)],
        }
    ).encode()


def _response(correlation: UUID, name: str, *resources: dict[str, Any]) -> bytes:
    return _message(correlation, name, "prescription-order-response", *resources)


def _history(item: str, code: str) -> dict[str, Any]:
    status = {"url": "status", "valueCoding": {"system": HISTORY, "code": code}}
    url = "https://fhir.nhs.uk/StructureDefinition/Extension-DM-PrescriptionStatusHistory"
    return {
        "resourceType": "MedicationRequest",
        "identifier": [{"system": ITEM, "value": item}],
        "status": "cancelled",
        "extension": [{"url": url, "extension": [status]}],
    }


def _supply(correlation: UUID, name: str, item: str) -> bytes:
    dispense = {
        "resourceType": "MedicationDispense",
        "contained": [
            {"resourceType": "MedicationRequest", "id": "m1", "identifier": [{"system": ITEM, "value": item}]}
        ],
        "status": "completed",
        "authorizingPrescription": [{"reference": "#m1"}],
        "type": {"coding": [{"system": TYPE, "code": "0001"}]},
        "quantity": {"value": 4, "unit": "pre-filled disposable injection"},
        "whenHandedOver": "2026-10-05T09:00:00Z",
    }
    return _message(correlation, name, "dispense-notification", dispense)


def _task(correlation: UUID, name: str, item: str, status: str) -> bytes:
    focus = {"identifier": {"system": ITEM, "value": item}}
    return _response(correlation, name, {"resourceType": "Task", "status": status, "focus": focus})


@pytest.fixture
async def line(gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Line]:
    file = tmp_path / "gateway.sqlite"
    enquiries = SqliteEnquiries.open(file)
    one = Line(gateway, enquiries, file, monkeypatch)
    await one.post("NW", "BAD-1")
    one.order = await _send(gateway)
    yield one
    await enquiries.close()


async def nothing(_: Line) -> None:
    """Leave the line as it is: arrived at its provider."""


async def accepted(line: Line) -> None:
    assert await line.say(_response(line.order.message_id, "accepted")) == 200


async def cancelled(line: Line) -> None:
    await line.cancelled()


@dataclass(frozen=True, kw_only=True)
class Bad:
    """A bad acknowledgement.

    Attributes:
        before: what happened to the line.
        body: what is posted then.
        status: the answer.
        alert: what a person is told; empty where no person need be.
        shown: the event that the line's timeline shows for it, as moving nothing; empty where it names no line.
        stored: whether its bytes are kept.
    """

    body: Callable[[Line], bytes]
    before: Callable[[Line], Awaitable[None]] = nothing
    token: str = "vne51"
    door: str = "VNE51"
    status: int = 422
    alert: str = ""
    shown: str = ""
    stored: bool = True


def _accepts(line: Line) -> bytes:
    return _response(line.order.message_id, "a-1")


def _supplies(line: Line) -> bytes:
    return _supply(line.order.message_id, "s-1", line.item)


def _sandbox(line: Line) -> bytes:
    said = {"answer": "x", "message": str(line.order.message_id), "item": None, "status": "accepted"}
    return json.dumps(said).encode()


CASES = {
    "late: an acceptance after the cancel was confirmed": Bad(
        before=cancelled, body=_accepts, alert="answer-unexpected", shown="accepted"
    ),
    "late: a rejection after the cancel was confirmed": Bad(
        before=cancelled,
        body=lambda line: _task(line.order.message_id, "r-1", line.item, "rejected"),
        alert="answer-unexpected",
        shown="rejected",
    ),
    "a supply after the cancel was confirmed": Bad(
        before=cancelled, body=_supplies, alert="safety-incident", shown="delivered"
    ),
    "the same again, in other bytes": Bad(
        before=accepted,
        body=lambda line: b" " + _response(line.order.message_id, "accepted"),
        status=200,
    ),
    "one name for two answers": Bad(
        before=accepted,
        body=lambda line: _task(line.order.message_id, "accepted", line.item, "in-progress"),
        alert="answer-id-reused",
        shown="validated",
    ),
    "crossed: the item of another message": Bad(
        body=lambda line: _supply(line.order.message_id, "c-1", str(uuid4())), alert="answer-unbound"
    ),
    "crossed: an answer to a cancel that was never sent": Bad(
        body=lambda line: _response(line.order.message_id, "c-2", _history(line.item, "R-0001")),
        alert="answer-unexpected",
        shown="cancel_confirmed",
    ),
    "a message that is not known": Bad(body=lambda _: _response(uuid4(), "u-1"), alert="answer-unbound"),
    "forged: by nobody": Bad(body=_accepts, token="", status=401, stored=False),
    "forged: by a trust": Bad(body=_accepts, token="rba", status=403, stored=False),
    "forged: another provider at this one's address": Bad(body=_accepts, token="vdem1", status=403, stored=False),
    "forged: another provider at its own address": Bad(
        body=_accepts, token="vdem1", door="VDEM1", alert="answer-wrong-provider"
    ),
    "corrupted: cut off": Bad(body=lambda line: _accepts(line)[:-9], alert="answer-not-understood"),
    "corrupted: bytes that are no text": Bad(body=lambda _: b"\xff\xfe\x00{", alert="answer-not-understood"),
    "corrupted: nothing at all": Bad(body=lambda _: b"", alert="answer-not-understood"),
    "corrupted: a member twice": Bad(
        body=lambda line: _accepts(line).replace(b'"type": "message"', b'"type": "message", "type": "message"'),
        alert="answer-not-understood",
    ),
    "corrupted: a word that is not known": Bad(
        body=lambda line: _task(line.order.message_id, "w-1", line.item, "entered-in-error"),
        alert="answer-not-understood",
    ),
    "another provider's format": Bad(body=_sandbox, alert="answer-not-understood"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_a_bad_acknowledgement_is_stored_shown_and_alerted_and_moves_nothing(line: Line, case: Bad) -> None:
    await case.before(line)
    before, kept, alerts = await line.view(), line.kept(), await line.alerts()
    body = case.body(line)
    assert await line.say(body, token=case.token, door=case.door) == case.status
    after = await line.view()
    assert after.lines == before.lines
    assert line.kept() == kept + case.stored
    assert await line.alerts() - alerts == ({case.alert} if case.alert else set())
    new = [(event.event, event.state_before == event.state_after) for event in after.events[len(before.events) :]]
    assert new == ([(case.shown, True)] if case.shown else [])
    assert all("nothing moved" in event.text for event in after.events[len(before.events) :])
    assert await line.say(body, token=case.token, door=case.door) == case.status
    assert await line.view() == after, "the same once more adds nothing"


async def test_a_supply_after_a_cancel_stands_first_on_the_first_page_and_on_its_own(line: Line) -> None:
    await line.cancelled()
    await line.say(_accepts(line))
    await line.say(_supplies(line))
    listed = await line.enquiries.open_alerts(tenant=None, limit=9)
    assert [one.kind for one in listed] == ["safety-incident", "answer-unexpected"]
    assert (await line.view()).alerts[0].kind == "safety-incident"
    async with line.gateway.client.get(line.gateway.address + line.gateway.sessions.link()) as response:
        home = await response.text()
    said = home[home.index("Why it is here") :]
    assert 0 < said.index("Supply that should not have been made") < said.index("answer not clear")


@pytest.mark.parametrize("days", [30, -30])
async def test_a_clock_that_jumps_moves_no_line_and_loses_no_answer(line: Line, days: int) -> None:
    line.jump(days=days)
    watch = Watch(enquiries=line.enquiries, store=line.gateway.store, clock=Clock())
    before = (await line.view()).lines
    assert await watch.sweep() == (1 if days > 0 else 0)
    assert (await line.view()).lines == before, "a time-out is an alert and nothing else"
    await accepted(line)
    line.jump(days=-days)
    assert await line.say(_supplies(line)) == 200
    after = await line.view()
    assert [event.event for event in after.events][-2:] == ["accepted", "delivered"]
    assert after.lines[0].state == "IN_SUPPLY"
    assert after.lines[0].act_by is not None
    line.jump(days=60)
    await watch.sweep()
    assert "overdue" in await line.alerts()


async def test_a_provider_with_lines_cannot_be_taken_out_of_the_configuration(line: Line, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(str(files("gateway.config") / "demonstration"), tmp_path / "without"))
    routes = (folder / "routes.toml").read_text("utf-8").replace('"VNE51"', '"VNCEL"')
    (folder / "routes.toml").write_text(routes, "utf-8")
    (folder / "providers" / "VNE51.toml").unlink()
    without = load(folder)
    assert PROVIDER not in without.routing.providers
    found, looked_at = await orphaned(without, line.enquiries, Clock())
    assert looked_at == 1
    assert "VNE51" in " ".join(map(str, found))
    assert str((await line.view()).lines[0].line_id) in " ".join(map(str, found))
    found, _ = await orphaned(load(None), line.enquiries, Clock())
    assert not [one for one in found if "VNE51" in str(one)]
