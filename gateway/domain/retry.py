"""When to try a transmission again.

Full jitter is drawn by the caller and passed in, so that the schedule itself is a pure function (I17).
"""

FIRST_SECONDS = 1.0
LONGEST_SECONDS = 300.0


def next_delay_seconds(attempt: int, *, jitter: float, asked_seconds: float | None = None) -> float:
    """Give the wait before the next attempt.

    Args:
        attempt: how many attempts have been made, from 1.
        jitter: a number from 0 to 1.
        asked_seconds: what the provider asked for (Retry-After); never undercut.

    Returns:
        Seconds: doubling from one second to five minutes, between half and the whole of it.
    """
    whole = min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** min(attempt - 1, 16))
    return max(whole * (0.5 + jitter / 2), asked_seconds or 0.0)
