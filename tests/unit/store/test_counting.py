"""The books are counted anew each time, until counting takes long."""

from collections.abc import Iterable

import pytest

from gateway.store.sql import books
from gateway.store.sql.books import LONG_SECONDS, LONG_WORK_SECONDS, SERVES, Counting
from gateway.store.sql.transaction import Row, Values


class Asked:
    """A reader that is asked, and a clock on which each count takes as long as it is told."""

    def __init__(self, takes: float) -> None:
        self.takes, self.moment, self.counts = takes, 100.0, 0

    def clock(self) -> float:
        return self.moment

    def execute(self, _sql: str, _values: Values = (), /) -> Iterable[Row]:
        return ()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Asked:
    reader = Asked(float(request.param))

    def count(_reader: object) -> dict[str, int]:
        reader.moment += reader.takes
        reader.counts += 1
        return {"accepted": reader.counts}

    monkeypatch.setattr(books, "count", count)
    return reader


@pytest.mark.parametrize("asked", [0.0, LONG_SECONDS], indirect=True)
def test_a_quick_count_is_made_each_time(asked: Asked) -> None:
    counting = Counting(asked.clock, lambda: 0.0)
    assert [counting.count(asked)["accepted"] for _ in range(3)] == [1, 2, 3]


@pytest.mark.parametrize("asked", [3.0], indirect=True)
def test_a_long_count_serves_for_a_time(asked: Asked) -> None:
    counting = Counting(asked.clock)
    first = counting.count(asked)
    first["accepted"] = 99
    assert counting.count(asked) == {"accepted": 1}
    asked.moment += 3.0 * SERVES - 0.1
    assert counting.count(asked) == {"accepted": 1}
    asked.moment += 0.2
    assert counting.count(asked) == {"accepted": 2}


@pytest.mark.parametrize("asked", [2 * LONG_WORK_SECONDS], indirect=True)
def test_what_was_much_work_serves_for_a_time_and_what_only_waited_does_not(asked: Asked) -> None:
    worked = Counting(asked.clock, asked.clock)
    assert [worked.count(asked)["accepted"] for _ in range(2)] == [1, 1]
    waited = Counting(asked.clock, lambda: 0.0)
    assert [waited.count(asked)["accepted"] for _ in range(2)] == [2, 3]
