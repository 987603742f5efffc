"""The audit leaf: one row for everything that happened, in the transaction in which it happened.

The number comes from the head row, so that it has no gaps; the bytes are canonical JSON of opaque ids, codes and
times, so that they can be shown to anyone. The tree over the leaves is built from these rows alone.

Source: reliability-security.md 7, I5, I8.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final

import msgspec

from gateway.audit.tree import leaf_hash as leaf_hash  # noqa: PLC0414 - whoever writes or checks leaves knows it from here
from gateway.store.sql.instants import stored
from gateway.store.sql.transaction import Leaf, Transaction

_GROW = "UPDATE audit_head SET size = size + ? WHERE id = 1 RETURNING size"
_INSERT = "INSERT INTO audit_leaf (seq, at, kind, body, leaf_hash) VALUES (?, ?, ?, ?, ?)"
_ABOUT = "INSERT INTO audit_about (about, leaf) VALUES (?, ?)"
EVERYBODY: Final = "people"
"""Under this the index names every leaf that says who."""
_ID: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?:in|apart|out|answer)-[1-9][0-9]{0,17}", re.ASCII
)
_NOT_ABOUT: Final = frozenset({"principal", "by", "action", "reason_digest"})


def reason_digest(words: str) -> str:
    """Give the SHA-256 of what a person wrote: a leaf proves the words and does not show them."""
    return hashlib.sha256(words.encode()).hexdigest()


def append_leaf(transaction: Transaction, kind: str, *, at: datetime, **facts: str | int) -> None:
    """Append one leaf, at the end of the write that it is of.

    Args:
        transaction: the one in which the thing itself is written.
        kind: `event`, `submission`, `callback`, `alert`, …
        at: when it happened.
        facts: opaque ids, codes and digests; never patient data.
    """
    transaction.leaves.append(Leaf(kind, at, facts))


def write_leaves(transaction: Transaction) -> None:
    """Write the leaves of a write that has come to its end, in their order; without this nothing of it is provable."""
    leaves = transaction.leaves
    if not leaves:
        return
    row = transaction.row(_GROW, (len(leaves),))
    assert row is not None
    numbered = list(enumerate(leaves, start=row[0] - len(leaves) + 1))
    bodies = [(seq, leaf, leaf_body(leaf.kind, seq=seq, at=leaf.at, facts=leaf.facts)) for seq, leaf in numbered]
    transaction.run_each(
        _INSERT, [(seq, stored(leaf.at), leaf.kind, body, leaf_hash(body)) for seq, leaf, body in bodies]
    )
    named = [(about, seq) for seq, leaf in numbered for about in abouts(leaf.facts)]
    if named:
        transaction.run_each(_ABOUT, named)
    leaves.clear()


def by(who: str) -> str:
    """Give what the index calls all that one person or caller did."""
    return f"by:{who}"


def abouts(facts: Mapping[str, str | int]) -> tuple[str, ...]:
    """Give what a leaf is found by: who, and the opaque ids that it names; nothing where it names nobody.

    What the gateway did by itself is in the history of each line; to name it here as well would cost every message.
    """
    who = str(facts.get("principal") or facts.get("by") or "")
    if not who:
        return ()
    values = (str(value) for name, value in facts.items() if name not in _NOT_ABOUT)
    return tuple(dict.fromkeys((EVERYBODY, by(who), *ids_in(values))))


def ids_in(values: Iterable[str]) -> Iterator[str]:
    """Give the opaque ids among words: of prescriptions, lines and messages."""
    return (word for value in values for word in value.split() if _ID.fullmatch(word))


def leaf_body(kind: str, *, seq: int, at: datetime, facts: Mapping[str, str | int]) -> bytes:
    """Write a leaf's bytes: keys in order, no spaces."""
    return msgspec.json.encode({**facts, "kind": kind, "seq": seq, "at": at.isoformat()}, order="deterministic")
