"""`gateway serve` with a joining server: what it is told, that its loss stops nothing, and what `doctor` says."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.test_serve import MESSAGE, Child, _post
from tests.joined import Valkey, valkey


@pytest.fixture
def server() -> Iterator[Valkey]:
    with valkey() as running:
        yield running


@pytest.fixture
def child(tmp_path: Path, server: Valkey) -> Iterator[Child]:
    running = Child(tmp_path / "data", GATEWAY_REDIS_URL=server.url)
    running.ready()
    yield running
    if running.process.poll() is None:
        running.end(signal.SIGKILL)


def canaries() -> list[str]:
    """Give every value of the message that could be told from an id or a code of an organisation."""
    values = {value for part in MESSAGE.decode().split("\r")[1:] for value in re.split(r"[|^~&]", part)}
    return sorted(value for value in values if len(value) >= 5 and not re.fullmatch(r"VN[A-Z0-9]+", value))


def away(child: Child) -> bool:
    with urllib.request.urlopen(f"{child.base}/metrics", timeout=10) as response:  # noqa: S310 - loopback, http
        return "gateway_joining_away 1.0" in response.read().decode()


def doctor(child: Child, server: Valkey) -> tuple[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "doctor", "--json", "--data", str(child.data)],
        capture_output=True,
        env={**clean, "GATEWAY_REDIS_URL": server.url},
        timeout=120,
        check=False,
    )
    (found,) = (one for one in json.loads(done.stdout)["findings"] if one["check"] == "joined nodes")
    return found["grade"], found["says"]


def test_a_prescription_leaves_ids_behind_and_no_word_of_its_own(child: Child, server: Valkey) -> None:
    with server.overheard() as heard:
        for number in range(20):  # on a busy machine the server may be away for a moment
            named = MESSAGE.replace(b"S01-0001", b"S01-%04d" % number).replace(b"7001^", b"7%03d^" % number)
            assert _post(child.base, named, child.token("trust RBA"))[0] == 200
            child.until(r'"event": ?"attempt"')
            if any("XADD" in line for line in heard):
                break
        assert doctor(child, server) == ("good", "the server that joins the nodes answers")
        left = server.everything()
        assert child.end() == 0
    assert [word for word in ("XADD", "PUBLISH", "EVAL") if not any(word in line for line in heard)] == []
    told = "\n".join((left, *heard))
    assert [value for value in canaries() if value in told] == []
    assert len(canaries()) > 50


def test_its_loss_stops_nothing_and_is_told(child: Child, server: Valkey) -> None:
    server.kill()
    status, answer = _post(child.base, MESSAGE, child.token("trust RBA"))
    assert (status, b"MSA|CA|S01-0001" in answer) == (200, True)
    child.until(r'"event": ?"attempt"')
    child.until(r'"event": ?"joining_away"')
    assert away(child)
    assert doctor(child, server)[0] == "look"
    assert server.url not in child.printed
    server.start()
    child.until(r'(?s)"event": ?"joining_away".*"event": ?"joining_there"')
    assert not away(child)
    assert child.end() == 0


def test_a_frozen_server_keeps_no_answer_waiting(child: Child, server: Valkey) -> None:
    server.freeze()
    try:
        assert _post(child.base, MESSAGE, child.token("trust RBA"))[0] == 200
        child.until(r'"event": ?"attempt"')
        assert child.end() == 0
    finally:
        server.thaw()


def test_an_address_without_tls_stops_the_start(tmp_path: Path) -> None:
    refused = Child(tmp_path / "data", GATEWAY_REDIS_URL="redis://user:topsecret@cache.example")
    assert refused.process.wait(90) == 2
    assert "another machine is reached over TLS alone" in refused.printed
    assert "topsecret" not in refused.printed
