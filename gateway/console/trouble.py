"""Why a form came to nothing, and what the browser is told of it (console.md 7)."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.console.site import Looker, Site


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


async def note_nothing_done(site: Site, looker: Looker, act: str, subject: str) -> None:
    """Write down that an act was tried and came to nothing, so that no leaf alone reads as if it had been done.

    Raises:
        Unavailable: then nothing may be shown.
    """
    await site.note(looker, f"{act}: nothing was done", subject)
