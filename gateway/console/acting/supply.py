"""Beside the supplies: decide a renewal, and say that another made one supply in the provider's place."""

from typing import Final

from gateway.console.acting.offered import ActName
from gateway.console.acting.shape import Came, Case, Field, Filled, Kind, NotDone, Option, Says, partly, reason_field
from gateway.console.site import Form
from gateway.console.whole_number import whole_number
from gateway.console.words import day
from gateway.domain.acts import Rescue
from gateway.domain.identifiers import parse_uuid
from gateway.domain.renewal import RenewalEvent
from gateway.enquiries import DeliveryView

_NEW: Final = "Give the new prescription's id, as its page shows it in the address"
_DECISION: Final = Field(
    name="decision",
    words="What was decided?",
    kind=Kind.RADIOS,
    options=(
        Option(value=RenewalEvent.PASSED_ON, words="It is with the prescriber now"),
        Option(value=RenewalEvent.APPROVED, words="Renewed by a new prescription", hint="Give its id below."),
        Option(value=RenewalEvent.DECLINED, words="Not renewed"),
    ),
    wrong="Choose what was decided",
)
_ID: Final = Field(name="new", words="Id of the new prescription", kind=Kind.TEXT, hint=f"{_NEW}. Only if renewed.")
_ENDED: Final = frozenset({"DELIVERED", "NOT_SUPPLIED", "WITHDRAWN", "RESCUED"})
_TOLD: Final = Field(
    name="told",
    words="Does the provider know?",
    kind=Kind.RADIOS,
    hint="No message takes one supply back.",
    options=(
        Option(value="yes", words="Yes, I have told them not to supply it"),
        Option(value="no", words="Not yet", hint="An alert stays open until somebody has rung them."),
    ),
    wrong="Say whether the provider knows",
)


class Renewal:
    """See `gateway.console.acting.shape.Acting`."""

    name = ActName.RENEWAL

    async def says(self, case: Case, form: Form) -> Says:  # noqa: ARG002 - the protocol's
        """Give what the page says and asks."""
        return Says(
            will=("Your decision is kept with the prescription.",),
            will_not=(
                "This prescription runs on to its end either way.",
                "No prescription is written here: a renewal is a new prescription from your own system.",
            ),
            told=(f"{case.trust}, in its own system if it takes such news.",),
            undo="No. A renewal can be asked for again.",
            fields=(_DECISION, _ID, reason_field()),
            button="Record the decision",
        )

    async def carry_out(self, case: Case, filled: Filled) -> Came | NotDone:
        """Record the decision for each line that is meant."""
        event = RenewalEvent(filled["decision"])
        new = parse_uuid(filled["new"]) if event is RenewalEvent.APPROVED else None
        if event is RenewalEvent.APPROVED and new is None:
            return NotDone(reasons=(f"{_NEW}.",))
        answers = [await case.site.store.renew(case.act(filled["reason"], line), event, new) for line in filled.chosen]
        done = sum(not reasons for reasons in answers)
        if not done:
            return NotDone(reasons=tuple(dict.fromkeys(one for reasons in answers for one in reasons)))
        words = {
            RenewalEvent.PASSED_ON: "Recorded: the renewal is with the prescriber.",
            RenewalEvent.APPROVED: "Recorded: renewed by the new prescription.",
            RenewalEvent.DECLINED: "Recorded: not renewed. The patient's supply ends with this prescription.",
        }
        return Came(words=partly(done, filled.chosen, words[event]))


class RescueSupply:
    """See `gateway.console.acting.shape.Acting`."""

    name = ActName.RESCUE

    async def says(self, case: Case, form: Form) -> Says:  # noqa: ARG002 - the protocol's
        """Give what the page says and asks."""
        which = Field(
            name="issue",
            words="Which supply was made by another?",
            kind=Kind.RADIOS,
            options=_supplies(case),
            wrong="Choose which supply was made by another",
        )
        link = Field(
            name="link",
            words="Number of the other supply, or of the prescription it was made on",
            kind=Kind.TEXT,
            wrong="Give the number of the other supply",
            longest=100,
        )
        return Says(
            will=("This supply is awaited from the provider no longer, and counts once.",),
            will_not=(
                f"{case.provider} still has the prescription, and supplies the rest.",
                f"{case.provider} is not told by this: no message takes one supply back. Ring them.",
            ),
            told=("Nobody: it is written down with your name.",),
            undo="No.",
            urgent=f"Ring {case.ring}, quote {case.quote}, and ask them not to supply it as well.",
            fields=(which, link, _TOLD, reason_field("What happened", wrong="Say what happened")),
            button="Log the supply",
            each=False,
        )

    async def carry_out(self, case: Case, filled: Filled) -> Came | NotDone:
        """End the one supply."""
        line_id, _, said = filled["issue"].partition(" ")
        issue = whole_number(said)
        line = next((one for one in case.lines if str(one.id) == line_id), None)
        if line is None or issue is None:
            return NotDone(reasons=("Choose which supply was made by another.",))
        told = filled["told"] == "yes"
        made = Rescue(issue=issue, link=filled["link"], told=told)
        reasons = await case.site.store.rescue(case.act(filled["reason"], line), made)
        if reasons:
            return NotDone(reasons=reasons)
        ring = "" if told else f" {case.provider} does not know it yet: ring them."
        return Came(words=f"Logged: supply {issue} was made by another.{ring}")


def _supplies(case: Case) -> tuple[Option, ...]:
    """Give every supply that is still to come, of every line."""
    several = len(case.lines) > 1
    found = []
    for line in case.lines:
        known = {one.issue: one for one in line.view.deliveries}
        for issue in range(1, max(line.view.total_supplies, 1) + 1):
            one = known.get(issue)
            if one is not None and one.state.value in _ENDED:
                continue
            words = f"{line.product}: supply {issue}" if several else f"Supply {issue}"
            found.append(Option(value=f"{line.id} {issue}", words=words, hint=_when(one)))
    return tuple(found)


def _when(one: DeliveryView | None) -> str:
    if one is None or (one.agreed_for or one.due_on) is None:
        return ""
    if one.agreed_for is not None:
        return f"Agreed for {day(one.agreed_for)}"
    return f"Due {day(one.due_on)}" if one.due_on else ""
