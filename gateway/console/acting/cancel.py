"""Cancel: asked of the provider, or done here where nothing ever left. Never confirmed because it was asked (I7)."""

from collections import Counter
from typing import Final

from gateway.console.acting.offered import ActName
from gateway.console.acting.shape import Came, Case, Filled, Line, NotDone, Says, coded, reason_field, together
from gateway.console.site import Form
from gateway.domain.asking import Answered, AskedFor, LineAnswer, Moved, Wish
from gateway.domain.cancel import GIVEN_BACK, OURS_TO_CONFIRM
from gateway.domain.lifecycle import LineState
from gateway.pipeline.asking import Asking
from gateway.translate.cancel_reasons import REASONS

_WHY: Final = coded("code", "Why is it cancelled?", dict(REASONS), wrong="Choose why it is cancelled")
_NOW: Final = "Cancelled, and confirmed: nothing of it is with a provider."
_NOT_YET: Final = "Asked. Not cancelled yet: nothing is cancelled until {provider} confirms. Ring them if it is urgent."


class Cancel:
    """See `gateway.console.acting.shape.Acting`."""

    name = ActName.CANCEL

    async def says(self, case: Case, form: Form) -> Says:  # noqa: ARG002 - the protocol's
        """Give what the page says and asks."""
        here = [line for line in case.lines if line.view.state in OURS_TO_CONFIRM]
        there = [line for line in case.lines if line not in here]
        will = [f"{line.product}: {_here(line, case)}" if len(case.lines) > 1 else _here(line, case) for line in here]
        will += [
            f"{line.product}: {_there(line, case)}" if len(case.lines) > 1 else _there(line, case) for line in there
        ]
        asked = f"Nothing is cancelled until {case.provider} confirms."
        return Says(
            will=(*([asked] if there else []), *will),
            will_not=(
                "Supplies that were made are not taken back.",
                *(["A delivery that is on its way is not stopped by this. Ring the provider."] if there else []),
            ),
            told=(
                *([f"{case.provider}, by a sealed message."] if there else ["No provider: nobody has it."]),
                f"{case.trust}, in its own system if it takes such news.",
            ),
            undo="No. What was cancelled is prescribed again as a new prescription.",
            urgent=f"If it is urgent, also ring {case.ring} and quote {case.quote}." if there else "",
            fields=(_WHY, reason_field()),
            button="Ask to cancel the prescription" if there else "Cancel the prescription",
        )

    async def carry_out(self, case: Case, filled: Filled) -> Came | NotDone:
        """Ask, in the trust's name."""
        wish = Wish(
            what=AskedFor.CANCEL,
            tenant=case.view.found.tenant,
            prescription_id=case.view.found.prescription_id,
            lines={line.id: filled.seen[line.id] for line in filled.chosen},
            by=case.looker.name,
            actor=case.actor,
            reason=filled["reason"],
            reason_code=filled["code"],
        )
        found = await case.site.service(Asking).ask(wish)
        if isinstance(found, Moved):
            return NotDone(reasons=("Your cancel was not sent.",), moved=True)
        return told(found, case, done=_NOW, asked=_NOT_YET)


def told(found: tuple[LineAnswer, ...], case: Case, *, done: str, asked: str) -> Came | NotDone:
    """Give what came of a wish, in words: the least certain first.

    Args:
        found: what came of it for each line.
        case: whose.
        done: what is said where it is done at once.
        asked: what is said where its provider must confirm it; `{provider}` is who.
    """
    count = Counter(one.what for one in found)
    if set(count) <= {Answered.NOT_POSSIBLE}:
        return NotDone(reasons=tuple(dict.fromkeys(one.why for one in found)))
    words = []
    if count[Answered.ASKED] or count[Answered.BEFORE]:
        words.append(asked.format(provider=case.provider))
    words += [one.why for one in found if one.what in {Answered.RING, Answered.NOT_POSSIBLE}]
    if count[Answered.DONE]:
        words.append(f"{count[Answered.DONE]} of {len(found)}: {done}" if len(count) > 1 else done)
    return Came(words=together(words))


def _here(line: Line, case: Case) -> str:
    if line.view.state in GIVEN_BACK:
        return f"{case.provider} has given it back. It is cancelled here at once."
    together = [one for one in case.view.lines if one.state is LineState.READY]
    if line.view.state is LineState.READY and len(together) > 1:
        return (
            "Nothing of it has left. Chosen with every other that waits with it, it is cancelled here at once; chosen "
            f"alone, its message leaves whole and {case.provider} is asked to cancel."
        )
    return "Nothing of it has left. It is cancelled here at once, and is not sent."


def _there(line: Line, case: Case) -> str:
    made, total = line.view.delivered, max(line.view.total_supplies, 1)
    if made:
        verb = "has" if made == 1 else "have"
        return (
            f"{made} of {total} supplies {verb} been made; this asks {case.provider} to stop the other {total - made}."
        )
    return f"No supply has been reported. This asks {case.provider} to stop {'it' if total == 1 else f'all {total}'}."
