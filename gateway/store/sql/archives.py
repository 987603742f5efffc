"""The archives that the store knows: each for which rows left it, and whether that is finished.

Source: reliability-security.md 9; brief D12.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.store.sql.instants import instant, stored
from gateway.store.sql.leaves import append_leaf, write_leaves
from gateway.store.sql.transaction import Reader, Transaction

_KNOWN: Final = "SELECT name, sha256, keep_until, finished_at FROM archive ORDER BY id"
_NUMBER: Final = "SELECT id FROM archive WHERE name = ?"
_REGISTER: Final = """
INSERT INTO archive (name, sha256, made_at, keep_until) VALUES (:name, :digest, :made_at, :keep_until)
ON CONFLICT (name) DO NOTHING
"""
_FINISH: Final = "UPDATE archive SET finished_at = ? WHERE name = ? AND finished_at IS NULL"
_FIGURES: Final = "SELECT (SELECT generation FROM meta), (SELECT size FROM audit_head)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """An archive as the store knows it: its rows left the store for it.

    Attributes:
        sha256: of its file, in lower-case hex.
        keep_until: from when on none of its records need be kept any more.
        finished: everything that it lists has left, or is to stay.
    """

    name: str
    sha256: str
    keep_until: datetime
    finished: bool = True


def registered(reader: Reader) -> tuple[Registered, ...]:
    """Give every archive for which rows left the store, in that order."""
    return tuple(
        Registered(name=name, sha256=digest, keep_until=instant(keep_until), finished=finished is not None)
        for name, digest, keep_until, finished in reader.execute(_KNOWN)
    )


def register(transaction: Transaction, archive: Registered, *, made_at: datetime) -> int:
    """Let the store know an archive for which rows leave it, once; give its number."""
    values = {"made_at": stored(made_at), "keep_until": stored(archive.keep_until)}
    transaction.run(_REGISTER, {"name": archive.name, "digest": archive.sha256, **values})
    row = transaction.row(_NUMBER, (archive.name,))
    assert row is not None
    return int(row[0])


def finish(transaction: Transaction, name: str, *, stayed: int, by: str, now: datetime) -> None:
    """Note that nothing leaves for an archive any more."""
    transaction.run(_FINISH, (stored(now), name))
    append_leaf(transaction, "archive-finished", at=now, archive=name, stayed=stayed, by=by)
    write_leaves(transaction)


def figures(reader: Reader) -> tuple[int, int]:
    """Give the generation of the store, and how many leaves its audit has."""
    ((generation, leaves),) = reader.execute(_FIGURES)
    return int(generation), int(leaves)
