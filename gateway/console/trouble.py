"""Why a form came to nothing, and what the browser is told of it (console.md 7)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

NOT_DONE: Final = ": nothing was done"
"""How the audit leaf of an act ends that was tried and came to nothing: none reads as if it had been done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why nothing was done.

    Attributes:
        wrong: fields that are wrong, each with what to change.
        reasons: why it cannot be done, in words.
        changed: how it stands now, where it moved while the form was filled in.
        unknown: a reference to quote where nobody knows what was done.
    """

    wrong: Mapping[str, str] | None = None
    reasons: tuple[str, ...] = ()
    changed: str = ""
    unknown: str = ""

    @property
    def status(self) -> int:
        """The HTTP status of the page that says so."""
        return 409 if self.changed else 503 if self.unknown else 422
