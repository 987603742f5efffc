"""The two parties of a served gateway, each with a journal: a trust that posts, and a provider that takes all."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlsplit

_ORDER: Final = (Path(__file__).parents[2] / "docs" / "first" / "order.hl7").read_text().replace("\n", "\r")
_NO_REPEATS: Final = "VNE51^Example Homecare Ltd^ODS"
_REPEATS: Final = "VDEM1^Example Echo Homecare^ODS"
RECOGNISING: Final = "VDEM1"
"""The provider that has promised to recognise what it was sent before."""
_PATIENCE_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Answered:
    """What the trust heard; status 0 for nothing."""

    status: int
    body: bytes = b""
    after: str = ""
    """What Retry-After said."""

    @property
    def come_again(self) -> bool:
        """Whether it says that the same may be sent again soon."""
        return self.status == http.client.SERVICE_UNAVAILABLE and (bool(self.after) or b"MSA|AR|" in self.body)

    @property
    def positive(self) -> bool:
        """Whether the trust may stop sending."""
        return self.status == http.client.OK and any(word in self.body for word in (b"MSA|AA|", b"MSA|CA|"))

    @property
    def honest(self) -> bool:
        """Whether it is an answer that a good order may get: yes, not now, or nothing."""
        return self.positive or self.status == 0 or self.status >= http.client.INTERNAL_SERVER_ERROR


class Sender:
    """A trust.

    Args:
        token: what it shows the gateway.
        name: begins every control id.
    """

    def __init__(self, token: str, name: str) -> None:
        self._token = token
        self._name = name
        self._stamp = f"{datetime.now(UTC):%Y%m%d%H%M%S}+0000"
        self.heard: dict[str, list[Answered]] = {}

    def control(self, number: int) -> str:
        """Give the control id of its order of a number."""
        return f"{self._name}N{number}"

    def order(self, number: int) -> bytes:
        """Write its order of a number, the same at each call; every other is for the provider that promises more."""
        text = _ORDER.replace("@NOW@", self._stamp).replace("@ID@", self.control(number))
        return text.replace(_NO_REPEATS, _REPEATS if number % 2 else _NO_REPEATS).encode()

    def post(self, base: str, number: int) -> Answered:
        """Post an order and note the answer."""
        address = urlsplit(base)
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/hl7-v2"}
        connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=_PATIENCE_SECONDS)
        try:
            connection.request("POST", "/hl7v2", self.order(number), headers)
            response = connection.getresponse()
            answer = Answered(response.status, response.read(), response.headers.get("Retry-After", ""))
        except (OSError, http.client.HTTPException):
            answer = Answered(0)
        finally:
            connection.close()
        self.heard.setdefault(self.control(number), []).append(answer)
        return answer

    def say(self, address: str, number: int) -> bytes:
        """Post an order over MLLP and give the answer, empty for none; it is noted like any other."""
        host, _, port = address.rpartition(":")
        answer = b""
        with suppress(OSError), socket.create_connection((host, int(port)), timeout=_PATIENCE_SECONDS) as line:
            line.sendall(b"\x0b" + self.order(number) + b"\x1c\r")
            while not answer.endswith(b"\x1c\r") and (more := line.recv(1 << 16)):
                answer += more
        body = answer[1:-2]
        status = http.client.SERVICE_UNAVAILABLE if b"MSA|AR|" in body else http.client.OK if body else 0
        self.heard.setdefault(self.control(number), []).append(Answered(status, body))
        return body

    @property
    def promised(self) -> list[str]:
        """The control ids of all that was answered positively."""
        return [control for control, answers in self.heard.items() if any(answer.positive for answer in answers)]

    def faults(self) -> list[str]:
        """Give every control id that was answered in two ways, or in a way that no good order deserves."""
        return [
            f"doubled: {control} was answered positively in two ways"
            for control, answers in self.heard.items()
            if len({answer.body for answer in answers if answer.positive}) > 1
        ] + [
            f"silent: {control} was answered {answer.status}"
            for control, answers in self.heard.items()
            for answer in answers
            if not answer.honest
        ]


@dataclass(frozen=True, slots=True)
class Arrived:
    """One message that the provider has written down before it said so."""

    message: str
    provider: str
    names: tuple[str, ...]
    octets: bytes = field(repr=False)


class Sink:
    """A provider that takes everything and says no more."""

    def __init__(self) -> None:
        self.journal: list[Arrived] = []
        self.away = False
        sink = self

        class Door(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                octets = self.rfile.read(int(self.headers["Content-Length"]))
                if not sink.away:
                    sink.journal.append(_read(octets))
                self.send_response(503 if sink.away else 202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = _Quiet(("127.0.0.1", 0), Door)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    def __enter__(self) -> Self:
        """Begin to listen."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @contextmanager
    def down(self) -> Iterator[None]:
        """Take nothing for a while."""
        self.away = True
        try:
            yield
        finally:
            self.away = False

    def faults(self) -> list[str]:
        """Give what came more often than the provider's promise allows, and orders that came as two messages."""
        found = []
        for message in dict.fromkeys(one.message for one in self.journal):
            same = [one for one in self.journal if one.message == message]
            if len({one.octets for one in same}) > 1:
                found.append(f"doubled: message {message} came with other bytes")
            if len(same) > 1 and same[0].provider != RECOGNISING:
                found.append(f"doubled: message {message} came {len(same)} times")
        for name in {name for one in self.journal for name in one.names}:
            messages = {one.message for one in self.journal if name in one.names}
            if len(messages) > 1:
                found.append(f"doubled: {name} came as {len(messages)} messages")
        return found


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A caller that was killed in the middle is what this is for."""


def _read(octets: bytes) -> Arrived:
    bundle = json.loads(octets)
    resources = [entry["resource"] for entry in bundle["entry"]]
    header = resources[0]
    orders = [one for one in resources if one["resourceType"] == "MedicationRequest"]
    return Arrived(
        message=bundle["identifier"]["value"],
        provider=str(header["destination"][0]["receiver"]["identifier"]["value"]),
        names=tuple(identifier["value"] for order in orders for identifier in order["identifier"]),
        octets=octets,
    )
