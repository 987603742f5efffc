"""A provider's system for a gateway that a browser looks at, and a configuration that names where it listens."""

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar, Final

SANDBOX: Final = "VDEM3"
_PACKAGED: Final = Path(__file__).parents[2] / "gateway/config/demonstration"
_ENDPOINT: Final = re.compile(r'(?m)^endpoint = "[^"]*"$')


class _Silent(BaseHTTPRequestHandler):
    """Takes every message and never answers one."""

    def do_POST(self) -> None:
        said = self._say(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        self.send_response(200 if said else 202)
        if said:
            self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def _say(self, message: bytes) -> bytes:  # noqa: ARG002 - the other reads it
        return b""

    def log_message(self, *_: object) -> None: ...


class _Rejecting(_Silent):
    """Rejects every line in its response, in the sandbox's own JSON."""

    REASON: ClassVar[str] = "Not on our list."

    def _say(self, message: bytes) -> bytes:
        about = self.headers["X-Message-Id"]
        said = {"answer": f"no-{about}", "message": about, "item": None, "status": "rejected", "reason": self.REASON}
        return json.dumps(said).encode() if message else b""


@contextmanager
def listening(folder: Path, *, rejects: bool = False) -> Iterator[Path]:
    """Let the sandbox provider listen on a free port.

    Args:
        folder: to write into; made here.
        rejects: whether it rejects each order at once; otherwise it takes them and says nothing.

    Yields:
        The packaged configuration, with that port in it.
    """
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Rejecting if rejects else _Silent)
    shutil.copytree(_PACKAGED, folder)
    file = folder / "providers" / f"{SANDBOX}.toml"
    endpoint = f'endpoint = "http://127.0.0.1:{server.server_port}/messages"'
    file.write_text(_ENDPOINT.sub(endpoint, file.read_text("utf-8")), "utf-8")
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield folder
    finally:
        server.shutdown()
        server.server_close()
