"""Trusts that send to a gateway a browser looks at: real messages over its own door."""

import re
import socket
from pathlib import Path
from typing import Final

from tests.browser.running import Running
from tests.dated import as_of_yesterday

S01: Final = as_of_yesterday((Path(__file__).parents[1] / "golden/hl7v2/S01.hl7").read_bytes())
_UNIT: Final = b"3318611000001103^pre-filled disposable injection^SCT"
_CHECKED: Final = re.compile(rb"2099991\^PHARMACIST\^Perry\^\^\^MR\^\^\^GPhC\|\d{14}\+\d{4}")
_MLLP: Final = re.compile(r"MLLP\D*(127\.0\.0\.1):(\d+)", re.IGNORECASE)


def send(gateway: Running, message: bytes) -> bytes:
    """Send one message over MLLP in a development gateway, which takes a sender at its word; give the answer."""
    found = _MLLP.search(gateway.log.read_text())
    assert found is not None, gateway.log.read_text()[-2000:]
    with socket.create_connection((found[1], int(found[2])), timeout=10) as connection:
        connection.sendall(b"\x0b" + message + b"\x1c\r")
        answer = b""
        while not answer.endswith(b"\x1c\r"):
            answer += connection.recv(65536)
    return answer


def of(trust: str, number: int, body: bytes = S01) -> bytes:
    """Give a message as a trust's own, under numbers of its own."""
    changed = body if trust == "RBA" else body.replace(b"RBA11", b"RZD01").replace(b"RBA", trust.encode())
    for old in (b"S01-0001", b"RX7001", b"GRP7001"):
        changed = changed.replace(old, old[:-4] + f"{number:04}".encode())
    return changed


def unknown_unit(number: int, code: str = "PFX9", words: str = "pre-filled syringe") -> bytes:
    """Give an order whose unit is a code that nobody has mapped."""
    return of("RBA", number, S01.replace(_UNIT, f"{code}^{words}^99LOC".encode()))


def unchecked(number: int, body: bytes = S01) -> bytes:
    """Give an order of a trust that has its checks done here, and that carries none."""
    return of("RZD", number, _CHECKED.sub(b"|", body))


def changed(order: bytes) -> bytes:
    """Give a change of an order, under a control id of its own."""
    control = order.split(b"|")[9]
    return (
        order.replace(b"|" + control + b"|", b"|" + control + b"-XO|")
        .replace(b"ORC|NW|", b"ORC|XO|")
        .replace(b"|NEW", b"|CHANGE")
    )
