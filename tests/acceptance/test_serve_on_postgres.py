"""`gateway serve` with its store in PostgreSQL: nodes share it, and one that dies is missed by nobody."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.test_serve import MESSAGE, Child, _post
from tests.postgres import database


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return database(tmp_path_factory.mktemp("shared")).url


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory, url: str) -> Iterator[list[Child]]:
    """Two nodes over one database, with the seal keys and tokens of one folder."""
    data = tmp_path_factory.mktemp("nodes") / "data"
    started: list[Child] = []
    try:
        for _ in range(2):
            started.append(Child(data, GATEWAY_DATABASE_URL=url))
            started[-1].ready()
        yield started
    finally:
        for one in started:
            if one.process.poll() is None:
                one.end()


def run(folder: Path, url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gateway", *arguments, "--data", str(folder)],
        env={**os.environ, "GATEWAY_DATABASE_URL": url},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.mark.timeout(240)
def test_what_one_node_took_another_knows_and_goes_on_with_when_the_first_is_killed(nodes: list[Child]) -> None:
    one, other = nodes
    token = one.token("trust RBA")
    taken = _post(one.base, MESSAGE, token)
    assert taken[0] == 200
    assert _post(other.base, MESSAGE, token) == taken
    one.end(signal.SIGKILL)
    assert _post(other.base, MESSAGE, token) == taken
    clashing = MESSAGE.replace(b"RXE|", b"RXE|1|2|3")
    assert _post(other.base, clashing, token) != taken
    assert not [name for name in ("gateway.db", "gateway.db-wal") if (other.data / name).exists()]


@pytest.mark.timeout(240)
@pytest.mark.parametrize("place", [b"S01-0001", b"TESTPATIENT", b"RX7001", b"GRP7001"])
def test_a_nul_that_the_server_cannot_hold_is_judged_before_it_gets_there(nodes: list[Child], place: bytes) -> None:
    body = MESSAGE.replace(place, b"A\0B")
    assert body != MESSAGE
    status, answer = _post(nodes[1].base, body, nodes[0].token("trust RBA"))
    assert status < 500, answer


@pytest.mark.timeout(240)
def test_the_doctor_looks_at_the_server(nodes: list[Child], url: str) -> None:
    seen = run(nodes[1].data, url, "doctor", "--json")
    assert "synchronous_commit on" in seen.stdout, seen.stdout + seen.stderr
    assert "Traceback" not in seen.stderr


@pytest.mark.timeout(240)
def test_what_is_for_a_file_alone_is_refused_in_words(tmp_path: Path, url: str) -> None:
    done = run(tmp_path, url, "migrate")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("schema ")
    refused = run(tmp_path, url, "backup", str(tmp_path / "copy"))
    assert refused.returncode != 0
    assert "the store is in PostgreSQL" in refused.stdout + refused.stderr
    assert "docs/backup.md" in refused.stdout + refused.stderr


@pytest.mark.timeout(240)
def test_a_url_with_a_password_is_told_nowhere(tmp_path: Path) -> None:
    refused = run(tmp_path, f"postgresql://gateway:geheim@/d?host={tmp_path}", "migrate")
    assert refused.returncode != 0
    assert "geheim" not in refused.stdout + refused.stderr
    assert "Traceback" not in refused.stderr
