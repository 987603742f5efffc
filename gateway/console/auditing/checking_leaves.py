"""Hashing every leaf of the audit anew, a batch at a time beside the gateway's work, and what it found so far.

Source: console.md 6.9; RFC 9162 2.1.1; reliability-security.md I5.
"""

import asyncio
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.audit.tree import Tree
from gateway.domain.errors import Unavailable
from gateway.ports.audit_trail import AuditTrail

_BATCH: Final = 5000


@dataclass(slots=True)
class Check:
    """One run.

    Attributes:
        total: leaves that there were when it began.
        checked: leaves that are as they say, from the first on.
        fault: what is wrong with the next; empty where nothing is.
        root: over the leaves that were checked, in hex.
        noted: size and root that a person had noted before, with whether they still hold; None where none was given.
        away: the store could not be read to the end.
    """

    by: str
    began: datetime
    total: int
    checked: int = 0
    fault: str = ""
    root: str = ""
    ended: datetime | None = None
    noted: tuple[int, str] | None = None
    holds: bool | None = None
    away: bool = False


class Checker:
    """Runs one check at a time, and keeps the last for everybody who may see it.

    Args:
        audit: the leaves.
        now: the clock.
    """

    def __init__(self, audit: AuditTrail, now: Callable[[], datetime]) -> None:
        self._audit = audit
        self._now = now
        self._task: asyncio.Task[None] | None = None
        self.last: Check | None = None

    @property
    def running(self) -> bool:
        """Whether a check is under way."""
        return self._task is not None and not self._task.done()

    async def begin(self, by: str, noted: tuple[int, str] | None = None) -> Check:
        """Begin a check, or give the one that is under way."""
        if self.running and self.last is not None:
            return self.last
        check = Check(by=by, began=self._now(), total=await self._audit.leaf_count(), noted=noted)
        self.last = check
        self._task = asyncio.create_task(self._run(check))
        return check

    async def _run(self, check: Check) -> None:
        try:
            await self._hash_all(check)
        except Unavailable:
            check.away = True
        check.ended = self._now()

    async def _hash_all(self, check: Check) -> None:
        tree = Tree()
        self._compare(check, tree)
        while check.checked < check.total:
            most = min(_BATCH, check.total - check.checked)
            found = await self._audit.leaf_hashes(after=check.checked, most=most)
            for leaf in found.hashes:
                tree.add(leaf)
                self._compare(check, tree)
            check.checked = tree.size
            check.root = tree.root.hex()
            check.fault = found.fault or ("" if len(found.hashes) == most else f"leaf {tree.size + 1} is missing")
            if check.fault:
                return

    @staticmethod
    def _compare(check: Check, tree: Tree) -> None:
        if check.noted is not None and check.noted[0] == tree.size:
            check.holds = hmac.compare_digest(tree.root.hex(), check.noted[1])
