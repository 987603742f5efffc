"""Correct: no editor. Says which field is wrong, and that a corrected prescription replaces this one."""

from gateway.console.acting.offered import ActName
from gateway.console.acting.shape import Came, Case, Filled, NotDone, Says
from gateway.console.site import Form
from gateway.domain.lifecycle import LineState
from gateway.enquiries import EventView

_GIVEN = (LineState.REJECTED, LineState.RETURNED)


class Correct:
    """See `gateway.console.acting.shape.Acting`."""

    name = ActName.CORRECT

    async def says(self, case: Case, form: Form) -> Says:  # noqa: ARG002 - the protocol's
        """Give what the page says."""
        return Says(
            will=(
                f"Send a corrected prescription from your system, under the same order number {case.quote}.",
                "It will replace this one.",
                *(f"{issue.location or 'The message'}: {issue.text}" for issue in case.view.issues),
                *(f"{case.provider} said: {event.text}" for event in _said(case)),
            ),
            will_not=("Nobody edits a dose, a medicine or a quantity here.",),
            told=(),
            undo="",
            button="",
            no_form=True,
        )

    async def carry_out(self, case: Case, filled: Filled) -> Came | NotDone:  # noqa: ARG002 - the protocol's
        """Do nothing: there is nothing to send."""
        return NotDone(reasons=("Nothing can be changed here. Send a corrected prescription from your own system.",))


def _said(case: Case) -> list[EventView]:
    lines = {line.id for line in case.lines if line.view.state in _GIVEN}
    given = {"rejected", "returned", "refused_format"}
    found = [event for event in case.view.events if event.event in given and event.line_id in lines and event.text]
    return found[-len(lines) :] if lines else []
