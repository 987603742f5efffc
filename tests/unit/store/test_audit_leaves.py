"""One leaf for everything that happened, without gaps and without patient data."""

import hashlib
import json
from pathlib import Path

import apsw
import pytest

from gateway.destination import Taken
from gateway.domain.errors import Refusal
from gateway.domain.lifecycle import LineEvent
from tests.contract.store_engines import (
    PROVIDER,
    Clock,
    Exchange,
    make_acceptance,
    make_order,
    make_prescription,
    open_sqlite,
)


async def test_every_event_has_its_leaf_in_order(tmp_path: Path) -> None:
    clock = Clock()
    opened = open_sqlite(tmp_path, clock)
    exchange = Exchange(opened, clock)
    what = make_prescription("A", lines=2)
    await exchange.store.accept(make_acceptance("A", make_order(what)))
    claim = await exchange.send(PROVIDER)
    await exchange.store.record(claim, Taken(), now=clock.now(), retry_at=None)
    await exchange.answer(claim.message_id, LineEvent.REJECTED, reason="TESTPATIENT moved")
    await exchange.store.note_access(principal="op", action="read", subject=str(what.id), now=clock.now())
    await exchange.store.close()
    connection = apsw.Connection(str(tmp_path / "gateway.db"))
    leaves = connection.execute("SELECT seq, kind, body, leaf_hash FROM audit_leaf ORDER BY seq").fetchall()
    assert [row[0] for row in leaves] == list(range(1, len(leaves) + 1))
    assert connection.execute("SELECT size FROM audit_head").get == len(leaves)
    bodies = [bytes(row[2]) for row in leaves]  # type: ignore[arg-type]
    for body, row in zip(bodies, leaves, strict=True):
        assert hashlib.sha256(b"\x00" + body).digest() == row[3]
        assert body == json.dumps(json.loads(body), sort_keys=True, separators=(",", ":")).encode()
    told = [json.loads(body)["event_seq"] for body, row in zip(bodies, leaves, strict=True) if row[1] == "event"]
    assert told == [row[0] for row in connection.execute("SELECT seq FROM event ORDER BY seq")]
    everything = b"".join(bodies)
    for secret in ("TESTPATIENT", "Aoife", "9990000077", "1979", "Methotrexate", "RXA0", "GRPA"):
        assert secret.encode() not in everything


async def test_of_a_write_that_fails_or_is_taken_back_there_are_no_leaves(tmp_path: Path) -> None:
    clock = Clock()
    exchange = Exchange(open_sqlite(tmp_path, clock), clock)
    await exchange.store.accept(make_acceptance("A", make_order(make_prescription("A"))))
    for _ in range(2):
        with pytest.raises(Refusal):  # its number is taken, which shows after its first leaf
            await exchange.store.accept(make_acceptance("B", make_order(make_prescription("A"))))
    claim = await exchange.send(PROVIDER)
    await exchange.store.record(claim, Taken(), now=clock.now(), retry_at=None)
    for _ in range(3):  # it comes too early, and each time it comes again it is tried and taken back
        await exchange.answer(claim.message_id, LineEvent.BALANCE_SUPPLIED, id="early")
    await exchange.store.close()
    connection = apsw.Connection(str(tmp_path / "gateway.db"))
    leaves = connection.execute("SELECT kind, body FROM audit_leaf ORDER BY seq").fetchall()
    told = [json.loads(bytes(body))["event_seq"] for kind, body in leaves if kind == "event"]  # type: ignore[arg-type]
    assert told == [row[0] for row in connection.execute("SELECT seq FROM event ORDER BY seq")]
    assert [kind for kind, _ in leaves].count("submission") == 1
    assert connection.execute("SELECT size FROM audit_head").get == len(leaves)
