"""One destination as a worker sees it: what may be begun for it now, and what all nodes together saw of it.

Source: reliability-security.md I17 (one sick provider hurts nobody else).
"""

from dataclasses import dataclass
from typing import Protocol

from gateway.destination import Transmission, TransmitOutcome
from gateway.ports.joining import Health, Wish


class Outlet(Protocol):
    """Where bytes go: a provider's adapter, or a trust's mailbox."""

    async def transmit(self, transmission: Transmission) -> TransmitOutcome:
        """Send the octets once and say what is known of the result."""


@dataclass(slots=True, kw_only=True)
class Lane:
    """One destination as this worker sees it."""

    outlet: Outlet
    most: int
    limit_seconds: float
    recognises_repeats: bool
    in_flight: int = 0
    failures: int = 0
    closed_until: float = 0.0
    """Monotonic time before which nothing more is claimed for it."""
    full: bool = True
    """The last look took all it had room for, or it had none: there may be more."""
    answering: bool = False
    """It has taken or refused something since it last rested. What fails now fails for a reason of its own."""

    def room(self, moment: float, *, failures_before_rest: int) -> int:
        """Tell how many more may be begun for it at a moment of the monotonic clock."""
        if moment < self.closed_until:
            return 0
        most = 1 if self.failures >= failures_before_rest else self.most
        return max(0, most - self.in_flight)

    def wish(self, probes_from: int) -> Wish:
        """Give what this node asks of all together."""
        wanted = max(0, self.most - self.in_flight)
        return Wish(most=self.most, probes_from=probes_from, held=self.in_flight, wanted=wanted)

    def learn(self, health: Health, moment: float, *, failures_before_rest: int) -> None:
        """Take over what all nodes together saw of it."""
        self.failures = health.failures
        if not health.failures:
            self.closed_until, self.answering = 0.0, True
            return
        self.answering = self.answering and health.failures < failures_before_rest
        self.closed_until = max(self.closed_until, moment + health.rest_seconds)
