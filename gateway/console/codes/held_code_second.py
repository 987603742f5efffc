"""A proposed meaning of a code, among what waits for a second person: it is agreed to where it is tried.

Source: console.md 6.8 (approval shows every message that the entry would touch).
"""

from gateway.access.policy import Action
from gateway.console.acting.shape import Task
from gateway.console.codes.held_code_words import address, proposed
from gateway.console.site import Site
from gateway.domain.identifiers import parse_uuid
from gateway.domain.proposal import ProposalView
from gateway.pipeline.code_desk import KIND

_ELSEWHERE = "It is agreed to on its own page, beside what it would do"


class SecondMeaning:
    """A meaning that waits for a second person."""

    kind = KIND
    action = Action.APPROVE_CODE
    words = "Meaning of a code"

    async def shows(self, site: Site, view: ProposalView, by: str) -> tuple[tuple[str, ...], tuple[Task, ...]]:
        """Say what it is about; the page of the code has the rest, and the only button that agrees."""
        del site, by
        hint = "Open what it is about: every message of the last 90 days stands there, before and after."
        task = Task(words="Compare what was sent with what it is to mean", status="Open", hint=hint, open=True)
        return (f"Messages with this code would be read as {proposed(view).means}.", f"{_ELSEWHERE}."), (task,)

    async def carry_out(self, site: Site, view: ProposalView, by: str) -> tuple[bool, str]:
        """Do nothing: it cannot be agreed to here."""
        del site, view, by
        return False, _ELSEWHERE

    def href(self, view: ProposalView) -> str:
        """Give the page on which it is tried and approved."""
        code_id = parse_uuid(view.proposal.subject)
        return address(code_id, "approve") if code_id else "/console/held-codes"
