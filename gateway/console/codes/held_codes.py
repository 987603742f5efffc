"""Held codes: what a trust sent and nothing here reads, and how two people give it a meaning.

One proposes a target that the search found, with a reason; another sees every message of the last 90 days that it would
touch, before and after, and approves or rejects. Held orders are then read again, each a task with a result.

Source: console.md 6.8, 7; mapping.md 5.
"""

import asyncio
from typing import Final
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.access.policy import Action
from gateway.console.codes import held_code_words as words
from gateway.console.csv_text import csv_response
from gateway.console.pages import named
from gateway.console.site import Entry, Form, Looker, Site
from gateway.console.trouble import Trouble, note_nothing_done
from gateway.console.whole_number import page_number
from gateway.console.words import clock_time
from gateway.domain.code_map import ApprovedEntry, MapKind
from gateway.domain.cover import Cover
from gateway.domain.errors import Unavailable
from gateway.domain.identifiers import derived_id, parse_uuid
from gateway.domain.proposal import ProposalView, same_person
from gateway.pipeline.code_desk import KIND, LOOKS_BACK, PAGE, CodeDesk
from gateway.pipeline.code_desk import read as meaning_of
from gateway.pipeline.code_targets import Candidate, Found
from gateway.ports.code_maps import HeldCode

ENTRIES: Final = (Entry(words="Held codes", href="/console/held-codes", action=Action.PROPOSE_CODE),)
_MOST_LOOKS: Final = 60
_LAST_PAGE: Final = 9_999
"""Orders whose supply is reckoned for the list; beyond these each code's own page says it."""
_LONGEST_REASON: Final = 500
_LONGEST_SEARCH: Final = 100
_ACTS: Final = {
    "propose": "propose a meaning",
    "approve": "approve a meaning",
    "reject": "reject a meaning",
    "take-back": "take an entry back",
    "read-again": "read again",
}
"""What the audit calls each act, by the end of its address."""


def routes(site: Site) -> list[BaseRoute]:
    """Give the list, the page of a code, and its acts."""
    pages = _Pages(site)
    one = "/held-codes/{code_id}"
    return [
        Route("/held-codes", pages.all, methods=["GET"]),
        Route("/held-codes.csv", pages.as_csv, methods=["GET"]),
        Route(one, pages.one, methods=["GET"]),
        Route(f"{one}/propose", pages.propose, methods=["POST"]),
        Route(f"{one}/approve", pages.look_at, methods=["GET"]),
        Route(f"{one}/approve", pages.approve, methods=["POST"]),
        Route(f"{one}/reject", pages.reject, methods=["POST"]),
        Route(f"{one}/take-back", pages.take_back, methods=["POST"]),
        Route(f"{one}/read-again", pages.read_again, methods=["POST"]),
    ]


