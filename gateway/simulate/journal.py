"""The simulators' own append-only journals: what each party knows, written the moment it knows it.

Loss and double supply are judged from these and from the gateway's public answers, never from the gateway's tables. A
journal is a list in memory and, where a folder is given, a file of JSON lines beside it that outlives the process.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Generic, TypeVar

from gateway.simulate.standing import Reply
from gateway.simulate.written import Flaw


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A trust sent a message; `attempt` counts from one, always with the same bytes."""

    key: str
    control_id: str
    digest: str
    attempt: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A trust got an answer that it could read and that settles the matter for now."""

    key: str
    control_id: str
    reply: Reply
    digest: str
    flaw: Flaw
    at: datetime
    later: bool = False
    """Whether it came afterwards, on the trust's own listener."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A trust was answered to what it did with an order that it had sent: `deed` is cancel, hold, release, replace."""

    key: str
    deed: str
    control_id: str
    reply: Reply
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A trust was told something after the first answer; `about` is what the message itself names."""

    about: str
    digest: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Surprise:
    """Something that a correct gateway does not do."""

    key: str
    what: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A provider received an order.

    Attributes:
        items: line ids in it.
        replaces: line ids of earlier orders that its lines take the place of.
        names: every other identifier of its lines: the trusts' order numbers among them.
        sealed: whether its seal was verified, offline.
        repeat: whether this message id had arrived before.
    """

    provider: str
    message: str
    items: tuple[str, ...]
    names: tuple[str, ...]
    sealed: bool
    repeat: bool
    behaviour: str
    at: datetime
    replaces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A provider received an update of a line: `wanted` is cancel, hold or release."""

    provider: str
    message: str
    item: str
    wanted: str
    repeat: bool
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GaveUp:
    """A provider decided that it will hand over no more of a line, before it told anybody."""

    provider: str
    message: str
    item: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A provider's answer that the gateway took."""

    provider: str
    message: str
    item: str
    word: str
    repeat: bool
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplied:
    """A provider handed over one supply of one line.

    Attributes:
        issue: counts from one in each message; `of`: how many supplies that message asked for.
    """

    provider: str
    item: str
    issue: int
    of: int
    at: datetime


TrustEntry = Sent | Answered | Followed | Told | Surprise
ProviderEntry = Arrived | Asked | GaveUp | Said | Supplied | Surprise
Entry = TypeVar("Entry", TrustEntry, ProviderEntry)
Kind = TypeVar("Kind")


class Journal(Generic[Entry]):
    """One party's entries, in the order in which they happened.

    Args:
        file: where to keep them as well; None keeps them in memory only.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._entries: list[Entry] = []
        self._lines = file.open("a", encoding="utf-8") if file else None

    def write(self, entry: Entry) -> None:
        """Append one entry."""
        self._entries.append(entry)
        if self._lines:
            line = {"entry": type(entry).__name__, **asdict(entry)}
            self._lines.write(json.dumps(line, default=str) + "\n")
            self._lines.flush()

    def all(self, kind: type[Kind]) -> Iterator[Kind]:
        """Give the entries of one kind, oldest first."""
        return (entry for entry in self._entries if isinstance(entry, kind))

    def close(self) -> None:
        """Let go of the file."""
        if self._lines:
            self._lines.close()
            self._lines = None
