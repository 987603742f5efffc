"""The HTTP door on a real socket."""

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import aiohttp
import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.capabilitystatement import CapabilityStatement
from structlog.testing import capture_logs
from yarl import URL

from gateway.domain.errors import Unavailable
from gateway.domain.lifecycle import LineState
from gateway.domain.partner import Environment
from gateway.domain.submission import Answer, Outcome, WireFormat
from gateway.enquiries import PauseView
from gateway.ports.callback import CallbackResult, Effectiveness
from gateway.ports.looking_up import OwnMessage
from gateway.telemetry import Metrics
from gateway.web.app import Identity, create_app
from gateway.web.lifecycle import published
from gateway.web.limits import Limits
from gateway.web.task import STATE_SYSTEM
from tests.doors import (
    LINE,
    NHS_NUMBER,
    NOW,
    NUMBER,
    PRESCRIPTION,
    RBA,
    VDEM1,
    VNE51,
    Enquiries,
    Notes,
    Story,
    bearer,
    directory,
    line_view,
    served,
    view,
)

FHIR = "application/fhir+json; fhirVersion=4.0"
DOORS = {
    "/hl7v2": ("application/hl7-v2", WireFormat.HL7V2),
    "/xml": ("application/xml", WireFormat.XML),
    "/FHIR/R4/$process-message": (FHIR, WireFormat.FHIR),
}
LIMITS = Limits(body_bytes=1000, drained_bytes=5000, body_seconds=0.3, in_flight=2)


@dataclass
class Door:
    """A gateway being served."""

    address: str
    client: aiohttp.ClientSession
    story: Story
    enquiries: Enquiries
    notes: Notes

    async def post(
        self,
        path: str,
        body: object = b"x",
        *,
        token: str = "rba",  # noqa: S107 - invented
        **headers: str,
    ) -> tuple[int, "aiohttp.typedefs.CIMultiDictProxy[str]", str]:
        sent = bearer(token) | {"Content-Type": DOORS.get(path, (FHIR,))[0]}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.client.post(self.address + path, data=body, headers=sent) as response:
            return response.status, response.headers, await response.text()

    async def get(self, path: str, *, token: str = "rba") -> tuple[int, dict[str, object]]:  # noqa: S107 - invented
        async with self.client.get(self.address + path, headers=bearer(token)) as response:
            return response.status, json.loads(await response.text())


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    story, enquiries, notes = Story(), Enquiries(), Notes()
    app = create_app(
        story=story,
        enquiries=enquiries,
        notes=notes,
        directory=directory(),
        providers=frozenset({VNE51, VDEM1}),
        identity=Identity(
            organisation=RBA, environment=Environment.TEST, base_url="http://127.0.0.1:8080", version="0.1.0"
        ),
        jwks={"keys": []},
        metrics=Metrics(),
        now=lambda: NOW,
        limits=LIMITS,
        hosts=frozenset({"127.0.0.1", "localhost"}),
    )
    async with served(app) as address, aiohttp.ClientSession() as client:
        yield Door(address, client, story, enquiries, notes)


@pytest.mark.parametrize("path", DOORS)
async def test_what_a_trust_posts_reaches_the_story_whole_and_its_answer_comes_back_whole(
    door: Door, path: str
) -> None:
    status, headers, text = await door.post(path, b"\x00\xffbytes")
    assert (status, text) == (202, "held")
    assert headers["Content-Type"] == "text/x-answer"
    (submission,) = door.story.submissions
    assert (submission.tenant, submission.format, submission.body) == (RBA, DOORS[path][1], b"\x00\xffbytes")
    assert submission.received_at == NOW
    assert submission.content_type == DOORS[path][0]


@pytest.mark.parametrize(
    ("path", "token", "status"),
    [
        (path, token, status)
        for path in DOORS
        for token, status in (("", 401), ("wrong", 401), ("vne51", 403), ("operator", 403))
        if (path, token) != ("/hl7v2", "vne51")  # where a provider reports
    ],
)
async def test_only_a_trust_may_post_a_prescription(door: Door, path: str, token: str, status: int) -> None:
    answered, headers, _ = await door.post(path, token=token)
    assert answered == status
    assert (headers.get("WWW-Authenticate") == "Bearer") == (status == 401)
    assert not door.story.submissions


