"""May new work come in: not where the disk, or the queue, has room only for finishing what was taken already.

A refusal here is no verdict: nothing is stored, and the same bytes may be sent again. Repeats are answered, and cancels
and providers' answers taken, as long as the store can hold them at all, for they finish work. One sender may have less
waiting than may wait in all, so that none fills the queue alone.

Source: reliability-security.md I19.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gateway.domain.errors import Unavailable
from gateway.domain.identifiers import OdsCode
from gateway.enquiries import Waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What a disk has left.

    Attributes:
        bytes: that this user may still write.
        files: that may still be made; None where the file system does not count them.
    """

    bytes: int
    files: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Floors:
    """Where new work ends. Nought for the disk's, None for the queue's: never.

    Attributes:
        free_bytes: least room on the disk.
        free_files: least number of files that can still be made.
        waiting: rows that may wait to be sent, in all.
        waiting_of_one: the same for one sender.
    """

    free_bytes: int = 0
    free_files: int = 0
    waiting: int | None = None
    waiting_of_one: int | None = None


class Full(Unavailable):
    """There is no room for new work.

    Attributes:
        what: `disk`, `files`, `queue` or `share`; for the log and the metric.
    """

    def __init__(self, what: str) -> None:
        super().__init__(f"no room for new work: {what}")
        self.what = what


UNLIMITED: Final = Floors()


class Admission:
    """Decides on each submission, from figures that are renewed now and then.

    Between two countings what was let in is counted here, so that a burst cannot pass through the gap.

    Args:
        floors: where new work ends.
        room: measures the disk.
    """

    def __init__(self, floors: Floors = UNLIMITED, room: Callable[[], Room] = lambda: Room(bytes=1 << 62)) -> None:
        self._floors = floors
        self._room = room
        self._waiting = Waiting(total=0, by_tenant={})
        self._since: Counter[OdsCode] = Counter()

    def counted(self, waiting: Waiting) -> None:
        """Take the queue as it was just counted."""
        self._waiting = waiting
        self._since.clear()

    def disk(self, *, ahead_bytes: int = 0) -> str:
        """Say what the disk lacks, or would after writing so many bytes more: `disk`, `files`, or nothing."""
        room = self._room()
        if room.bytes - ahead_bytes < self._floors.free_bytes:
            return "disk"
        return "files" if room.files is not None and room.files < self._floors.free_files else ""

    def let_in(self, tenant: OdsCode) -> None:
        """Count one new submission of a sender.

        Raises:
            Full: there is no room; nothing was counted.
        """
        lacking = self.disk() or self._queue(tenant)
        if lacking:
            raise Full(lacking)
        self._since[tenant] += 1

    def keep(self) -> None:
        """Allow input that is not to be worked on to be kept.

        Raises:
            Full: the disk is for work that was taken.
        """
        if lacking := self.disk():
            raise Full(lacking)

    def _queue(self, tenant: OdsCode) -> str:
        own = self._waiting.by_tenant.get(tenant, 0) + self._since[tenant]
        total = self._waiting.total + self._since.total()
        if self._floors.waiting_of_one is not None and own >= self._floors.waiting_of_one:
            return "share"
        return "queue" if self._floors.waiting is not None and total >= self._floors.waiting else ""
