"""The pharmacist's check: what waits for it, the one page it is made from, and passing or returning an order.

An order is passed by itself, by a form that is filled in: nothing passes by a key, and nothing passes several. The form
carries what was seen; where a line moved meanwhile nothing is done. What was not sent says so.

Source: console.md 6.4, 7; mapping.md 10.2.
"""

from typing import Final
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.access.policy import Action
from gateway.console.csv_text import csv_response
from gateway.console.pages import named
from gateway.console.screening import screening_words as words
from gateway.console.site import Entry, Form, Looker, Site
from gateway.console.trouble import Trouble, note_nothing_done
from gateway.console.words import clock_time
from gateway.domain.acts import Act
from gateway.domain.errors import Unavailable
from gateway.domain.identifiers import parse_uuid
from gateway.domain.labels import LABELS
from gateway.domain.lifecycle import LineState
from gateway.pipeline.screening import Case, ScreeningDesk

ENTRIES: Final = (Entry(words="Screening", href="/console/screening", action=Action.PHARMACY),)
MOST: Final = 200
_DECISION: Final = "screening decision"
_LONGEST_REASON: Final = 500
_PASS, _RETURN = "pass", "return"


def routes(site: Site) -> list[BaseRoute]:
    """Give the list, the page of an order, and what becomes of it."""
    pages = _Pages(site)
    return [
        Route("/screening", pages.all, methods=["GET"]),
        Route("/screening.csv", pages.as_csv, methods=["GET"]),
        Route("/screening/{prescription_id}", pages.one, methods=["GET"]),
        Route("/screening/{prescription_id}", pages.decide, methods=["POST"]),
    ]


class _Pages:
    """The handlers; each notes what is looked at before it shows anything."""

    def __init__(self, site: Site) -> None:
        self._site = site

    @property
    def _desk(self) -> ScreeningDesk:
        return self._site.service(ScreeningDesk)

    async def all(self, request: Request) -> Response:
        """List what waits for the check, the one to be acted on first first."""
        site = self._site
        looker = site.looking(request, Action.PHARMACY)
        await site.note(looker, "screening", str(looker.tenant or "all"))
        found, now = await self._desk.waiting(tenant=looker.tenant, limit=MOST + 1), site.now()
        rows = [words.row(one, site.names, now) for one in found[:MOST]]
        return site.page(
            request, "screening.html", 200, rows=rows, more=len(found) > MOST, most=MOST, as_of=clock_time(now)
        )

    async def as_csv(self, request: Request) -> Response:
        """Give the same list as a file."""
        site = self._site
        looker = site.looking(request, Action.PHARMACY)
        await site.note(looker, "screening as a file", str(looker.tenant or "all"))
        found = await self._desk.waiting(tenant=looker.tenant, limit=MOST)
        header = ("prescription", "number", "trust", "patient", "medicines", "received", "act_by", "urgent")
        return csv_response(
            "screening",
            header,
            [
                (
                    str(one.prescription_id),
                    one.number,
                    one.tenant.value,
                    one.patient,
                    "; ".join(one.medicines),
                    one.received_at,
                    one.act_by,
                    "yes" if one.urgent else "no",
                )
                for one in found
            ],
        )

    async def one(self, request: Request) -> Response:
        """Show one order for its check."""
        looker = self._site.looking(request, Action.PHARMACY)
        case = await self._case(looker, request)
        await self._site.note(looker, "screening page", str(case.prescription_id))
        return self._page(request, case, self._site.typed(request))

    async def decide(self, request: Request) -> Response:
        """Pass the order or return it to its prescriber, if it still stands as it was seen."""
        looker = self._site.looking(request, Action.PHARMACY)
        form = await self._site.form(request)
        case = await self._case(looker, request)
        if set(form.many("seen")) != set(_seen(case)):
            await self._not_done(looker, case)
            return self._page(request, case, form, Trouble(changed=_moved(case)))
        wrong = _wrong(form)
        if wrong:
            await self._not_done(looker, case)
            return self._page(request, case, form, Trouble(wrong=wrong))
        await self._site.note(looker, _DECISION, str(case.prescription_id))
        try:
            reasons = await self._carry_out(case, form, looker)
        except Unavailable:
            return self._page(request, case, form, Trouble(unknown=form.token[:8] or "none"))
        if reasons:
            await self._not_done(looker, case)
            again = await self._case(looker, request)
            return self._page(request, again, form, Trouble(reasons=reasons))
        return self._site.to(request, "/console/screening", _done(case, form))

    async def _carry_out(self, case: Case, form: Form, looker: Looker) -> tuple[str, ...]:
        act = Act(
            prescription_id=case.prescription_id,
            by=looker.name,
            reason=form.one("reason"),
            now=self._site.now(),
            tenant=case.tenant,
        )
        if form.one("decision") == _PASS:
            return await self._desk.screen(act)
        moved = await self._desk.fail(act)
        return () if moved else ("No line of it waits for the check now: look again.",)

    async def _not_done(self, looker: Looker, case: Case) -> None:
        await note_nothing_done(self._site, looker, _DECISION, str(case.prescription_id))

    async def _case(self, looker: Looker, request: Request) -> Case:
        """Read the order as it stands now.

        Raises:
            HTTPException: 404, there is none, or it is not theirs (I9).
        """
        prescription_id: UUID | None = parse_uuid(request.path_params["prescription_id"])
        case = await self._desk.look(prescription_id, tenant=looker.tenant) if prescription_id else None
        if case is None:
            await self._site.note(looker, "screening page", "unknown prescription")
            raise HTTPException(404)
        return case

    def _page(self, request: Request, case: Case, form: Form, trouble: Trouble | None = None) -> Response:
        told = trouble or Trouble()
        wrong, now = told.wrong or {}, self._site.now()
        return self._site.page(
            request,
            "screening_one.html",
            told.status if trouble else 200,
            **words.about(case, now),
            trust=named(case.tenant, self._site.names),
            here_page=f"/console/screening/{case.prescription_id}",
            seen=_seen(case),
            waits=case.waits,
            stands=_stands(case),
            values={name: form.one(name) for name in ("decision", "reason")},
            wrong=wrong,
            faults=[(text, f"#{'decision-1' if name == 'decision' else name}") for name, text in wrong.items()],
            reasons=told.reasons,
            changed=told.changed,
            unknown=told.unknown,
            as_of=clock_time(now),
        )


def _seen(case: Case) -> list[str]:
    return [f"{line.line.id} {line.state}" for line in case.lines]


def _stands(case: Case) -> str:
    return ", ".join(dict.fromkeys(LABELS[line.state] for line in case.lines))


def _moved(case: Case) -> str:
    return f"It stands now as: {_stands(case)}. Your decision was not carried out."


def _wrong(form: Form) -> dict[str, str]:
    found = {}
    if form.one("decision") not in {_PASS, _RETURN}:
        found["decision"] = "Choose whether it passes or goes back to the prescriber"
    reason = form.one("reason")
    if not reason:
        found["reason"] = "Write what you checked, or why it goes back"
    elif len(reason) > _LONGEST_REASON:
        found["reason"] = f"Use at most {_LONGEST_REASON} characters: these are {len(reason)}"
    return found


def _done(case: Case, form: Form) -> str:
    number = str(case.prescription.number)
    if form.one("decision") == _PASS:
        return (
            f"{number} passed the check. It is {LABELS[LineState.READY].lower()}; it has not been sent or accepted yet."
        )
    return f"{number} was returned, with your reason. It is held, and goes to nobody, until the trust corrects it."
