"""Pages that stay open: a stop is not held up by them, and what moves reaches them from a gateway as it is run."""

import http.client
import re
import signal
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.acceptance.test_serve import MESSAGE, Child

DRAIN = 20.0
STREAMS = 3


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Child]:
    child = Child(tmp_path / "data", GATEWAY_DRAIN_SECONDS=str(DRAIN), GATEWAY_WATCH_SECONDS="0.5")
    child.ready()
    yield child
    if child.process.poll() is None:
        child.end(signal.SIGKILL)


def _cookie(gateway: Child) -> str:
    jar = CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    link = gateway.until(r"Console \(this link works once\): (\S+)")[1]
    with browser.open(link, timeout=30) as page:
        assert page.status == 200
    return "; ".join(f"{one.name}={one.value}" for one in jar)


@contextmanager
def _listening(gateway: Child, cookie: str) -> Iterator[http.client.HTTPResponse]:
    with closing(http.client.HTTPConnection(urlsplit(gateway.base).netloc, timeout=30)) as connection:
        connection.request("GET", "/console/events", headers={"Cookie": cookie})
        with connection.getresponse() as response:
            assert response.status == 200
            yield response


def _until(stream: http.client.HTTPResponse, event: str) -> str:
    """Read until an event of a name comes, and give its data."""
    deadline, name = time.monotonic() + 30, ""
    while time.monotonic() < deadline:
        line = stream.readline().decode().strip()
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        if line.startswith("data: ") and name == event:
            return line.removeprefix("data: ")
    pytest.fail(f"{event} did not come")


def test_an_order_is_told_to_an_open_page_within_two_seconds(gateway: Child) -> None:
    request = urllib.request.Request(  # noqa: S310 - loopback, http
        f"{gateway.base}/hl7v2",
        data=MESSAGE,
        headers={"Authorization": f"Bearer {gateway.token('trust RBA')}", "Content-Type": "application/hl7-v2"},
    )
    with _listening(gateway, _cookie(gateway)) as stream:
        _until(stream, "beat")
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 - loopback
            assert response.status == 200
        answered = time.monotonic()
        told = _until(stream, "moved")
    assert time.monotonic() - answered < 2 + 3  # and three for a busy machine
    assert re.fullmatch(r'\{"id":"[0-9a-f-]{36}","version":\d+,"kind":"[a-z-]+"\}', told)


def test_a_stop_is_not_held_up_by_open_streams(gateway: Child) -> None:
    cookie = _cookie(gateway)
    with ExitStack() as open_pages:
        streams = [open_pages.enter_context(_listening(gateway, cookie)) for _ in range(STREAMS)]
        for stream in streams:
            _until(stream, "session")
        begun = time.monotonic()
        assert gateway.end() == 0
        assert time.monotonic() - begun < DRAIN / 2
        for stream in streams:
            stream.read()  # it ends as a response ends: a cut would be IncompleteRead
    assert "cut_off" not in gateway.printed
