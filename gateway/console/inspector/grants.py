"""Who has unmasked which message, for how long: kept with the session, so that every node shows and masks the same."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from gateway.console.entering.sessions import Sessions
from gateway.console.site import Looker
from gateway.ports.inspection import MessageId

LASTS: Final = timedelta(minutes=15)
REASONS: Final = {
    "trust-asks": "The trust asks about this message",
    "provider-asks": "The provider asks about this message",
    "held-or-refused": "To find why it was held or refused",
    "incident": "A patient safety or data incident",
    "complaint": "A complaint or a request by the patient",
}
"""Coded reasons; the words beside them are proved by their digest in the audit, and not shown there."""


class Grants:
    """What is unmasked now; with its session it ends, and where it is forgotten the message is masked.

    Args:
        sessions: where it is kept.
        now: the clock.
    """

    def __init__(self, sessions: Sessions, now: Callable[[], datetime]) -> None:
        self._sessions = sessions
        self._now = now

    async def give(self, looker: Looker, message: MessageId) -> None:
        """Unmask a message for a session."""
        if looker.session is not None:
            await self._sessions.put(looker.session, _key(message), (self._now() + LASTS).isoformat())

    async def until(self, looker: Looker, message: MessageId) -> datetime | None:
        """Tell until when a message is unmasked for a session; None where it is masked."""
        said = await self._sessions.sought(looker.session, _key(message)) if looker.session is not None else None
        found = datetime.fromisoformat(said) if said else None
        return found if found is not None and found > self._now() else None

    async def end(self, looker: Looker, message: MessageId) -> None:
        """Mask it again."""
        if looker.session is not None:
            await self._sessions.put(looker.session, _key(message), "")


def _key(message: MessageId) -> str:
    return f"unmasked {message}"
