"""The load that a measurement sends."""

import asyncio
import socket
from datetime import UTC, datetime

import pytest

from bench import driver
from bench.corpus import Door, messages


def _closed_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def test_a_gateway_that_is_gone_is_not_asked_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "_PATIENCE_SECONDS", 0.2)
    message = next(messages(Door.XML, seed=1, tag="T", providers=("VNE51",), now=datetime(2026, 10, 5, tzinfo=UTC)))
    plan = driver.Plan(
        door=Door.XML,
        count=1,
        rate=0.0,
        lines=1,
        host="127.0.0.1",
        port=_closed_port(),
        tokens={message.trust: "t"},
        seed=1,
        tag="T",
        providers=("VNE51",),
    )
    taken = asyncio.run(asyncio.wait_for(driver._sender(plan)(message), timeout=30))
    assert taken is False
