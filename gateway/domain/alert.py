"""What an alert is for whoever gets it at night: what it means, who acts, how soon, what to do, with which commands.

Every kind of alert that the gateway opens is one row of `ALERT_KINDS` (in `alert_kinds`), and has a page of its name
in `docs/runbooks/`. The row says the short of it, wherever alerts are listed; the page says the rest.

Source: reliability-security.md I3 (alerts are rows, closed by a person with a reason); console.md 6.11.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

RUNBOOKS: Final = "docs/runbooks"
"""The folder of the pages."""


class Acts(StrEnum):
    """Who must do something."""

    ON_CALL = "the person on call for the gateway"
    OPERATOR = "those who run the gateway"
    PHARMACIST = "the trust's homecare pharmacist"
    SENDER = "the supplier of the trust's system"


class Soon(StrEnum):
    """How soon, counted for a routine line; the page says what makes it more urgent."""

    NOW = "now, at night too"
    MORNING = "before the provider's day begins"
    DAY = "in the working day"
    WEEK = "within the week"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertKind:
    """One kind of alert.

    Attributes:
        kind: its name in the table of alerts.
        means: what has happened, in one sentence; never patient data.
        acts: who must do something.
        soon: how soon.
        do: what, in one or two short sentences.
        commands: what to type, with names in capitals for what is filled in.
        page: name of its runbook page, where several kinds share one.
    """

    kind: str
    means: str
    acts: Acts
    soon: Soon
    do: str
    commands: tuple[str, ...] = ()
    page: str = ""

    @property
    def runbook(self) -> str:
        """Where its page is, from the root of the repository."""
        return f"{RUNBOOKS}/{self.page or self.kind}.md"


def card(row: AlertKind) -> str:
    """Give the head of a kind's page: what its row says, as Markdown. A test keeps the pages to it."""
    commands = "\n".join(("", "```sh", *row.commands, "```", "")) if row.commands else ""
    return f"{row.means}\n\n**Who acts:** {row.acts}, {row.soon}.\n\n**In short:** {row.do}\n{commands}"
