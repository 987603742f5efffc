"""Re-route: a checklist of what must be settled, then a proposal that a second person agrees to.

Nothing moves by the proposal. What the second person agrees to is planned anew on the facts of that moment, and each
line goes behind its own fence (I10).

Source: console.md 6.3; mapping.md 10.2; reliability-security.md I10.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from gateway.access.policy import Action
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
    Task,
    coded,
    in_words,
    reason_field,
)
from gateway.console.pages import named
from gateway.console.site import Form, Site
from gateway.domain.asking import Seen
from gateway.domain.identifiers import OdsCode, derived_id
from gateway.domain.proposal import Proposal, ProposalView, same_person
from gateway.domain.reroute import HeldPrescription, Wanted
from gateway.pipeline.reroute import Act, LinePlan, Plan, Rerouting

KIND: Final = "reroute"
ANYBODY: Final = "a second person"
LASTS: Final = timedelta(hours=24)
WHY: Final = coded(
    "code",
    "Why does it go to another provider?",
    {
        "stops": "The provider stops or cannot supply",
        "refused": "The provider refused it or gave it back",
        "away": "The provider's system is not answering",
        "late": "The provider would be too late for the patient",
        "patient": "The patient or the trust changes provider",
        "other": "Another reason",
    },
    wrong="Choose why it goes to another provider",
)
_GROUNDS: Final = {
    "never on wire": "Nothing of it ever reached them.",
    "given back": "They gave it back.",
    "expired": "It expired with them, and their system refuses what has expired.",
}
_SIGNATURE: Final = "needs a new signature"
_NEW_SIGNATURE: Final = "a new signature is needed"
_UNWRITABLE: Final = ("it cannot be written", "the order was never completed")


class Reroute:
    """See `gateway.console.acting.shape.Acting`."""

    name = ActName.REROUTE

    async def says(self, case: Case, form: Form) -> Says:
        """Give the checklist for the provider that was chosen; first of all ask which."""
        ask = (_whom(case),)
        to = _chosen(case, form)
        if to is None:
            first = (
                "You choose which provider is to have it; a checklist then says what must be settled before it can go."
            )
            return Says(will=(first,), will_not=(), told=(), undo="", button="", ask=ask, no_form=True)
        found, people = case.view.found, (case.looker.name, ANYBODY)
        plan = await planned(case.site, found.prescription_id, to, people, tenant=found.tenant)
        there = named(to, case.site.names)
        registered = Field(
            name="registered",
            words=f"The patient is registered with {there}",
            kind=Kind.CHECK,
            hint="Ask them. We cannot see who is registered where.",
            wrong=f"Confirm that the patient is registered with {there}, or register the patient first",
        )
        return Says(
            will=(
                f"You propose it. A second person has {LASTS.total_seconds() / 3600:.0f} hours to agree.",
                *_what(plan, there),
            ),
            will_not=(
                "Nothing moves by the proposal itself.",
                f"{case.provider} keeps what it may have until it says that it gives it up.",
            ),
            told=(
                f"{case.provider}, where it must give it up first.",
                f"{there}, once it is theirs.",
                f"{case.trust}, in its own system if it takes such news.",
            ),
            undo=f"Until a second person agrees: withdraw it. After that, re-route it back from {there}.",
            tasks=tuple(_tasks(plan, case.provider, there)),
            fields=(registered, WHY, reason_field()),
            ask=ask,
            button="Propose",
            each=False,
        )

    async def carry_out(self, case: Case, filled: Filled) -> Came | NotDone:
        """Propose it."""
        to = OdsCode.parse(filled["to"])
        if to is None:
            return NotDone(reasons=("Choose which provider is to have it.",))
        proposal = proposed(
            case.view.found.prescription_id,
            tenant=case.view.found.tenant,
            to=to,
            seen=filled.seen,
            by=case.looker.name,
            reason=f"{in_words(WHY, filled['code'])}. {filled['reason']}",
            token=filled.token,
            now=case.site.now(),
        )
        reasons = await case.site.store.propose(proposal)
        if reasons:
            return NotDone(reasons=reasons)
        words = "Proposed. Nothing has moved yet: a second person must agree."
        return Came(words=words, href=f"/console/waiting/{proposal.id}")


class SecondReroute:
    """What a second person sees of a re-route, and what their agreement does. See `console/acting/waiting.py`."""

    kind = KIND
    action = Action.REROUTE
    words = "Re-route"

    async def shows(self, site: Site, view: ProposalView, by: str) -> tuple[tuple[str, ...], tuple[Task, ...]]:
        """Give what would happen now, and the checklist as it stands now."""
        wanted = json.loads(view.proposal.payload)
        to = OdsCode(wanted["to"])
        other = ANYBODY if same_person(view.proposal.by, by) else by
        plan = await planned(
            site, UUID(view.proposal.subject), to, (view.proposal.by, other), tenant=view.proposal.tenant
        )
        holders = {line.line.holding.provider for line in plan.lines}
        holder = ", ".join(named(one, site.names) for one in holders if one) or "the provider"
        there = named(to, site.names)
        about = await _medicines(site, view)
        tasks = (*_as_proposed(plan, wanted["seen"]), *_tasks(plan, holder, there, by=view.proposal.by))
        return (*about, *_what(plan, there)), tasks

    async def carry_out(self, site: Site, view: ProposalView, by: str) -> tuple[bool, str]:
        """Do it, on the facts of this moment. Tells whether anything moved or was asked, in words."""
        wanted = json.loads(view.proposal.payload)
        to, people = OdsCode(wanted["to"]), (view.proposal.by, by)
        plan = await planned(site, UUID(view.proposal.subject), to, people, tenant=view.proposal.tenant)
        if moved := tuple(_as_proposed(plan, wanted["seen"])):
            return False, moved[0].hint
        if not plan.lines or not any(one.act in {Act.AT_ONCE, Act.REVOKE_FIRST} for one in plan.lines):
            return False, "; ".join(dict.fromkeys(one.why for one in plan.lines)) or "No line of it is open any more"
        wanted_by = Wanted(to=to, people=people, reason=view.proposal.reason)
        done = await site.service(Rerouting).carry_out(plan, wanted_by)
        gone = [one for one in done.lines if one.act in {Act.AT_ONCE, Act.UNDER_WAY}]
        return bool(gone), "; ".join(_came(one, site, to) for one in done.lines)

    def href(self, view: ProposalView) -> str:
        """Give the page of what it is about."""
        return f"/console/prescriptions/{view.proposal.subject}"


def proposed(
    prescription: UUID,
    *,
    tenant: OdsCode,
    to: OdsCode,
    seen: Mapping[UUID, Seen],
    by: str,
    reason: str,
    token: str,
    now: datetime,
) -> Proposal:
    """Give the proposal to re-route one prescription; of one form and one prescription it is always the same."""
    lines = {str(line): [one.state.value, one.epoch] for line, one in seen.items()}
    return Proposal(
        id=derived_id("proposal", by, token or now.isoformat(), str(prescription)),
        kind=KIND,
        subject=str(prescription),
        payload=json.dumps({"to": str(to), "seen": lines}, sort_keys=True).encode(),
        tenant=tenant,
        by=by,
        reason=reason,
        at=now,
        expires_at=now + LASTS,
    )


async def planned(
    site: Site, prescription: UUID, to: OdsCode, people: tuple[str, str], *, tenant: OdsCode | None
) -> Plan:
    """Give the plan for every open line of a trust's prescription; another trust may use the same id."""
    rerouting = site.service(Rerouting)
    every = await site.enquiries.held(prescription_id=prescription)
    held = [one for one in every if one.lines and one.tenant == tenant]
    if not held:
        nothing = HeldPrescription(key=0, tenant=OdsCode("X"), prescription_id=prescription, number="", lines=())
        return Plan(held=nothing, to=to, lines=())
    plans = [await rerouting.plan(one, to=to, people=people) for one in held]
    return plans[-1]


