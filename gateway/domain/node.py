"""The nodes that share one store, and what they must agree on to run side by side.

Source: brief D12; issue "fast on one machine, wide on many", build 7.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

SILENCE: Final = timedelta(seconds=60)
"""A node that said nothing for so long is taken to have ended."""
MOST_OFF: Final = timedelta(seconds=30)
"""How far a node's clock may be from the database's: half of what a lease lasts if nobody set it shorter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One process that works on a store.

    Attributes:
        name: unlike any other's, of this process alone.
        version: of the gateway.
        parts: what it runs, separated by commas.
        configuration: digest of its configuration folder.
        reference: release of its reference tables.
        key_id: `kid` of the key it seals with; empty for one that seals nothing.
    """

    name: str
    version: str
    parts: str
    configuration: str
    reference: str
    key_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSeen:
    """A node as the store knows it."""

    node: Node
    started_at: datetime
    seen_at: datetime

    def lives(self, now: datetime) -> bool:
        """Tell whether it said a moment ago that it runs; clocks need not agree to the second."""
        return abs(now - self.seen_at) <= SILENCE


def disagreements(own: Node, others: Iterable[NodeSeen]) -> tuple[str, ...]:
    """Give every point in which a node is not like one of those that live, in words for whoever starts it."""
    found = []
    for node in (other.node for other in others if other.node.name != own.name):
        for what, ours, theirs in (
            ("configuration", own.configuration, node.configuration),
            ("reference tables", own.reference, node.reference),
            ("seal key", own.key_id, node.key_id),
        ):
            if ours and theirs and ours != theirs:
                found.append(
                    f"{node.name} ({node.parts}) runs with another {what}: {theirs[:12]}, and here {ours[:12]}"
                )
    return tuple(found)
