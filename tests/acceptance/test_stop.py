"""SIGTERM: what is in hand is answered, nothing new is taken, and the process ends with 0 in the time it was given."""

import http.client
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.acceptance.test_serve import MESSAGE, Child

DRAIN = 3.0
SLACK = 10.0
"""For a machine with other work: the bound is the drain and not the half minute of a supervisor."""


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Child]:
    child = Child(tmp_path / "data", GATEWAY_DRAIN_SECONDS=str(DRAIN))
    child.ready()
    yield child
    if child.process.poll() is None:
        child.end(signal.SIGKILL)


def _begin(gateway: Child) -> http.client.HTTPConnection:
    """Send a request of which the second half of the body is still to come."""
    connection = http.client.HTTPConnection(urlsplit(gateway.base).netloc, timeout=30)
    connection.putrequest("POST", "/hl7v2")
    connection.putheader("Authorization", f"Bearer {gateway.token('trust RBA')}")
    connection.putheader("Content-Type", "application/hl7-v2")
    connection.putheader("Content-Length", str(len(MESSAGE)))
    connection.endheaders(MESSAGE[: len(MESSAGE) // 2])
    time.sleep(0.5)  # until the server has begun to read it
    return connection


def _term(gateway: Child) -> None:
    gateway.process.send_signal(signal.SIGTERM)
    gateway.until(r'"event":"stopping"')


def _mllp(gateway: Child) -> tuple[str, int]:
    host, _, port = gateway.until(r"^MLLP (\S+)$")[1].rpartition(":")
    return host, int(port)


def _is_refused(address: tuple[str, int]) -> bool:
    deadline = time.monotonic() + DRAIN
    while time.monotonic() < deadline:
        try:
            with suppress(ConnectionResetError):  # it was in the door when that closed; the next one tells
                socket.create_connection(address, timeout=1).close()
        except ConnectionRefusedError:
            return True
        time.sleep(0.02)
    return False


def test_a_prescription_in_hand_is_taken_and_answered_and_no_other_is(gateway: Child) -> None:
    where = urlsplit(gateway.base)
    mllp = _mllp(gateway)
    with closing(socket.create_connection(mllp, timeout=10)) as idle, closing(_begin(gateway)) as connection:
        _term(gateway)
        assert _is_refused((str(where.hostname), where.port or 0))
        assert _is_refused(mllp)
        assert idle.recv(1) == b""  # an EPR that keeps its connection open delays nothing
        connection.send(MESSAGE[len(MESSAGE) // 2 :])
        response = connection.getresponse()
        answer = response.read()
    assert response.status == 200
    assert b"MSA|CA|S01-0001" in answer
    assert gateway.process.wait(DRAIN + SLACK) == 0
    assert "cut_off" not in gateway.printed
    again = Child(gateway.data)
    again.ready()
    with closing(http.client.HTTPConnection(urlsplit(again.base).netloc, timeout=30)) as after:
        headers = {"Authorization": f"Bearer {gateway.token('trust RBA')}", "Content-Type": "application/hl7-v2"}
        after.request("POST", "/hl7v2", MESSAGE, headers)
        assert after.getresponse().read() == answer
    assert again.end() == 0


def test_who_never_finishes_does_not_keep_the_gateway_from_ending(gateway: Child) -> None:
    slow = socket.create_connection(_mllp(gateway), timeout=30)
    with closing(slow), closing(_begin(gateway)) as begun:
        slow.sendall(b"\x0b" + MESSAGE[:100])
        time.sleep(0.3)
        _term(gateway)
        assert gateway.process.wait(DRAIN + SLACK) == 0
        assert slow.recv(1 << 16) == b""  # no answer, and so no yes
        begun.sock.settimeout(5)
        assert b"MSA" not in begun.sock.recv(1 << 16)


def test_a_second_signal_changes_nothing(gateway: Child) -> None:
    with closing(_begin(gateway)) as connection:
        _term(gateway)
        gateway.process.send_signal(signal.SIGTERM)
        gateway.process.send_signal(signal.SIGINT)
        connection.send(MESSAGE[len(MESSAGE) // 2 :])
        assert connection.getresponse().status == 200
    assert gateway.process.wait(DRAIN + SLACK) == 0
