"""What would come of a cancel, a hold or a release, said on its page before anything is asked.

It is judged by what would do it, on the lines as they are shown, so that nobody learns only afterwards that a provider
takes no such message and must be rung. Where it cannot be judged now the page says what holds in general.

Source: console.md 2 (rule 8).
"""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from gateway.console.acting.shape import Case
from gateway.domain.asking import Answered, AskedFor, LineAnswer, Moved, Seen, Wish
from gateway.domain.errors import Unavailable
from gateway.pipeline.asking import Asking

_NO_REASON_YET: Final = "not asked yet"
"""Stands where the person's reason will: what is written with it is thrown away."""


async def foresee(case: Case, what: AskedFor) -> Mapping[UUID, LineAnswer]:
    """Give what would come of it for each line, were every line chosen that it fits; nothing where nobody can say."""
    asking = case.site.services.get(Asking)
    if not case.lines or not isinstance(asking, Asking):
        return {}
    wish = Wish(
        what=what,
        tenant=case.view.found.tenant,
        prescription_id=case.view.found.prescription_id,
        lines={line.id: Seen(state=line.view.state, epoch=line.view.epoch) for line in case.lines},
        by=case.looker.name,
        actor=case.actor,
        reason=_NO_REASON_YET,
    )
    try:
        found = await asking.foresee(wish)
    except Unavailable:
        return {}
    return {} if isinstance(found, Moved) else {one.line_id: one for one in found}


def unheard(case: Case, found: Mapping[UUID, LineAnswer]) -> bool:
    """Tell whether nothing at all would come of it, for any line."""
    answers = [found.get(line.id) for line in case.lines]
    return all(one is not None and one.what is Answered.NOT_POSSIBLE for one in answers)


def warnings(case: Case, found: Mapping[UUID, LineAnswer]) -> tuple[str, ...]:
    """Say of which lines nothing would come, or nothing without a call, and why; each sentence once."""
    several = len(case.lines) > 1
    said = [(line.product, one.why) for line in case.lines if (one := found.get(line.id)) and one.why]
    return tuple(dict.fromkeys(f"{product}: {why}" if several else why for product, why in said))
