"""HTTP as nobody should send it, byte for byte: the rows W of the corpus (reliability-security.md 4.4)."""

import asyncio
import json
import re
from importlib.metadata import version
from importlib.util import find_spec

import pytest

from tests.doors import RBA, bearer
from tests.unit.web import test_app
from tests.unit.web.test_app import Door

door = test_app.door

HEAD = "POST /xml HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer rba\r\nContent-Type: application/xml\r\n"


async def raw(door: Door, *parts: str | bytes) -> str:
    """Send bytes as they stand, and give everything that comes back until the connection ends or rests."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(door.address.rpartition(":")[2]))
    found = b""
    try:
        for part in parts:
            writer.write(part.encode("latin-1") if isinstance(part, str) else part)
        await writer.drain()
        while chunk := await asyncio.wait_for(reader.read(65536), 0.3):
            found += chunk
    except (TimeoutError, ConnectionError):
        pass
    finally:
        writer.close()
    return found.decode("latin-1")


def status_of(answer: str) -> int:
    """Give the status of an answer; nought where the connection was closed without one."""
    found = re.match(r"HTTP/1\.1 (\d{3})", answer)
    return int(found[1]) if found else 0


@pytest.mark.parametrize(
    "fields",
    [
        "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n",
        "Content-Length: 1\r\nContent-Length: 2\r\n",
        "Content-Length: 1, 1\r\n",
        "Content-Length: +1\r\n",
        "Content-Length: 0x1\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Content-Length: 1\r\nX-Note: a\r\n b\r\n",
        "Content-Length: 1\r\nX-Note: a\x00b\r\n",
        "Content-Length : 1\r\n",
        "Content-Length: 1\r\nno colon\r\n",
    ],
)
async def test_w01_a_request_with_two_lengths_or_broken_fields_stores_nothing(door: Door, fields: str) -> None:
    answer = await raw(door, HEAD, fields, "\r\n", "1\r\na\r\n0\r\n\r\n")
    assert status_of(answer) in {0, 400, 501}
    assert door.story.submissions == []


@pytest.mark.parametrize(
    "chunks",
    [
        "FFFFFFFFFFFFFFFFF\r\na\r\n",
        "-1\r\na\r\n",
        "1 1\r\na\r\n0\r\n\r\n",
        "1\r\nabc\r\n0\r\n\r\n",
        "g\r\na\r\n0\r\n\r\n",
    ],
)
async def test_w02_broken_chunks_store_nothing(door: Door, chunks: str) -> None:
    answer = await raw(door, HEAD, "Transfer-Encoding: chunked\r\n\r\n", chunks)
    assert status_of(answer) in {0, 400, 408}
    assert door.story.submissions == []


def test_w02_the_parser_is_one_that_checks_where_chunks_end() -> None:
    assert tuple(map(int, version("h11").split(".")[:2])) >= (0, 16)


@pytest.mark.parametrize(
    "hosts",
    [
        "",
        "Host: 127.0.0.1\r\nHost: evil.example\r\n",
        "Host: evil.example\r\n",
        "Host: 127.0.0.1/x\r\n",
        "Host: a@127.0.0.1\r\n",
    ],
)
async def test_w04_a_request_that_does_not_name_us_once_is_turned_away(door: Door, hosts: str) -> None:
    head = HEAD.replace("Host: 127.0.0.1\r\n", hosts)
    assert status_of(await raw(door, head, "Content-Length: 1\r\n\r\na")) == 400
    assert door.story.submissions == []


@pytest.mark.parametrize(
    "header",
    ["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Client-Cert", "X-Client-Verify", "X-SSL-Client-S-DN"],
)
async def test_w05_what_a_proxy_would_say_opens_nothing_and_changes_nobody(door: Door, header: str) -> None:
    said = {header.replace("-", "_"): "RZA"}
    status, _, _ = await door.post("/xml", token="", **said)
    assert status == 401
    status, _, _ = await door.post("/xml", **said)
    assert (status, [one.tenant for one in door.story.submissions]) == (202, [RBA])


@pytest.mark.parametrize(
    "target",
    [
        "/xml;v=1",
        "/xml.",
        "/%2e%2e/xml",
        "/x%6dl/",
        "/xml%2f",
        "//xml",
        "/Xml",
        "/./xml/..",
        "/xml%00",
        "/console/../xml/",
    ],
)
async def test_w06_another_way_of_writing_an_address_is_no_address(door: Door, target: str) -> None:
    answer = await raw(door, HEAD.replace("/xml", target, 1), "Content-Length: 1\r\n\r\na")
    assert status_of(answer) in {400, 404}
    assert door.story.submissions == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "PROPFIND"])
async def test_w07_an_address_serves_its_own_method_alone(door: Door, method: str) -> None:
    answer = await raw(door, HEAD.replace("POST", method, 1), "Content-Length: 0\r\n\r\n")
    assert status_of(answer) in {400, 405}
    assert door.story.submissions == []


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"])
async def test_w07_no_header_makes_a_reading_of_a_writing(door: Door, name: str) -> None:
    answer = await raw(door, HEAD.replace("POST", "GET", 1), f"{name}: POST\r\nContent-Length: 1\r\n\r\na")
    assert status_of(answer) == 405
    assert door.story.submissions == []


async def test_w08_two_content_types_are_none(door: Door) -> None:
    answer = await raw(door, HEAD, "Content-Type: text/plain\r\nContent-Length: 1\r\n\r\na")
    assert status_of(answer) == 415
    assert door.story.submissions == []


@pytest.mark.parametrize("fields", ["X-Note: " + "a" * 70_000 + "\r\n", "".join(f"X-{n}: a\r\n" for n in range(1000))])
async def test_w09_more_header_than_any_request_needs_is_turned_away(door: Door, fields: str) -> None:
    answer = await raw(door, HEAD, fields, "Content-Length: 1\r\n\r\na")
    assert status_of(answer) in {400, 431}
    assert door.story.submissions == []


def test_w10_nothing_here_parses_a_form_of_several_parts() -> None:
    assert find_spec("multipart") is None
    assert find_spec("python_multipart") is None


async def test_w11_ranges_are_not_served(door: Door) -> None:
    ranges = "bytes=" + ",".join(f"{n}-{n}" for n in range(1000))
    async with door.client.get(f"{door.address}/lifecycle.json", headers={"Range": ranges}) as response:
        assert response.status == 200
        assert "Content-Range" not in response.headers
        json.loads(await response.text())


async def test_w12_expecting_and_upgrading_change_nothing(door: Door) -> None:
    answer = await raw(door, HEAD, "Expect: 100-continue\r\nContent-Length: 1\r\n\r\na")
    assert "HTTP/1.1 202" in answer
    upgrade = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
    answer = await raw(door, HEAD, upgrade, "Content-Length: 1\r\n\r\na")
    assert "101" not in answer.split("\r\n", 1)[0]
    answer = await raw(door, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    assert status_of(answer) in {0, 400, 404, 405}


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1"])
async def test_w17_no_other_origin_is_let_in(door: Door, origin: str) -> None:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    async with door.client.options(f"{door.address}/xml", headers=asked) as response:
        assert response.status == 405
        assert not [name for name in response.headers if name.lower().startswith("access-control")]
    async with door.client.post(
        f"{door.address}/xml", data=b"x", headers={**bearer("rba"), "Origin": origin}
    ) as posted:
        assert not [name for name in posted.headers if name.lower().startswith("access-control")]


async def test_w21_a_sender_who_leaves_after_the_body_is_served_once(door: Door) -> None:
    door.story.gate = asyncio.Event()
    _, writer = await asyncio.open_connection("127.0.0.1", int(door.address.rpartition(":")[2]))
    writer.write(f"{HEAD}Content-Length: 5\r\n\r\nwhole".encode())
    await writer.drain()
    await asyncio.sleep(0.05)
    writer.close()
    door.story.gate.set()
    await asyncio.sleep(0.05)
    assert [one.body for one in door.story.submissions] == [b"whole"]
