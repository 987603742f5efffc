"""One table for every proof: what was tried, and how often something was lost, doubled or passed over in silence."""

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The result of one kind of case.

    Attributes:
        case: what was done, in a few words.
        tried: how many times.
        lost: what was answered positively and is gone.
        doubled: what was supplied, sent or stored twice.
        silent: what is neither finished nor due nor alerted, or was changed without a word.
        seconds: how long it took.
        seeds: the seeds used, to run it again.
        faults: the first few, each with what runs it again.
    """

    case: str
    tried: int
    lost: int = 0
    doubled: int = 0
    silent: int = 0
    seconds: float = 0.0
    seeds: str = ""
    faults: tuple[str, ...] = field(default=())

    @property
    def clean(self) -> bool:
        """Tell whether something was tried and nothing went wrong."""
        return self.tried > 0 and not (self.lost or self.doubled or self.silent or self.faults)


def printed(rows: Iterable[Row]) -> str:
    """Give the table as text."""
    head = f"{'case':<44} {'tried':>9} {'lost':>6} {'doubled':>8} {'silent':>7} {'seconds':>8}"
    lines = [
        f"{row.case:<44} {row.tried:>9} {row.lost:>6} {row.doubled:>8} {row.silent:>7} {row.seconds:>8.1f}"
        for row in rows
    ]
    return "\n".join((head, *lines))
