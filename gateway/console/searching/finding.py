"""Searching, and what it finds; the address of a result says nothing of what was sought (D16, console.md 6.2)."""

import json
from dataclasses import dataclass
from datetime import date
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.console.searching import results
from gateway.console.searching.seek import LONGEST, Sought, seek
from gateway.console.site import Entry, Form, Looker, Site
from gateway.console.words import clock_time
from gateway.domain.name_key import name_key
from gateway.domain.notice import alert_of
from gateway.ports.looking_up import NamedHits, NameSought

ENTRIES: Final = (Entry(words="Search", href="/console/search"),)
_BY_NAME: Final = "\x1fname\x1f"
"""Begins a search by name in a session; nothing that can be typed into the box begins so."""
_EMPTY: Final = "Enter an NHS number, or a prescription, order, PO or message number."
_TOO_LONG: Final = f"Enter no more than {LONGEST} characters, and none that cannot be seen."
_OLDEST: Final = 1880


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong with a field, for the summary and beside the field itself."""

    field: str
    words: str


def routes(site: Site) -> list[BaseRoute]:
    """Give the addresses of the search."""
    finding = _Finding(site)
    return [
        Route("/search", finding.box, methods=["GET"]),
        Route("/search", finding.search, methods=["POST"]),
        Route("/search/name", finding.name_page, methods=["GET"]),
        Route("/search/name", finding.search_name, methods=["POST"]),
        Route("/results/{key}", finding.results, methods=["GET"]),
    ]


class _Finding:
    """The pages of the search."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def box(self, request: Request) -> Response:
        looker = self._site.looking(request)
        await self._site.note(looker, "view", "search")
        return self._box(request, self._site.typed(request).one("q"))

    async def search(self, request: Request) -> Response:
        text = (await self._site.form(request)).one("q")
        session = self._site.looking(request).session
        if session is None:
            raise HTTPException(404)
        if not text or len(text) > LONGEST or not text.isprintable():
            return self._box(request, text, _TOO_LONG if text else _EMPTY, 422)
        return self._site.to(request, f"/console/results/{await self._site.sessions.remember(session, text)}")

    async def name_page(self, request: Request) -> Response:
        looker = self._site.looking(request)
        await self._site.note(looker, "view", "search by name")
        return self._name_page(request, self._site.typed(request))

    async def search_name(self, request: Request) -> Response:
        form = await self._site.form(request)
        session = self._site.looking(request).session
        if session is None:
            raise HTTPException(404)
        sought, faults = read_name(form, self._site.now().date())
        if sought is None:
            return self._name_page(request, form, faults, 422)
        said = json.dumps([sought.family, sought.born.isoformat(), sought.given, sought.postcode])
        return self._site.to(
            request, f"/console/results/{await self._site.sessions.remember(session, _BY_NAME + said)}"
        )

    async def results(self, request: Request) -> Response:
        looker = self._site.looking(request)
        key, session = request.path_params["key"], looker.session
        text = await self._site.sessions.sought(session, key) if session else None
        if not text:
            raise HTTPException(404)
        if text.startswith(_BY_NAME):
            family, born, given, postcode = json.loads(text.removeprefix(_BY_NAME))
            wanted = NameSought(family=family, born=date.fromisoformat(born), given=given, postcode=postcode)
            return await self._named(request, looker, wanted)
        sought = await seek(text, self._site.enquiries, tenant=looker.tenant)
        item = await self._item(text, looker)
        if item and not sought.hits.hits and not sought.refused:
            await self._site.note(looker, "search by reference", f"alert {item}")
            return self._site.to(request, f"/console/work/{item}")
        ids = " ".join(str(hit.found.prescription_id) for hit in sought.hits.hits)
        await self._site.note(looker, f"search by {sought.kinds[0]}", ids or "nothing found")
        if sought.fault:
            return self._box(request, text, sought.fault, 422, searched=True)
        return self._found(request, sought, item)

    async def _item(self, text: str, looker: Looker) -> int:
        """Give the item that is called so on the telephone and in notices; 0 where none is, or it is not theirs."""
        alert = alert_of(text)
        found = await self._site.enquiries.work_item(alert, tenant=looker.tenant) if alert is not None else None
        return found.alert or 0 if found is not None else 0

    async def _named(self, request: Request, looker: Looker, wanted: NameSought) -> Response:
        named = await self._site.enquiries.by_name(wanted, tenant=looker.tenant)
        ids = " ".join(str(hit.found.prescription_id) for hit in named.hits)
        await self._site.note(looker, "search by name", ids or ("too many" if named.too_many else "nothing found"))
        now = self._site.now()
        return self._site.page(
            request,
            "results_named.html",
            heading=_named_heading(named),
            named=named,
            family=wanted.family,
            people=results.people(named.hits, self._site.names, now),
            unread=clock_time(named.unread_from) if named.unread_from else "",
        )

    def _found(self, request: Request, sought: Sought, item: int) -> Response:
        now = self._site.now()
        return self._site.page(
            request,
            "results.html",
            sought=sought,
            item=item,
            kinds=" or ".join(sought.kinds),
            heading=_heading(sought),
            people=results.people(sought.hits.hits, self._site.names, now),
            cut_off=results.cut_off(sought.hits),
            refused=results.refused_rows(sought.refused, self._site.names),
        )

    def _box(
        self, request: Request, typed: str, fault: str = "", status: int = 200, *, searched: bool = False
    ) -> Response:
        faults = [Fault(field="sought", words=fault)] if fault else []
        shown = {"typed": typed[: LONGEST * 2], "faults": faults, "searched": searched}
        return self._site.page(request, "search.html", status, **shown)

    def _name_page(self, request: Request, form: Form, faults: tuple[Fault, ...] = (), status: int = 200) -> Response:
        typed = {name: form.one(name) for name in ("family", "given", "postcode", "day", "month", "year")}
        return self._site.page(
            request, "search_name.html", status, typed=typed, faults=faults, wrong={one.field: one for one in faults}
        )


