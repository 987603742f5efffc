"""What one line's history adds to the figures: told by whole histories, and by what is added when one grows."""

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.books import london_day
from gateway.domain.deadline import Urgency
from gateway.domain.lifecycle import Actor, LineEvent, LineState
from gateway.domain.service_figures import History, Outcome, Step, change, figures_of
from tests.factories import MOMENT

E, S = LineEvent, LineState
GW, PS = Actor.GATEWAY, Actor.PROVIDER_SYSTEM
RECEIVED = ("received", S.RECEIVED, GW, 0)
CLEAR = (E.CLEAR, S.READY, GW, 1)
SENT = (E.ON_WIRE, S.SENT, GW, 10)


def history(*steps: tuple[str, LineState, Actor, float], urgency: Urgency = Urgency.ROUTINE) -> History:
    """Give a history of steps: event, state after, actor, seconds after the first, epoch where it is not 1."""
    return History(
        tenant="RBA",
        urgency=urgency,
        steps=[
            Step(
                at=MOMENT + timedelta(seconds=step[3]),
                event=str(step[0]),
                after=step[1],
                moved=True,
                actor=step[2].value,
                provider="VNE51" if (step[4] if len(step) > 4 else 1) == 1 else "VNCEL",  # type: ignore[misc]
                epoch=step[4] if len(step) > 4 else 1,  # type: ignore[misc]
            )
            for step in steps
        ],
    )


