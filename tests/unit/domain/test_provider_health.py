"""How a provider's system is: each word by its rule, and nothing said that is not known."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.provider_health import RULES, Cause, Now, Pulse, Signs, judge, reason_words, silent_for
from gateway.domain.spread import Spread
from tests.factories import MOMENT

_MIN = timedelta(minutes=1)
HEARD = Pulse(heard_at=MOMENT - _MIN, tried_at=MOMENT - _MIN)
SILENT = Pulse(heard_at=MOMENT - 60 * _MIN, tried_since=3, silent_since=MOMENT - 20 * _MIN, tried_at=MOMENT)
LONG_AGO = MOMENT - timedelta(hours=4, seconds=1)
SAID_LONG_AGO = replace(HEARD, said_at=LONG_AGO - _MIN)
USUAL = Spread({300: 19, 2400: 1})
"""Twenty answers; 19 of 20 within 5 minutes."""


@pytest.mark.parametrize(
    ("signs", "now"),
    [
        (Signs(pulse=SILENT, paused=True), Now.PAUSED),
        (Signs(pulse=SILENT, by_hand=True), Now.BY_HAND),
        (Signs(pulse=SILENT), Now.NOT_ANSWERING),
        (Signs(pulse=Pulse(tried_since=3, silent_since=MOMENT - 20 * _MIN)), Now.NOT_ANSWERING),
        (Signs(pulse=Pulse(heard_at=MOMENT, tried_since=2, silent_since=MOMENT - 60 * _MIN)), Now.WORKING),
        (Signs(pulse=Pulse(heard_at=MOMENT, tried_since=3, silent_since=MOMENT - 19 * _MIN)), Now.WORKING),
        (Signs(pulse=HEARD, oldest=LONG_AGO, waiting=3), Now.MUTE),
        (Signs(pulse=SAID_LONG_AGO, oldest=LONG_AGO, waiting=3), Now.MUTE),
        (Signs(pulse=HEARD, oldest=LONG_AGO, waiting=2), Now.WORKING),
        (Signs(pulse=HEARD, oldest=MOMENT - timedelta(hours=4), waiting=9), Now.WORKING),
        (Signs(pulse=replace(HEARD, said_at=LONG_AGO), oldest=LONG_AGO, waiting=9), Now.WORKING),
        (Signs(pulse=SAID_LONG_AGO, oldest=LONG_AGO, waiting=9, refused_from=LONG_AGO), Now.WORKING),
        (Signs(pulse=HEARD, oldest=LONG_AGO, waiting=9, refused_from=LONG_AGO - _MIN), Now.MUTE),
        (Signs(pulse=replace(HEARD, heard_at=LONG_AGO - _MIN), oldest=LONG_AGO, waiting=9), Now.WORKING),
        (Signs(pulse=HEARD, usual=USUAL, oldest=MOMENT - 11 * _MIN, waiting=3), Now.MUTE),
        (Signs(pulse=HEARD, oldest=MOMENT - timedelta(days=3), waiting=3), Now.MUTE),
        (Signs(pulse=HEARD), Now.WORKING),
        (Signs(pulse=HEARD, usual=USUAL, today=Spread({601: 5})), Now.SLOW),
        (Signs(pulse=HEARD, usual=USUAL, today=Spread({600: 5})), Now.WORKING),
        (Signs(pulse=HEARD, usual=USUAL, today=Spread({601: 4})), Now.WORKING),
        (Signs(pulse=HEARD, usual=Spread({300: 19}), today=Spread({9000: 9})), Now.WORKING),
        (Signs(pulse=HEARD, usual=USUAL, oldest=MOMENT - 11 * _MIN), Now.SLOW),
        (Signs(pulse=HEARD, usual=USUAL, oldest=MOMENT - 10 * _MIN), Now.WORKING),
        (Signs(pulse=HEARD, oldest=MOMENT - timedelta(hours=24, seconds=1)), Now.SLOW),
        (Signs(pulse=HEARD, oldest=MOMENT - timedelta(hours=24)), Now.WORKING),
        (Signs(pulse=Pulse()), Now.NOT_KNOWN),
        (Signs(pulse=Pulse(heard_at=MOMENT - timedelta(hours=24, seconds=1))), Now.NOT_KNOWN),
        (Signs(pulse=Pulse(heard_at=MOMENT - timedelta(hours=24))), Now.WORKING),
    ],
)
def test_the_first_rule_that_holds_gives_the_word(signs: Signs, now: Now) -> None:
    assert judge(signs, MOMENT) is now


def test_every_word_has_its_rule_in_the_order_in_which_they_are_asked() -> None:
    assert list(RULES) == list(Now)


@given(st.lists(st.tuples(st.booleans(), st.integers(min_value=0, max_value=10**6))))
def test_a_pulse_counts_what_was_tried_since_it_was_heard(signs: list[tuple[bool, int]]) -> None:
    pulse = Pulse()
    for tried, seconds in sorted(signs, key=lambda sign: sign[1]):
        at = MOMENT + timedelta(seconds=seconds)
        pulse = pulse.tried(at) if tried else pulse.heard(at)
        assert (pulse.silent_since is None) == (pulse.tried_since == 0)
        if not tried:
            assert pulse.heard_at == at
            assert silent_for(pulse, at + timedelta(days=9)) is None


@pytest.mark.parametrize(
    ("event", "code", "cause", "words"),
    [
        ("returned", "0002", Cause.PROVIDER, "Returned: unable to dispense what is prescribed (code 0002)"),
        ("returned", "0007", Cause.TRUST, "Returned: prescription otherwise invalid or unreadable (code 0007)"),
        ("returned", "X9", Cause.NOT_STATED, "Returned: their code X9"),
        ("rejected", "0002", Cause.NOT_STATED, "Rejected: their code 0002"),
        ("rejected", "", Cause.NOT_STATED, "Rejected, without a code"),
        ("refused_format", "bad", Cause.INTERFACE, "Their system could not use the message: their code bad"),
    ],
)
def test_a_reason_is_only_given_the_cause_that_is_known(event: str, code: str, cause: Cause, words: str) -> None:
    assert reason_words(event, code) == (cause, words)