async def test_two_credentials_at_once_are_none(door: Door) -> None:
    pairs = [("Authorization", "Bearer rba"), ("Authorization", "Bearer rza"), ("Content-Type", FHIR)]
    async with door.client.post(door.address + "/FHIR/R4/$process-message", data=b"x", headers=pairs) as response:
        assert response.status == 401


@pytest.mark.parametrize("path", DOORS)
@pytest.mark.parametrize(
    "header",
    [
        {"Content_Type": "text/plain"},
        {"Content_Type": "multipart/form-data; boundary=x"},
        {"Content_Type": "application/x-www-form-urlencoded"},
        {"Content_Type": "application/fhir+json; fhirVersion=5.0"},
        {"Content_Encoding": "gzip"},
        {"Content_Encoding": "br, gzip"},
    ],
    ids=str,
)
async def test_a_body_of_another_type_or_encoding_is_turned_away(door: Door, path: str, header: dict[str, str]) -> None:
    status, _, _ = await door.post(path, **header)
    assert status == 415
    assert not door.story.submissions


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/hl7v2", "x-application/hl7-v2+er7"),
        ("/hl7v2", "application/hl7-v2+er7; charset=UTF-8"),
        ("/xml", 'text/xml; charset="utf-8"'),
        ("/FHIR/R4/$process-message", "application/json"),
        ("/FHIR/R4/$process-message", "application/fhir+json;charset=utf-8;fhirVersion=4.0.1"),
    ],
)
async def test_every_published_media_type_is_taken(door: Door, path: str, kind: str) -> None:
    status, _, _ = await door.post(path, Content_Type=kind)
    assert status == 202


async def test_xml_in_another_character_set_is_turned_away(door: Door) -> None:
    status, _, _ = await door.post("/xml", Content_Type="application/xml; charset=utf-16")
    assert status == 415


async def test_a_caller_who_cannot_take_our_answer_hears_so_before_anything_is_stored(door: Door) -> None:
    status, _, _ = await door.post("/xml", Accept="image/png")
    assert status == 406
    assert not door.story.submissions


@pytest.mark.parametrize("path", DOORS)
async def test_a_body_past_the_limit_is_refused_with_its_length_and_digest_kept(door: Door, path: str) -> None:
    async def stream() -> AsyncIterator[bytes]:
        for _ in range(12):
            yield b"a" * 100

    for body in (b"a" * 1200, stream()):
        door.story.unread.clear()
        status, _, text = await door.post(path, body)
        assert (status, text) == (413, "unread")
        ((submission, (issue,)),) = door.story.unread
        assert submission.length == 1200
        assert submission.digest == hashlib.sha256(b"a" * 1200).hexdigest()
        assert issue.code == "TOO_LARGE"
        assert "1000 bytes" in issue.text
    assert not door.story.submissions


async def test_a_body_far_past_the_limit_is_not_read_to_its_end(door: Door) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(10_000):
            sent += 10_000
            yield b"a" * 10_000

    try:
        status, headers, _ = await door.post("/xml", endless())
    except aiohttp.ClientError:
        pass  # the connection may be gone before the client has read the answer
    else:
        assert status == 413
        assert headers["Connection"] == "close"
    assert door.story.unread[0][0].length < 1_000_000
    assert sent < 100_000_000


async def test_a_body_at_the_limit_is_taken(door: Door) -> None:
    status, _, _ = await door.post("/xml", b"a" * LIMITS.body_bytes)
    assert status == 202


async def test_a_body_that_drips_is_given_up(door: Door) -> None:
    async def drip() -> AsyncIterator[bytes]:
        yield b"a"
        await asyncio.sleep(0.6)
        yield b"b"

    status, headers, text = await door.post("/FHIR/R4/$process-message", drip())
    assert status == 408
    assert headers["Connection"] == "close"
    assert "TOO_SLOW" in text
    assert not door.story.submissions


async def test_a_sender_who_leaves_in_the_middle_leaves_nothing_behind(door: Door) -> None:
    port = int(door.address.rpartition(":")[2])
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    head = "POST /xml HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer rba\r\nContent-Type: application/xml\r\n"
    writer.write(f"{head}Content-Length: 100\r\n\r\nhalf".encode())
    await writer.drain()
    writer.close()
    await asyncio.sleep(0.05)
    assert not door.story.submissions
    assert (await door.post("/xml"))[0] == 202


