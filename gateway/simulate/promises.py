"""What a trust may rely on: its orders and its changes of them, by the last answer to each."""

from dataclasses import dataclass

from gateway.simulate.journal import Answered, Journal, TrustEntry
from gateway.simulate.standing import POSITIVE, Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """One message of a trust that was answered.

    Attributes:
        key: the order's own number.
        message: the control id.
        item: line id, where the format lets the trust give one.
        change: whether it changes an order that was sent before.
    """

    key: str
    message: str
    standing: Standing
    item: str = ""
    change: bool = False

    @property
    def made(self) -> bool:
        """Whether the gateway may not lose it: answered positively, and not refused afterwards."""
        return self.standing in POSITIVE


def standings(journal: Journal[TrustEntry]) -> dict[str, Standing]:
    """Give where each prescription of a trust stands by the last answer it got."""
    return {answer.key: answer.reply.standing for answer in journal.all(Answered)}