def read_name(form: Form, today: date) -> tuple[NameSought | None, tuple[Fault, ...]]:
    """Read a search by name, or say what is wrong with it."""
    faults: list[Fault] = []
    family, given, postcode = form.one("family"), form.one("given"), form.one("postcode")
    if not name_key(family):
        faults.append(Fault(field="family", words="Enter the last name."))
    if max(map(len, (family, given, postcode))) > LONGEST:
        faults.append(Fault(field="family", words=_TOO_LONG))
    born = _date(form.one("day"), form.one("month"), form.one("year"))
    if isinstance(born, date) and not date(_OLDEST, 1, 1) <= born <= today:
        born = f"The date of birth must be between {_OLDEST} and today."
    if not isinstance(born, date):
        faults.append(Fault(field="day", words=born))
    if faults or not isinstance(born, date):
        return None, tuple(faults)
    return NameSought(family=family, born=born, given=given, postcode=postcode), ()


def _date(day: str, month: str, year: str) -> date | str:
    if not (day or month or year):
        return "Enter the date of birth."
    missing = [word for word, value in (("day", day), ("month", month), ("year", year)) if not value]
    if missing:
        return f"The date of birth must include a {' and a '.join(missing)}."
    try:
        return date(int(year), int(month), int(day))
    except (ValueError, OverflowError):
        return "The date of birth must be a real date, for example 12 4 1979."


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _heading(sought: Sought) -> str:
    if not sought.hits.total:
        return f"{sought.shown}: no prescription"
    return f"{sought.shown}: {_count(sought.hits.total, 'prescription', 'prescriptions')}"


def _named_heading(named: NamedHits) -> str:
    if named.too_many:
        return "Too many people have this name and date of birth"
    if not named.people:
        return "Nobody was found by this name and date of birth"
    people = _count(named.people, "person", "people")
    return f"{people}, {_count(named.total, 'prescription', 'prescriptions')}"
