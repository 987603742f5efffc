"""Names used again, and bodies that are not what their headers say, through the real doors.

Source: reliability-security.md 4.1 (H14, H34), 4.2 (X04), 4.3 (J23 to J26).
"""

import asyncio
import gzip
from collections.abc import Callable
from typing import Any

import pytest

from gateway.wire.strict_json import dumps
from tests.acceptance.test_bad_input import DOORS, FHIR, WHOLE, Fate, Running, running, told
from tests.dated import as_of_yesterday
from tests.doors import bearer
from tests.unit.translate.from_fhir import orders, uk_core_orders

__all__ = ["running"]
TASK_DOORS = {
    "/FHIR/R4/$validate": "rba",
    "/FHIR/R4/$prepare": "rba",
    "/callbacks/VNE51": "vne51",
    "/FHIR/R4/Task": "vne51",
    "/FHIR/R4/Task/$release": "vne51",
}
OTHER_ID = "4bbc97c0-f16d-4d82-85c8-c3cc62f8ffff"
Edit = Callable[[dict[str, Any]], object]


async def send(
    running: Running, path: str, body: bytes, headers: dict[str, str], *, who: str = "trust RBA"
) -> tuple[int, bytes]:
    sent = bearer(running.gateway.fresh[who]) | headers
    async with running.client.post(running.address + path, data=body, headers=sent) as response:
        return response.status, await response.read()


def prescriptions(running: Running) -> int:
    return len(running.rows("SELECT 1 FROM outbox WHERE kind = 'deliver'"))


def changed(*edits: Edit) -> bytes:
    found = orders.unsigned()
    for edit in edits:
        edit(found)
    return as_of_yesterday(dumps(found))


def new_bundle_id(found: dict[str, Any]) -> None:
    found["identifier"]["value"] = OTHER_ID


def new_header_id(found: dict[str, Any]) -> None:
    found["entry"][0]["fullUrl"] = f"urn:uuid:{OTHER_ID}"


def other_quantity(found: dict[str, Any]) -> None:
    orders.resource(found, "MedicationRequest")["dispenseRequest"]["quantity"]["value"] = 5


async def test_j23_the_same_message_again_gets_the_same_answer(running: Running) -> None:
    first = await running.say("fhir", FHIR)
    assert [await running.say("fhir", FHIR) for _ in range(3)] == [first] * 3
    assert prescriptions(running) == 1


async def test_h12_the_same_message_fifty_times_at_once_is_one(running: Running) -> None:
    answers = await asyncio.gather(*(running.say("v2", WHOLE["v2"]) for _ in range(50)))
    assert len(set(answers)) == 1
    assert prescriptions(running) == 1


@pytest.mark.parametrize(
    "edits", [(new_bundle_id,), (new_bundle_id, other_quantity)], ids=["the same order", "another order"]
)
async def test_j24_an_order_under_a_new_message_name_is_refused_and_supplied_once(
    running: Running, edits: tuple[Edit, ...]
) -> None:
    first = await running.say("fhir", FHIR)
    status, answer = await running.say("fhir", changed(*edits))
    assert {code for code, _ in told("fhir", answer)} & {"ORDER_REUSED", "IDENTIFIER_REUSED"}
    assert status >= 400
    assert prescriptions(running) == 1
    assert await running.say("fhir", FHIR) == first


async def test_j25_a_message_name_with_another_header_is_a_conflict(running: Running) -> None:
    await running.say("fhir", FHIR)
    status, answer = await running.say("fhir", changed(new_header_id))
    assert (status, {code for code, _ in told("fhir", answer)}) == (409, {"CONTROL_ID_REUSED"})
    assert prescriptions(running) == 1


async def test_j26_a_key_names_one_body_and_must_be_a_name(running: Running) -> None:
    path, kind = DOORS["fhir"]
    order = uk_core_orders.single()
    for key, expected in ((None, "CONTROL_ID_MISSING"), ("k" * 10_000, "CONTROL_ID_MISSING")):
        headers = {"Content-Type": kind} | ({"Idempotency-Key": key} if key else {})
        status, answer = await send(running, path, dumps(order), headers)
        assert status in {400, 431}
        assert status == 431 or expected in {code for code, _ in told("fhir", answer)}
    named = {"Content-Type": kind, "Idempotency-Key": "8f7a-1"}
    first = await send(running, path, as_of_yesterday(dumps(order)), named)
    assert first[0] < 300
    order["dispenseRequest"]["numberOfRepeatsAllowed"] += 1
    status, answer = await send(running, path, as_of_yesterday(dumps(order)), named)
    assert (status, {code for code, _ in told("fhir", answer)}) == (409, {"CONTROL_ID_REUSED"})


