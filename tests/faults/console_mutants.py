"""Mistakes that a console is known to make, planted like the twenty of `mutants.py`; simulated worlds must notice them.

Source: console.md 3, 6.3; reliability-security.md I7, I10.
"""

from dataclasses import replace
from functools import partial
from typing import Any, Final

from gateway.domain import proposal, transition
from gateway.domain.cancel import SUPPLIED, CancelState
from gateway.domain.hold import HoldState
from gateway.domain.lifecycle import Actor, LineEvent
from gateway.pipeline import asking, holding
from gateway.store.sql import again, desk, proposals, resending
from tests.faults import suites
from tests.faults.mutants import Mutant, Planted
from tests.faults.suites import worlds


def _cancels_whatever_is_asked(planted: Planted) -> None:
    def stands(line: Any, _selected: Any) -> CancelState:
        return CancelState.TOO_LATE if line.state in SUPPLIED else CancelState.CONFIRMED

    planted.setattr(asking, "stands", stands)


def _forgets_who_was_not_told(planted: Planted) -> None:
    planted.setattr(desk, "open_alert", lambda *_, **__: None)


def _lets_everybody_agree(planted: Planted) -> None:
    planted.setattr(proposals, "why_not_seconded", lambda *_: ())


def _takes_one_person_for_two(planted: Planted) -> None:
    planted.setattr(proposal, "same_person", lambda *_: False)


def _holds_whatever_is_asked(planted: Planted) -> None:
    """In two places at once: what only the judgement gets wrong, the lifecycle's own table refuses."""
    real = holding._hold

    def hold(line: Any, selected: Any) -> holding.LineHold:
        one = real(line, selected)
        asked = one.state is HoldState.ASKED and not one.repeated
        return replace(one, state=HoldState.CONFIRMED) if asked else one

    planted.setattr(holding, "_hold", hold)
    for (state, event), row in list(transition._BY_STATE_AND_EVENT.items()):
        if event is LineEvent.HOLD_CONFIRMED:
            anybody = replace(row, actors=row.actors | {Actor.PRESCRIBER, Actor.TRUST_PHARMACIST})
            planted.setitem(transition._BY_STATE_AND_EVENT, (state, event), anybody)


def _resends_orders(planted: Planted) -> None:
    """An order in doubt is sent once more as if it were news or a cancel."""
    bar = "AND (outbox.kind = 'tell' OR cancel.id IS NOT NULL)"
    assert bar in resending._STUCK
    planted.setattr(resending, "_STUCK", resending._STUCK.replace(bar, ""))


def _tries_doubts_at_once(planted: Planted) -> None:
    """What nobody knows to have arrived is tried at once with what waits for its next attempt."""
    doubted = again._NOW.replace("= 'READY'", "IN ('READY', 'UNCERTAIN')").replace(
        "state = 'due' AND withheld = 0 AND due_at > :now", "state IN ('due', 'stuck') AND withheld = 0"
    )
    assert "stuck" in doubted
    assert "UNCERTAIN" in doubted
    planted.setattr(again, "_NOW", doubted.replace("SET due_at", "SET state = 'due', due_at"))


_SENT_AGAIN: Final = suites.tests("tests/contract/test_sent_again.py", "-k", "sqlite and in_doubt")

CONSOLE_MUTANTS: Final = (
    Mutant(
        name="a person's cancel is confirmed when it is asked",
        plant=_cancels_whatever_is_asked,
        suite=partial(worlds, 13),
    ),
    Mutant(
        name="nobody rings a provider whose question was answered",
        plant=_forgets_who_was_not_told,
        suite=partial(worlds, 7),
    ),
    Mutant(name="a proposal is agreed to twice", plant=_lets_everybody_agree, suite=partial(worlds, 2)),
    Mutant(name="one person agrees with themselves", plant=_takes_one_person_for_two, suite=partial(worlds, 7)),
    Mutant(
        name="a person's hold is confirmed when it is asked",
        plant=_holds_whatever_is_asked,
        suite=partial(worlds, 703),
    ),
    Mutant(name="a person sends an order in doubt again", plant=_resends_orders, suite=_SENT_AGAIN),
    Mutant(name="what is in doubt is tried at once", plant=_tries_doubts_at_once, suite=_SENT_AGAIN),
)
