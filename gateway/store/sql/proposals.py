"""Proposals of acts that need two people: rows that are written once and end once.

The leaf names the proposal, its kind and the person; the words and the payload it proves by their digests.

Source: console.md 3, 6.10; reliability-security.md I10.
"""

import hashlib
from datetime import datetime
from typing import Final
from uuid import UUID

from gateway.domain.identifiers import OdsCode
from gateway.domain.proposal import Proposal, ProposalState, ProposalView, stands, why_not_seconded
from gateway.store.sql.instants import instant, stored
from gateway.store.sql.leaves import append_leaf, reason_digest
from gateway.store.sql.transaction import Reader, Row, Transaction

_COLUMNS: Final = """
SELECT id, kind, subject, payload, tenant, proposed_by, reason, proposed_at, expires_at, state, second_by, ended_by,
    ended_at, outcome FROM proposal
"""
_BY_ID: Final = f"{_COLUMNS} WHERE id = :id AND (:tenant = '' OR tenant = :tenant)"
_OF_SUBJECT: Final = f"""{_COLUMNS} WHERE kind = :kind AND subject = :subject AND (:tenant = '' OR tenant = :tenant)
ORDER BY proposed_at DESC LIMIT 20"""
_WAITING: Final = f"""{_COLUMNS} WHERE (state = 'seconded' OR state = 'open' AND expires_at > :now)
    AND (:tenant = '' OR tenant = :tenant)
ORDER BY state DESC, proposed_at LIMIT :most"""
_OPEN: Final = "SELECT id, proposed_by, expires_at FROM proposal WHERE kind = ? AND subject = ? AND state = 'open'"
_INSERT: Final = """
INSERT INTO proposal (id, kind, subject, payload, tenant, proposed_by, reason, proposed_at, expires_at)
VALUES (:id, :kind, :subject, :payload, :tenant, :by, :reason, :at, :expires)
"""
_SECOND: Final = "UPDATE proposal SET state = 'seconded', second_by = :by, seconded_at = :at WHERE id = :id"
_END: Final = """
UPDATE proposal SET state = :state, ended_by = :by, ended_at = :at, outcome = :outcome
WHERE id = :id AND state = :before
"""
_UNKNOWN: Final = ("There is no such proposal.",)


def propose(transaction: Transaction, proposal: Proposal) -> tuple[str, ...]:
    """Write down what one person wants done; an open one whose time is over makes room.

    Returns:
        Why it was not written, in words; empty when it stands.
    """
    if transaction.row(_BY_ID, {"id": proposal.id.bytes, "tenant": ""}) is not None:
        return ()
    row = transaction.row(_OPEN, (proposal.kind, proposal.subject))
    if row is not None and instant(row[2]) > proposal.at:
        return (f"{row[1]} has proposed this already, and it waits for a second person.",)
    if row is not None:
        _end(transaction, UUID(bytes=row[0]), ProposalState.EXPIRED, ProposalState.OPEN, at=proposal.at)
    transaction.run(
        _INSERT,
        {
            "id": proposal.id.bytes,
            "kind": proposal.kind,
            "subject": proposal.subject,
            "payload": proposal.payload,
            "tenant": str(proposal.tenant) if proposal.tenant else None,
            "by": proposal.by,
            "reason": proposal.reason,
            "at": stored(proposal.at),
            "expires": stored(proposal.expires_at),
        },
    )
    facts = {"payload_digest": hashlib.sha256(proposal.payload).hexdigest(), "subject": proposal.subject}
    _leaf(transaction, proposal, "proposed", proposal.at, by=proposal.by, **facts)
    return ()


def second(
    transaction: Transaction, proposal: UUID, *, by: str, tenant: OdsCode | None, now: datetime
) -> tuple[str, ...]:
    """Let a second person agree, once. Gives why not, in words; empty when it is agreed."""
    found = one(transaction.connection, proposal, tenant=tenant, now=now)
    if found is None:
        return _UNKNOWN
    reasons = why_not_seconded(found, by)
    if reasons:
        return reasons
    transaction.run(_SECOND, {"id": proposal.bytes, "by": by, "at": stored(now)})
    _leaf(transaction, found.proposal, "seconded", now, by=by)
    return ()


