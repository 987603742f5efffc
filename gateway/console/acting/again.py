"""Sending again: what never left, and the messages that were given up. Never an order that may have arrived (I12)."""

from gateway.console.acting.offered import ActName
from gateway.console.acting.shape import Came, Case, Filled, NotDone, Says, reason_field
from gateway.console.site import Form
from gateway.domain.lifecycle import LineState
from gateway.pipeline.again import SendingAgain


class Again:
    """See `gateway.console.acting.shape.Acting`."""

    name = ActName.SEND_AGAIN

    async def says(self, case: Case, form: Form) -> Says:  # noqa: ARG002 - the protocol's
        """Give what the page says and asks."""
        waiting = all(line.view.state is LineState.READY for line in case.lines)
        now = f"The next attempt to reach {case.provider} is made now."
        anew = f"Nothing of it ever left. It is sealed anew for {case.provider}, and sending begins again."
        return Says(
            will=(now if waiting else anew,),
            will_not=(
                "What may have arrived is not sent again: the patient could be supplied twice.",
                f"It has not arrived until {case.provider}'s system says so, and is not accepted by that.",
            ),
            told=(f"{case.trust}, in its own system if it takes such news.",),
            undo="Until it arrives: cancel it.",
            fields=(reason_field("Why it may arrive now", wrong="Say why it may arrive now"),),
            button="Send again",
            each=False,
        )

    async def carry_out(self, case: Case, filled: Filled) -> Came | NotDone:
        """Send what never left."""
        came = await case.site.service(SendingAgain).send(
            case.view.found.prescription_id,
            tenant=case.view.found.tenant,
            by=case.looker.name,
            reason=filled["reason"],
        )
        if came.reasons:
            return NotDone(reasons=tuple(f"{reason[:1].upper()}{reason[1:]}." for reason in came.reasons))
        return Came(words=f"Sending to {case.provider} begins again. It has not arrived yet.")


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
        found, now = case.view.found, case.site.now()
        count = await case.site.store.resend(
            found.prescription_id, by=case.looker.name, reason=filled["reason"], now=now, tenant=found.tenant
        )
        if not count:
            return NotDone(reasons=("Nothing was sent: no message about it is given up now.",), moved=True)
        return Came(words=f"{count} {'message is' if count == 1 else 'messages are'} sent again; no answer yet.")