@pytest.mark.parametrize("path", DOORS)
async def test_when_nothing_was_stored_the_sender_is_told_to_send_it_again(door: Door, path: str) -> None:
    door.story.fails = Unavailable("the disk is full")
    status, headers, text = await door.post(path)
    assert status == 503
    assert int(headers["Retry-After"]) > 0
    assert "disk" not in text


@pytest.mark.parametrize("path", DOORS)
async def test_an_unforeseen_error_says_nothing_and_is_logged_by_its_type(door: Door, path: str) -> None:
    door.story.fails = ValueError(f"could not read {NHS_NUMBER}")
    with capture_logs() as logs:
        status, headers, text = await door.post(path)
    assert status == 500
    assert headers["X-Correlation-ID"] in text
    assert NHS_NUMBER not in text + repr(logs)
    assert any(line.get("error") == "ValueError" for line in logs)


async def test_one_sender_cannot_take_every_place(door: Door) -> None:
    door.story.gate = asyncio.Event()
    waiting = [asyncio.create_task(door.post("/xml")) for _ in range(LIMITS.in_flight)]
    await asyncio.sleep(0.1)
    status, headers, _ = await door.post("/xml")
    other = asyncio.create_task(door.post("/xml", token="rza"))
    await asyncio.sleep(0.05)
    door.story.gate.set()
    assert status == 429
    assert "Retry-After" in headers
    assert [answered for answered, _, _ in await asyncio.gather(*waiting, other)] == [202, 202, 202]
    assert (await door.post("/xml"))[0] == 202


async def test_the_idempotency_key_is_not_what_makes_a_repeat(door: Door) -> None:
    for body in (b"one", b"two"):
        await door.post("/xml", body, Idempotency_Key="same")
    assert [submission.body for submission in door.story.submissions] == [b"one", b"two"]


async def test_every_answer_carries_a_correlation_id_and_safe_headers(door: Door) -> None:
    given = "6f1d4ab0-3b0c-5f5a-9a43-8f0c2f0d6a11"
    for path, sent, kept in (("/xml", given, True), ("/xml", NHS_NUMBER, False), ("/nowhere", "", False)):
        _, headers, _ = await door.post(path, X_Correlation_ID=sent)
        assert (headers["X-Correlation-ID"] == given) == kept
        assert re.fullmatch(r"[0-9a-f-]{36}", headers["X-Correlation-ID"])
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/xml", 405),
        ("PUT", "/hl7v2", 405),
        ("TRACE", "/xml", 405),
        ("POST", "/xml/", 404),
        ("POST", "//xml", 404),
        ("POST", "/XML", 404),
        ("POST", "/FHIR/R4/../R4/$process-message", 404),
        ("POST", "/FHIR/R4/%24process-message%2f", 404),
        ("GET", "/FHIR/R4/Patient", 404),
        ("GET", "/docs", 404),
    ],
)
async def test_what_is_not_in_the_table_is_not_served(door: Door, method: str, path: str, status: int) -> None:
    url = URL(door.address + path, encoded=True)
    async with door.client.request(method, url, headers=bearer("rba")) as response:
        assert response.status == status
        assert path not in await response.text()


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "a@127.0.0.1", ""])
async def test_a_foreign_host_is_turned_away(door: Door, host: str) -> None:
    status, _, _ = await door.post("/xml", Host=host)
    assert status == 400
    assert not door.story.submissions


@pytest.mark.parametrize(
    "query",
    [
        f"?identifier={NHS_NUMBER}",
        "?identifier=999%20000%200077",
        "?x=999+000+0077",
        f"?patient:identifier=https://fhir.nhs.uk/Id/nhs-number|{NHS_NUMBER}",
        "?patient:identifier=123",
        "?access_token=secret",
    ],
)
async def test_an_address_with_an_nhs_number_or_a_token_is_refused_and_not_logged(door: Door, query: str) -> None:
    with capture_logs() as logs:
        status, body = await door.get(f"/FHIR/R4/Task{query}")
    assert status == 400
    assert "_search" in json.dumps(body) or "token" in query
    assert NHS_NUMBER not in json.dumps(body) + repr(logs)
    assert "secret" not in json.dumps(body) + repr(logs)
    assert not door.enquiries.asked