def settle(transaction: Transaction, proposal: UUID, *, done: bool, outcome: str, now: datetime) -> bool:
    """Say what came of a proposal that was seconded. Tells whether it waited for that."""
    state = ProposalState.DONE if done else ProposalState.NOT_DONE
    return _end(transaction, proposal, state, ProposalState.SECONDED, outcome=outcome, at=now)


def withdraw(
    transaction: Transaction, proposal: UUID, *, by: str, reason: str, tenant: OdsCode | None, now: datetime
) -> tuple[str, ...]:
    """Take an open proposal back. Gives why not, in words; empty when it is withdrawn."""
    found = one(transaction.connection, proposal, tenant=tenant, now=now)
    if found is None:
        return _UNKNOWN
    if found.state is not ProposalState.OPEN:
        return why_not_seconded(found, by)
    _end(transaction, proposal, ProposalState.WITHDRAWN, ProposalState.OPEN, by=by, outcome=reason, at=now)
    return ()


def one(reader: Reader, proposal: UUID, *, tenant: OdsCode | None, now: datetime) -> ProposalView | None:
    """Give one proposal, whatever became of it; None also where it is not the tenant's."""
    rows = reader.execute(_BY_ID, {"id": proposal.bytes, "tenant": str(tenant or "")})
    return next((_view(row, now) for row in rows), None)


def waiting(reader: Reader, *, tenant: OdsCode | None, now: datetime, limit: int) -> tuple[ProposalView, ...]:
    """Give what waits: seconded and never settled first, then open ones, the oldest first."""
    values = {"tenant": str(tenant or ""), "now": stored(now), "most": limit}
    return tuple(_view(row, now) for row in reader.execute(_WAITING, values))


def of_subject(
    reader: Reader, kind: str, subject: str, *, tenant: OdsCode | None, now: datetime
) -> tuple[ProposalView, ...]:
    """Give every proposal of a kind there was for a subject, newest first, at most 20."""
    values = {"tenant": str(tenant or ""), "kind": kind, "subject": subject}
    return tuple(_view(row, now) for row in reader.execute(_OF_SUBJECT, values))


def _view(row: Row, now: datetime) -> ProposalView:
    key, kind, subject, payload, tenant, by, reason, at, expires, state, second_by, ended_by, ended_at, outcome = row
    proposal = Proposal(
        id=UUID(bytes=key),
        kind=kind,
        subject=subject,
        payload=bytes(payload),
        tenant=OdsCode(tenant) if tenant else None,
        by=by,
        reason=reason,
        at=instant(at),
        expires_at=instant(expires),
    )
    return ProposalView(
        proposal=proposal,
        state=stands(ProposalState(state), proposal.expires_at, now),
        second=second_by,
        ended_by=ended_by,
        ended_at=instant(ended_at) if ended_at is not None else None,
        outcome=outcome,
    )


def _end(
    transaction: Transaction,
    proposal: UUID,
    state: ProposalState,
    before: ProposalState,
    *,
    by: str = "",
    outcome: str = "",
    at: datetime,
) -> bool:
    values = {"id": proposal.bytes, "state": state.value, "before": before.value, "by": by, "outcome": outcome}
    if not transaction.changed(_END, {**values, "at": stored(at)}):
        return False
    found = one(transaction.connection, proposal, tenant=None, now=at)
    assert found is not None
    who = by or found.second or found.proposal.by
    _leaf(transaction, found.proposal, state.value, at, by=who, outcome_digest=reason_digest(outcome))
    return True


def _leaf(transaction: Transaction, proposal: Proposal, act: str, at: datetime, **facts: str) -> None:
    said = {"proposal": str(proposal.id), "of": proposal.kind, "reason_digest": reason_digest(proposal.reason)}
    append_leaf(transaction, "proposal", at=at, act=act, **said, **facts)
