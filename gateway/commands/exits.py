"""What the commands' exit codes mean (brief 5)."""

from enum import IntEnum


class Exit(IntEnum):
    """An exit code."""

    DONE = 0
    FAULT = 1
    """Ours."""
    REFUSED = 2
    """Refused or invalid input; the reasons were printed."""
    HELD = 3
