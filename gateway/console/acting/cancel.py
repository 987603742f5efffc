"""Cancel: asked of the provider, or done here where nothing ever left. Never confirmed because it was asked (I7)."""

from collections import Counter
from collections.abc import Mapping
from typing import Final
from uuid import UUID

from gateway.console.acting.foreseen import foresee
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
        found = await foresee(case, AskedFor.CANCEL)
        here = [line for line in case.lines if _is_here(line, found)]
        there = [line for line in case.lines if line not in here]
        rung = [line for line in there if line.id in found and found[line.id].what is Answered.RING]
        named = len(case.lines) > 1
        will = [f"{line.product}: {_here(line, case)}" if named else _here(line, case) for line in here]
        will += [_there(line, case, rung=line in rung, named=named) for line in there]
        asked = f"Nothing is cancelled until {case.provider} confirms."
        return Says(
            will=(*([asked] if there else []), *will),
            will_not=(
                "Supplies that were made are not taken back.",
                *(["A delivery that is on its way is not stopped by this. Ring the provider."] if there else []),
            ),
            told=(
                *_who_is_told(case, there=len(there), rung=len(rung)),
                f"{case.trust}, in its own system if it takes such news.",
            ),
            undo="No. What was cancelled is prescribed again as a new prescription.",
            urgent=_call(case, there=len(there), rung=len(rung)),
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


def _is_here(line: Line, found: Mapping[UUID, LineAnswer]) -> bool:
    """Tell whether it is cancelled here at once: as it would be judged now, or else by its state."""
    if line.id in found:
        return found[line.id].what is Answered.DONE
    return line.view.state in OURS_TO_CONFIRM


def _there(line: Line, case: Case, *, rung: bool, named: bool) -> str:
    made, total = line.view.delivered, max(line.view.total_supplies, 1)
    verb = "has" if made == 1 else "have"
    so_far = f"{made} of {total} supplies {verb} been made" if made else "No supply has been reported"
    if rung:
        words = f"{so_far}. No message can carry this to {case.provider}: it is written down here as asked. Ring them."
    elif made:
        words = f"{so_far}; this asks {case.provider} to stop the other {total - made}."
    else:
        words = f"{so_far}. This asks {case.provider} to stop {'it' if total == 1 else f'all {total}'}."
    return f"{line.product}: {words}" if named else words


def _who_is_told(case: Case, *, there: int, rung: int) -> tuple[str, ...]:
    if not there:
        return ("No provider: nobody has it.",)
    if rung == there:
        return (f"Not {case.provider}: no message can carry it. You tell them, by telephone.",)
    return (f"{case.provider}, by a sealed message.",)


def _call(case: Case, *, there: int, rung: int) -> str:
    if rung:
        return f"Ring {case.ring} and quote {case.quote}: they do not learn of it otherwise."
    return f"If it is urgent, also ring {case.ring} and quote {case.quote}." if there else ""
