"""Sending again: what never left, and the messages that were given up. Never an order that may have arrived (I12)."""

from gateway.console.acting.shape import Came, Case, Filled, NotDone, Says, reason_field
from gateway.console.offered import ActName
from gateway.console.site import Form


class News:
    """See `gateway.console.acting.shape.Acting`."""

    name = ActName.NEWS

    async def says(self, case: Case, form: Form) -> Says:  # noqa: ARG002 - the protocol's
        """Give what the page says and asks."""
        return Says(
            will=("The messages about this prescription that were given up are sent again: the same bytes.",),
            will_not=(
                "The prescription itself is not sent again.",
                "A cancel that was given up is asked again; it is not cancelled until the provider confirms.",
            ),
            told=(f"{case.trust}, with its own news.", f"{case.provider}, where a cancel was given up."),
            undo="No.",
            fields=(reason_field("Why it may arrive now", wrong="Say why it may arrive now"),),
            button="Send them again",
            each=False,
        )

    async def carry_out(self, case: Case, filled: Filled) -> Came | NotDone:
        """Make due what is stuck."""
        prescription, now = case.view.found.prescription_id, case.site.now()
        count = await case.site.store.resend(prescription, by=case.looker.name, reason=filled["reason"], now=now)
        if not count:
            return NotDone(reasons=("Nothing was sent: no message about it is given up now.",), moved=True)
        return Came(words=f"{count} {'message is' if count == 1 else 'messages are'} sent again; no answer yet.")
