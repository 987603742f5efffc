"""What an answer means stays the same digest over the years, and differs wherever what is said differs."""

import hashlib
from dataclasses import replace
from decimal import Decimal

import pytest

from gateway.domain.acknowledgement import Acknowledgement, LineReport
from gateway.domain.lifecycle import LineEvent
from gateway.store.sql.meaning import meaning

REPORT = LineReport(line_id=None, event=LineEvent.DELIVERED, amount=Decimal("4.0"), unit="pen")
ANSWER = Acknowledgement(id="a", correlation=None, reports=(REPORT,))
AS_STORED = (
    b'[null,null,[{"line_id":null,"event":"delivered","reason_code":"","reason":"","amount":"4.0","unit":"pen",'
    b'"batch":"","expiry":null,"supplied_at":null}],[]]'
)


def test_an_answer_that_numbers_nothing_means_what_it_meant_before_numbers_were_read() -> None:
    assert meaning(ANSWER) == hashlib.sha256(AS_STORED).hexdigest()


@pytest.mark.parametrize(
    "other",
    [
        replace(ANSWER, reports=(replace(REPORT, issue=2),)),
        replace(ANSWER, reports=(replace(REPORT, supplies_left=2),)),
        replace(ANSWER, reports=(replace(REPORT, amount=Decimal(4)),)),
        replace(ANSWER, replaces="b"),
        None,
    ],
)
def test_what_says_something_else_is_another_answer(other: Acknowledgement | None) -> None:
    assert meaning(other) != meaning(ANSWER)
