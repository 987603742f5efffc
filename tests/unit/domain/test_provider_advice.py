"""What a provider's people are told to do: theirs, and never to ring themselves."""

import re

import pytest

from gateway.domain.lifecycle import LineState
from gateway.domain.provider_advice import ADVICE, for_provider
from gateway.domain.work_item import KINDS, SHOWN_TO_PROVIDERS


def test_all_that_a_provider_is_shown_says_what_is_to_be_done_and_nothing_else_does() -> None:
    assert set(ADVICE) == SHOWN_TO_PROVIDERS


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_no_provider_is_told_to_ring_itself(kind: str) -> None:
    for state in (None, *LineState):
        assert not re.search(r"\bring\b|the provider\b", for_provider(kind, state), re.IGNORECASE)


def test_what_the_line_has_left_asks_for_nothing() -> None:
    assert for_provider("line-sent", LineState.ACCEPTED).startswith("The line has moved on.")
