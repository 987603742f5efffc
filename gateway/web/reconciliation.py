"""`GET /reconciliation/{day}`: what went between the gateway and the caller on one day, for the caller to compare.

A trust is given its messages by control id, a provider the lines it was given by item id and epoch; nobody is named.
The digest is that of the sorted list, so that a party whose own list has the same digest need compare nothing else.

Source: reliability-security.md I20, I9.
"""

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Final, Protocol

from starlette.requests import Request
from starlette.responses import Response

from gateway.access.policy import Action
from gateway.access.principal import Kind
from gateway.domain.books import FIRST_DAY, DayList, Side, has_books
from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import Issue
from gateway.web.auth import Callers, forbidden
from gateway.web.turned import Turned
from gateway.wire.strict_json import JSON, dumps

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_SIDES: Final = {Kind.TRUST: Side.TRUST, Kind.PROVIDER: Side.PROVIDER}


class Lists(Protocol):
    """Where the lists come from."""

    async def listed(self, party: OdsCode, *, side: Side, day: date) -> DayList:
        """Give what went between the gateway and one party on a day in London."""


class Notes(Protocol):
    """Where readings are noted."""

    async def note_access(self, *, principal: str, action: str, subject: str, now: datetime) -> None:
        """Write an audit leaf; raises `Unavailable`, and then nothing is shown."""


class Reconciliation:
    """The address of the daily lists.

    Args:
        lists: what is read.
        notes: where each reading is noted.
        callers: who may ask.
        now: the time of the reading.
    """

    def __init__(self, lists: Lists, notes: Notes, callers: Callers, now: Callable[[], datetime]) -> None:
        self._lists = lists
        self._notes = notes
        self._callers = callers
        self._now = now

    async def get(self, request: Request) -> Response:
        """Give the caller its own list of a day (London, as YYYY-MM-DD), today's up to now."""
        caller = self._callers.itself(request, Action.READ_STATUS)
        if caller.tenant is None:
            raise forbidden()
        day = self._day(str(request.path_params["day"]))
        found = await self._lists.listed(caller.tenant, side=_SIDES[caller.kind], day=day)
        await self._notes.note_access(
            principal=caller.name, action="reconciliation", subject=day.isoformat(), now=self._now()
        )
        return Response(dumps(document(found)), media_type="application/json")

    def _day(self, text: str) -> date:
        try:
            day = date.fromisoformat(text) if _DAY.fullmatch(text) else None
        except ValueError:
            day = None
        if day is None or not has_books(day, self._now()):
            words = f"Name a day that has begun in London, from {FIRST_DAY} on, as YYYY-MM-DD."
            raise Turned(400, Issue(code="REQUEST_INVALID", location="", text=words))
        return day


def document(found: DayList) -> dict[str, JSON]:
    """Write a list as JSON."""
    rows: list[JSON] = [
        {"id": row.id, "epoch": row.epoch, "digest": row.digest, "state": row.state} for row in found.rows
    ]
    return {
        "party": found.party.value,
        "side": found.side.value,
        "day": found.day.isoformat(),
        "digest": found.digest,
        "rows": rows,
    }
