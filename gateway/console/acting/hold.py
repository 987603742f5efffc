"""Hold and release: asked of the provider, or done here where nothing ever left."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from gateway.console.acting.cancel import told
from gateway.console.acting.foreseen import foresee, unheard, warnings
from gateway.console.acting.offered import ActName
from gateway.console.acting.shape import Came, Case, Filled, Line, NotDone, Says, coded, in_words, reason_field
from gateway.console.site import Form
from gateway.domain.asking import Answered, AskedFor, LineAnswer, Moved, Wish
from gateway.domain.lifecycle import LineState
from gateway.pipeline.asking import Asking

_WHY_HELD: Final = coded(
    "code",
    "Why is it held?",
    {
        "blood-test": "A blood test is awaited",
        "in-hospital": "The patient is in hospital",
        "patient": "The patient asked for it",
        "clinical": "A clinical question is open",
        "away": "The patient is away",
        "other": "Another reason",
    },
    wrong="Choose why it is held",
)
_WHY_RELEASED: Final = coded(
    "code",
    "Why is it released?",
    {
        "blood-test": "The blood test allows it",
        "home": "The patient is home again",
        "patient": "The patient asked for it",
        "clinical": "The clinical question is answered",
        "mistake": "The hold was a mistake",
        "other": "Another reason",
    },
    wrong="Choose why it is released",
)


class Hold:
    """See `gateway.console.acting.shape.Acting`."""

    name = ActName.HOLD

    async def says(self, case: Case, form: Form) -> Says:  # noqa: ARG002 - the protocol's
        """Give what the page says and asks."""
        found = await foresee(case, AskedFor.HOLD)
        if unheard(case, found):
            return _cannot_be_asked(case, found)
        here = all(_is_here(line, found) for line in case.lines)
        asks = f"{case.provider} is asked to hold it. It is not on hold until they confirm."
        return Says(
            will=(
                *(("Nothing of it has left: it is on hold at once, and is not sent.",) if here else (asks,)),
                *warnings(case, found),
            ),
            will_not=(
                "Its validity runs on while it is on hold. What expires on hold needs a new prescription.",
                "Supplies that were made are not taken back, and a delivery that is on its way is not stopped.",
            ),
            told=("No provider: nobody has it.",) if here else (f"{case.provider}, by a sealed message.",),
            undo="Yes: release it. Until a provider confirms the release, it stays on hold.",
            urgent="" if here else f"If it is urgent, also ring {case.ring} and quote {case.quote}.",
            fields=(_WHY_HELD, reason_field()),
            button="Hold" if here else "Ask to hold",
        )

    async def carry_out(self, case: Case, filled: Filled) -> Came | NotDone:
        """Ask, in the trust's name."""
        found = await _ask(case, filled, AskedFor.HOLD, in_words(_WHY_HELD, filled["code"]))
        if isinstance(found, NotDone):
            return found
        asked = "Asked. Not on hold yet: {provider} has to confirm it. Ring them if it is urgent."
        return told(found, case, done="On hold: nothing of it has left.", asked=asked)


class Release:
    """See `gateway.console.acting.shape.Acting`."""

    name = ActName.RELEASE

    async def says(self, case: Case, form: Form) -> Says:  # noqa: ARG002 - the protocol's
        """Give what the page says and asks."""
        found = await foresee(case, AskedFor.RELEASE)
        if unheard(case, found):
            return _cannot_be_asked(case, found)
        return Says(
            will=(
                "What never left is released at once, and is sent.",
                f"For what {case.provider} has, they are asked to go on. It stays on hold until they confirm.",
                *warnings(case, found),
            ),
            will_not=("What has run out while on hold is not released: it needs a new prescription.",),
            told=(f"{case.provider}, by a sealed message, where they have it.",),
            undo="Yes: hold it again, until it is supplied.",
            fields=(_WHY_RELEASED, reason_field()),
            button="Release",
        )

    async def carry_out(self, case: Case, filled: Filled) -> Came | NotDone:
        """Ask, in the trust's name."""
        found = await _ask(case, filled, AskedFor.RELEASE, in_words(_WHY_RELEASED, filled["code"]))
        if isinstance(found, NotDone):
            return found
        asked = "Asked. Still on hold: {provider} has to confirm the release. Ring them if it is urgent."
        return told(found, case, done="Released: it is sent as it was sealed.", asked=asked)


def _is_here(line: Line, found: Mapping[UUID, LineAnswer]) -> bool:
    """Tell whether it is on hold here at once: as it would be judged now, or else by its state."""
    if line.id in found:
        return found[line.id].what is Answered.DONE
    return line.view.state is LineState.READY


def _cannot_be_asked(case: Case, found: Mapping[UUID, LineAnswer]) -> Says:
    """Say that nothing would come of it, why, and whom to ring: there is nothing to send."""
    return Says(
        will=("Nothing can be asked from here.", *warnings(case, found)),
        will_not=(),
        told=(),
        undo="",
        button="",
        urgent=f"Ring {case.ring} and quote {case.quote}. Then log the call, from Needs attention.",
        no_form=True,
    )


async def _ask(case: Case, filled: Filled, what: AskedFor, why: str) -> tuple[LineAnswer, ...] | NotDone:
    wish = Wish(
        what=what,
        tenant=case.view.found.tenant,
        prescription_id=case.view.found.prescription_id,
        lines={line.id: filled.seen[line.id] for line in filled.chosen},
        by=case.looker.name,
        actor=case.actor,
        reason=f"{why}. {filled['reason']}",
    )
    found = await case.site.service(Asking).ask(wish)
    if isinstance(found, Moved):
        return NotDone(reasons=(f"Your {what} was not sent.",), moved=True)
    return found
