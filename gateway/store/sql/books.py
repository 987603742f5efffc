"""The books: distinct prescriptions, counted from the base tables.

Every accepted prescription is in exactly one of three: *open* if a line of it still awaits something, else *delivered*
if a line of it was fulfilled, else *closed*. A prescription that was corrected under its own id counts once.

Source: brief 5; reliability-security.md I20.
"""

import threading
import time
from collections.abc import Callable
from typing import Final

from gateway.store.sql.transaction import Reader

LONG_SECONDS: Final = 2.0
LONG_WORK_SECONDS: Final = 0.05
"""Of the thread that asks: where the store is a file, the counting itself; a wait for others is none."""
SERVES: Final = 20
"""For how many times the time that it took a count serves that took long: a twentieth of one core at most."""

_REFUSED = "SELECT coalesce(sum(refused_orders), 0) FROM submission"
_ACCEPTED = """
WITH each_line AS (
    SELECT prescription.uuid AS uuid, prescription.tenant AS tenant,
        CASE WHEN line.state = 'FULFILLED' OR (line.state = 'CLOSED' AND line.delivered >= line.total_supplies)
            THEN 1 ELSE 0 END AS delivered,
        CASE WHEN line.state IN ('REFUSED', 'CANCELLED', 'SUPERSEDED', 'EXPIRED', 'CLOSED', 'FULFILLED')
            THEN 1 ELSE 0 END AS ended,
        CASE WHEN line.state = 'HELD' THEN 1 ELSE 0 END AS held,
        CASE WHEN line.first_sent_at IS NOT NULL THEN 1 ELSE 0 END AS sent,
        CASE WHEN line.first_answered_at IS NOT NULL THEN 1 ELSE 0 END AS answered,
        CASE WHEN line.first_rejected_at IS NOT NULL THEN 1 ELSE 0 END AS rejected,
        CASE WHEN EXISTS (SELECT 1 FROM alert WHERE alert.line = line.id AND alert.closed_at IS NULL)
            THEN 1 ELSE 0 END AS alerted
    FROM line JOIN prescription ON prescription.id = line.prescription
    WHERE prescription.action IN ('new', 'replace')
    UNION ALL
    SELECT uuid, tenant, delivered, 1, 0, sent, answered, rejected, 0 FROM archived_prescription
    WHERE action IN ('new', 'replace')
), each_prescription AS (
    SELECT min(ended) AS ended, max(delivered) AS delivered, max(held) AS held, max(sent) AS sent,
        max(answered) AS answered, max(rejected) AS rejected, max(alerted * (1 - ended)) AS alerted
    FROM each_line GROUP BY tenant, uuid
)
SELECT count(*), coalesce(sum(held), 0), coalesce(sum(sent), 0), coalesce(sum(answered), 0),
    coalesce(sum(rejected), 0), coalesce(sum(ended * delivered), 0), coalesce(sum(ended * (1 - delivered)), 0),
    coalesce(sum(1 - ended), 0), coalesce(sum((1 - ended) * alerted), 0)
FROM each_prescription
"""
_NAMES = ("accepted", "held", "sent", "acknowledged", "rejected", "delivered", "closed", "open", "alerted")


class Counting:
    """Counts anew, unless counting takes long: then the last count serves for some time, so that nobody waits for each.

    Every row is looked at, so in books of millions it takes seconds. Whoever asks meanwhile gets what is being counted.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, work: Callable[[], float] = time.thread_time
    ) -> None:
        self._clock = clock
        self._work = work
        self._one_at_a_time = threading.Lock()
        self._last: dict[str, int] = {}
        self._until = 0.0

    def count(self, reader: Reader) -> dict[str, int]:
        """Give the figures of `count`, of now or of a short time ago."""
        with self._one_at_a_time:
            began, worked = self._clock(), self._work()
            if not self._last or began >= self._until:
                self._last = count(reader)
                ended = self._clock()
                long = ended - began > LONG_SECONDS or self._work() - worked > LONG_WORK_SECONDS
                self._until = ended + (ended - began) * SERVES if long else 0.0
            return dict(self._last)


def count(reader: Reader) -> dict[str, int]:
    """Count submitted, accepted, refused, held, sent, acknowledged, rejected, delivered, closed, open, alerted."""
    ((refused,),) = reader.execute(_REFUSED)
    (row,) = reader.execute(_ACCEPTED)
    figures = {name: int(value) for name, value in zip(_NAMES, row, strict=True)}
    return {"submitted": figures["accepted"] + int(refused), "refused": int(refused), **figures}
