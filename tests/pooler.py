"""PgBouncer in transaction mode before a server of the tests: each transaction may run on another connection.

Source: libraries.md 5; https://www.pgbouncer.org/config.html.
"""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final

_FILE: Final = "pooler.ini"
_SETTINGS: Final = """\
[databases]
* = host={server} user=gateway
[pgbouncer]
listen_addr =
listen_port = 5432
unix_socket_dir = {folder}
auth_type = any
pool_mode = transaction
max_client_conn = 500
default_pool_size = 6
server_idle_timeout = 2
server_lifetime = 5
log_connections = 0
log_disconnections = 0
logfile = {folder}/log
"""
"""Few connections for many that ask, and none that lives long: who relies on keeping one is found out."""
_STARTS_SECONDS: Final = 20.0


class Pooler:
    """A pooler of its own, on a private socket.

    Args:
        server: the folder of the server's socket.
        user: whom it runs as: never root.
    """

    def __init__(self, server: Path, *, user: str) -> None:
        program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
        assert program is not None, "PgBouncer is not installed"
        self._folder = Path(tempfile.mkdtemp(prefix="pool"))
        if os.geteuid() == 0:
            shutil.chown(self._folder, user)
        settings = self._folder / _FILE
        settings.write_text(_SETTINGS.format(server=server, folder=self._folder))
        self._process = subprocess.Popen(
            [program, "--quiet", str(settings)], user=user, cwd="/", stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + _STARTS_SECONDS
        while not (self._folder / ".s.PGSQL.5432").exists():
            assert self._process.poll() is None, "PgBouncer did not start"
            assert time.monotonic() < until, "PgBouncer opened no socket"
            time.sleep(0.05)

    def url(self, database: str) -> str:
        """Give the URL of a database behind it."""
        return f"postgresql://gateway@/{database}?host={self._folder}&statement_cache_size=0"

    def remove(self) -> None:
        """Stop it, and take its files away."""
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
