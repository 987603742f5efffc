"""Who has unmasked which message, for how long: in memory, by session; when it is forgotten the message is masked."""

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from gateway.console.site import Looker
from gateway.ports.inspection import MessageId

LASTS: Final = timedelta(minutes=15)
_MOST: Final = 1000
REASONS: Final = {
    "trust-asks": "The trust asks about this message",
    "provider-asks": "The provider asks about this message",
    "held-or-refused": "To find why it was held or refused",
    "incident": "A patient safety or data incident",
    "complaint": "A complaint or a request by the patient",
}
"""Coded reasons; the words beside them are proved by their digest in the audit, and not shown there."""


class Grants:
    """What is unmasked now.

    Args:
        now: the clock.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._until: OrderedDict[tuple[str, MessageId], datetime] = OrderedDict()

    def give(self, looker: Looker, message: MessageId) -> None:
        """Unmask a message for a session."""
        self._until[_whose(looker), message] = self._now() + LASTS
        while len(self._until) > _MOST:
            self._until.popitem(last=False)

    def until(self, looker: Looker, message: MessageId) -> datetime | None:
        """Tell until when a message is unmasked for a session; None where it is masked."""
        found = self._until.get((_whose(looker), message))
        return found if found is not None and found > self._now() else None

    def end(self, looker: Looker, message: MessageId) -> None:
        """Mask it again."""
        self._until.pop((_whose(looker), message), None)


def _whose(looker: Looker) -> str:
    return looker.session.csrf if looker.session else f"by token {looker.name}"
