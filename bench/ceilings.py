"""The bare ceilings: what the machine gives a program that does nothing but receive, commit or sign.

    python -m bench.ceilings DATA_FOLDER

They are measured in the same run and on the same disk as the gateway, because they alone say how far it is from what
could be had.
"""

import asyncio
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import apsw
import uvicorn
import uvloop
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from bench.http import Client
from gateway.simulate.folder import choose_addresses

ROOT = Path(__file__).parents[1]
SERVE = "--serve"
_BODY = b"x" * 4_000
_ROW = b"x" * 16_000
_SIGNED = b"x" * 13_000
_SECONDS = 3.0
_CONNECTIONS = 32
_GROUP = 32


def ceilings(folder: Path) -> dict[str, float]:
    """Measure all of them; rates a second, by the clock unless CPU is named."""
    alone, grouped = _commits(folder, 1), _commits(folder, _GROUP)
    requests, cpu = _requests()
    return {
        "ES256 signatures of 13 kB, a CPU second": _signatures(),
        "commits of one 16 kB row, a second": alone,
        f"commits of {_GROUP} such rows, a second": grouped / _GROUP,
        f"rows in commits of {_GROUP}, a second": grouped,
        "requests to an empty FastAPI endpoint, a second": requests,
        "the same, a CPU second of the server": cpu,
    }


def _signatures() -> float:
    key, algorithm = ec.generate_private_key(ec.SECP256R1()), ec.ECDSA(hashes.SHA256())
    count, started = 0, time.process_time()
    while (spent := time.process_time() - started) < _SECONDS / 3:
        key.sign(_SIGNED, algorithm)
        count += 1
    return count / spent


def _commits(folder: Path, group: int) -> float:
    """Give the rows a second that are committed in groups of so many, synchronised in full."""
    with TemporaryDirectory(dir=folder) as place:
        connection = apsw.Connection(str(Path(place) / "bare.db"))
        for statement in ("PRAGMA journal_mode=wal", "PRAGMA synchronous=full", "CREATE TABLE kept (octets BLOB)"):
            connection.execute(statement).fetchall()
        count, started = 0, time.monotonic()
        while (spent := time.monotonic() - started) < _SECONDS:
            with connection:
                for _ in range(group):
                    connection.execute("INSERT INTO kept VALUES (?)", (_ROW,))
            count += group
        connection.close()
    return count / spent


def _requests() -> tuple[float, float]:
    """Give the requests a second by the clock and a CPU second of the server, which runs in a process of its own."""
    addresses = choose_addresses((), ())
    command = [sys.executable, "-m", "bench.ceilings", SERVE, str(addresses.http)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603 - ourselves
        try:
            if server.stdout is None or not server.stdout.readline():
                raise RuntimeError("the bare server did not start")
            return uvloop.run(_asked(addresses.host, addresses.http, server.pid))
        finally:
            server.terminate()


async def _asked(host: str, port: int, pid: int) -> tuple[float, float]:
    ends, count = time.monotonic() + _SECONDS, 0

    async def ask() -> None:
        nonlocal count
        client = Client(host, port)
        while time.monotonic() < ends:
            await client.post("/", "application/json", _BODY)
            count += 1
        client.hang_up()

    began, used = time.monotonic(), cpu_seconds(pid)
    await asyncio.gather(*(ask() for _ in range(_CONNECTIONS)))
    return count / (time.monotonic() - began), count / (cpu_seconds(pid) - used)


def cpu_seconds(pid: int) -> float:
    """Give the CPU seconds of all threads of a process."""
    return sum(
        int((task / "schedstat").read_text(encoding="ascii").split()[0]) / 1e9
        for task in Path(f"/proc/{pid}/task").iterdir()
    )


def serve(port: int) -> None:
    """Serve the empty endpoint: it reads the body and answers nothing."""
    app = FastAPI()

    @app.post("/")
    async def take(request: Request) -> Response:
        await request.body()
        return Response()

    class Server(uvicorn.Server):
        async def startup(self, sockets: object = None) -> None:
            await super().startup(None)
            print("ready", sockets or "", flush=True)

    config = uvicorn.Config(app, port=port, log_config=None, access_log=False, lifespan="off")
    uvloop.run(Server(config).serve())


if __name__ == "__main__":
    if sys.argv[1] == SERVE:
        serve(int(sys.argv[2]))
    else:
        for name, figure in ceilings(Path(sys.argv[1])).items():
            print(f"{figure:12,.0f}  {name}")
