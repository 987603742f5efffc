"""The audit leaf: one row for everything that happened, in the transaction in which it happened.

The number comes from the head row, so that it has no gaps; the bytes are canonical JSON of opaque ids, codes and
times, so that they can be shown to anyone. The tree over the leaves is built from these rows alone.

Source: reliability-security.md 7, I5, I8.
"""

import hashlib
from datetime import datetime

import msgspec

from gateway.store.sql.instants import stored
from gateway.store.sql.transaction import Transaction

_NEXT = "UPDATE audit_head SET size = size + 1 WHERE id = 1 RETURNING size"
_INSERT = "INSERT INTO audit_leaf (seq, at, kind, body, leaf_hash) VALUES (?, ?, ?, ?, ?)"


def leaf_hash(body: bytes) -> bytes:
    """Give SHA-256(0x00 || body). Source: RFC 9162 2.1.1."""
    return hashlib.sha256(b"\x00" + body).digest()


def reason_digest(words: str) -> str:
    """Give the SHA-256 of what a person wrote: a leaf proves the words and does not show them."""
    return hashlib.sha256(words.encode()).hexdigest()


def append_leaf(transaction: Transaction, kind: str, *, at: datetime, **facts: str | int) -> int:
    """Append one leaf.

    Args:
        transaction: the one in which the thing itself is written.
        kind: `event`, `submission`, `callback`, `alert`, …
        at: when it happened.
        facts: opaque ids, codes and digests; never patient data.

    Returns:
        The leaf's number.
    """
    row = transaction.row(_NEXT)
    assert row is not None
    seq: int = row[0]
    body = leaf_body(kind, seq=seq, at=at, facts=facts)
    transaction.run(_INSERT, (seq, stored(at), kind, body, leaf_hash(body)))
    return seq


def leaf_body(kind: str, *, seq: int, at: datetime, facts: dict[str, str | int]) -> bytes:
    """Write a leaf's bytes: keys in order, no spaces."""
    return msgspec.json.encode({**facts, "kind": kind, "seq": seq, "at": at.isoformat()}, order="deterministic")
