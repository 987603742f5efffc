"""Legal holds: records that stay whatever their age, of one patient or of one prescription, until a person lifts it.

The leaf names the hold by its number and its reason by a digest: never the patient.

Source: domain.md (records management); reliability-security.md 7.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from gateway.enquiries import LegalHold
from gateway.store.sql.instants import instant, stored
from gateway.store.sql.leaves import append_leaf, reason_digest
from gateway.store.sql.transaction import Reader, Transaction

_PLACED: Final = """
SELECT id FROM legal_hold WHERE lifted_at IS NULL AND (nhs_number = :nhs_number OR prescription = :prescription)
"""
_PLACE: Final = """
INSERT INTO legal_hold (nhs_number, prescription, placed_at, placed_by, reason)
VALUES (:nhs_number, :prescription, :at, :by, :reason)
"""
_LIFT: Final = """
UPDATE legal_hold SET lifted_at = :at, lifted_by = :by, lift_reason = :reason WHERE id = :id AND lifted_at IS NULL
"""
_OPEN: Final = """
SELECT id, nhs_number, prescription, placed_at, placed_by, reason FROM legal_hold WHERE lifted_at IS NULL ORDER BY id
"""


def place(
    transaction: Transaction,
    *,
    nhs_number: str = "",
    prescription: UUID | None = None,
    by: str,
    reason: str,
    now: datetime,
) -> int | None:
    """Keep the records of a patient, or of one prescription, whatever their age.

    Returns:
        The hold's number; None where such a one is in force.

    Raises:
        ValueError: not exactly one of the two is given.
    """
    if bool(nhs_number) == (prescription is not None):
        raise ValueError("a legal hold is of a patient or of a prescription")
    of = {"nhs_number": nhs_number or None, "prescription": prescription.bytes if prescription else None}
    if transaction.row(_PLACED, of) is not None:
        return None
    number = transaction.insert(_PLACE, {**of, "at": stored(now), "by": by, "reason": reason})
    what = "prescription" if prescription else "patient"
    digest = reason_digest(reason)
    append_leaf(transaction, "legal-hold-placed", at=now, number=number, of=what, by=by, reason_digest=digest)
    return number


def lift(transaction: Transaction, number: int, *, by: str, reason: str, now: datetime) -> bool:
    """End a legal hold. Tells whether it was in force."""
    if not transaction.changed(_LIFT, {"id": number, "at": stored(now), "by": by, "reason": reason}):
        return False
    digest = reason_digest(reason)
    append_leaf(transaction, "legal-hold-lifted", at=now, number=number, by=by, reason_digest=digest)
    return True


def in_force(reader: Reader) -> tuple[LegalHold, ...]:
    """Give every legal hold in force, oldest first."""
    return tuple(
        LegalHold(
            number=row[0],
            nhs_number=row[1] or "",
            prescription_id=UUID(bytes=row[2]) if row[2] is not None else None,
            placed_at=instant(row[3]),
            placed_by=row[4],
            reason=row[5],
        )
        for row in reader.execute(_OPEN)
    )
