"""What a trust's pharmacist does at a desk: close, answer a question, say where it is, rule on a late change."""

from typing import Final

from gateway.console.acting.offered import ActName
from gateway.console.acting.shape import (
    Came,
    Case,
    Field,
    Filled,
    Kind,
    NotDone,
    Option,
    Says,
    coded,
    in_words,
    partly,
    reason_field,
)
from gateway.console.prescription.timeline import without_times
from gateway.console.site import Form
from gateway.console.words import begun
from gateway.domain.acts import Ruling
from gateway.ports.work import Whereabouts

_SUPPLIED: Final = coded(
    "supplied",
    "How is the patient supplied instead?",
    {
        "hospital": "By the hospital pharmacy",
        "other-provider": "By another homecare provider, on another prescription",
        "community": "By a community pharmacy or the GP",
        "enough": "The patient has enough at home",
        "stopped": "The treatment was stopped",
        "died": "The patient has died",
    },
    wrong="Say how the patient is supplied: nobody will supply this prescription any more",
)
_TOLD: Final = Field(
    name="told",
    words="Does the provider know the answer?",
    kind=Kind.RADIOS,
    hint="No message carries an answer to the provider.",
    options=(
        Option(value="yes", words="Yes, I have told them myself"),
        Option(value="no", words="Not yet", hint="An alert stays open until somebody has rung them."),
    ),
    wrong="Say whether the provider knows the answer",
)
_FOUND: Final = Field(
    name="found",
    words="What did the provider state?",
    kind=Kind.RADIOS,
    options=(
        Option(value=Whereabouts.WITH_PROVIDER, words="They have it", hint="We go on waiting for their answer."),
        Option(
            value=Whereabouts.NEVER_ARRIVED,
            words="They looked, and never had it",
            hint="The same bytes are sent again under the same number. Not reached by telephone is not an answer.",
        ),
    ),
    wrong="Choose what the provider stated",
)
_RULING: Final = Field(
    name="ruling",
    words="What happens with the changed order?",
    kind=Kind.RADIOS,
    options=(
        Option(value=Ruling.SEND, words="Send it", hint="The patient needs both supplies."),
        Option(value=Ruling.DROP, words="Cancel it", hint="What was supplied of the old order is enough."),
    ),
    wrong="Choose what happens with the changed order",
)
_MOVED: Final = NotDone(reasons=("Nothing was done.",), moved=True)


class Close:
    """See `gateway.console.acting.shape.Acting`."""

    name = ActName.CLOSE

    async def says(self, case: Case, form: Form) -> Says:  # noqa: ARG002 - the protocol's
        """Give what the page says and asks."""
        return Says(
            will=(
                "It is closed for good, with your name and your reason.",
                "Nobody supplies it any more. If the patient still needs it, re-route it or prescribe it anew instead.",
                "The alerts that say where it stood are closed with it. Any other stays open.",
            ),
            will_not=(f"{case.provider} is asked nothing: they gave it back, refused it, or never had it.",),
            told=(f"{case.trust}, in its own system if it takes such news.",),
            undo="No.",
            fields=(_SUPPLIED, reason_field("Say how you know", wrong="Say how you know")),
            button="Close",
        )

    async def carry_out(self, case: Case, filled: Filled) -> Came | NotDone:
        """Close each line that is meant."""
        reason = f"{in_words(_SUPPLIED, filled['supplied'])}. {filled['reason']}"
        left = [await case.site.store.close_lines(case.act(reason, line)) for line in filled.chosen]
        words = f"Closed. {in_words(_SUPPLIED, filled['supplied'])}."
        if all(left):
            return NotDone(reasons=tuple(dict.fromkeys(f"{begun(why)}." for each in left for why in each)), moved=True)
        return Came(words=partly(left.count(()), filled.chosen, words))


