"""The nodes that run on the store: each says so now and then, and none stays that differs from those that live.

Source: brief D12.
"""

from datetime import datetime, timedelta
from typing import Final

from gateway.domain.node import Node, NodeSeen, disagreements
from gateway.store.sql.instants import instant, stored
from gateway.store.sql.standing import in_force
from gateway.store.sql.transaction import Reader, Transaction

_FORGOTTEN: Final = timedelta(days=1)
"""A node that ended without a word is shown for so long."""
_NODES: Final = """
SELECT name, version, parts, configuration, reference, key_id, started_at, seen_at FROM node ORDER BY started_at, name
"""
_ENTER: Final = """
INSERT INTO node (name, version, parts, configuration, reference, key_id, started_at, seen_at)
VALUES (:name, :version, :parts, :configuration, :reference, :key_id, :now, :now)
ON CONFLICT (name) DO UPDATE SET seen_at = :now
"""
_LEAVE: Final = "DELETE FROM node WHERE name = ?"
_GENERATION: Final = "SELECT generation FROM meta WHERE id = 1"
_FORGET: Final = "DELETE FROM node WHERE seen_at < ?"


def nodes(reader: Reader) -> tuple[NodeSeen, ...]:
    """Give every node that has not left, those too that said nothing for a long time; the oldest first."""
    return tuple(
        NodeSeen(
            node=Node(name=row[0], version=row[1], parts=row[2], configuration=row[3], reference=row[4], key_id=row[5]),
            started_at=instant(row[6]),
            seen_at=instant(row[7]),
        )
        for row in reader.execute(_NODES)
    )


def enter(transaction: Transaction, node: Node, *, now: datetime) -> tuple[str, ...]:
    """Write down that a node begins, unless it differs from one that lives; gives in what."""
    found = disagreements(node, (one for one in nodes(transaction.connection) if one.lives(now)))
    if not found:
        transaction.run(_FORGET, (stored(now - _FORGOTTEN),))
        _say(transaction, node, now)
    return found


def stay(transaction: Transaction, node: Node, *, now: datetime) -> tuple[str, ...]:
    """Write down that a node still runs, unless another configuration is in force by now; gives in what it differs.

    So a node that was frozen while others began with another configuration ends when it wakes, and one under which the
    database was put back ends as well: it gives leases of a life that is over.
    """
    ((generation,),) = transaction.rows(_GENERATION)
    if generation != transaction.generation:
        return (f"the store was put back: this is its generation {generation}, not {transaction.generation}",)
    standing = in_force(transaction.connection)
    if standing is not None and standing[0] != node.configuration:
        return (f"another configuration is in force: {standing[1]} ({standing[0][:12]})",)
    others = tuple(one for one in nodes(transaction.connection) if one.lives(now))
    own = any(one.node.name == node.name for one in others)
    if not own and (found := disagreements(node, others)):
        return found
    _say(transaction, node, now)
    return ()


def leave(transaction: Transaction, name: str) -> None:
    """Forget a node that ends."""
    transaction.run(_LEAVE, (name,))


def _say(transaction: Transaction, node: Node, now: datetime) -> None:
    transaction.run(
        _ENTER,
        {
            "name": node.name,
            "version": node.version,
            "parts": node.parts,
            "configuration": node.configuration,
            "reference": node.reference,
            "key_id": node.key_id,
            "now": stored(now),
        },
    )
