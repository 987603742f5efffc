"""What a provider may see of a line, from its history: its own time, the end of it included, and its own answers."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.lifecycle import Actor, LineEvent, LineState
from gateway.domain.sight import Span, Step, sight, words_beyond, words_for
from tests.factories import MOMENT

E, S = LineEvent, LineState
OURS, THEIRS = "VNE51", "VNCEL"
LIVE = Span(epoch=1, made_at=MOMENT, ended_at=None)
OVER = replace(LIVE, ended_at=MOMENT + timedelta(hours=1))


def steps(*happened: tuple[str, str, str], epoch: int = 1, first: int = 1) -> list[Step]:
    return [
        Step(
            seq=first + number,
            at=MOMENT + timedelta(minutes=first + number),
            epoch=epoch,
            event=event,
            before=before,
            after=after,
            moved=before != after or event == "reroute",
        )
        for number, (event, before, after) in enumerate(happened)
    ]


BEFORE = steps(("received", "", "RECEIVED"), ("clear", "RECEIVED", "READY"))
SENT = steps(("on_wire", "READY", "SENT"), ("accepted", "SENT", "ACCEPTED"), first=3)
REVOKED = steps(("cancel_confirmed", "ACCEPTED", "ACCEPTED"), ("revoked_for_reroute", "ACCEPTED", "READY"), first=5)
NEXT = steps(("on_wire", "READY", "SENT"), ("rejected", "SENT", "REJECTED"), epoch=2, first=7)
CLOSED = steps(("close", "REJECTED", "CLOSED"), epoch=2, first=9)
STORY = [*BEFORE, *SENT, *REVOKED, *NEXT, *CLOSED]


def test_of_a_line_it_has_it_sees_all_since_it_was_given() -> None:
    seen = sight(OURS, [LIVE], [*BEFORE, *SENT])
    assert seen is not None
    assert (sorted(seen.within), seen.beyond, seen.ended) == ([3, 4], frozenset(), None)


def test_of_a_line_it_gave_up_it_sees_up_to_what_ended_it() -> None:
    seen = sight(OURS, [OVER], STORY)
    assert seen is not None
    assert sorted(seen.within) == [3, 4, 5, 6]
    assert seen.ended is not None
    assert (seen.ended.state, seen.ended.seq) == (S.RETURNED, 6)
    assert seen.after(6, "READY") == "RETURNED"
    assert seen.after(4, "ACCEPTED") == "ACCEPTED"


def test_the_next_sees_from_then_on_and_not_what_the_trust_did_after_its_own_end() -> None:
    seen = sight(THEIRS, [replace(OVER, epoch=2)], STORY)
    assert seen is not None
    assert sorted(seen.within) == [7, 8]
    assert seen.ended is not None
    assert seen.ended.state is S.REJECTED


@pytest.mark.parametrize(
    ("end", "state"),
    [
        (("reroute", "UNCERTAIN", "READY"), S.EXPIRED),
        (("cancel", "ACCEPTED", "CANCELLED"), S.CANCELLED),
        (("returned", "ACCEPTED", "RETURNED"), S.RETURNED),
        (("replaced", "ACCEPTED", "SUPERSEDED"), S.SUPERSEDED),
    ],
)
def test_every_end_has_its_word(end: tuple[str, str, str], state: LineState) -> None:
    seen = sight(OURS, [OVER], [*SENT, *steps(end, first=5)])
    assert seen is not None
    assert seen.ended is not None
    assert seen.ended.state is state


@pytest.mark.parametrize(
    "history",
    [
        steps(("reroute", "READY", "READY")),
        steps(("retries_spent", "READY", "UNDELIVERABLE")),
        steps(("on_wire", "READY", "SENT"), ("not_stored", "SENT", "READY"), ("cancel", "READY", "CANCELLED")),
        [],
    ],
)
def test_of_what_never_reached_it_it_sees_nothing_once_it_is_over(history: Sequence[Step]) -> None:
    assert sight(OURS, [OVER], history) is None
    assert sight(OURS, [LIVE], history) is not None


def test_answers_are_their_provider_s_alone_whenever_they_came() -> None:
    late = replace(NEXT[1], seq=20, event="delivered", said_by=OURS, moved=False)
    spoofed = replace(SENT[1], seq=21, said_by=THEIRS, moved=False)
    seen = sight(OURS, [OVER], [*STORY, late, spoofed])
    assert seen is not None
    assert seen.beyond == {20}
    assert not seen.shows(21)
    other = sight(THEIRS, [replace(OVER, epoch=2)], [*STORY, late, spoofed])
    assert other is not None
    assert other.beyond == {21}
    assert not other.shows(20)


def test_what_comes_back_to_it_is_shown_from_both_times() -> None:
    again = replace(LIVE, epoch=3)
    seen = sight(OURS, [OVER, again], [*STORY, *steps(("on_wire", "READY", "SENT"), epoch=3, first=10)])
    assert seen is not None
    assert sorted(seen.within) == [3, 4, 5, 6, 10]
    assert (seen.ended, seen.epochs, seen.span) == (None, {1, 3}, again)


@given(st.lists(st.sampled_from(list(E)), max_size=6), st.integers(0, 6))
def test_whatever_comes_after_the_end_changes_nothing(after: list[LineEvent], epoch: int) -> None:
    ended = [*BEFORE, *SENT, *REVOKED]
    more = steps(*((event.value, "ACCEPTED", "RETURNED") for event in after), epoch=epoch, first=7)
    assert sight(OURS, [OVER], [*ended, *more]) == sight(OURS, [OVER], ended)


@given(st.sets(st.integers(1, 9)))
def test_who_reads_only_what_it_may_see_comes_to_the_same(hidden: set[int]) -> None:
    """The database's own lock leaves rows out: that must not change what is seen of the rest."""
    whole = sight(OURS, [OVER], STORY)
    assert whole is not None
    kept = [one for one in STORY if whole.shows(one.seq) or one.seq not in hidden]
    assert sight(OURS, [OVER], kept) == whole


def test_what_people_wrote_here_is_kept_from_it_and_its_own_words_are_not() -> None:
    assert words_for(Actor.TWO_PEOPLE.value, "to VNCEL by anna", said=False) == ""
    assert words_for(Actor.PROVIDER_SYSTEM.value, "out of stock", said=True) == "out of stock"
    assert words_for(Actor.PRESCRIBER.value, "allergic", said=False) == "allergic"
    text = "nothing moved: it is ACCEPTED elsewhere; stated at 2026-10-05T09:00:00+00:00; batch B7"
    assert words_beyond(text) == "stated at 2026-10-05T09:00:00+00:00; batch B7"
