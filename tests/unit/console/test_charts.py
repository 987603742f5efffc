"""Charts: they say what the table says, begin at zero, leave gaps where nothing is known, and hold nothing foreign."""

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.console.figures.charts import Dot, Part, Point, Words, axis_top, dot_plot, run_chart, stacked_bar

WORDS = Words(name="sent", title="More were sent", description="One point a day.")
_SVG = "{http://www.w3.org/2000/svg}"


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 - our own


def points(svg: str) -> list[list[tuple[float, float]]]:
    lines = [one.get("points", "") for one in parsed(svg).iter("polyline")]
    return [[tuple(map(float, place.split(","))) for place in line.split()] for line in lines]  # type: ignore[misc]


def test_a_chart_names_and_describes_itself() -> None:
    svg = parsed(run_chart(WORDS, [Point(label="1 Oct", value=1.0)]))
    assert svg.get("role") == "img"
    assert svg.get("aria-labelledby") == "sent-title sent-desc"
    found = {one.get("id"): one.text for one in svg if one.tag in {"title", "desc"}}
    assert found == {"sent-title": "More were sent", "sent-desc": "One point a day."}


def test_a_day_of_which_nothing_is_known_is_a_gap() -> None:
    values = [1.0, 2.0, None, 4.0, None, 1.0, 2.0]
    svg = run_chart(WORDS, [Point(label=str(day), value=value) for day, value in enumerate(values)])
    assert [len(line) for line in points(svg)] == [2, 2]
    assert len(list(parsed(svg).iter("circle"))) == 5


def test_a_count_of_zero_lies_on_the_axis_and_the_axis_begins_at_zero() -> None:
    svg = run_chart(WORDS, [Point(label="a", value=0.0), Point(label="b", value=8.0)])
    ((_, low), (_, high)) = points(svg)[0]
    words = {one.text: float(one.get("y", "0")) for one in parsed(svg).iter("text")}
    assert words["0"] - 5 == pytest.approx(low)
    assert words["8"] - 5 != pytest.approx(low)
    assert high < low


@given(st.lists(st.one_of(st.none(), st.floats(min_value=0, max_value=1e7, allow_nan=False)), max_size=60))
def test_any_line_stays_in_its_picture(values: list[float | None]) -> None:
    svg = run_chart(WORDS, [Point(label=str(day), value=value) for day, value in enumerate(values)])
    for line in points(svg):
        assert all(0 <= x <= 640 and 0 <= y <= 240 for x, y in line)


@given(st.floats(min_value=0, max_value=1e9, allow_nan=False))
def test_an_axis_ends_above_the_most_and_its_steps_are_whole(most: float) -> None:
    top = axis_top(most)
    assert top >= most
    assert (top / 4).is_integer()
    assert top <= max(4.0, most * 2.51 + 4)


@pytest.mark.parametrize(("most", "top"), [(0, 4), (4, 4), (5, 8), (9, 12), (100, 100), (101, 200), (1240, 2000)])
def test_an_axis_ends_at_a_round_number(most: float, top: float) -> None:
    assert axis_top(most) == top


def test_words_from_outside_are_escaped() -> None:
    bad = '<script>alert("1")</script>\u202e'
    words = Words(name="x", title=bad, description=bad)
    for svg in (
        run_chart(words, [Point(label=bad, value=1.0)]),
        dot_plot(words, [Dot(label=bad, value=50.0, words=bad), Dot(label=bad, value=None)]),
        stacked_bar(words, [Part(label=bad, count=3)]),
    ):
        assert "<script" not in svg
        parsed(svg)


def test_nothing_is_styled_or_run_in_the_picture_itself() -> None:
    svg = stacked_bar(WORDS, [Part(label=str(index), count=index) for index in range(9)])
    assert not re.search(r"\bstyle=|\bon\w+=|href", svg)


def test_a_dot_stands_where_its_share_is_between_its_limits() -> None:
    svg = parsed(dot_plot(WORDS, [Dot(label="A", value=50.0, low=40.0, high=60.0, words="50 %")]))
    (dot,) = svg.iter("circle")
    (interval,) = [one for one in svg.iter("line") if one.get("class") == "hc-chart__interval"]
    assert float(interval.get("x1", "")) < float(dot.get("cx", "")) < float(interval.get("x2", ""))
    assert float(dot.get("cx", "")) == pytest.approx(216 + (640 - 216 - 24) / 2)


def test_parts_have_each_their_own_pattern_and_their_words_and_fill_the_bar() -> None:
    svg = parsed(
        stacked_bar(WORDS, [Part(label="Trust", count=1), Part(label="None", count=0), Part(label="Provider", count=3)])
    )
    assert [one.get("id") for one in svg.iter("pattern")] == ["sent-1", "sent-2"]
    bars = [one for one in svg.iter("rect") if one.get("height") == "40"]
    assert [float(one.get("width", "")) for one in bars] == [160.0, 480.0]
    assert [one.text for one in svg.iter("text")] == ["Trust: 1", "Provider: 3"]
