from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.retry import LONGEST_SECONDS, next_delay_seconds


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_the_wait_is_bounded_and_never_nought(attempt: int, jitter: float) -> None:
    assert 0.5 <= next_delay_seconds(attempt, jitter=jitter) <= LONGEST_SECONDS


@given(st.integers(1, 100), st.floats(0, 1))
def test_waits_never_shrink_for_equal_jitter(attempt: int, jitter: float) -> None:
    assert next_delay_seconds(attempt, jitter=jitter) <= next_delay_seconds(attempt + 1, jitter=jitter)


def test_what_the_provider_asked_for_is_never_undercut() -> None:
    assert next_delay_seconds(1, jitter=0, asked_seconds=120) == 120
