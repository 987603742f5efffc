"""What a trust was told is held, and a restore lost: the trust sends it again before any of its orders leave.

Source: reliability-security.md I22, I7; mapping.md 10.3.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineState
from gateway.domain.reconciliation import TRUST_AFTER_RESTORE
from gateway.store.sql import lost_acts
from gateway.store.sql.alerts import open_alert
from gateway.store.sql.pauses import resume
from gateway.store.sql.transaction import Transaction

_HELD = "SELECT 1 FROM pause WHERE kind = ? AND destination = ? AND ended_at IS NULL"
_UNKNOWN = """
SELECT value FROM json_each(:names)
WHERE value NOT IN (SELECT control_id FROM submission WHERE tenant = :tenant) ORDER BY value
"""
_DIGEST = "SELECT digest FROM submission WHERE tenant = ? AND control_id = ?"
_LOST: Final = "Taken in the time that a restore lost. The trust must send it again, under the same control id."
_REUSED: Final = (
    "Taken in the time that a restore lost, and another message bears its control id here. The trust must send it"
    " again, under a new control id."
)


def trust_told(
    transaction: Transaction,
    tenant: OdsCode,
    names: Sequence[str] | None,
    *,
    digests: Mapping[str, Collection[str]],
    told: Mapping[str, LineState],
    by: str,
    reason: str,
    now: datetime,
) -> tuple[str, ...] | None:
    """Take the control ids of everything a trust was told is held since the backup, and let its orders leave.

    Args:
        transaction: a write.
        tenant: the trust.
        names: the control ids; None where the trust cannot say, and a person answers for it.
        digests: SHA-256 of the bytes that bore a control id, of each that did, where the trust states it.
        told: lines by item id or order number that the trust was told are cancelled or on hold.
        by: short name of the person.
        reason: where the list is from.
        now: when.

    Returns:
        What is not here: a control id that is not known, or under which other bytes were taken, before or since, which
        the trust must send again; or a line that is not as the trust was told, which its people must see to. The trust
        is held until nothing is missing. None where the trust is not waiting.
    """
    if transaction.row(_HELD, (TRUST_AFTER_RESTORE, tenant.value)) is None:
        return None
    values = {"names": json.dumps(list(names or ())), "tenant": tenant.value}
    unknown = tuple(str(name) for (name,) in transaction.rows(_UNKNOWN, values))
    reused = tuple(name for name in sorted(digests) if _bears_other_bytes(transaction, tenant, name, digests[name]))
    for text, lost in ((_LOST, unknown), (_REUSED, reused)):
        for name in lost:
            subject = f"{tenant} {name}"
            open_alert(transaction, kind="message-lost", subject=subject, tenant=tenant, at=now, text=text)
    missing = unknown + reused + lost_acts.not_so(transaction, tenant, told, now=now)
    if not missing:
        resume(transaction, tenant, kind=TRUST_AFTER_RESTORE, by=by, reason=reason, now=now)
    return missing


def _bears_other_bytes(transaction: Transaction, tenant: OdsCode, name: str, digests: Collection[str]) -> bool:
    """Tell whether other bytes are here under a control id than some that the trust was told are held."""
    row = transaction.row(_DIGEST, (tenant.value, name))
    return row is not None and any(row[0] != digest.lower() for digest in digests)