@pytest.mark.parametrize("name", ["identifier", "group-identifier", "focus:identifier"])
@pytest.mark.parametrize(
    "value", [NUMBER, NUMBER.lower(), f"https://fhir.nhs.uk/Id/prescription-order-number|{NUMBER}"]
)
async def test_a_trust_sees_where_its_prescription_is(door: Door, name: str, value: str) -> None:
    async with door.client.get(f"{door.address}/FHIR/R4/Task", params={name: value}, headers=bearer("rba")) as response:
        body = await response.text()
        assert response.status == 200
        assert response.content_type == "application/fhir+json"
    bundle = Bundle.model_validate_json(body)
    (entry,) = bundle.entry
    task = entry.resource
    assert (bundle.total, task.id, task.status) == (1, str(LINE), "received")
    assert task.businessStatus.coding[0].system == STATE_SYSTEM
    assert task.businessStatus.coding[0].code == "WITH_PROVIDER"
    assert task.businessStatus.text == "Arrived, not accepted"
    assert task.owner.identifier.value == "VNE51"
    assert task.extension[0].valueInteger == 1
    assert NHS_NUMBER not in body
    assert "Methotrexate" not in body
    assert door.notes.leaves == [("RBA", "status", str(PRESCRIPTION))]


@pytest.mark.parametrize("value", ["PO-1", "G1"])
async def test_an_order_or_group_number_finds_it_too(door: Door, value: str) -> None:
    _, body = await door.get(f"/FHIR/R4/Task?identifier={value}")
    assert body["total"] == 1


async def test_a_trust_finds_what_became_of_its_own_message(door: Door) -> None:
    _, body = await door.get("/FHIR/R4/Task?message-identifier=S01-0001")
    assert body["total"] == 1


async def test_a_trust_learns_that_its_refused_message_came_and_another_trust_learns_nothing(door: Door) -> None:
    door.enquiries.messages[RBA, "M9"] = (OwnMessage(control_id="M9", received_at=NOW, outcome=Outcome.REFUSED),)
    asked = "/FHIR/R4/Task?message-identifier=M9"
    _, own = await door.get(asked)
    _, foreign = await door.get(asked, token="rza")
    _, provider = await door.get(asked, token="vne51")
    _, never = await door.get("/FHIR/R4/Task?message-identifier=M8", token="rza")
    assert "and was refused; nothing of it was taken" in json.dumps(own)
    assert own["total"] == 0
    assert json.dumps(foreign) == json.dumps(provider) == json.dumps(never).replace("M8", "M9")
    assert [subject for _, _, subject in door.notes.leaves] == ["its own message", *["nothing found"] * 3]


async def test_a_prescription_of_another_looks_like_none(door: Door) -> None:
    foreign = await door.get(f"/FHIR/R4/Task?identifier={NUMBER}", token="rza")
    missing = await door.get("/FHIR/R4/Task?identifier=ABCDEF-000RBA-00000X", token="rza")
    assert foreign[0] == missing[0] == 200
    assert foreign[1]["total"] == missing[1]["total"] == 0
    assert {str(asked["tenant"]) for asked in door.enquiries.asked} == {"RZA"}
    assert set(foreign[1]) == set(missing[1])


@pytest.mark.parametrize(("token", "total"), [("vne51", 1), ("vdem1", 0), ("operator", 1)])
async def test_a_provider_sees_what_was_addressed_to_it(door: Door, token: str, total: int) -> None:
    _, body = await door.get("/FHIR/R4/Task?identifier=PO-1", token=token)
    assert body["total"] == total


