"""What became of every value of the stored submissions: their traces and leftovers, read only, one trust at a time."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.domain.identifiers import OdsCode
from gateway.domain.submission import Envelope
from gateway.domain.trace import Leftover, TraceRow
from gateway.store.document import decode
from gateway.store.sql.transaction import Reader

_SUBMISSIONS = "SELECT id, envelope, leftovers FROM submission WHERE tenant = ? ORDER BY id"
_TRACES = "SELECT trace FROM prescription WHERE submission = ? ORDER BY id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One submission's account.

    Attributes:
        rows: the trace of every order.
        leftovers: input values that no output value comes from.
    """

    envelope: Envelope
    rows: tuple[TraceRow, ...]
    leftovers: tuple[Leftover, ...]


def accounts(reader: Reader, tenant: OdsCode) -> Iterator[Account]:
    """Give the account of every submission of a trust, oldest first."""
    for number, envelope, leftovers in reader.execute(_SUBMISSIONS, (tenant.value,)):
        traces = [trace for (trace,) in reader.execute(_TRACES, (number,))]
        yield Account(
            envelope=decode(envelope, Envelope),
            rows=tuple(row for trace in traces for row in decode(zlib.decompress(trace), tuple[TraceRow, ...])),
            leftovers=decode(zlib.decompress(leftovers), tuple[Leftover, ...]),
        )
