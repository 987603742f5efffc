"""What people look for, kept beside each order at its commit: its patient's name, other numbers, refused orders.

Orders from before there was such an index, or taken by a node of the version before, are filled in at the turns of the
clock. Numbers rise with the commits, one writer at a time, so whatever lies behind the mark has been looked through.

Source: console.md 6.2.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from gateway.domain.name_key import given_key, name_key, postcode_key
from gateway.domain.prescription import Name, Prescription
from gateway.domain.submission import OrderNumber, Verdict
from gateway.store.document import decode
from gateway.store.sql.transaction import Transaction

_PATIENT: Final = """
INSERT INTO patient_index (prescription, born, family, given, postcode)
VALUES (:prescription, :born, :family, :given, :postcode) ON CONFLICT (prescription) DO NOTHING
"""
_NUMBER: Final = """
INSERT INTO other_number (value, kind, prescription) VALUES (:value, :kind, :prescription)
ON CONFLICT (value, kind, prescription) DO NOTHING
"""
_REFUSED: Final = """
INSERT INTO refused_order (value, submission) VALUES (:value, :submission) ON CONFLICT (value, submission) DO NOTHING
"""
_PROGRESS: Final = "SELECT prescription, submission FROM search_progress WHERE id = 1"
_PRESCRIPTIONS: Final = """
SELECT prescription.id,
    CASE WHEN EXISTS (SELECT 1 FROM patient_index WHERE patient_index.prescription = prescription.id)
        THEN NULL ELSE prescription.document END
FROM prescription WHERE prescription.id > ? ORDER BY prescription.id LIMIT ?
"""
_SUBMISSIONS: Final = """
SELECT id, CASE WHEN outcome = 'refused' THEN verdict END FROM submission WHERE id > ? ORDER BY id LIMIT ?
"""
_ADVANCE: Final = "UPDATE search_progress SET prescription = ?, submission = ? WHERE id = 1"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _Address:
    postcode: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _Patient:
    name: Name
    birth_date: str
    address: _Address


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _Line:
    provider_order_number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _Homecare:
    purchase_order: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _Document:
    """As much of a stored prescription as is looked for."""

    patient: _Patient
    lines: tuple[_Line, ...] = ()
    homecare: _Homecare = _Homecare()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    numbers: tuple[OrderNumber, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verdict:
    """As much of a stored verdict as is looked for; of an archived message there is less."""

    orders: tuple[_Order, ...] = ()


def index_prescription(transaction: Transaction, row: int, prescription: Prescription) -> None:
    """Keep what one order may be looked for by."""
    patient = prescription.patient
    _keep_patient(transaction, row, patient.name, patient.birth_date.isoformat(), patient.address.postcode)
    numbers = (line.provider_order_number for line in prescription.lines)
    _keep_numbers(transaction, row, prescription.homecare.purchase_order, numbers)


def index_refused(transaction: Transaction, submission: int, verdict: Verdict | _Verdict) -> None:
    """Keep the order numbers of a message that was refused whole."""
    for value in sorted({number.trust_number for order in verdict.orders for number in order.numbers} - {""}):
        transaction.run(_REFUSED, {"value": value, "submission": submission})


def catch_up(transaction: Transaction, *, most: int) -> bool:
    """Fill in what has no index yet, from the mark on, up to `most` rows of each kind; tell whether any are left."""
    mark = transaction.row(_PROGRESS)
    assert mark is not None
    prescriptions = transaction.rows(_PRESCRIPTIONS, (mark[0], most))
    submissions = transaction.rows(_SUBMISSIONS, (mark[1], most))
    for row, document in prescriptions:
        if document is not None:
            _index_document(transaction, row, decode(document, _Document))
    for row, verdict in submissions:
        if verdict is not None:
            index_refused(transaction, row, decode(verdict, _Verdict))
    if prescriptions or submissions:
        last = prescriptions[-1][0] if prescriptions else mark[0]
        transaction.run(_ADVANCE, (last, submissions[-1][0] if submissions else mark[1]))
    return max(len(prescriptions), len(submissions)) == most


def _index_document(transaction: Transaction, row: int, document: _Document) -> None:
    patient = document.patient
    _keep_patient(transaction, row, patient.name, patient.birth_date, patient.address.postcode)
    numbers = (line.provider_order_number for line in document.lines)
    _keep_numbers(transaction, row, document.homecare.purchase_order, numbers)


def _keep_patient(transaction: Transaction, row: int, name: Name, born: str, postcode: str) -> None:
    values = {
        "prescription": row,
        "born": born,
        "family": name_key(name.family),
        "given": given_key(name.given),
        "postcode": postcode_key(postcode),
    }
    transaction.run(_PATIENT, values)


def _keep_numbers(transaction: Transaction, row: int, purchase_order: str, numbers: Iterable[str]) -> None:
    said = {("purchase-order", purchase_order), *(("provider-number", number) for number in numbers)}
    for kind, value in sorted(said):
        if value:
            transaction.run(_NUMBER, {"value": value, "kind": kind, "prescription": row})