TABLE = {
    "nothing": ((), {}, []),
    "taken": ((RECEIVED,), {"taken": 1}, []),
    "to be sent": ((RECEIVED, CLEAR), {"taken": 1}, [Outcome.TO_SEND]),
    "held": ((RECEIVED, (E.HOLD_BACK, S.HELD, GW, 1)), {"taken": 1}, []),
    "ended unsent": (
        (RECEIVED, CLEAR, (E.CANCEL, S.CANCELLED, Actor.PRESCRIBER, 2)),
        {"taken": 1, "ended-unsent": 1},
        [],
    ),
    "sent": ((RECEIVED, CLEAR, SENT), {"taken": 1, "given": 1, "sent": 1}, [Outcome.WAITING]),
    "arrived is no answer": (
        (RECEIVED, CLEAR, SENT, (E.ARRIVED, S.WITH_PROVIDER, PS, 12)),
        {"taken": 1, "given": 1, "sent": 1},
        [Outcome.WAITING],
    ),
    "accepted": (
        (RECEIVED, CLEAR, SENT, (E.ACCEPTED, S.ACCEPTED, PS, 70)),
        {"taken": 1, "given": 1, "sent": 1, "accepted 60": 1, "answered 60": 1},
        [],
    ),
    "accepted late": (
        (RECEIVED, CLEAR, SENT, (E.ACCEPTED, S.ACCEPTED, PS, 86411)),
        {"taken": 1, "given": 1, "sent": 1, "accepted 90000": 1, "answered 90000": 1},
        [Outcome.LATE],
    ),
    "accepted at the limit": (
        (RECEIVED, CLEAR, SENT, (E.ACCEPTED, S.ACCEPTED, PS, 86410)),
        {"taken": 1, "given": 1, "sent": 1, "accepted 86400": 1, "answered 86400": 1},
        [],
    ),
    "a supply implies acceptance": (
        (RECEIVED, CLEAR, SENT, (E.DELIVERED, S.IN_SUPPLY, PS, 70)),
        {"taken": 1, "given": 1, "sent": 1, "accepted 60": 1, "answered 60": 1},
        [],
    ),
    "a question first": (
        (RECEIVED, CLEAR, SENT, (E.QUERIED, S.QUERIED, PS, 40), (E.ACCEPTED, S.ACCEPTED, PS, 70)),
        {"taken": 1, "given": 1, "sent": 1, "accepted 60": 1, "answered 30": 1},
        [],
    ),
    "accepted while on hold": (
        (RECEIVED, CLEAR, SENT, (E.HOLD_CONFIRMED, S.ON_HOLD, PS, 20), (E.ACCEPTED, S.ON_HOLD, PS, 70)),
        {"taken": 1, "given": 1, "sent": 1, "accepted 60": 1, "answered 10": 1},
        [],
    ),
    "returned after acceptance stays accepted": (
        (RECEIVED, CLEAR, SENT, (E.ACCEPTED, S.ACCEPTED, PS, 70), (E.RETURNED, S.RETURNED, PS, 90)),
        {"taken": 1, "given": 1, "sent": 1, "accepted 60": 1, "answered 60": 1},
        [],
    ),
    "rejected": (
        (RECEIVED, CLEAR, SENT, (E.REJECTED, S.REJECTED, PS, 70)),
        {"taken": 1, "given": 1, "sent": 1, "rejected": 1, "answered 60": 1, "reason:rejected:": 1},
        [Outcome.REJECTED],
    ),
    "cancelled before acceptance": (
        (RECEIVED, CLEAR, SENT, (E.CANCEL_CONFIRMED, S.CANCELLED, PS, 70)),
        {"taken": 1, "given": 1, "sent": 1, "cancelled": 1, "answered 60": 1},
        [Outcome.CANCELLED],
    ),
    "replaced before acceptance": (
        (RECEIVED, CLEAR, SENT, (E.REPLACED, S.SUPERSEDED, Actor.PRESCRIBER, 70)),
        {"taken": 1, "given": 1, "sent": 1, "replaced": 1},
        [Outcome.REPLACED],
    ),
    "expired before acceptance": (
        (RECEIVED, CLEAR, SENT, (E.VALIDITY_OVER, S.EXPIRED, Actor.CLOCK, 70)),
        {"taken": 1, "given": 1, "sent": 1, "expired": 1},
        [Outcome.EXPIRED],
    ),
    "proven not to have arrived": (
        (RECEIVED, CLEAR, SENT, (E.NOT_STORED, S.READY, GW, 11)),
        {"taken": 1},
        [Outcome.TO_SEND],
    ),
    "sent again after that": (
        (
            RECEIVED,
            CLEAR,
            SENT,
            (E.NOT_STORED, S.READY, GW, 11),
            (E.ON_WIRE, S.SENT, GW, 100),
            (E.ACCEPTED, S.ACCEPTED, PS, 130),
        ),
        {"taken": 1, "given": 1, "sent": 1, "accepted 30": 1, "answered 30": 1},
        [],
    ),
    "not known if it arrived": (
        (RECEIVED, CLEAR, SENT, (E.NOTHING_DECISIVE, S.UNCERTAIN, GW, 11)),
        {"taken": 1, "given": 1, "sent": 1},
        [Outcome.NOT_KNOWN],
    ),
    "the same bytes again": (
        (
            RECEIVED,
            CLEAR,
            SENT,
            (E.NOTHING_DECISIVE, S.UNCERTAIN, GW, 11),
            (E.VERBATIM_RETRY, S.SENT, GW, 100),
            (E.ACCEPTED, S.ACCEPTED, PS, 130),
        ),
        {"taken": 1, "given": 1, "sent": 1, "accepted 120": 1, "answered 120": 1},
        [],
    ),
    "given to another provider": (
        (
            RECEIVED,
            CLEAR,
            SENT,
            (E.REVOKED_FOR_REROUTE, S.READY, PS, 70),
            (E.ON_WIRE, S.SENT, GW, 100, 2),
            (E.ACCEPTED, S.ACCEPTED, PS, 160, 2),
        ),
        {"taken": 1, "given": 1, "sent": 2, "moved": 1, "answered 60": 2, "accepted 60": 1},
        [Outcome.MOVED],
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_a_history_adds_what_the_table_says(name: str) -> None:
    steps, counts, outcomes = TABLE[name]
    figures = figures_of(history(*steps))  # type: ignore[arg-type]
    found: Counter[str] = Counter()
    for (key, took), count in figures.counts.items():
        if key.tenant == "RBA":
            found[f"{key.measure}{f' {took}' if took else ''}"] += count
    assert dict(found) == counts
    assert [item.outcome for item in figures.items.values()] == outcomes


def test_an_urgent_item_is_late_after_two_hours() -> None:
    steps = (RECEIVED, CLEAR, SENT, (E.ACCEPTED, S.ACCEPTED, PS, 7211))
    (item,) = figures_of(history(*steps, urgency=Urgency.URGENT)).items.values()
    assert item.outcome is Outcome.LATE
    assert figures_of(history(*steps)).items == {}


def test_an_event_that_moved_nothing_adds_nothing() -> None:
    whole = history(RECEIVED, CLEAR, SENT)
    stays = Step(at=MOMENT, event="accepted", after=S.SENT, moved=False, actor="PS", provider="VNE51", epoch=1)
    more = History(tenant="RBA", urgency=Urgency.ROUTINE, steps=[*whole.steps, stays])
    assert figures_of(more) == figures_of(whole)


def test_a_day_is_a_day_in_london() -> None:
    late = MOMENT.replace(month=7, hour=23, minute=30)
    step = Step(at=late, event="received", after=S.RECEIVED, moved=True, actor="GW", provider="", epoch=1)
    found = figures_of(History(tenant="RBA", urgency=Urgency.ROUTINE, steps=[step]))
    assert {key.day for key, _ in found.counts} == {london_day(late)} != {late.date()}


_STEPS = st.lists(
    st.tuples(
        st.sampled_from([*E]),
        st.sampled_from([*S]),
        st.sampled_from([*Actor]),
        st.integers(0, 10**6),
        st.integers(1, 3),
    ),
    max_size=12,
)


@given(_STEPS, st.lists(st.integers(0, 12)))
def test_counting_by_pieces_comes_to_the_same_as_counting_once(
    steps: list[tuple[LineEvent, LineState, Actor, int, int]], cuts: list[int]
) -> None:
    """Whatever a history is, and wherever it is cut."""
    sums: Counter[object] = Counter()
    items: dict[int, object] = {}
    ends = sorted({*(cut for cut in cuts if cut < len(steps)), len(steps)})
    before = figures_of(history())
    for end in ends:
        after = figures_of(history(*steps[:end]))  # type: ignore[arg-type]
        added, changed = change(before, after)
        sums.update(added)
        items.update(changed)
        before = after
    whole = figures_of(history(*steps))  # type: ignore[arg-type]
    assert {key: count for key, count in sums.items() if count} == dict(whole.counts)
    assert {epoch: item for epoch, item in items.items() if item is not None} == whole.items


@given(_STEPS)
def test_an_item_is_accepted_or_rejected_or_left_out_or_waits_and_only_one_of_them(
    steps: list[tuple[LineEvent, LineState, Actor, int, int]],
) -> None:
    found: Counter[str] = Counter()
    whole = figures_of(history(*steps))  # type: ignore[arg-type]
    for (key, _), count in whole.counts.items():
        if key.tenant == "RBA":
            found[key.measure] += count
    ended = sum(found[one] for one in ("accepted", "rejected", "cancelled", "replaced", "expired", "moved"))
    waiting = sum(item.outcome in {Outcome.WAITING, Outcome.NOT_KNOWN} for item in whole.items.values())
    assert found["sent"] == ended + waiting