def _whom(case: Case) -> Field:
    """Ask which provider is to have it; the present one cannot."""
    providers = case.site.service(Rerouting).providers()
    options = tuple(
        Option(value=str(one.ods), words=named(one.ods, case.site.names))
        for one in providers
        if one.ods != case.view.found.destination
    )
    return Field(name="to", words="Which provider is to have it?", kind=Kind.RADIOS, options=options)


def _chosen(case: Case, form: Form) -> OdsCode | None:
    """Give the provider that was chosen, if it is one that may be."""
    chosen = form.one("to")
    return next((OdsCode(one.value) for one in _whom(case).options if one.value == chosen), None)


async def _medicines(site: Site, view: ProposalView) -> tuple[str, ...]:
    """Say what it is about, in the words of its page, without the patient."""
    found = await site.enquiries.prescription(UUID(view.proposal.subject), tenant=view.proposal.tenant)
    lines = found.lines if found is not None else ()
    return tuple(f"{line.product or 'A medicine'}, order {line.order_number or 'without a number'}." for line in lines)


def _what(plan: Plan, there: str) -> tuple[str, ...]:
    count = {act: sum(one.act is act for one in plan.lines) for act in Act}
    words = []
    if count[Act.AT_ONCE]:
        words.append(f"{_counted(count[Act.AT_ONCE])} to {there} at once, once both have agreed.")
    if count[Act.REVOKE_FIRST]:
        then = "when the present provider confirms that it gives it up."
        words.append(f"{_counted(count[Act.REVOKE_FIRST])} to {there} {then}")
    return tuple(words)


