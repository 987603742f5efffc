"""The time, as something that can be asked and moved in a test."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Time, handed in."""

    def now(self) -> datetime:
        """Give the present moment, aware, in UTC."""
