"""One row of the corpus: what is wrong, and what the sender must be told. Codes are those of the issue table."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.domain.submission import Outcome, WireFormat
from tests.fuzz.submissions import carry

HELD, REFUSED, TAKEN = Outcome.HELD, Outcome.REFUSED, Outcome.TRANSLATED


@dataclass(frozen=True, slots=True)
class Row:
    """A row of reliability-security.md 4.

    Attributes:
        id: the row's own name there.
        change: makes the bad message of a good one.
        code: an issue that must be told; empty where the message is taken.
    """

    id: str
    what: str
    change: Callable[[bytes], bytes]
    outcome: Outcome
    code: str

    def __str__(self) -> str:
        return f"{self.id} {self.what}"


def swap(old: str, new: str) -> Callable[[bytes], bytes]:
    def change(body: bytes) -> bytes:
        assert old.encode() in body
        return body.replace(old.encode(), new.encode(), 1)

    return change


def judge(row: Row, form: WireFormat, good: bytes, content_type: str = "") -> None:
    verdict = carry(form, good, row.change(good), content_type).verdict
    codes = {issue.code for issue in verdict.issues}
    assert (verdict.outcome, not row.code or row.code in codes) == (row.outcome, True), sorted(codes)