async def test_a_search_by_nhs_number_goes_in_a_form(door: Door) -> None:
    for value in (NHS_NUMBER, f"https://fhir.nhs.uk/Id/nhs-number|{NHS_NUMBER}", "999 000 0077"):
        with capture_logs() as logs:
            status, _, text = await door.post(
                "/FHIR/R4/Task/_search",
                {"patient:identifier": value},
                Content_Type="application/x-www-form-urlencoded",
            )
        assert (status, json.loads(text)["total"]) == (200, 1)
        assert NHS_NUMBER not in text + repr(logs) + repr(door.notes.leaves)
    assert door.enquiries.asked[-1]["nhs_number"] == NHS_NUMBER


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?",
        "?identifier=",
        "?identifier=a&identifier=b",
        "?identifier=a&group-identifier=b",
        "?status=accepted",
        "?identifier=a&_include=*",
        "?identifier=a&_count=0",
        "?identifier=a&_count=-1",
        "?identifier=a&_count=999999999999",
        "?identifier=a%00",
        "?identifier=" + "a" * 300,
        "?identifier=%ff",
    ],
)
async def test_a_search_that_is_not_one_of_ours_is_refused(door: Door, query: str) -> None:
    status, body = await door.get(f"/FHIR/R4/Task{query}")
    assert status == 400
    assert body["resourceType"] == "OperationOutcome"
    assert not door.enquiries.asked


@pytest.mark.parametrize("form", [b"patient:identifier=9990000078", b"\xff=1", b"a=1&b=2", b"", b"x" * 2000])
async def test_a_form_that_is_not_one_of_ours_is_refused(door: Door, form: bytes) -> None:
    status, _, _ = await door.post("/FHIR/R4/Task/_search", form, Content_Type="application/x-www-form-urlencoded")
    assert status in {400, 413}
    assert not door.enquiries.asked


async def test_a_list_that_was_cut_short_says_so(door: Door) -> None:
    ids = [f"00000000-0000-4000-8000-00000000000{index}" for index in range(3)]
    door.enquiries.views = [view(found=replace(view().found, prescription_id=UUID(one))) for one in ids]
    _, body = await door.get("/FHIR/R4/Task?identifier=PO-1&_count=2")
    assert "total" not in body
    assert "1 more prescriptions" in json.dumps(body)


@pytest.mark.parametrize("state", list(LineState))
async def test_every_state_can_be_told_as_a_task(door: Door, state: LineState) -> None:
    door.enquiries.views = [view(lines=(line_view(state=state, act_by=None),))]
    async with door.client.get(f"{door.address}/FHIR/R4/Task?identifier=PO-1", headers=bearer("rba")) as response:
        bundle = Bundle.model_validate_json(await response.text())
    assert bundle.entry[0].resource.businessStatus.coding[0].code == state.value


async def test_a_reading_that_cannot_be_audited_is_not_given(door: Door) -> None:
    door.notes.away = True
    status, body = await door.get("/FHIR/R4/Task?identifier=PO-1")
    assert status == 503
    assert str(LINE) not in json.dumps(body)


async def test_a_provider_reports_in_hl7_v2_and_orders_in_nothing(door: Door) -> None:
    for path, status in (("/hl7v2", 202), ("/xml", 403), ("/FHIR/R4/$process-message", 403)):
        headers = {**bearer("vne51"), "Content-Type": DOORS[path][0]}
        async with door.client.post(URL(door.address + path, encoded=True), data=b"x", headers=headers) as answer:
            assert answer.status == status
    assert [each.tenant for each in door.story.submissions] == [VNE51]


async def test_a_provider_answers_at_its_own_address(door: Door) -> None:
    status, _, _ = await door.post("/callbacks/VNE51", b"{}", token="vne51", X_Note="kept")
    assert status == 200
    ((callback, headers),) = door.story.callbacks
    assert (callback.destination, callback.body, callback.received_at) == (VNE51, b"{}", NOW)
    assert headers["x-note"] == "kept"
    assert "authorization" not in headers


@pytest.mark.parametrize("path", ["/callbacks/VNE51", "/callbacks/NOSUCH", "/callbacks/x", "/callbacks/RBA"])
@pytest.mark.parametrize("token", ["vdem1", "rba", "operator"])
async def test_nobody_else_answers_there_and_no_address_tells_whether_it_exists(
    door: Door, path: str, token: str
) -> None:
    status, _, text = await door.post(path, b"{}", token=token)
    assert status == 403
    assert text == (await door.post("/callbacks/VNCEL", b"{}", token=token))[2]
    assert not door.story.callbacks