class Answer:
    """See `gateway.console.acting.shape.Acting`."""

    name = ActName.ANSWER

    async def says(self, case: Case, form: Form) -> Says:  # noqa: ARG002 - the protocol's
        """Give what the page says and asks."""
        asked = [without_times(event.text) for event in case.view.events if event.event == "queried"]
        question = (
            f"{case.provider} asked: “{asked[-1]}”" if any(asked[-1:]) else f"{case.provider} asked a question.",
        )
        return Says(
            will=(*question, "Your answer is kept, and the prescription goes on where it stood before the question."),
            will_not=(
                "Your answer is not sent to the provider: no message carries one. Ring them.",
                "Nothing clinical can be changed here.",
                "If the answer changes dose, medicine or quantity, send a corrected prescription from your own system.",
            ),
            told=(f"{case.trust}, in its own system if it takes such news.",),
            undo="No. The provider may ask again.",
            urgent=f"Ring {case.ring} and quote {case.quote}.",
            fields=(reason_field("Your answer", wrong="Write the answer"), _TOLD),
            button="Record the answer",
        )

    async def carry_out(self, case: Case, filled: Filled) -> Came | NotDone:
        """Record the answer for each line that is meant."""
        told = filled["told"] == "yes"
        acts = [case.act(filled["reason"], line) for line in filled.chosen]
        moved = [await case.site.store.answer_query(act, told=told) for act in acts]
        if not sum(moved):
            return _MOVED
        ring = "You have told the provider." if told else f"{case.provider} does not know it yet: ring them."
        return Came(words=partly(sum(moved), filled.chosen, f"Your answer is recorded. {ring}"))


class Resolve:
    """See `gateway.console.acting.shape.Acting`."""

    name = ActName.RESOLVE

    async def says(self, case: Case, form: Form) -> Says:  # noqa: ARG002 - the protocol's
        """Give what the page says and asks."""
        return Says(
            will=(
                "If they have it, it counts as arrived, and we go on waiting for their answer.",
                "If they never had it, the same bytes are sent again under the same number.",
            ),
            will_not=("Nothing is accepted by this: what you log is stated by you, not proved by them.",),
            told=("Nobody: it is written down with your name.",),
            undo="No. Sent again by mistake, the patient could be supplied twice: be sure.",
            urgent=f"Ring {case.ring} and quote {case.quote}. Ask them to look for the number itself.",
            fields=(_FOUND, reason_field("Who said it, when, and how", wrong="Say who said it, when, and how")),
            button="Log what they stated",
            each=False,
        )

    async def carry_out(self, case: Case, filled: Filled) -> Came | NotDone:
        """Move what is in doubt."""
        found = Whereabouts(filled["found"])
        moved = await case.site.store.resolve_doubt(
            case.view.found.prescription_id,
            found=found,
            evidence=filled["reason"],
            by=case.looker.name,
            now=case.site.now(),
            tenant=case.view.found.tenant,
        )
        if not moved:
            return NotDone(reasons=("Nothing was logged: nothing is in doubt now, or it is being sent.",), moved=True)
        if found is Whereabouts.NEVER_ARRIVED:
            return Came(words="Logged. The same bytes are sent again; no answer yet.")
        return Came(words=f"Logged: {case.provider} has it. Nobody there is known to have accepted it.")


class Rule:
    """See `gateway.console.acting.shape.Acting`."""

    name = ActName.RULE

    async def says(self, case: Case, form: Form) -> Says:  # noqa: ARG002 - the protocol's
        """Give what the page says and asks."""
        return Says(
            will=(
                "The old order was supplied before its cancel arrived. The changed order waits for you.",
                "Sent, the patient has both supplies. Cancelled, nothing of the changed order leaves.",
            ),
            will_not=("What was supplied of the old order is not taken back.",),
            told=(f"{case.provider}, where it is sent.", f"{case.trust}, in its own system if it takes such news."),
            undo="No. What was sent can be cancelled like any other prescription.",
            urgent="Ask the patient or the ward what is at home before you decide.",
            fields=(_RULING, reason_field()),
            button="Confirm",
            each=False,
        )

    async def carry_out(self, case: Case, filled: Filled) -> Came | NotDone:
        """Send or drop what waits."""
        ruling = Ruling(filled["ruling"])
        reasons = await case.site.store.rule(case.act(filled["reason"]), ruling)
        if reasons:
            return NotDone(reasons=reasons, moved=True)
        sent = "The changed order is sent; no answer yet."
        return Came(words=sent if ruling is Ruling.SEND else "The changed order is cancelled: nothing of it left.")
