"""Long lists as files: they leave part by part, and none that broke off looks as if it were whole."""

from collections.abc import AsyncIterator, Sequence

import aiohttp
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message
from structlog.testing import capture_logs

from gateway.console.csv_stream import Rows, csv_stream
from gateway.console.csv_text import Cell, csv_bytes
from gateway.domain.errors import Unavailable
from gateway.telemetry import Metrics
from gateway.web.edge import Edge
from tests.doors import served

PARTS: Sequence[Sequence[Sequence[Cell]]] = ([("=1+1", 2), ("b", None)], [], [("c", 4)])
HEADER = ("one", "two")
WHOLE = csv_bytes(HEADER, [row for part in PARTS for row in part])


async def given(parts: Sequence[Rows], asked: list[int], *, away_at: int = -1) -> AsyncIterator[Rows]:
    for number, part in enumerate(parts):
        asked.append(number)
        if number == away_at:
            raise Unavailable("the database cannot be read")
        yield part


async def exchange(answer: Response, version: str, asked: list[int]) -> tuple[dict[bytes, bytes], list[bytes], int]:
    """Give headers and pieces as a server is given them, and how many parts were asked for before the first octet."""
    sent: list[Message] = []
    before = [0]

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body" and len(sent) == 1:
            before[0] = len(asked)
        sent.append(message)

    scope = {
        "type": "http",
        "http_version": version,
        "method": "GET",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
    }
    await answer(scope, receive, send)
    return dict(sent[0]["headers"]), [one.get("body", b"") for one in sent[1:]], before[0]


async def test_the_pieces_are_the_file_and_each_part_is_asked_for_when_the_one_before_it_left() -> None:
    asked: list[int] = []
    answer = await csv_stream("a-list", HEADER, given(PARTS, asked))
    assert asked == [0]
    headers, pieces, before = await exchange(answer, "1.1", asked)
    assert b"".join(pieces) == WHOLE
    assert (asked, before) == ([0, 1, 2], 1)
    assert headers[b"content-disposition"] == b'attachment; filename="a-list.csv"'
    assert headers[b"content-type"] == b"text/csv; charset=utf-8; header=present"
    assert b"content-length" not in headers


async def test_a_list_without_rows_is_its_header() -> None:
    _, pieces, _ = await exchange(await csv_stream("a-list", HEADER, given((), [])), "1.1", [])
    assert b"".join(pieces) == csv_bytes(HEADER, [])


async def test_to_who_cannot_tell_half_a_file_from_a_whole_one_it_goes_with_its_length() -> None:
    asked: list[int] = []
    answer = await csv_stream("a-list", HEADER, given(PARTS, asked))
    headers, pieces, before = await exchange(answer, "1.0", asked)
    assert b"".join(pieces) == WHOLE
    assert headers[b"content-length"] == str(len(WHOLE)).encode()
    assert headers[b"cache-control"] == b"no-store"
    assert before == len(PARTS)
    with pytest.raises(Unavailable):  # and nothing of it, where it cannot be read to its end
        await exchange(await csv_stream("a-list", HEADER, given(PARTS, [], away_at=2)), "1.0", [])


@pytest.mark.parametrize("away_at", [1, 2])
async def test_a_file_whose_store_goes_away_is_a_download_that_failed(away_at: int) -> None:
    async def file(_: Request) -> Response:
        return await csv_stream("a-list", HEADER, given(PARTS, [], away_at=away_at))

    handlers = {Unavailable: lambda _request, _error: Response("away", 503)}
    app = Starlette(routes=[Route("/", file)], exception_handlers=handlers)  # type: ignore[arg-type]
    metrics = Metrics()
    edge = Edge(app, hosts=frozenset(), metrics=metrics)
    with capture_logs() as logs:
        async with served(edge) as address, aiohttp.ClientSession() as browser, browser.get(address) as answer:
            assert answer.status == 200
            with pytest.raises(aiohttp.ClientPayloadError):
                await answer.read()
    # the server says in its own words too that the answer was broken off, where its log goes the gateway's way
    ours = [one for one in logs if not one["event"].startswith("ASGI callable")]
    noted = [(one["event"], one["log_level"], one.get("error"), one.get("status")) for one in ours]
    assert noted == [("broken_off", "warning", "Unavailable", None), ("answered", "info", None, 503)]
    assert not any("exc_info" in one for one in logs)
    count = "gateway_answer_seconds_count"
    assert metrics.registry.get_sample_value(count, {"door": "/", "status": "5xx"}) == 1
    assert metrics.registry.get_sample_value(count, {"door": "/", "status": "2xx"}) is None


async def test_a_store_that_is_away_from_the_beginning_is_said_on_a_page() -> None:
    with pytest.raises(Unavailable):
        await csv_stream("a-list", HEADER, given(PARTS, [], away_at=0))


async def test_a_row_of_another_length_and_a_name_that_says_more_are_refused() -> None:
    with pytest.raises(ValueError, match="columns"):
        await csv_stream("a-list", HEADER, given([[("a",)]], []))
    with pytest.raises(ValueError, match="name"):
        await csv_stream("A list", HEADER, given(PARTS, []))
