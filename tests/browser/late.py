"""A change that comes too late: real messages, one after the other, until what it replaces is supplied meanwhile."""

import time
from contextlib import closing

import apsw

from gateway.simulate.behaviours import TROUBLED
from gateway.simulate.troubles import Upset
from tests.browser.running import Running
from tests.browser.sending import S01, changed, of, send

_ORDER = S01.replace(b"VNE51^", TROUBLED.encode() + b"^")
_FIRST = 9301
_MOST = 2 * len(Upset)
"""Orders: what a cancel meets there comes in turn, and others cancel there too."""
_TAKEN_SECONDS = 60
_RULED_SECONDS = 10


def let_a_change_come_late(gateway: Running) -> None:
    """Change orders of Example Trust at the provider that gives trouble, until a change waits for a ruling."""
    for number in range(_FIRST, _FIRST + _MOST):
        body = of("RBA", number, _ORDER)
        send(gateway, body)
        assert _comes(gateway, f"order_number = 'RX{number}' AND state IN ('ACCEPTED', 'IN_SUPPLY')", _TAKEN_SECONDS)
        send(gateway, changed(body))
        if _comes(gateway, "alert.kind = 'change-awaits-ruling'", _RULED_SECONDS):
            return
    raise AssertionError(f"none of {_MOST} changes came too late")


def _comes(gateway: Running, condition: str, seconds: float) -> bool:
    """Wait for a line."""
    asked = f"SELECT 1 FROM line LEFT JOIN alert ON alert.line = line.id WHERE {condition} LIMIT 1"  # noqa: S608 - our own words
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with closing(apsw.Connection(str(gateway.data / "gateway.db"), flags=apsw.SQLITE_OPEN_READONLY)) as store:
            store.set_busy_timeout(5000)
            if list(store.execute(asked)):
                return True
        time.sleep(0.5)
    return False
