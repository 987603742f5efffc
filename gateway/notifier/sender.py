"""What a way of telling people promises: three outcomes, and nothing that fails in another manner."""

from dataclasses import dataclass, field
from typing import Protocol

from gateway.domain.escalation import Contact
from gateway.domain.notice import Outgoing


@dataclass(frozen=True, slots=True, kw_only=True)
class Went:
    """The other side took it. Nobody is known to have read it.

    Attributes:
        said: what it answered, in a word or a number.
    """

    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """It did not go, or nobody knows: the same is sent again, under the same id."""

    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Never:
    """The other side refused this one, and would again."""

    said: str


Result = Went | Later | Never


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A notice with where it goes.

    Attributes:
        link: where the person signs in; holds an opaque number and nothing else.
    """

    notice: Outgoing
    to: Contact = field(repr=False)
    link: str


class Sender(Protocol):
    """One way of telling people."""

    async def send(self, letter: Letter) -> Result:
        """Send it, within a time of its own. Raises nothing but a cancellation."""

    async def look(self) -> str:
        """Try the way without telling anybody, and give what is wrong with it; empty if nothing is."""

    async def close(self) -> None:
        """Let go."""
