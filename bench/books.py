"""A store that was made in bulk, opened as a gateway opens it, on either engine."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypeAlias

from gateway.store.sql.enquiries import SqlEnquiries
from gateway.store.sql.store import SqlStore
from gateway.store.sqlite.enquiries import SqliteEnquiries
from gateway.store.sqlite.store import SqliteStore

NOW: Final = datetime(2026, 10, 5, 9, 16, tzinfo=UTC)
"""When the books are looked at: the rows end here."""
_BEGUN: Final = time.monotonic()


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """One store that was made, opened.

    Attributes:
        rows: prescriptions in it.
        octets: it has on disk.
    """

    rows: int
    octets: int
    store: SqlStore
    enquiries: SqlEnquiries


Opening: TypeAlias = Callable[[Path, int], AbstractAsyncContextManager[Books]]
"""Opens the books of a SQLite file, with so many rows: as they are, or on another engine."""


def now() -> datetime:
    """Give the time, which goes on from there: of what one person did at one moment the newest is not known."""
    return NOW + timedelta(seconds=time.monotonic() - _BEGUN)


@asynccontextmanager
async def on_sqlite(file: Path, rows: int) -> AsyncIterator[Books]:
    """Open them as they were made."""
    octets = file.stat().st_size  # noqa: ASYNC240 - nobody waits beside it
    store, enquiries = SqliteStore.open(file, now=now), SqliteEnquiries.open(file)
    try:
        yield Books(rows=rows, octets=octets, store=store, enquiries=enquiries)
    finally:
        await enquiries.close()
        await store.close()