@pytest.mark.parametrize(
    ("effect", "status"),
    [(Effectiveness.APPLIED, 200), (Effectiveness.REPEAT, 200), (Effectiveness.KEPT, 422)],
)
async def test_a_provider_is_told_what_its_answer_did(door: Door, effect: Effectiveness, status: int) -> None:
    door.story.result = CallbackResult(effect=effect, reasons=("It names no message of ours.",))
    answered, _, text = await door.post("/callbacks/VNE51", b"{}", token="vne51")
    assert answered == status
    assert "It names no message of ours." in text


async def test_a_callback_past_the_limit_or_compressed_is_turned_away(door: Door) -> None:
    assert (await door.post("/callbacks/VNE51", b"x" * 1200, token="vne51"))[0] == 413
    assert (await door.post("/callbacks/VNE51", b"x", token="vne51", Content_Encoding="gzip"))[0] == 415
    assert not door.story.callbacks


async def test_a_callback_that_was_not_stored_is_asked_for_again(door: Door) -> None:
    door.story.fails = Unavailable("away")
    status, headers, _ = await door.post("/callbacks/VNE51", token="vne51")
    assert status == 503
    assert "Retry-After" in headers


async def test_the_capability_statement_is_valid_and_names_the_search(door: Door) -> None:
    async with door.client.get(f"{door.address}/FHIR/R4/metadata") as response:
        statement = CapabilityStatement.model_validate_json(await response.text())
    assert statement.fhirVersion == "4.0.1"
    assert {parameter.name for parameter in statement.rest[0].resource[0].searchParam} >= {
        "identifier",
        "patient:identifier",
    }


async def test_the_lifecycle_is_published_whole(door: Door) -> None:
    _, body = await door.get("/lifecycle.json")
    assert body == published()


async def test_ready_is_not_live(door: Door) -> None:
    assert (await door.get("/health/live"))[0] == 200
    assert (await door.get("/health/ready"))[0] == 200
    door.enquiries.away = True
    assert (await door.get("/health/live"))[0] == 200
    assert (await door.get("/health/ready"))[0] == 503


async def test_ready_says_whether_the_watch_lives_and_what_is_paused(door: Door) -> None:
    swept: list[tuple[datetime | None, str]] = [
        (NOW, "running"),
        (NOW - timedelta(seconds=61), "stopped"),
        (None, "stopped"),
    ]
    for last, status in swept:
        door.enquiries.swept_at = last
        code, body = await door.get("/health/ready")
        found = {"status": status, "lastSweep": last.isoformat() if last else None}
        assert (code, body["watch"], body["paused"]) == (200, found, [])
    door.enquiries.paused = (
        PauseView(destination=VNE51, kind="by operator", begun_at=NOW, begun_by="anna", reason="Moving."),
    )
    _, body = await door.get("/health/ready")
    assert body["paused"] == [{"destination": "VNE51", "kind": "by operator", "since": NOW.isoformat()}]


async def test_the_metrics_count_answers_without_addresses_or_patients(door: Door) -> None:
    await door.post("/xml")
    door.story.answer = Answer(body=b"no", content_type="text/x-answer", http_status=422)
    await door.post("/xml")
    await door.get(f"/FHIR/R4/Task?identifier={NUMBER}")
    async with door.client.get(f"{door.address}/metrics") as response:
        text = await response.text()
    assert 'gateway_submissions_total{format="xml",outcome="taken",tenant="RBA"} 1.0' in text
    assert 'gateway_submissions_total{format="xml",outcome="refused",tenant="RBA"} 1.0' in text
    assert 'door="/xml"' in text
    assert NUMBER not in text


async def test_the_openapi_document_describes_every_address(door: Door) -> None:
    _, body = await door.get("/openapi.json")
    paths = body["paths"]
    assert isinstance(paths, dict)
    assert {"/hl7v2", "/xml", "/FHIR/R4/$process-message", "/callbacks/{destination}", "/FHIR/R4/Task"} <= set(paths)
    assert "application/hl7-v2" in json.dumps(paths["/hl7v2"])


async def test_the_public_keys_are_published(door: Door) -> None:
    _, body = await door.get("/.well-known/jwks.json")
    assert body == {"keys": []}
