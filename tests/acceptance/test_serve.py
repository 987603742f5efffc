"""`gateway serve` as an operator runs it: a process with doors, tokens printed once, and an orderly end."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dated import as_of_yesterday

MESSAGE = as_of_yesterday((Path(__file__).parents[1] / "golden" / "hl7v2" / "S01.hl7").read_bytes())


class Child:
    """A gateway process, and what it has printed."""

    def __init__(self, data: Path, *options: str, **variables: str) -> None:
        self.data = data
        self.log = data.parent / f"log-{time.monotonic_ns()}"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "gateway",
                    "serve",
                    "--data",
                    str(data),
                    "--port",
                    "0",
                    "--mllp-port",
                    "0",
                    *options,
                ],
                stdout=log,
                stderr=log,
                env={
                    **{name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")},
                    **variables,
                },
            )

    @property
    def printed(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def until(self, pattern: str) -> re.Match[str]:
        deadline = time.monotonic() + 90  # on a busy machine; a second or two on another
        while time.monotonic() < deadline:
            if found := re.search(pattern, self.printed, re.MULTILINE):
                return found
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        pytest.fail(f"{pattern} was not printed:\n{self.printed}")

    def ready(self) -> None:
        self.until(r'"event":"started"')

    @property
    def base(self) -> str:
        return self.until(r"^HTTP (\S+)$")[1]

    def token(self, who: str) -> str:
        return self.until(rf"^  {who} +(\S+)$")[1]

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        return self.process.wait(30)


@pytest.fixture(scope="module")
def child(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    """One gateway for every test that does not end it; the last thing it does is an orderly stop."""
    running = Child(tmp_path_factory.mktemp("serve") / "data")
    running.ready()
    yield running
    assert running.end() == 0


def _post(base: str, body: bytes, token: str) -> tuple[int, bytes]:
    request = urllib.request.Request(  # noqa: S310 - loopback, http
        f"{base}/hl7v2", data=body, headers={"Authorization": f"Bearer {token}", "Content-Type": "application/hl7-v2"}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - loopback, http
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def _over_mllp(address: str, body: bytes) -> bytes:
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(b"\x0b" + body + b"\x1c\r")
        answer = b""
        while not answer.endswith(b"\x1c\r"):
            answer += connection.recv(1 << 16)
    return answer[1:-2]


def test_a_prescription_is_taken_by_either_door_and_a_repeat_gets_the_same_answer(child: Child) -> None:
    status, answer = _post(child.base, MESSAGE, child.token("trust RBA"))
    assert status == 200
    assert b"MSA|CA|S01-0001" in answer
    assert _over_mllp(child.until(r"^MLLP (\S+)$")[1], MESSAGE) == answer


def test_nothing_of_the_patient_is_printed_or_logged(child: Child) -> None:
    _post(child.base, MESSAGE, child.token("trust RBA"))
    _post(child.base, MESSAGE.replace(b"RXE|", b"RXE|1|2|3"), child.token("trust RBA"))
    for patient in ("TESTPATIENT", "Aoife", "9990000077", "19790412", "TA1 1AA", "07700900123", "Methotrexate"):
        assert patient not in child.printed


def test_a_token_of_another_trust_does_not_open_the_door_for_this_one(child: Child) -> None:
    status, answer = _post(child.base, MESSAGE, child.token("trust RZA"))
    assert status >= 400
    assert b"SENDER_MISMATCH" in answer
    assert _post(child.base, MESSAGE, "wrong")[0] == 401


def test_after_a_kill_the_same_data_serve_again_and_the_answer_is_the_same(tmp_path: Path) -> None:
    killed = Child(tmp_path / "data")
    killed.ready()
    token = killed.token("trust RBA")
    first = _post(killed.base, MESSAGE, token)
    killed.end(signal.SIGKILL)
    again = Child(tmp_path / "data", "--only", "http,worker")
    again.ready()
    assert "shown this once" not in again.printed
    assert "MLLP" not in again.printed
    assert "Console" not in again.printed
    assert _post(again.base, MESSAGE, token) == first
    assert again.end(signal.SIGINT) == 0


def test_a_second_gateway_on_the_same_data_is_refused(child: Child) -> None:
    second = Child(child.data)
    assert second.process.wait(30) == 2
    assert "another gateway is using it" in second.printed
    assert child.process.poll() is None


def test_a_port_in_use_is_told_without_a_traceback(child: Child, tmp_path: Path) -> None:
    port = child.base.rpartition(":")[2]
    second = Child(tmp_path / "other", "--port", port)
    assert second.process.wait(30) == 2
    assert f"cannot listen on 127.0.0.1:{port}" in second.printed
    assert "Traceback" not in second.printed


def test_a_name_that_is_not_loopback_is_not_answered(child: Child) -> None:
    request = urllib.request.Request(f"{child.base}/health/live", headers={"Host": "evil.example"})  # noqa: S310 - loopback
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=10)  # noqa: S310 - loopback
    with refused.value as error:
        assert error.code == 400
