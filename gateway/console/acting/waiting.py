"""What waits for a second person: listed, looked at on the facts of this moment, agreed to or withdrawn.

The second person is never the first. Who agrees carries it out at once; if that is cut off, the page says that it is
not known, and to check first.

Source: console.md 3, 6.3, 6.10; reliability-security.md I10.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.access.policy import Action
from gateway.console.acting.reroute import SecondReroute
from gateway.console.acting.shape import LONGEST, Task
from gateway.console.codes.held_code_second import SecondMeaning
from gateway.console.site import Entry, Form, Looker, Site
from gateway.console.staff.granting import SecondRole
from gateway.console.trouble import note_nothing_done
from gateway.console.words import clock_time, when
from gateway.domain.errors import Unavailable
from gateway.domain.identifiers import parse_uuid
from gateway.domain.proposal import WORDS, ProposalState, ProposalView, same_person, why_not_seconded

PATH: Final = "/console/waiting"
ENTRIES: Final = (Entry(words="Second person", href=PATH, action=Action.REROUTE),)
_MOST: Final = 100
_CHANGED: Final = (
    "It has changed since you looked at it: read below what would happen now. You have not agreed to that."
)


class Seconded(Protocol):
    """One kind of act that needs two people.

    Attributes:
        kind: as its proposals name it.
        action: what both must be allowed.
        words: what it is called.
    """

    kind: str
    action: Action
    words: str

    async def shows(self, site: Site, view: ProposalView, by: str) -> tuple[tuple[str, ...], tuple[Task, ...]]:
        """Give what would happen now, and a checklist as it stands now; with an open item nobody can agree."""

    async def carry_out(self, site: Site, view: ProposalView, by: str) -> tuple[bool, str]:
        """Do it, on the facts of this moment. Tells whether anything was done, and in words what."""

    def href(self, view: ProposalView) -> str:
        """Give the page of what it is about."""


KINDS: Final[dict[str, Seconded]] = {one.kind: one for one in (SecondReroute(), SecondRole(), SecondMeaning())}
"""Every kind that is agreed to here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One proposal in the list."""

    href: str
    words: str
    about: str
    by: str
    reason: str
    since: str
    until: str
    state: str
    mine: bool


def routes(site: Site) -> list[BaseRoute]:
    """Give the list, the page of one, and its two acts."""

    async def waiting(request: Request) -> Response:
        looker = site.looking(request, None)
        await site.note(looker, "waiting", "list")
        found = await site.enquiries.proposals(tenant=looker.tenant, now=site.now(), limit=_MOST + 1)
        rows = [_row(site, looker, one) for one in found if _may(looker, one)]
        return site.page(request, "waiting.html", rows=rows[:_MOST], more=len(found) > _MOST)

    async def one(request: Request) -> Response:
        looker, view = await _one(site, request)
        await site.note(looker, "waiting", str(view.proposal.id))
        return await _page(site, request, looker, view)

    async def agree(request: Request) -> Response:
        looker, view = await _one(site, request)
        form = await site.form(request)
        await site.note(looker, "agree", str(view.proposal.id))
        kind = KINDS[view.proposal.kind]
        barred = why_not_seconded(view, looker.name)
        if not barred:
            will, tasks = await kind.shows(site, view, looker.name)
            barred = _why_not_now(will, tasks, form)
        reasons = barred or await site.store.second(
            view.proposal.id, by=looker.name, tenant=looker.tenant, now=site.now()
        )
        if reasons:
            await note_nothing_done(site, looker, "agree", str(view.proposal.id))
            return await _page(site, request, looker, view, faults=reasons)
        try:
            done, words = await kind.carry_out(site, view, looker.name)
            await site.store.settle(view.proposal.id, done=done, outcome=words, now=site.now())
        except Unavailable:
            return site.to(request, _address(view), "It is not known if it was carried out. Check before doing more.")
        return site.to(request, _address(view), f"Agreed. {words}." if done else f"Agreed, and not done: {words}.")

    async def withdraw(request: Request) -> Response:
        looker, view = await _one(site, request)
        form = await site.form(request)
        reason = form.one("reason")
        if not reason or len(reason) > LONGEST:
            await note_nothing_done(site, looker, "withdraw", str(view.proposal.id))
            return await _page(
                site, request, looker, view, form=form, wrong=f"Give a reason of up to {LONGEST} letters"
            )
        await site.note(looker, "withdraw", str(view.proposal.id))
        reasons = await site.store.withdraw(
            view.proposal.id, by=looker.name, reason=reason, tenant=looker.tenant, now=site.now()
        )
        if reasons:
            await note_nothing_done(site, looker, "withdraw", str(view.proposal.id))
            return await _page(site, request, looker, view, form=form, faults=reasons)
        return site.to(request, _address(view), "Withdrawn. Nothing has moved.")

    return [
        Route("/waiting", waiting, methods=["GET"]),
        Route("/waiting/{proposal}", one, methods=["GET"]),
        Route("/waiting/{proposal}/agree", agree, methods=["POST"]),
        Route("/waiting/{proposal}/withdraw", withdraw, methods=["POST"]),
    ]


async def _one(site: Site, request: Request) -> tuple[Looker, ProposalView]:
    """Give who looks, and the proposal.

    Raises:
        HTTPException: 404, there is none, it is not theirs, or not of a kind that they may do (I9).
    """
    looker = site.looking(request, None)
    proposal = parse_uuid(request.path_params["proposal"])
    view = await site.enquiries.proposal(proposal, tenant=looker.tenant, now=site.now()) if proposal else None
    if view is None or not _may(looker, view):
        await site.note(looker, "waiting", "unknown proposal")
        raise HTTPException(404)
    return looker, view


def _may(looker: Looker, view: ProposalView) -> bool:
    kind = KINDS.get(view.proposal.kind)
    return kind is not None and looker.may(kind.action)


def _why_not_now(will: Sequence[str], tasks: Sequence[Task], form: Form) -> tuple[str, ...]:
    """Say why nobody can agree now: an item is open, or it would not do any more what the form was shown beside."""
    if any(task.open for task in tasks):
        return ("An item of the checklist is open.",)
    return () if form.one("seen") == _seen(will, tasks) else (_CHANGED,)


def _seen(will: Sequence[str], tasks: Sequence[Task]) -> str:
    """Give in short what a person was shown before agreeing to it."""
    shown = [*will, *(f"{task.words} {task.status} {task.hint}" for task in tasks)]
    return hashlib.sha256("\n".join(shown).encode()).hexdigest()


def _row(site: Site, looker: Looker, view: ProposalView) -> Row:
    now, proposal = site.now(), view.proposal
    return Row(
        href=_address(view),
        words=KINDS[proposal.kind].words,
        about=proposal.subject,
        by=proposal.by,
        reason=proposal.reason,
        since=f"{clock_time(proposal.at)}, {when(proposal.at, now)}",
        until=f"{clock_time(proposal.expires_at)}, {when(proposal.expires_at, now)}",
        state=WORDS[view.state],
        mine=same_person(proposal.by, looker.name),
    )


def _address(view: ProposalView) -> str:
    return f"{PATH}/{view.proposal.id}"


async def _page(
    site: Site,
    request: Request,
    looker: Looker,
    view: ProposalView,
    *,
    form: Form | None = None,
    faults: tuple[str, ...] = (),
    wrong: str = "",
) -> Response:
    """Give the page of one proposal, as it stands now."""
    stands = await site.enquiries.proposal(view.proposal.id, tenant=looker.tenant, now=site.now()) or view
    kind, still = KINDS[view.proposal.kind], stands.state is ProposalState.OPEN
    will, tasks = await kind.shows(site, stands, looker.name) if still else ((), ())
    status = 409 if faults else 422 if wrong else 200
    ended = f"{clock_time(stands.ended_at)}" if stands.ended_at else ""
    return site.page(
        request,
        "waiting_one.html",
        status,
        row=_row(site, looker, stands),
        about_href=kind.href(stands),
        will=will,
        tasks=tasks,
        still=still,
        blocked=any(task.open for task in tasks),
        seen=_seen(will, tasks),
        second=stands.second,
        ended=ended,
        ended_by=stands.ended_by,
        outcome=stands.outcome,
        unknown=stands.state is ProposalState.SECONDED,
        faults=faults,
        wrong=wrong,
        typed=(form or site.typed(request)).one("reason"),
    )
