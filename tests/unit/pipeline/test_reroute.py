"""An order that one provider has is written anew for another: what goes, on what ground, and what it then says."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from gateway.config.load import load
from gateway.destination import Taken
from gateway.domain.acknowledgement import Acknowledgement, LineReport
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.domain.prescription import ControlledSchedule, PrescriberSignature
from gateway.domain.reroute import HeldPrescription, RerouteState, Wanted, WrittenOrder
from gateway.domain.submission import Submission, WireFormat
from gateway.pipeline.reroute import GIVEN_TO_ANOTHER, Act, Plan, Rerouting
from gateway.pipeline.rewriting import rewrite
from gateway.pipeline.story import Pipeline
from gateway.pipeline.surroundings import Surroundings
from gateway.ports.callback import Callback, CallbackResult, Effectiveness
from gateway.ports.work import Claim
from gateway.sign.verify import verify
from gateway.store.keys import KeyRing, load_or_make
from gateway.store.sqlite.enquiries import SqliteEnquiries
from gateway.store.sqlite.store import SqliteStore
from gateway.watch import Watch
from gateway.wiring.around import surroundings

GOLDEN = Path(__file__).parents[2] / "golden"
S01 = (GOLDEN / "hl7v2/S01.hl7").read_bytes()
RBA, VNE51, VNCEL, VNFKT = OdsCode("RBA"), OdsCode("VNE51"), OdsCode("VNCEL"), OdsCode("VNFKT")
PEOPLE = ("anna", "ben")


@dataclass
class Clock:
    moment: datetime = datetime(2026, 10, 5, 9, 16, tzinfo=UTC)

    def now(self) -> datetime:
        self.moment += timedelta(milliseconds=1)
        return self.moment


@dataclass
class World:
    store: SqliteStore
    enquiries: SqliteEnquiries
    keys: KeyRing
    around: Surroundings
    pipeline: Pipeline
    rerouting: Rerouting
    clock: Clock
    answers: int = 0
    sent: dict[OdsCode, list[bytes]] = field(default_factory=dict)

    async def post(self, body: bytes = S01) -> None:
        await self.pipeline.receive(
            Submission(tenant=RBA, format=WireFormat.HL7V2, body=body, received_at=self.clock.now())
        )

    async def send(self, provider: OdsCode) -> list[Claim]:
        claims = await self.store.claim(worker="w", now=self.clock.now(), lease_seconds=60, room={provider: 100})
        for claim in claims:
            assert await self.store.on_wire(claim, now=self.clock.now())
            self.sent.setdefault(provider, []).append(claim.octets or b"")
            await self.store.record(claim, Taken(), now=self.clock.now(), retry_at=None)
        return claims

    async def says(self, provider: OdsCode, correlation: UUID, event: LineEvent) -> CallbackResult:
        self.answers += 1
        answer = Acknowledgement(
            id=str(self.answers), correlation=correlation, reports=(LineReport(line_id=None, event=event),)
        )
        callback = Callback(
            destination=provider, received_at=self.clock.now(), content_type="", body=str(self.answers).encode()
        )
        return await self.store.acknowledge(callback, answer, ())

    async def held(self, provider: OdsCode) -> HeldPrescription:
        (held,) = await self.enquiries.held(provider=provider)
        return held

    async def plan(self, provider: OdsCode = VNE51, to: OdsCode | None = VNCEL) -> Plan:
        return await self.rerouting.plan(await self.held(provider), to=to, people=PEOPLE)

    async def go(self, provider: OdsCode = VNE51, to: OdsCode | None = VNCEL) -> Plan:
        plan = await self.plan(provider, to)
        wanted = Wanted(to=plan.to or VNCEL, people=PEOPLE, reason="the provider has left the market")
        return await self.rerouting.carry_out(plan, wanted)

    async def state(self) -> LineState:
        (found,) = await self.enquiries.by_control_id("S01-0001", tenant=RBA)
        return found.state

    async def kinds(self) -> set[str]:
        return {alert.kind for alert in await self.enquiries.open_alerts(tenant=None, limit=100)}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    configuration, clock = load(None), Clock()
    around = surroundings(configuration)
    store = SqliteStore.open(tmp_path / "gateway.db", now=clock.now)
    enquiries = SqliteEnquiries.open(tmp_path / "gateway.db")
    keys = load_or_make(tmp_path, development=True, now=clock.now())
    sealer = keys.seal(configuration.organisation)
    pipeline = Pipeline(store=store, sealer=sealer, around=around, clock=clock)
    rerouting = Rerouting(store=store, enquiries=enquiries, sealer=sealer, around=around, clock=clock)
    yield World(store, enquiries, keys, around, pipeline, rerouting, clock)
    await store.close()
    await enquiries.close()


def resources(octets: bytes, kind: str) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in json.loads(octets)["entry"] if entry["resource"]["resourceType"] == kind]


def fact(octets: bytes, code: str) -> dict[str, Any]:
    (task,) = resources(octets, "Task")
    found: list[dict[str, Any]] = [one for one in task["input"] if one["type"]["coding"][0]["code"] == code]
    assert len(found) == 1
    return found[0]


async def test_what_never_left_goes_at_once_sealed_anew_for_the_backup_the_trust_named(world: World) -> None:
    await world.post()
    done = await world.go(to=None)
    assert done.to == VNCEL
    assert [one.act for one in done.lines] == [Act.AT_ONCE]
    assert await world.send(VNE51) == []
    (claim,) = await world.send(VNCEL)
    assert claim.octets is not None
    checked = verify(claim.octets, world.keys.anchors, now=world.clock.now(), audience="VNCEL")
    assert checked.ok
    (header,) = resources(claim.octets, "MessageHeader")
    assert header["destination"][0]["receiver"]["identifier"]["value"] == "VNCEL"
    (order,) = resources(claim.octets, "MedicationRequest")
    assert order["dispenseRequest"]["performer"]["identifier"]["value"] == "VNCEL"
    assert fact(claim.octets, "named-provider")["valueIdentifier"]["value"] == "VNE51"
    (line,) = (await world.held(VNCEL)).lines
    assert line.holding.epoch == 2
    assert world.clock.now() < (line.holding.not_valid_after or world.clock.now())


async def test_a_plan_changes_nothing(world: World) -> None:
    await world.post()
    await world.plan()
    assert len(await world.send(VNE51)) == 1
    await world.plan()
    assert await world.enquiries.revoked() == ()
    assert await world.send(VNE51) == []
    assert await world.send(VNCEL) == []


async def test_what_the_provider_rejected_goes_at_once(world: World) -> None:
    await world.post()
    (claim,) = await world.send(VNE51)
    await world.says(VNE51, claim.message_id, LineEvent.REJECTED)
    done = await world.go()
    assert [(one.act, one.why) for one in done.lines] == [(Act.AT_ONCE, "given back")]
    assert len(await world.send(VNCEL)) == 1
    assert await world.state() is LineState.WITH_PROVIDER


async def test_what_the_provider_accepted_is_asked_back_first_and_goes_when_it_confirms(world: World) -> None:
    await world.post()
    (order,) = await world.send(VNE51)
    await world.says(VNE51, order.message_id, LineEvent.ACCEPTED)
    done = await world.go()
    assert [one.act for one in done.lines] == [Act.UNDER_WAY]
    assert await world.state() is LineState.ACCEPTED
    (asked,) = await world.send(VNE51)
    assert GIVEN_TO_ANOTHER.encode() in (asked.octets or b"")
    assert await world.send(VNCEL) == []
    result = await world.says(VNE51, asked.message_id, LineEvent.CANCEL_CONFIRMED)
    assert result.effect is Effectiveness.APPLIED
    assert await world.state() is LineState.ACCEPTED
    assert await world.rerouting.finish() == 1
    assert await world.state() is LineState.READY
    assert len(await world.send(VNCEL)) == 1
    assert await world.rerouting.finish() == 0


async def test_a_late_answer_of_the_earlier_provider_is_kept_told_and_changes_nothing(world: World) -> None:
    await world.post()
    (order,) = await world.send(VNE51)
    await world.says(VNE51, order.message_id, LineEvent.REJECTED)
    await world.go()
    await world.send(VNCEL)
    result = await world.says(VNE51, order.message_id, LineEvent.DISPENSED)
    assert result.effect is Effectiveness.KEPT
    assert await world.state() is LineState.WITH_PROVIDER
    assert "safety-incident" in await world.kinds()


@pytest.mark.parametrize(
    ("event", "state"),
    [(LineEvent.CANCEL_TOO_LATE, None), (LineEvent.CANCEL_PENDING, RerouteState.PENDING)],
)
async def test_what_the_provider_does_not_give_up_stays_there_with_an_alert(
    world: World, event: LineEvent, state: RerouteState | None
) -> None:
    await world.post()
    (order,) = await world.send(VNE51)
    await world.says(VNE51, order.message_id, LineEvent.ACCEPTED)
    await world.go()
    (asked,) = await world.send(VNE51)
    await world.says(VNE51, asked.message_id, event)
    assert await world.rerouting.finish() == 0
    assert await world.state() is LineState.ACCEPTED
    (line,) = (await world.held(VNE51)).lines
    assert (line.reroute.state if line.reroute else None) is state
    assert "reroute-waits" in await world.kinds()
    assert await world.send(VNCEL) == []


async def test_only_what_was_not_supplied_goes(world: World) -> None:
    await world.post()
    (order,) = await world.send(VNE51)
    for event in (LineEvent.ACCEPTED, LineEvent.DELIVERED, LineEvent.DELIVERED, LineEvent.RETURNED):
        await world.says(VNE51, order.message_id, event)
    await world.go()
    (claim,) = await world.send(VNCEL)
    assert claim.octets is not None
    (request,) = resources(claim.octets, "MedicationRequest")
    assert request["dispenseRequest"]["numberOfRepeatsAllowed"] == 3
    assert fact(claim.octets, "delivery-total")["valuePositiveInt"] == 4
    for _ in range(4):
        await world.says(VNCEL, claim.message_id, LineEvent.DELIVERED)
    assert await world.state() is LineState.FULFILLED


@pytest.mark.parametrize("event", [LineEvent.DISPATCHED, LineEvent.SUPPLY_SHORT])
async def test_a_supply_under_way_needs_a_person_and_nobody_is_asked(world: World, event: LineEvent) -> None:
    await world.post()
    (order,) = await world.send(VNE51)
    await world.says(VNE51, order.message_id, LineEvent.ACCEPTED)
    await world.says(VNE51, order.message_id, event)
    done = await world.go()
    assert [one.act for one in done.lines] == [Act.PERSON]
    assert await world.send(VNE51) == []


async def test_a_supply_reported_after_it_was_given_up_stops_the_re_route(world: World) -> None:
    await world.post()
    (order,) = await world.send(VNE51)
    await world.says(VNE51, order.message_id, LineEvent.ACCEPTED)
    await world.go()
    (asked,) = await world.send(VNE51)
    await world.says(VNE51, asked.message_id, LineEvent.CANCEL_CONFIRMED)
    await world.says(VNE51, order.message_id, LineEvent.DISPENSED)
    await world.rerouting.finish()
    assert "reroute-stopped" in await world.kinds()
    assert await world.send(VNCEL) == []
    assert await world.enquiries.revoked() == ()


async def test_the_earlier_provider_is_never_the_next(world: World) -> None:
    await world.post()
    (order,) = await world.send(VNE51)
    await world.says(VNE51, order.message_id, LineEvent.REJECTED)
    plan = await world.plan(to=VNE51)
    assert [one.act for one in plan.lines] == [Act.PERSON]


async def test_without_a_backup_the_routes_choose_but_never_the_one_that_has_it(world: World) -> None:
    await world.post(S01.replace(b"VNCEL^Example Backup Homecare^ODS", b""))
    plan = await world.plan(to=None)
    assert plan.to is None
    assert [one.act for one in plan.lines] == [Act.PERSON]


async def test_there_and_back_again_is_another_message_under_another_epoch(world: World) -> None:
    await world.post()
    ids = []
    for holder, to in ((VNE51, VNCEL), (VNCEL, VNE51), (VNE51, VNFKT)):
        (claim,) = await world.send(holder)
        ids.append(claim.message_id)
        await world.says(holder, claim.message_id, LineEvent.REJECTED)
        assert [one.act for one in (await world.go(holder, to)).lines] == [Act.AT_ONCE]
    (line,) = (await world.held(VNFKT)).lines
    assert line.holding.epoch == 4
    assert len(set(ids)) == 3


async def written_order(world: World) -> WrittenOrder:
    await world.post()
    return await world.enquiries.written((await world.held(VNE51)).key)


@pytest.mark.parametrize(
    ("form", "supplies", "words"),
    [
        ("jws", 6, "signed for the named provider"),
        ("xmldsig", 6, "signed for the named provider"),
        ("xmldsig-eps", 4, "what is left of it needs a new signature"),
    ],
)
async def test_a_prescriber_who_signed_what_would_change_must_sign_anew(
    world: World, form: str, supplies: int, words: str
) -> None:
    written = await written_order(world)
    assert written.prescription is not None
    signed = replace(written.prescription, signature=PrescriberSignature(format=form, data=b"x"))
    result = rewrite(
        replace(written, prescription=signed),
        left={signed.lines[0].id: supplies},
        provider=world.around.routing.providers[VNCEL],
        epoch=2,
        now=world.clock.now(),
        around=world.around,
    )
    assert isinstance(result, tuple)
    assert any(words in reason for reason in result)


async def test_a_prescription_that_is_no_longer_valid_goes_to_nobody(world: World) -> None:
    await world.post()
    world.clock.moment += timedelta(days=400)
    plan = await world.plan()
    assert [one.act for one in plan.lines] == [Act.PERSON]
    assert "older than 6 months" in plan.lines[0].why
    assert "A new one is needed." in plan.lines[0].why


@pytest.mark.parametrize(("days", "act"), [(20, Act.AT_ONCE), (40, Act.PERSON)])
async def test_what_is_left_of_a_schedule_4_order_begins_nowhere_else_after_its_days(
    world: World, days: int, act: Act
) -> None:
    reference = world.around.reference
    products = {code: replace(row, schedule=ControlledSchedule.CD4) for code, row in reference.products.items()}
    world.around = around = replace(world.around, reference=replace(reference, products=products))
    sealer = world.keys.seal(around.organisation)
    world.pipeline = Pipeline(store=world.store, sealer=sealer, around=around, clock=world.clock)
    world.rerouting = Rerouting(
        store=world.store, enquiries=world.enquiries, sealer=sealer, around=around, clock=world.clock
    )
    await world.post()
    (order,) = await world.send(VNE51)
    for event in (LineEvent.ACCEPTED, LineEvent.DELIVERED):
        await world.says(VNE51, order.message_id, event)
    world.clock.moment += timedelta(days=days)
    await world.says(VNE51, order.message_id, LineEvent.RETURNED)
    (line,) = (await world.plan()).lines
    assert line.act is act
    assert ("Schedule 4" in line.why) is (act is Act.PERSON)


async def given_up(world: World, *bodies: bytes) -> None:
    """Post orders, send and accept them, ask their provider to give them up, and let it."""
    for body in bodies:
        await world.post(body)
        (claim,) = await world.send(VNE51)
        await world.says(VNE51, claim.message_id, LineEvent.ACCEPTED)
    for held in await world.enquiries.held(provider=VNE51):
        plan = await world.rerouting.plan(held, to=VNCEL, people=PEOPLE)
        await world.rerouting.carry_out(plan, Wanted(to=VNCEL, people=PEOPLE, reason="closing"))
    for claim in await world.send(VNE51):
        await world.says(VNE51, claim.message_id, LineEvent.CANCEL_CONFIRMED)


async def test_one_that_cannot_be_finished_keeps_no_other_back_and_is_told_by_the_watch(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = S01.replace(b"S01-0001", b"S01-0002").replace(b"RX7001", b"RX7002").replace(b"GRP7001", b"GRP7002")
    await given_up(world, S01, second)
    seal, faulty = world.rerouting._sealed, ["S01-0001"]

    def failing(written: WrittenOrder, rewritten: Any) -> Any:
        if written.envelope.control_id in faulty:
            raise ValueError("an adapter's own fault")
        return seal(written, rewritten)

    monkeypatch.setattr(world.rerouting, "_sealed", failing)
    for _ in range(2):
        with pytest.raises(ValueError, match="adapter"):
            await world.rerouting.finish()
    assert len(await world.enquiries.held(provider=VNCEL)) == 1
    watch = Watch(enquiries=world.enquiries, store=world.store, clock=world.clock, interval_seconds=60)
    await watch.sweep()
    assert "reroute-unfinished" not in await world.kinds()
    world.clock.moment += timedelta(minutes=16)
    await watch.sweep()
    await watch.sweep()
    alerts = await world.enquiries.open_alerts(tenant=None, limit=100)
    (unfinished,) = [one for one in alerts if one.kind == "reroute-unfinished"]
    assert "Nobody has it" in unfinished.text
    faulty.clear()
    assert await world.rerouting.finish() == 1
    assert len(await world.enquiries.held(provider=VNCEL)) == 2
