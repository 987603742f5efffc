"""What stands around a prescription, stated by a person: its order number, and the paper original that followed.

Neither changes what was signed or sealed, and no message carries either: the page says so.

Source: console.md 3 (envelope work); mapping.md 0 (10); brief D8.
"""

from datetime import date
from typing import Final

from gateway.console.acting.offered import ActName
from gateway.console.acting.shape import Came, Case, Field, Filled, Kind, NotDone, Says
from gateway.console.site import Form
from gateway.console.words import LONDON, clock_time, day
from gateway.ports.stated import FactKind, StatedFact

_LONGEST_NUMBER: Final = 60
_NUMBER: Final = Field(
    name="number",
    words="Purchase order number",
    kind=Kind.TEXT,
    hint="As it stands in the pharmacy system.",
    wrong="Give the purchase order number",
    longest=_LONGEST_NUMBER,
)
_NOTE: Final = Field(
    name="reason",
    words="Note",
    kind=Kind.AREA,
    hint="If there is anything to add. No names of patients, NHS numbers or birth dates.",
)
_SEEN_BY: Final = Field(
    name="seen_by",
    words="Who saw the paper original?",
    kind=Kind.TEXT,
    hint="A member of staff, by name and role.",
    wrong="Say who saw the paper original",
    longest=100,
)
_SEEN_ON: Final = Field(
    name="seen_on",
    words="On which day was it seen?",
    kind=Kind.DATE,
    hint="For example 2026-10-05.",
    wrong="Give the day on which it was seen",
    longest=10,
)


class OrderNumber:
    """See `gateway.console.acting.shape.Acting`."""

    name = ActName.ORDER_NUMBER

    async def says(self, case: Case, form: Form) -> Says:  # noqa: ARG002 - the protocol's
        """Give what the page says and asks."""
        before = await _stated(case, FactKind.PURCHASE_ORDER)
        known = tuple(f"{one.value} was stated by {one.by}, {clock_time(one.at)}." for one in before)
        stands = ("A number that you add now stands in place of these; they are kept.",) if known else ()
        return Says(
            will=(
                "The number is kept with the prescription, with your name, and can be searched for.",
                *known,
                *stands,
            ),
            will_not=(
                f"{case.provider} is not sent it: a prescription cannot change once it is sealed.",
                "Tell them the number by your usual way.",
                "The prescription itself stays as it was signed.",
            ),
            told=("Nobody: it is the trust's own record.",),
            undo="Add another number; it stands in its place.",
            fields=(_NUMBER, _NOTE),
            button="Add the number",
            each=False,
        )

    async def carry_out(self, case: Case, filled: Filled) -> Came | NotDone:
        """Keep the number."""
        value = filled["number"]
        if not value.isprintable():
            return NotDone(reasons=("The number holds characters that cannot be read.",))
        fact = StatedFact(
            kind=FactKind.PURCHASE_ORDER, value=value, by=case.looker.name, at=case.site.now(), note=filled["reason"]
        )
        await _state(case, fact)
        return Came(words=f"The order number {value} is kept. {case.provider} was not sent it.")


class Paper:
    """See `gateway.console.acting.shape.Acting`."""

    name = ActName.PAPER

    async def says(self, case: Case, form: Form) -> Says:  # noqa: ARG002 - the protocol's
        """Give what the page says and asks."""
        before = await _stated(case, FactKind.PAPER_ORIGINAL)
        known = tuple(
            f"{one.value} saw it on {day(one.on)}; stated by {one.by}, {clock_time(one.at)}."
            for one in before
            if one.on is not None
        )
        return Says(
            will=("It is written down that the signed paper was seen, when, and by whom.", *known),
            will_not=(
                "The prescription does not become an electronically signed one by this.",
                f"{case.provider} is not told: send them the paper by your usual way.",
            ),
            told=("Nobody: it is the trust's own record.",),
            undo="No. A mistake is corrected by registering it again; both are kept.",
            fields=(_SEEN_BY, _SEEN_ON, _NOTE),
            button="Register",
            each=False,
        )

    async def carry_out(self, case: Case, filled: Filled) -> Came | NotDone:
        """Register it."""
        today = case.now.astimezone(LONDON).date()
        try:
            seen = date.fromisoformat(filled["seen_on"])
        except ValueError:
            return NotDone(reasons=("Give the day as year, month and day: 2026-10-05.",))
        if seen > today:
            return NotDone(reasons=(f"It cannot have been seen on {day(seen)}: that is still to come.",))
        fact = StatedFact(
            kind=FactKind.PAPER_ORIGINAL,
            value=filled["seen_by"],
            on=seen,
            by=case.looker.name,
            at=case.site.now(),
            note=filled["reason"],
        )
        await _state(case, fact)
        return Came(words=f"Registered: the paper original was seen on {day(seen)} by {filled['seen_by']}.")


async def _stated(case: Case, kind: FactKind) -> tuple[StatedFact, ...]:
    view = case.view.found
    facts = await case.site.enquiries.stated_facts(view.prescription_id, tenant=case.looker.tenant)
    return tuple(one for one in facts if one.kind is kind)


async def _state(case: Case, fact: StatedFact) -> None:
    view = case.view.found
    await case.site.store.state_fact(view.prescription_id, fact, tenant=view.tenant)
