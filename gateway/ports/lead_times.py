"""What each provider needs from the moment it can act until the medicine is at the door, as its file states it.

Source: console.md 6.1 (slack: days of medicine left less the days that the fix needs).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol

from gateway.domain.identifiers import OdsCode


class LeadTimeWrites(Protocol):
    """One transaction; durable on return."""

    async def keep_lead_times(self, stated: Mapping[OdsCode, timedelta], *, now: datetime) -> None:
        """Let the order of the list follow the lead times that are stated, in place of all that were.

        What is open of a provider whose time changed moves by the difference.

        Args:
            stated: whole days, by provider; one that is not named needs what is assumed of all.
            now: the clock.
        """
