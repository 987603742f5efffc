"""The story of a submission, with a real store and real keys: what is answered, what is kept, what never leaves."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from gateway.config.load import load
from gateway.domain.coding import SNOMED, Coding
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineState
from gateway.domain.partner import CodeEntry, OnConflict, SignaturePolicy
from gateway.domain.submission import Answer, Outcome, Submission, WireFormat
from gateway.pipeline.story import Pipeline
from gateway.pipeline.surroundings import Surroundings
from gateway.ports.callback import Callback, Effectiveness
from gateway.sign.verify import verify
from gateway.store.keys import KeyRing, load_or_make
from gateway.store.sqlite.enquiries import SqliteEnquiries
from gateway.store.sqlite.store import SqliteStore
from gateway.wiring.around import surroundings
from tests.contract.store_engines import stored_answer

GOLDEN = Path(__file__).parents[2] / "golden"
RECEIVED = datetime(2026, 10, 5, 9, 16, tzinfo=UTC)
RBA = OdsCode("RBA")
S01 = (GOLDEN / "hl7v2/S01.hl7").read_bytes()
S02 = (GOLDEN / "hl7v2/S02.hl7").read_bytes()
S05 = (GOLDEN / "hl7v2/S05.hl7").read_bytes()
S10 = (GOLDEN / "hl7v2/S10.hl7").read_bytes()
S12 = (GOLDEN / "hl7v2/S12.hl7").read_bytes()


class Clock:
    def now(self) -> datetime:
        return RECEIVED


@dataclass
class World:
    pipeline: Pipeline
    store: SqliteStore
    enquiries: SqliteEnquiries
    keys: KeyRing
    around: Surroundings

    async def post(self, body: bytes, form: WireFormat = WireFormat.HL7V2, *, at: datetime = RECEIVED) -> Answer:
        return await self.pipeline.receive(Submission(tenant=RBA, format=form, body=body, received_at=at))

    async def state(self, control_id: str) -> LineState:
        (found,) = await self.enquiries.by_control_id(control_id, tenant=RBA)
        return found.state

    async def due(self) -> list[bytes | None]:
        room = dict.fromkeys(self.around.routing.providers, 100)
        claims = await self.store.claim(worker="w", now=RECEIVED, lease_seconds=60, room=room)
        return [claim.octets for claim in claims]


def make(tmp_path: Path, **change: object) -> World:
    configuration = load(None)
    around = surroundings(configuration)
    if change:
        trust = replace(around.trusts[RBA], **change)  # type: ignore[arg-type]
        around = replace(around, trusts={**around.trusts, RBA: trust})
    store = SqliteStore.open(tmp_path / "gateway.db", now=Clock().now)
    keys = load_or_make(tmp_path, development=True, now=RECEIVED)
    pipeline = Pipeline(store=store, sealer=keys.seal(configuration.organisation), around=around, clock=Clock())
    return World(pipeline, store, SqliteEnquiries.open(tmp_path / "gateway.db"), keys, around)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = make(tmp_path)
    yield made
    await made.store.close()
    await made.enquiries.close()


def changed(body: bytes, old: bytes, new: bytes) -> bytes:
    assert old in body
    return body.replace(old, new)


def fresh(body: bytes, control_id: bytes) -> bytes:
    """The same message under another control id."""
    return changed(body, b"|S01-0001|", b"|" + control_id + b"|")


async def test_a_clean_order_is_sealed_and_due_and_verifies_offline(world: World) -> None:
    await world.post(S01)
    assert await world.state("S01-0001") is LineState.READY
    (octets,) = await world.due()
    assert octets is not None
    assert verify(octets, world.keys.anchors, now=RECEIVED, audience="VNE51").ok


async def test_the_same_bytes_get_the_same_answer_and_nothing_new(world: World) -> None:
    first, second = await world.post(S01), await world.post(S01)
    assert first == second
    assert len(await world.due()) == 1


async def test_other_bytes_under_one_control_id_are_a_conflict_and_change_nothing(world: World) -> None:
    await world.post(S01)
    answer = await world.post(S12)
    assert answer.later is not None
    assert b"CONTROL_ID_REUSED" in answer.later
    told = await world.store.claim(worker="w", now=RECEIVED, lease_seconds=60, room={RBA: 10})
    assert answer.later in [claim.octets for claim in told]
    assert len(await world.due()) == 1
    (alert,) = await world.enquiries.open_alerts(tenant=None, limit=10)
    assert alert.kind == "submission-clash"
    second, first = sorted(
        await world.enquiries.own_messages("S01-0001", tenant=RBA), key=lambda one: one.outcome is Outcome.TRANSLATED
    )
    assert (first.outcome, second.outcome) == (Outcome.TRANSLATED, Outcome.REFUSED)
    assert [issue.code for issue in second.issues] == ["CONTROL_ID_REUSED"]


async def test_a_message_that_is_refused_by_its_envelope_is_known_by_its_control_id(world: World) -> None:
    await world.post(S01.replace(b"RDE^O11^RDE_O11", b"ADT^A01^ADT_A01"))
    (message,) = await world.enquiries.own_messages("S01-0001", tenant=RBA)
    assert message.outcome is Outcome.REFUSED
    assert [issue.code for issue in message.issues] == ["MESSAGE_TYPE_UNSUPPORTED"]


async def test_a_contradiction_is_held_and_nothing_leaves(world: World) -> None:
    answer = await world.post(S10)
    assert answer.http_status in {200, 202}
    assert await world.state("S10-0001") is LineState.HELD
    assert await world.due() == []


async def test_a_trust_may_have_contradictions_refused_instead(tmp_path: Path) -> None:
    world = make(tmp_path, on_conflict=OnConflict.REFUSE)
    answer = await world.post(S10)
    assert answer.later is not None
    assert b"|AE|" in answer.later
    assert await world.enquiries.by_control_id("S10-0001", tenant=RBA) == ()
    await world.store.close()
    await world.enquiries.close()


async def test_an_order_number_in_use_is_refused_under_any_control_id(world: World) -> None:
    await world.post(S01)
    answer = await world.post(fresh(S01, b"S01-0002"))
    assert answer.later is not None
    assert b"ORDER_REUSED" in answer.later
    assert len(await world.due()) == 1


async def test_a_copy_of_a_cancelled_order_revives_nothing(world: World) -> None:
    await world.post(S02)
    await world.post(S05)
    assert await world.state("S02-0001") is LineState.CANCELLED
    answer = await world.post(changed(S02, b"|S02-0001|", b"|S02-0002|"))
    assert answer.later is not None
    assert b"ORDER_REUSED" in answer.later
    assert b"is over (cancelled)" in answer.later
    assert await world.due() == []


async def test_a_held_order_is_corrected_by_its_own_ordering_system_alone(world: World) -> None:
    await world.post(S10)
    other = changed(changed(S10, b"|S10-0001|", b"|S10-0002|"), b"RX7010^RBA", b"RX7010^EPR2")
    answer = await world.post(changed(other, b"GRP7010", b"GRP7910"))
    assert answer.later is not None
    assert b"ORDER_REUSED" in answer.later
    assert await world.state("S10-0001") is LineState.HELD


async def test_a_group_number_of_another_patient_is_refused(world: World) -> None:
    await world.post(S01)
    other = changed(fresh(S01, b"S01-0003"), b"RX7001", b"RX7999")
    answer = await world.post(changed(other, b"9990000077", b"9990000212"))
    assert answer.later is not None
    assert b"GROUP_PATIENT_MISMATCH" in answer.later
    assert len(await world.due()) == 1


async def test_a_prescription_does_not_grow_after_it_was_taken(world: World) -> None:
    await world.post(S01)
    answer = await world.post(changed(fresh(S01, b"S01-0004"), b"RX7001", b"RX7999"))
    assert answer.later is not None
    assert b"ORDER_REUSED" in answer.later
    assert len(await world.due()) == 1


async def test_a_corrected_order_replaces_the_held_one(world: World) -> None:
    await world.post(S10)
    corrected = changed(changed(S10, b"S10-0001", b"S10-0002"), b"20^mg&milligram&UCUM", b"10^mg&milligram&UCUM")
    await world.post(corrected)
    assert len(await world.due()) == 1
    states = {found.state for found in await world.enquiries.latest(tenant=RBA, limit=10)}
    assert LineState.HELD not in states


async def test_an_order_number_twice_in_one_message_is_refused(world: World) -> None:
    order = S01[S01.index(b"ORC|") :]
    answer = await world.post(S01 + order)
    assert answer.later is not None
    assert b"ORDER_REUSED" in answer.later
    assert await world.due() == []


@pytest.mark.parametrize(
    "body", [b"", b"MSH|", b"garbage", S01[:40], b"\xff\xfe\x00\x00"], ids=["empty", "MSH", "garbage", "cut", "UTF-16"]
)
async def test_what_cannot_be_read_is_kept_apart_and_answered_negatively(world: World, body: bytes) -> None:
    answer = await world.post(body)
    assert answer.http_status >= 400
    assert b"|AA|" not in answer.body
    assert b"|CA|" not in answer.body
    (alert,) = await world.enquiries.open_alerts(tenant=None, limit=10)
    assert alert.kind == "submission-unreadable"


async def test_a_message_for_another_environment_may_be_sent_again_once_that_is_mended(world: World) -> None:
    live = changed(S01, b"|T|2.5.1", b"|P|2.5.1")
    answer = await world.post(live)
    assert b"|CA|" not in answer.body
    assert await stored_answer(world.store, RBA, "S01-0001") is None
    await world.post(S01)
    assert await world.state("S01-0001") is LineState.READY


async def test_a_signature_that_is_required_and_absent_refuses(tmp_path: Path) -> None:
    world = make(tmp_path, signature_policy=SignaturePolicy.REQUIRED)
    answer = await world.post(S01)
    assert answer.later is not None
    assert b"SIGNATURE_MISSING" in answer.later
    await world.store.close()
    await world.enquiries.close()


async def test_a_trust_that_screens_has_clean_orders_wait_for_the_check(tmp_path: Path) -> None:
    world = make(tmp_path, screening=True)
    unchecked = S01.replace(b"2099991^PHARMACIST^Perry^^^MR^^^GPhC|20261005085500+0100", b"|")
    await world.post(unchecked)
    assert await world.state("S01-0001") is LineState.AWAITING_SCREENING
    assert await world.due() == []
    await world.store.close()
    await world.enquiries.close()


async def test_an_order_that_needs_human_review_waits_although_it_was_checked(world: World) -> None:
    rxe = next(line for line in S01.split(b"\r") if line.startswith(b"RXE"))
    fields = rxe.split(b"|")
    fields[20] = b"Y"
    await world.post(changed(S01, rxe, b"|".join(fields)))
    assert await world.state("S01-0001") is LineState.AWAITING_SCREENING
    assert await world.due() == []


async def test_an_answer_the_adapter_cannot_read_is_kept_and_moves_nothing(world: World) -> None:
    await world.post(S01)
    callback = Callback(
        destination=OdsCode("VNE51"), received_at=RECEIVED, content_type="application/fhir+json", body=b"{"
    )
    result = await world.pipeline.acknowledge(callback, {})
    assert result.effect is Effectiveness.KEPT
    assert await world.state("S01-0001") is LineState.READY


@pytest.mark.parametrize(("last", "state"), [(date(2026, 10, 5), "READY"), (date(2026, 10, 4), "HELD")])
async def test_a_local_code_is_read_only_while_its_entry_counts(tmp_path: Path, last: date, state: str) -> None:
    target = Coding(system=SNOMED, code="3318611000001103", display="pre-filled disposable injection")
    entry = CodeEntry(kind="unit", code="PFS", system="99LOC", target=target, valid_to=last)
    made = make(tmp_path, codes=(entry,))
    old = b"3318611000001103^pre-filled disposable injection^SCT"
    await made.post(changed(S01, old, b"PFS^syringe^99LOC"))
    assert (await made.state("S01-0001")).value == state
    await made.store.close()
    await made.enquiries.close()
