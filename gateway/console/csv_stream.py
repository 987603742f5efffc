"""A long list as a file that leaves part by part: one part is in memory, and no half of a file looks like a whole one.

The first part is read before the answer begins, so that a store which is away is said on a page. Where it goes away
later, the connection is broken in the middle of the file, and the browser shows a download that failed: the last piece
of a chunked body is what says that it is whole. HTTP/1.0 has no such piece, and a body that breaks off looks like one
that has ended; whoever asks by that, as some proxies do, is sent the file whole, with its length.

Source: RFC 9112 7.1, 8; console.md 6.6.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from typing import Final, TypeVar

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from gateway.console.csv_text import Cell, csv_headers, csv_line, csv_lines
from gateway.console.words import clock_time
from gateway.domain.errors import BrokenOff, Unavailable

PART: Final = 500
"""Rows of a list that is searched, in memory at once."""
LOOKS: Final = 100
"""Searches for one file, however little each finds."""

Rows = Iterable[Sequence[Cell]]
_Place = TypeVar("_Place")


async def csv_stream(name: str, header: Sequence[str], parts: AsyncIterator[Rows]) -> Response:
    """Give the rows of each part as a file, and ask for the next part once the one before it is on its way.

    Args:
        name: as of `csv_text.csv_response`.
        header: what each column is called.
        parts: of the list, in order; asked for its first here.

    Raises:
        ValueError: as of `csv_text.csv_response`.
        Unavailable: what the first part is read from is away.
    """
    headers = csv_headers(name)
    begun = csv_line(header)
    async for first in parts:
        begun += await _written(first, len(header))
        break
    return _File(_octets(begun, parts, len(header)), headers=headers)


async def newest(
    read: Callable[[_Place | None, int], Awaitable[tuple[Sequence[Sequence[Cell]], _Place | None, datetime | None]]],
    *,
    most: int,
    columns: int,
) -> AsyncIterator[Rows]:
    """Give the newest rows of a list that is searched as it is read, so many at a time.

    Args:
        read: gives at most so many rows that lie below a place, where the list goes on (None at its end), and the time
            at which the search stopped, where it did before there were so many.
        most: rows of the file.
        columns: of a row. The last says how far was looked, where the search stopped for good.
    """
    if not most:
        return
    below: _Place | None = None
    looks = 0
    while True:
        rows, below, stopped = await read(below, min(PART, most))
        yield rows
        most, looks = most - len(rows), looks + 1
        if below is None or not most:
            return
        if looks >= LOOKS and stopped is not None:  # a look that found all it could says no time, and another follows
            told = f"Looked back to {clock_time(stopped)}. What is older has not been looked at."
            yield [(told, *[""] * (columns - 1))]
            return


async def _octets(begun: bytes, parts: AsyncIterator[Rows], columns: int) -> AsyncIterator[bytes]:
    yield begun
    async for rows in parts:
        yield await _written(rows, columns)


async def _written(rows: Rows, columns: int) -> bytes:
    return await asyncio.to_thread(csv_lines, rows, columns)  # nobody else waits for the words of so many rows


class _File(StreamingResponse):
    """Such a file."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["http_version"] != "1.0":
            try:
                await super().__call__(scope, receive, send)
            except Unavailable as error:
                raise BrokenOff("the rest of the file cannot be read") from error
            return
        whole = b"".join([bytes(part) async for part in self.body_iterator])  # type: ignore[arg-type]  # bytes alone
        await Response(whole, self.status_code, dict(self.headers))(scope, receive, send)