def _counted(count: int) -> str:
    return "One medicine goes" if count == 1 else f"{count} medicines go"


def _tasks(plan: Plan, holder: str, there: str, *, by: str = "") -> Iterable[Task]:
    """Give every item of the checklist, for every line; `by` is who proposed it, once it is."""
    if not plan.lines:
        yield Task(words="An open line", status="Open", hint="No line of it is open any more.", open=True)
    for one in plan.lines:
        name = f"Order {one.line.order_number}: " if len(plan.lines) > 1 else ""
        yield _given_up(one, f"{name}{holder} has given it up, or it never left")
        made, total = one.line.holding.delivered + one.line.holding.rescued, one.line.holding.total
        counted = f"{made} of {total}, {one.line.holding.left} left"
        yield Task(words=f"{name}Supplies made so far", status=counted, hint="Only what is left is sent on.")
        yield _settled(one, f"{name}{there} can carry every field", "Checked", _is_unwritable(one))
        yield _settled(one, f"{name}No new signature is needed", "Not needed", _is_signature(one))
    yield Task(
        words=f"The patient is registered with {there}", status=f"Confirmed by {by}" if by else "You confirm it below"
    )
    yield Task(words="A second person", status="Waited for" if by else "Asked next", hint="Another than the first.")


def _as_proposed(plan: Plan, seen: Mapping[str, tuple[str, int]]) -> Iterable[Task]:
    """Give an open item where a line was given to a provider, another or once more, since the first person looked."""
    epochs = {line: epoch for line, (_, epoch) in seen.items()}
    if any(epochs.get(str(one.line.line_id)) not in {None, one.line.holding.epoch} for one in plan.lines):
        hint = "It was sent to a provider again since. Withdraw this, and propose it as it stands now"
        yield Task(words="It is where it was when it was proposed", status="Open", hint=hint, open=True)


def _given_up(one: LinePlan, words: str) -> Task:
    if one.act is Act.AT_ONCE:
        return Task(words=words, status="Settled", hint=_GROUNDS.get(one.why, one.why))
    if one.act is Act.REVOKE_FIRST:
        return Task(words=words, status="They are asked first", hint="Nothing moves until they confirm.")
    if _is_unwritable(one) or _is_signature(one):
        return Task(words=words, status="Not looked at", hint="Something below stands in the way first.")
    status = "Under way" if one.act is Act.UNDER_WAY else "Open"
    return Task(words=words, status=status, hint=f"{one.why[:1].upper()}{one.why[1:]}.", open=True)


def _settled(one: LinePlan, words: str, status: str, stands_in_the_way: bool) -> Task:  # noqa: FBT001 - of the item
    if stands_in_the_way:
        return Task(words=words, status="Open", hint=f"{one.why[:1].upper()}{one.why[1:]}.", open=True)
    return Task(words=words, status=status)


def _is_unwritable(one: LinePlan) -> bool:
    return one.act is Act.PERSON and one.why.startswith(_UNWRITABLE)


def _is_signature(one: LinePlan) -> bool:
    return one.act is Act.PERSON and (_NEW_SIGNATURE in one.why or _SIGNATURE in one.why)


def _came(one: LinePlan, site: Site, to: OdsCode) -> str:
    name = f"Order {one.line.order_number}"
    if one.act is Act.AT_ONCE:
        return f"{name}: given to {named(to, site.names)}; no answer yet"
    return f"{name}: {one.why}"