async def test_h14_another_sender_may_use_the_same_control_id(running: Running) -> None:
    first = await running.say("v2", WHOLE["v2"])
    other = WHOLE["v2"].replace(b"|EPMA|RBA|", b"|EPMA|RZA|")
    headers = {"Content-Type": DOORS["v2"][1]}
    status, answer = await send(running, "/hl7v2", other, headers, who="trust RZA")
    assert "CONTROL_ID_REUSED" not in {code for code, _ in told("v2", answer)}
    assert status == first[0] == 200
    assert running.rows("SELECT count(DISTINCT tenant), count(*) FROM submission") == [(2, 2)]


BOMB = gzip.compress(gzip.compress(b"<a>" + b" " * 50_000_000 + b"</a>"))


@pytest.mark.parametrize("path", [path for path, _ in DOORS.values() if path] + list(TASK_DOORS))
@pytest.mark.parametrize("encoding", ["gzip", "gzip, gzip", "deflate", "br", "GZIP", "identity, gzip", "x"])
async def test_x04_a_compressed_body_is_turned_away_unread(running: Running, path: str, encoding: str) -> None:
    kind = dict(DOORS.values()).get(path, "application/fhir+json")
    who = "provider VNE51" if TASK_DOORS.get(path) == "vne51" else "trust RBA"
    status, _ = await send(running, path, BOMB, {"Content-Type": kind, "Content-Encoding": encoding}, who=who)
    assert status == 415
    assert running.fate() is Fate.NOTHING


@pytest.mark.parametrize("door", ["v2", "xml", "fhir"])
async def test_x04_a_compressed_body_that_does_not_say_so_is_not_taken(running: Running, door: str) -> None:
    status, answer = await running.say(door, gzip.compress(WHOLE[door]))
    assert {code for code, _ in told(door, answer)} & {"UNREADABLE", "CHARSET_INVALID"}
    assert status == 400
    assert running.fate() is Fate.APART


async def test_x04_two_statements_of_the_encoding_are_both_read(running: Running) -> None:
    lines = ["Content-Encoding: identity", "Content-Encoding: gzip", f"Content-Length: {len(BOMB)}"]
    assert (await speak(running, "/xml", "application/xml", lines, BOMB)).startswith(b"HTTP/1.1 415")


async def test_h34_a_right_body_under_a_wrong_type_is_turned_away(running: Running) -> None:
    for kind in ("text/plain", "application/fhir+json", "application/x-hl7"):
        status, _ = await send(running, "/hl7v2", WHOLE["v2"], {"Content-Type": kind})
        assert status == 415
    assert running.fate() is Fate.NOTHING


async def test_h34_two_messages_in_one_request_are_refused_whole(running: Running) -> None:
    second = WHOLE["v2"].replace(b"S01-0001", b"S01-0002").replace(b"RX7001", b"RX7002").replace(b"GRP7001", b"GRP7002")
    status, answer = await running.say("v2", WHOLE["v2"] + second)
    assert "STRUCTURE_INVALID" in {code for code, _ in told("v2", answer)}
    assert status == 422
    assert running.fate() is Fate.REFUSED


@pytest.mark.parametrize(("trailer", "taken"), [("X-Order: PID|2", True), ("Content-Type: text/plain", False)])
async def test_h34_what_follows_the_last_chunk_is_no_part_of_the_message(
    running: Running, trailer: str, *, taken: bool
) -> None:
    body = WHOLE["v2"]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:100], body[100:]))
    octets = chunks + f"0\r\n{trailer}\r\n\r\n".encode()
    lines = ["Transfer-Encoding: chunked", f"Trailer: {trailer.partition(':')[0]}"]
    answer = await speak(running, "/hl7v2", DOORS["v2"][1], lines, octets)
    assert answer.startswith(b"HTTP/1.1 200" if taken else b"HTTP/1.1 415")
    assert running.rows("SELECT outcome FROM submission") == ([("translated",)] if taken else [])
    if taken:
        assert await running.say("v2", body) == (200, answer.split(b"\r\n\r\n", 1)[1])


async def speak(running: Running, path: str, kind: str, lines: list[str], octets: bytes) -> bytes:
    """Send a request as it stands, and give the whole response."""
    host = running.address.removeprefix("http://")
    reader, writer = await asyncio.open_connection(*host.split(":"))
    token = bearer(running.gateway.fresh["trust RBA"])["Authorization"]
    head = [f"POST {path} HTTP/1.1", f"Host: {host}", f"Authorization: {token}", f"Content-Type: {kind}"]
    writer.write("\r\n".join([*head, "Connection: close", *lines, "", ""]).encode() + octets)
    async with asyncio.timeout(5):
        answer = await reader.read(-1)
    writer.close()
    return answer
