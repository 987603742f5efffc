"""The stream of hints: one node of the group takes each, and says so when it has looked.

A hint that nobody confirms is dropped after a minute, a node that is gone after an hour: by then the poll has found
whatever they were about. The group is made anew whenever it is not there, as after the server was emptied.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, cast
from uuid import UUID

from redis.exceptions import ResponseError

from gateway.domain.identifiers import OdsCode
from gateway.joining.address import client
from gateway.joining.link import FAILURES, Command, Link
from gateway.ports.joining import Hint

GROUP: Final = "nodes"
MOST_ENTRIES: Final = 1000
"""About so many are kept, taken or not."""
_BLOCK_SECONDS: Final = 2.0
_TAKES: Final = 16
_TIDY_SECONDS: Final = 60.0
_GONE_MS: Final = 3_600_000
_NO_GROUP: Final = ("NOGROUP", "UNBLOCKED")
_MOST_NAMED: Final = 64

Entry = tuple[str, str]
"""For whom, and the ids of what is due."""


def entries(hints: Iterable[Hint]) -> Iterator[Entry]:
    """Write hints down, those for one destination together."""
    by_destination: dict[OdsCode | None, list[UUID]] = {}
    for hint in hints:
        by_destination.setdefault(hint.destination, []).extend(hint.messages)
    for destination, messages in by_destination.items():
        yield str(destination or ""), " ".join(str(message) for message in messages[:_MOST_NAMED])


class Stream:
    """The hints of one gateway, as one node sees them.

    Args:
        url: as `address.checked` takes it.
        key: of the stream.
        node: its name in the group.
        patience_seconds: how long an answer may take.
        link: knows whether the server is there.
    """

    def __init__(self, url: str, *, key: str, node: str, patience_seconds: float, link: Link) -> None:
        # A connection of its own, because waiting for a hint occupies it.
        self._client = client(url, patience_seconds=_BLOCK_SECONDS + patience_seconds)
        self._key, self._node, self._link = key, node, link
        self._next_tidy = 0.0
        self._comings = 0

    def add(self, entry: Entry) -> Command:
        """Give the command that adds a hint."""
        to, messages = entry
        return ("XADD", self._key, "MAXLEN", "~", MOST_ENTRIES, "*", "to", to, "messages", messages)

    def done(self, marks: Sequence[str]) -> Command:
        """Give the command that confirms hints."""
        return ("XACK", self._key, GROUP, *marks)

    async def read(self) -> tuple[Hint, ...]:
        """Wait a little for hints; none at all where none came, or some may have been lost."""
        await self._link.came.wait()
        if self._comings != self._link.comings:
            self._comings = self._link.comings
            return ()
        try:
            await self._tidy()
            return await self._take()
        except ResponseError as error:
            if str(error).startswith(_NO_GROUP):
                await self._found_group()
            else:
                self._link.lost(error)
        except FAILURES as error:
            self._link.lost(error)
        return ()

    async def close(self) -> None:
        """Leave the group, and let go."""
        if self._link.there and self._comings:
            with suppress(*FAILURES):
                await self._client.xgroup_delconsumer(self._key, GROUP, self._node)
        with suppress(*FAILURES):
            await self._client.aclose()

    async def _take(self) -> tuple[Hint, ...]:
        found = await self._client.xreadgroup(
            GROUP, self._node, {self._key: ">"}, count=_TAKES, block=int(_BLOCK_SECONDS * 1000)
        )
        rows = [row for _, part in cast("list[Any]", found or []) for row in part]
        return tuple(_hint(mark, fields or {}) for mark, fields in rows)

    async def _found_group(self) -> None:
        """Make the group, from the first hint there is; another node may have just done it."""
        try:
            await self._client.xgroup_create(self._key, GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                self._link.lost(error)
        except FAILURES as error:
            self._link.lost(error)

    async def _tidy(self) -> None:
        """Drop hints that nobody confirmed, and nodes that are gone."""
        if time.monotonic() < self._next_tidy:
            return
        self._next_tidy = time.monotonic() + _TIDY_SECONDS
        stale = await self._client.xautoclaim(
            self._key, GROUP, self._node, int(_TIDY_SECONDS * 1000), count=MOST_ENTRIES, justid=True
        )
        if stale:
            await self._client.xack(self._key, GROUP, *cast("list[str]", stale))
        for one in cast("list[Mapping[str, Any]]", await self._client.xinfo_consumers(self._key, GROUP)):
            if one["idle"] > _GONE_MS and not one["pending"]:
                await self._client.xgroup_delconsumer(self._key, GROUP, one["name"])


def _hint(mark: str, fields: Mapping[str, str]) -> Hint:
    """Read an entry. What is no id is nothing to us: the store says what is due."""
    ids = (_id(text) for text in fields.get("messages", "").split())
    return Hint(
        destination=OdsCode.parse(fields.get("to", "")),
        messages=tuple(one for one in ids if one is not None),
        mark=mark,
    )


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
