"""Beginning a new generation after a restore, with every destination and sender held until it is reconciled.

Source: reliability-security.md I22.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.domain.identifiers import OdsCode
from gateway.domain.reconciliation import AFTER_RESTORE, TRUST_AFTER_RESTORE, first_epoch
from gateway.store.sql import sessions
from gateway.store.sql.alerts import open_alert
from gateway.store.sql.instants import stored
from gateway.store.sql.leaves import append_leaf, reason_digest, write_leaves
from gateway.store.sql.pauses import pause
from gateway.store.sql.transaction import Transaction

_BY: Final = "gateway"
_REASON: Final = "restored from a backup: what was sent since is not known here"
_REASON_TRUST: Final = "restored from a backup: what it was told since is not known here"
_SENT_BY: Final = "SELECT DISTINCT tenant FROM submission"
_SENT_TO: Final = "SELECT DISTINCT destination FROM message"
_RESTORATION: Final = "INSERT INTO restoration VALUES (?, ?, ?, ?, ?, ?)"
_GENERATION: Final = "UPDATE meta SET generation = ? WHERE id = 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who puts a backup back.

    Attributes:
        name: short name of the operator.
        recognised: by a secret; not where the operators were lost with everything else.
        reason: in words.
    """

    name: str
    recognised: bool
    reason: str


UNNAMED: Final = Person(name=_BY, recognised=False, reason="")


@dataclass(frozen=True, slots=True)
class Beginning:
    """Of a generation: its number, who begins it and when."""

    generation: int
    person: Person
    now: datetime


Parties = tuple[frozenset[OdsCode], frozenset[OdsCode]]
"""Providers and trusts of the configuration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What a store was restored to.

    Attributes:
        made_at: when the backup was made, as its manifest says; when it was restored, where a server did that.
        last_at: when the newest of what is here was written.
        digest: SHA-256 of the backup; of a server's, the hash of its newest leaf, in hexadecimal.
        leaves: of the audit.
    """

    made_at: str
    last_at: datetime
    digest: str
    leaves: int


def mark(
    transaction: Transaction, point: Point, beginning: Beginning, parties: Parties
) -> tuple[tuple[OdsCode, ...], tuple[OdsCode, ...]]:
    """Begin the generation in the caller's transaction, and hold every destination and sender; give both."""
    generation, person, now = beginning.generation, beginning.person, beginning.now
    held, senders = (
        tuple(sorted(named | {OdsCode(code) for (code,) in transaction.rows(question)}, key=str))
        for named, question in zip(parties, (_SENT_TO, _SENT_BY), strict=True)
    )
    transaction.run(_GENERATION, (generation,))
    values = (generation, stored(now), stored(point.last_at), point.digest, point.leaves, first_epoch(generation))
    transaction.run(_RESTORATION, values)
    sessions.forget_all(transaction)
    append_leaf(
        transaction,
        "restored",
        at=now,
        generation=generation,
        backup=point.digest,
        backup_leaves=point.leaves,
        backup_made_at=point.made_at,
        by=person.name,
        recognised=person.recognised,
        reason_digest=reason_digest(person.reason),
    )
    for destination in held:
        pause(transaction, destination, kind=AFTER_RESTORE, by=_BY, reason=_REASON, now=now)
    for tenant in senders:
        pause(transaction, tenant, kind=TRUST_AFTER_RESTORE, by=_BY, reason=_REASON_TRUST, now=now)
    text = (
        f"Restored to {point.last_at:%Y-%m-%d %H:%M:%S} UTC. What came and went after that is not here: reconcile every"
        " provider; have the people of every trust do again what they cancelled or held at the console since; then ask"
        " every trust to compare its messages since and send the missing ones again."
    )
    open_alert(transaction, kind="restored", subject=f"generation {generation}", at=now, text=text)
    write_leaves(transaction)
    return held, senders
