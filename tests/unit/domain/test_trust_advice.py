"""What a trust's people are told to do: theirs, and never the words of whoever runs the gateway."""

import re

import pytest

from gateway.domain.alert import Acts
from gateway.domain.alert_kinds import ALERT_KINDS
from gateway.domain.custody import CUSTODY, Holder
from gateway.domain.held_advice import HELD_ADVICE, held_advice
from gateway.domain.issue import CODES
from gateway.domain.lifecycle import LineState
from gateway.domain.trust_advice import OVER_TIME, for_trust
from gateway.domain.work_item import reason_of

_OF_THE_GATEWAY_ALONE = {
    "books-out",
    "watch-stopped",
    "clock-jumped",
    "room-low",
    "notice-not-delivered",
    "reference-old",
    "partner-unknown",
    "partner-closed",
    "calendar-ends",
    "certificate-ends",
    "outage-near",
}
"""What opens without a trust: no pharmacist is shown it."""
_OPERATORS_WORDS = re.compile(
    r"\bgateway (doctor|resolve|close|re|serve|alerts)|runbook|\.md\b|docs/|adapter|the text\b|log for why|the disk",
    re.IGNORECASE,
)
AWAITED = [state for state in LineState if CUSTODY[state].holder is not Holder.NOBODY]


@pytest.mark.parametrize("state", AWAITED)
def test_every_state_that_somebody_is_awaited_in_says_what_is_to_be_done(state: LineState) -> None:
    assert for_trust("overdue", state) == OVER_TIME[state]


@pytest.mark.parametrize("state", AWAITED)
def test_a_state_that_is_told_at_once_says_what_is_to_be_done_in_it(state: LineState) -> None:
    kind = f"line-{state.lower().replace('_', '-')}"
    words = for_trust(kind, state)
    assert words == OVER_TIME[state] or not ALERT_KINDS[kind].page


@pytest.mark.parametrize("kind", ["overdue", "line-held"])
def test_what_is_held_is_ended_as_its_page_says(kind: str) -> None:
    for codes in ((), ("UNIT_UNMAPPED",), ("DRUG_UNKNOWN",), ("DOSE_CONFLICT",), ("MESSAGE_INVALID",)):
        assert for_trust(kind, LineState.HELD, codes) == held_advice(codes).do
    assert "Held codes" in for_trust(kind, LineState.HELD, ("UNIT_UNMAPPED",))
    assert "Nothing is asked of you" in for_trust(kind, LineState.HELD, ("MESSAGE_INVALID",))
    assert "Held codes" not in for_trust(kind, LineState.HELD, ("UNIT_UNMAPPED", "DOSE_CONFLICT"))


def test_every_reason_for_which_a_line_is_held_says_how_it_ends() -> None:
    reasons = {reason_of("line-held", LineState.HELD, (code,)) for code in CODES}
    assert reasons == set(HELD_ADVICE)
    for row in HELD_ADVICE.values():
        assert len(row.do) <= 220
        assert not _OPERATORS_WORDS.search(row.do)


def test_what_the_line_has_left_asks_for_nothing_but_to_be_closed() -> None:
    for kind, state in (("line-rejected", LineState.ACCEPTED), ("overdue", LineState.CLOSED), ("overdue", None)):
        assert for_trust(kind, state).startswith("The line has moved on.")


@pytest.mark.parametrize("kind", sorted(ALERT_KINDS.keys() - _OF_THE_GATEWAY_ALONE))
def test_no_pharmacist_is_told_in_the_operators_words(kind: str) -> None:
    row, said = ALERT_KINDS[kind], for_trust(kind, LineState.SENT)
    assert not _OPERATORS_WORDS.search(said), said
    assert len(said) <= 220
    if row.acts is not Acts.PHARMACIST:
        assert said != row.do, "these are the words for somebody else"