class _Pages:
    """The handlers; each notes what is looked at before it shows anything."""

    def __init__(self, site: Site) -> None:
        self._site = site

    @property
    def _desk(self) -> CodeDesk:
        return self._site.service(CodeDesk)

    async def all(self, request: Request) -> Response:
        """List the codes for which a line is held now."""
        site = self._site
        looker = site.looking(request, Action.PROPOSE_CODE)
        await site.note(looker, "held codes", str(looker.tenant or "all"))
        found = await site.enquiries.held_codes(tenant=looker.tenant)
        covers, now = await self._covers(looker, found), site.now()
        waiting = await site.enquiries.proposals(tenant=looker.tenant, now=now, limit=500)
        proposed = {one.proposal.subject for one in waiting if one.proposal.kind == KIND}
        rows = [
            words.row(held, covers.get(held.code_id), site.names, now, proposed=str(held.code_id) in proposed)
            for held in found
        ]
        lines = sum(held.waiting for held in found)
        return site.page(request, "held_codes.html", 200, rows=rows, lines=lines, as_of=clock_time(now))

    async def as_csv(self, request: Request) -> Response:
        """Give the same list as a file."""
        site = self._site
        looker = site.looking(request, Action.PROPOSE_CODE)
        await site.note(looker, "held codes as a file", str(looker.tenant or "all"))
        found = await site.enquiries.held_codes(tenant=looker.tenant)
        header = ("trust", "kind", "code", "text", "system", "issue", "orders_seen", "first_seen", "last_seen", "lines")
        return csv_response(
            "held-codes",
            header,
            [
                (
                    held.trust.value,
                    held.unknown.kind.value,
                    held.unknown.code,
                    held.unknown.text,
                    held.unknown.system,
                    held.unknown.issue,
                    held.seen,
                    held.first_seen,
                    held.last_seen,
                    held.waiting,
                )
                for held in found
            ],
        )

    async def _covers(self, looker: Looker, found: tuple[HeldCode, ...]) -> dict[UUID, list[Cover]]:
        """Give the supply of the lines that wait for each code, for as many codes as can be looked at in time."""
        out: dict[UUID, list[Cover]] = {}
        looks = 0
        for held in found:
            looks += held.waiting
            if looks > _MOST_LOOKS:
                break
            orders = await self._site.enquiries.waiting_orders(held.code_id, tenant=looker.tenant)
            covers = [await self._site.enquiries.covers(one.prescription_id, tenant=looker.tenant) for one in orders]
            out[held.code_id] = [cover for each in covers for cover in each.values()]
        return out

    async def one(self, request: Request) -> Response:
        """Show one code: what was sent, who waits, what was done; and the search."""
        looker = self._site.looking(request, Action.PROPOSE_CODE)
        held = await self._held(looker, request, "held code")
        typed = self._site.typed(request)
        asked = request.query_params.get("words", "")[:_LONGEST_SEARCH].strip() or typed.one("words")
        return await self._page(request, looker, held, typed, asked)

    async def propose(self, request: Request) -> Response:
        """Propose what the code means."""
        looker, held, form = await self._act(request, Action.PROPOSE_CODE)
        asked = form.one("words")
        chosen = self._chosen(held, form)
        wrong = _reason_wrong(form)
        if chosen is None:
            wrong["target"] = (
                "Type a code that is in the table, and its words where they are asked for"
                if words.typed(held.unknown)
                else "Choose what the code means. If none of these is right, search with other words"
            )
        if wrong or chosen is None:
            return await self._page(request, looker, held, form, asked, Trouble(wrong=wrong))
        try:
            reasons = await self._desk.propose(
                held,
                chosen,
                by=looker.name,
                reason=form.one("reason"),
                token=derived_id("proposal", str(held.code_id), looker.name, form.token),
            )
        except Unavailable:
            return await self._page(request, looker, held, form, asked, Trouble(unknown=form.token[:8]))
        if reasons:
            return await self._page(request, looker, held, form, asked, Trouble(reasons=reasons))
        notice = "Proposed. Nothing is read by it yet: a second person has to look at it and approve it."
        return self._site.to(request, words.address(held.code_id), notice)

    async def look_at(self, request: Request) -> Response:
        """Show what a proposal would do, to the second person."""
        looker = self._site.looking(request, Action.APPROVE_CODE)
        held = await self._held(looker, request, "proposed meaning")
        proposal = await self._desk.open_proposal(held.code_id, tenant=looker.tenant)
        return await self._approval(request, looker, held, proposal, self._site.typed(request))

    async def approve(self, request: Request) -> Response:
        """Approve a proposal as the second person."""
        looker, held, form = await self._act(request, Action.APPROVE_CODE)
        proposal = await self._desk.open_proposal(held.code_id, tenant=looker.tenant)
        if proposal is None or str(proposal.proposal.id) != form.one("proposal"):
            changed = "This proposal is no longer the one you looked at. Nothing was approved."
            return await self._approval(request, looker, held, proposal, form, Trouble(changed=changed))
        if not form.one("looked"):
            wrong = {"looked": "Confirm that you have compared the words sent with what they are to mean"}
            return await self._approval(request, looker, held, proposal, form, Trouble(wrong=wrong))
        try:
            came = await self._desk.approve(proposal, by=looker.name)
        except Unavailable:
            trouble = Trouble(unknown=form.token[:8])
            return await self._approval(request, looker, held, proposal, form, trouble)
        if not isinstance(came, ApprovedEntry):
            return await self._approval(request, looker, held, proposal, form, Trouble(reasons=came))
        notice = f"Approved as entry v{came.number}. It counts for messages from now. Held orders are being read again."
        return self._site.to(request, words.address(held.code_id), notice)

    async def reject(self, request: Request) -> Response:
        """Reject a proposal, or take one's own back; either needs a reason."""
        looker, held, form = await self._act(request, Action.PROPOSE_CODE)
        proposal = await self._desk.open_proposal(held.code_id, tenant=looker.tenant)
        if proposal is None or not self._may_end(looker, proposal):
            await note_nothing_done(self._site, looker, _act_of(request), str(held.code_id))
            raise HTTPException(404)
        wrong = _reason_wrong(form)
        if wrong:
            return await self._approval(request, looker, held, proposal, form, Trouble(wrong=wrong))
        reasons = await self._desk.reject(proposal, by=looker.name, reason=form.one("reason"))
        if reasons:
            return await self._approval(request, looker, held, None, form, Trouble(reasons=reasons))
        notice = "Rejected, with your reason. The code has no meaning here, and its orders stay held."
        return self._site.to(request, words.address(held.code_id), notice)

    async def take_back(self, request: Request) -> Response:
        """Take an entry back, for messages that come from now on."""
        looker, held, form = await self._act(request, Action.APPROVE_CODE)
        if held.entry is None or str(held.entry.number) != form.one("entry"):
            changed = "This entry is no longer the one you looked at. Nothing was taken back."
            return await self._page(request, looker, held, form, "", Trouble(changed=changed))
        if wrong := _reason_wrong(form):
            return await self._page(request, looker, held, form, "", Trouble(wrong=wrong))
        reasons = await self._desk.withdraw(held.entry, by=looker.name, reason=form.one("reason"))
        if reasons:
            return await self._page(request, looker, held, form, "", Trouble(reasons=reasons))
        notice = "Taken back. No later message is read by it. What was read by it before stays as it was."
        return self._site.to(request, words.address(held.code_id), notice)

    async def read_again(self, request: Request) -> Response:
        """Have the held orders with a code read again."""
        looker, held, form = await self._act(request, Action.PROPOSE_CODE)
        if wrong := _reason_wrong(form):
            return await self._page(request, looker, held, form, "", Trouble(wrong=wrong))
        count = await self._desk.read_again(held, by=looker.name, reason=form.one("reason"))
        if not count:
            await note_nothing_done(self._site, looker, _act_of(request), str(held.code_id))
        notice = f"{count} held {'order is' if count == 1 else 'orders are'} read again from what was sent."
        return self._site.to(request, words.address(held.code_id), notice)

    async def _act(self, request: Request, action: Action) -> tuple[Looker, HeldCode, Form]:
        looker = self._site.looking(request, action)
        form = await self._site.form(request)
        return looker, await self._held(looker, request, _act_of(request)), form

    async def _held(self, looker: Looker, request: Request, what: str) -> HeldCode:
        """Read the code as it stands.

        Raises:
            HTTPException: 404, there is none, or it is not theirs (I9).
        """
        code_id = parse_uuid(request.path_params["code_id"])
        held = await self._site.enquiries.held_code(code_id, tenant=looker.tenant) if code_id else None
        await self._site.note(looker, what, str(held.code_id) if held else "unknown code")
        if held is None:
            raise HTTPException(404)
        return held

    def _chosen(self, held: HeldCode, form: Form) -> Candidate | None:
        if not form.one("target"):
            return None
        return self._desk.target(held.unknown, form.one("target"), form.one("display"))

    def _may_end(self, looker: Looker, proposal: ProposalView) -> bool:
        return looker.may(Action.APPROVE_CODE) or same_person(looker.name, proposal.proposal.by)

    async def _page(  # noqa: PLR0917 - who asks, about what, with what typed and what wrong
        self,
        request: Request,
        looker: Looker,
        held: HeldCode,
        form: Form,
        asked: str,
        trouble: Trouble | None = None,
    ) -> Response:
        if trouble and not trouble.unknown:
            await note_nothing_done(self._site, looker, _act_of(request), str(held.code_id))
        site, now = self._site, self._site.now()
        orders = await site.enquiries.waiting_orders(held.code_id, tenant=looker.tenant)
        readable = looker.may(Action.READ_CONSOLE)
        shown = [
            words.waiting(
                one,
                await site.enquiries.covers(one.prescription_id, tenant=looker.tenant),
                now,
                readable=readable,
            )
            for one in orders[:PAGE]
        ]
        proposals = await self._desk.proposals(held.code_id, tenant=looker.tenant)
        opened = await self._desk.open_proposal(held.code_id, tenant=looker.tenant)
        found = await self._found(held, asked)
        return site.page(
            request,
            "held_code.html",
            trouble.status if trouble else 200,
            sent=words.sent(held.unknown),
            trust=named(held.trust, site.names),
            reference=words.reference(held.code_id),
            here_page=words.address(held.code_id),
            seen=held.seen,
            first_seen=clock_time(held.first_seen),
            last_seen=clock_time(held.last_seen),
            lines=held.waiting,
            orders=shown,
            more_orders=max(0, len(orders) - PAGE),
            entry=words.entry(held.entry) if held.entry else None,
            versions=[words.entry(one) for one in await site.enquiries.entries_of(held.code_id, tenant=looker.tenant)],
            opened=words.proposed(opened) if opened else None,
            own=opened is not None and same_person(opened.proposal.by, looker.name),
            may_end=opened is not None and self._may_end(looker, opened),
            proposals=[words.proposed(one) for one in proposals],
            rereads=[
                words.read_again(one, readable=readable)
                for one in await site.enquiries.rereads_of(held.code_id, tenant=looker.tenant)
            ],
            may_approve=looker.may(Action.APPROVE_CODE),
            typed=words.typed(held.unknown),
            typed_words=held.unknown.kind is not MapKind.TIMING,
            table=words.TABLES.get(held.unknown.kind, ""),
            release=self._desk.release,
            asked=asked,
            found=[words.choice(one) for one in found.candidates],
            more=found.more,
            values={name: form.one(name) for name in ("target", "display", "reason")},
            as_of=clock_time(now),
            **_told(trouble),
        )

    async def _found(self, held: HeldCode, asked: str) -> Found:
        """Search; a whole release takes a moment, in which the others must not wait."""
        if not asked or not held.unknown.can_be_mapped or words.typed(held.unknown):
            return Found(candidates=())
        return await asyncio.to_thread(self._desk.search, held.unknown, asked)

    async def _approval(  # noqa: PLR0917 - who asks, about what, with what typed and what wrong
        self,
        request: Request,
        looker: Looker,
        held: HeldCode,
        proposal: ProposalView | None,
        form: Form,
        trouble: Trouble | None = None,
    ) -> Response:
        if trouble and not trouble.unknown:
            await note_nothing_done(self._site, looker, _act_of(request), str(held.code_id))
        site, chosen, trial = self._site, None, None
        number = page_number(request.query_params.get("page", ""), last=_LAST_PAGE)
        if proposal is not None:
            meant = meaning_of(proposal.proposal.payload)
            chosen = self._desk.target(meant.unknown, meant.target.code, meant.target.display)
            trial = await self._desk.try_out(held, meant.target, page=number)
        total = trial.total if trial else 0
        return site.page(
            request,
            "held_code_approve.html",
            trouble.status if trouble else 200,
            sent=words.sent(held.unknown),
            trust=named(held.trust, site.names),
            reference=words.reference(held.code_id),
            here_page=words.address(held.code_id),
            proposal=words.proposed(proposal) if proposal else None,
            own=proposal is not None and same_person(proposal.proposal.by, looker.name),
            may_approve=looker.may(Action.APPROVE_CODE),
            choice=words.choice(chosen) if chosen else None,
            effects=[words.effect(one) for one in trial.tried] if trial else [],
            total=total,
            days=LOOKS_BACK.days,
            first=(number - 1) * PAGE + 1,
            last=min(number * PAGE, total),
            number=number,
            has_next=number * PAGE < total,
            values={name: form.one(name) for name in ("reason", "looked")},
            as_of=clock_time(site.now()),
            **_told(trouble),
        )


def _act_of(request: Request) -> str:
    return _ACTS[request.url.path.rpartition("/")[2]]


def _told(trouble: Trouble | None) -> dict[str, object]:
    told = trouble or Trouble()
    wrong = told.wrong or {}
    return {
        "wrong": wrong,
        "faults": [(text, f"#{name}") for name, text in wrong.items()],
        "reasons": told.reasons,
        "changed": told.changed,
        "unknown": told.unknown,
    }


def _reason_wrong(form: Form) -> dict[str, str]:
    reason = form.one("reason")
    if not reason:
        return {"reason": "Give a reason"}
    if len(reason) > _LONGEST_REASON:
        return {"reason": f"Use at most {_LONGEST_REASON} characters: these are {len(reason)}"}
    return {}
