"""The newest rows of a list that is searched as it is read: all that are asked for, or a last row that says how far."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from gateway.console import csv_stream
from gateway.console.csv_text import Cell

AT = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)
STOPPED = ("Looked back to 5 Oct 2026, 10:00:00. What is older has not been looked at.", "")


@pytest.mark.parametrize(
    ("looks", "most", "expected"),
    [
        pytest.param([(2, False)], 5, 2, id="whole at once"),
        pytest.param([(2, True), (2, True), (1, False)], 5, 5, id="whole in several looks"),
        pytest.param([(2, True), (2, True), (1, True)], 5, 5, id="as many as are asked for"),
        pytest.param([(0, "stopped"), (0, "stopped"), (0, "stopped")], 5, "0 and stopped", id="little is found"),
        pytest.param(
            [(0, "stopped"), (0, "stopped"), (2, True), (1, "stopped")], 5, "3 and stopped", id="the last look was full"
        ),
        pytest.param([(0, "stopped"), (0, "stopped"), (1, False)], 5, 1, id="the end is reached at the last look"),
        pytest.param([], 0, 0, id="nothing may be asked"),
    ],
)
async def test_a_file_that_stops_short_says_so(
    monkeypatch: pytest.MonkeyPatch, looks: list[tuple[int, object]], most: int, expected: object
) -> None:
    monkeypatch.setattr(csv_stream, "PART", 2)
    monkeypatch.setattr(csv_stream, "LOOKS", 3)
    left = list(looks)

    async def read(below: int | None, limit: int) -> tuple[Sequence[Sequence[Cell]], int | None, datetime | None]:
        assert (below is None) is (left == looks)
        count, how = left.pop(0)
        assert count <= limit
        return [("found", "")] * count, 1 if how else None, AT if how == "stopped" else None

    rows = [row for part in [list(one) async for one in csv_stream.newest(read, most=most, columns=2)] for row in part]
    found = [row for row in rows if row == ("found", "")]
    stopped = rows[len(found) :]
    assert stopped in ([], [STOPPED])
    assert (f"{len(found)} and stopped" if stopped else len(found)) == expected
    assert left == []
