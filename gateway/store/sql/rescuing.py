"""A supply that the trust, or a backup, made in the provider's place: the issue ends, linked to what replaced it.

A provider that still holds the line has no message that takes one issue of it back. So a person says that the provider
was told, or an alert stays open until somebody has rung: otherwise the patient is supplied twice. What a provider gave
back or will not supply ends so too, or the next would be asked for it again.

Source: mapping.md 10.4 (any: emergency supply by trust or backup); domain.md K18.
"""

from typing import Final

from gateway.domain.acts import Act, Rescue
from gateway.domain.delivery import DeliveryEvent, move
from gateway.domain.hold import beneath
from gateway.domain.labels import LABELS
from gateway.domain.lifecycle import TERMINAL, Actor, LineState
from gateway.store.sql import deliveries
from gateway.store.sql.alerts import open_alert
from gateway.store.sql.history import LineNow, line_now
from gateway.store.sql.leaves import append_leaf, reason_digest
from gateway.store.sql.transaction import Transaction

NOT_TOLD: Final = "rescue-not-told"
"""The alert that is open until the provider knows."""

_LINES = """
SELECT line.id FROM line JOIN prescription ON prescription.id = line.prescription
WHERE prescription.uuid = ? AND ? IN ('', prescription.tenant) AND line.action IN ('new', 'replace') ORDER BY line.id
"""
_GIVEN_AWAY = "SELECT 1 FROM reroute WHERE line = ? AND state IN ('ASKED', 'PENDING', 'CONFIRMED')"
_HELD = "SELECT 1 FROM allocation WHERE line = ? AND ended_at IS NULL"
_NOT_GIVEN: Final = frozenset({LineState.RECEIVED, LineState.HELD, LineState.AWAITING_SCREENING, LineState.READY})
"""States in which the order has yet to leave, with all its supplies."""
_RING: Final = "Issue {issue} was supplied by another, and the provider does not know it yet."


def rescue(transaction: Transaction, act: Act, rescue: Rescue) -> tuple[str, ...]:
    """End one issue of a line that another supplied.

    Args:
        transaction: the act's own.
        act: whose, and why; it names the line, unless only one of the prescription can be meant.
        rescue: which issue, and what replaced it.

    Returns:
        Why nothing was done, in words; empty when it was.
    """
    rows = [line_now(transaction, row) for (row,) in transaction.rows(_LINES, act.whose)]
    chosen = _chosen(transaction, [line for line in rows if act.line_id in {None, line.id}])
    if len(chosen) != 1:
        return (
            "more than one line of this prescription can be meant: name it with --line"
            if chosen
            else "this prescription has no such line: there is nothing to stand in for",
        )
    (line,) = chosen
    if transaction.row(_GIVEN_AWAY, (line.row,)) is not None:
        return ("a re-route of the line is under way, and counts this supply: wait for its end, or stop it",)
    why = _why(transaction, line, rescue.issue)
    if why:
        return (why,)
    _end(transaction, line, act, rescue)
    _tell(transaction, line, act, rescue)
    return ()


def _chosen(transaction: Transaction, lines: list[LineNow]) -> list[LineNow]:
    """Leave out, where others are left, what somebody would have to name to mean it: it has no supply to end."""
    open_ones = [line for line in lines if deliveries.deliveries(transaction, line.row) or line.state not in TERMINAL]
    return open_ones or lines


def _end(transaction: Transaction, line: LineNow, act: Act, rescue: Rescue) -> None:
    """End the issue under the line's latest epoch, whether its holder has taken the line on or not.

    Its other issues are planned with it, so that its holder goes on counting them by the message it was sent.
    """
    deliveries.plan(transaction, line.supplies, at=act.now)
    cause = deliveries.Cause(actor=Actor.TRUST_PHARMACIST, at=act.now, text=_words(act, rescue))
    deliveries.happen(transaction, line.supplies, rescue.issue, DeliveryEvent.RESCUED, cause)
    if transaction.row(_HELD, (line.row,)) is None:
        deliveries.withdraw(transaction, line.supplies, deliveries.Cause(actor=Actor.GATEWAY, at=act.now))


def _words(act: Act, rescue: Rescue) -> str:
    told = "the provider was told" if rescue.told else "the provider is not told yet"
    return f"supplied by another: {rescue.link}; by {act.by}; {told}; {act.reason}"


def _why(transaction: Transaction, line: LineNow, issue: int) -> str:
    """Say why an issue cannot be ended so, in words; empty where it can."""
    words = LABELS[line.state].lower()
    if line.state is LineState.SUPERSEDED:
        return "the line was replaced: say it of the one that replaced it"
    if not 1 <= issue <= line.total:
        return f"the line has no issue {issue}: it has {line.total}"
    if beneath(line.state, line.before) in _NOT_GIVEN:
        return f"the order has not left, and would ask for every supply ({words}): cancel it and prescribe what is left"
    known = {one.issue: one for one in deliveries.deliveries(transaction, line.row)}
    if not known and line.state in TERMINAL:
        return f"no supply of the line is awaited: {words}"
    found = known.get(issue)
    if found is not None and move(found, DeliveryEvent.RESCUED, Actor.TRUST_PHARMACIST) is None:
        return f"issue {issue} is at its end already: {found.state.lower().replace('_', ' ')}"
    return ""


def _tell(transaction: Transaction, line: LineNow, act: Act, rescue: Rescue) -> None:
    if not rescue.told:
        text = _RING.format(issue=rescue.issue)
        subject = f"{line.id} {rescue.issue}"
        open_alert(transaction, kind=NOT_TOLD, subject=subject, line=line.row, at=act.now, text=text)
    append_leaf(
        transaction,
        "act",
        at=act.now,
        act="rescue",
        by=act.by,
        reason_digest=reason_digest(act.reason),
        line=str(line.id),
        issue=rescue.issue,
    )
