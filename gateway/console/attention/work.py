"""The pages of work items: one item in full, and what a person does about one or several (console.md 6.1).

Each act says first what will happen. It is done once however often the form is sent, and not at all where somebody else
has taken the item meanwhile, or its line has moved: then both are said, and what was typed stands.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.access.policy import Action
from gateway.console.attention.attention_query import address, read
from gateway.console.attention.attention_words import Row, row_of
from gateway.console.attention.note_words import note_of
from gateway.console.attention.work_acts import ACTS, REMIND, reminder
from gateway.console.attention.work_shape import Case, WorkAct, Wrong
from gateway.console.in_force.told import told_of
from gateway.console.site import HOME, Form, Looker, Names, Site
from gateway.console.trouble import note_nothing_done
from gateway.console.whole_number import whole_number
from gateway.console.words import STATES, clock_time
from gateway.domain.errors import Unavailable
from gateway.domain.lifecycle import LineState
from gateway.ports.attention import NO_SUCH_ITEM, WorkItem

TENDED_PATH: Final = "/console/gateway"
"""Where whoever runs the gateway finds the same items, without anything of a patient."""
_MOST_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where people work on items: a trust's people on theirs, whoever runs the gateway on its own.

    Attributes:
        path: of an item and its acts.
        home: of the list.
        item: gives an item by its number; None where there is none, or it is not theirs.
        row: gives it in words.
        acts: what can be done about it.
        may: what must be allowed for an act, where not its own.
        called: what an item is called, where a page could be taken for one of another desk.
    """

    path: str
    home: str
    item: Callable[[Site, Looker, int], Awaitable[WorkItem | None]]
    row: Callable[[WorkItem, Looker, Names, datetime], Row]
    acts: tuple[WorkAct, ...]
    may: Action | None = None
    called: str = "item"

    def action(self, act: WorkAct) -> Action:
        """Give what a person must be allowed for an act."""
        return self.may or act.action


async def _of_trust(site: Site, looker: Looker, alert: int) -> WorkItem | None:
    return await site.enquiries.work_item(alert, tenant=looker.tenant)


_DESK: Final = Desk(path="/console/work", home=HOME, item=_of_trust, row=row_of, acts=ACTS)


def routes(site: Site) -> list[BaseRoute]:
    """Give the addresses of work items."""

    async def item(request: Request) -> Response:
        """Show one item in full."""
        looker = site.looking(request, None)
        if not looker.may(Action.READ_CONSOLE) and looker.may(Action.TEND):
            return site.to(request, f"{TENDED_PATH}/{request.path_params['alert']}")  # where a notice leads
        looker = site.looking(request)
        found = await item_of(site, _DESK, looker, request)
        await site.note(looker, "view", f"alert {found.alert}")
        now = site.now()
        alone = Case(site=site, looker=looker, items=(found,), now=now, seen={})
        notes = await site.enquiries.work_notes(found.alert or 0, tenant=looker.tenant)
        return site.page(
            request,
            "work_item.html",
            row=row_of(found, looker, site.names, now),
            number=found.alert,
            closed=clock_time(found.closed_at) if found.closed_at else "",
            put_off=clock_time(found.snoozed_until) if found.snoozed_until and found.snoozed_until > now else "",
            notes=[note_of(note, now) for note in notes],
            told=await told_of(site, looker, found.alert or 0, now),
            acts=[
                act
                for act in ACTS
                if looker.may(act.action) and not found.closed_at and not (act is REMIND and act.why_not(alone))
            ],
            may_work=looker.may(Action.WORK) and not found.closed_at,
            back=HOME,
        )

    return [*acting(site, _DESK, Action.WORK), Route("/work/{alert:int}", item, methods=["GET"])]


def acting(site: Site, desk: Desk, taking: Action) -> list[BaseRoute]:
    """Give the addresses of taking and of every other act at a desk."""

    async def take(request: Request) -> Response:
        """Take one item, or those that were chosen."""
        looker = site.looking(request, taking)
        form = await site.form(request)
        chosen = _chosen(form)
        if not chosen:
            await note_nothing_done(site, looker, "take", "no item")
            return site.to(request, _back(desk, form, looker), "Nothing was chosen, and nothing was taken.")
        await site.note(looker, "take", _subject(chosen))
        seen = {alert: who for alert, who in chosen.items() if await desk.item(site, looker, alert) is not None}
        answers = await site.store.take(tuple(seen), by=looker.name, seen=seen, tenant=looker.tenant, now=site.now())
        told = dict.fromkeys(chosen, NO_SUCH_ITEM) | dict(answers)
        if all(told.values()):
            await note_nothing_done(site, looker, "take", _subject(chosen))
        return site.to(request, _back(desk, form, looker), _taken(told))

    return [
        Route(f"{_beneath(desk)}/take", take, methods=["POST"]),
        *(route for act in desk.acts for route in _of(site, desk, act)),
    ]


def _beneath(desk: Desk) -> str:
    return desk.path.removeprefix(HOME.rstrip("/"))


def _of(site: Site, desk: Desk, act: WorkAct) -> list[BaseRoute]:
    """Give the addresses of one act: about one item, and about several where that can be."""

    async def ask(request: Request) -> Response:
        looker = site.looking(request, desk.action(act))
        found = await item_of(site, desk, looker, request)
        await site.note(looker, f"{act.name} page", f"alert {found.alert}")
        case = await _case(site, looker, (found,))
        return _page(request, desk, act, case, site.typed(request))

    async def carry_out(request: Request) -> Response:
        looker = site.looking(request, desk.action(act))
        form = await site.form(request)
        found = await item_of(site, desk, looker, request)
        case = await _case(site, looker, (found,), seen=_chosen(form))
        return await _carry_out(request, desk, act, case, form)

    async def several(request: Request) -> Response:
        """Ask about the rows that were chosen, or do it where that was answered."""
        looker = site.looking(request, desk.action(act))
        form = await site.form(request)
        seen = _chosen(form)
        items = [await desk.item(site, looker, alert) for alert in seen]
        found = tuple(one for one in items if one is not None and not one.closed_at)
        if not found:
            await note_nothing_done(site, looker, act.name, _subject(seen) if seen else "no item")
            return site.to(request, _back(desk, form, looker), "Nothing was chosen, and nothing was done.")
        case = await _case(site, looker, found, seen=seen)
        if not form.one("asked"):
            await site.note(looker, f"{act.name} page", _subject(case.numbers))
            return _page(request, desk, act, case, form)
        return await _carry_out(request, desk, act, case, form)

    path = f"{_beneath(desk)}/{{alert:int}}/{act.name}"
    return [
        Route(path, ask, methods=["GET"]),
        Route(path, carry_out, methods=["POST"]),
        *([Route(f"{_beneath(desk)}/{act.name}", several, methods=["POST"])] if act.several else []),
    ]


async def _carry_out(request: Request, desk: Desk, act: WorkAct, case: Case, form: Form) -> Response:
    site = case.site
    changed = _changed(case, form)
    if changed or act.why_not(case):
        await _not_done(case, act)
        return _page(request, desk, act, case, form, reasons=changed, status=409 if changed else 422)
    values = {name: form.one(name) for name in form.values}
    await site.note(case.looker, act.name, _subject(case.numbers))
    try:
        answers = await act.do(case, values)
    except Wrong as wrong:
        await _not_done(case, act)
        return _page(request, desk, act, case, form, wrong=wrong.fields, status=422)
    except Unavailable:
        return _page(request, desk, act, case, form, unknown=form.token[:8] or "none", status=503)
    failed = [f"Item {alert}: {why}." for alert, why in answers.items() if why]
    if len(failed) == len(answers):
        await _not_done(case, act)
        return _page(request, desk, act, case, form, reasons=failed, status=409)
    done = act.done(case, values)
    if failed:
        done = f"{done} Not done: {' '.join(failed)}"
    alone = f"{desk.path}/{case.numbers[0]}" if len(case.items) == 1 and act.name != "close" else ""
    return site.to(request, alone or _back(desk, form, case.looker), done)


async def _not_done(case: Case, act: WorkAct) -> None:
    await note_nothing_done(case.site, case.looker, act.name, _subject(case.numbers))


def _page(
    request: Request,
    desk: Desk,
    act: WorkAct,
    case: Case,
    form: Form,
    *,
    reasons: Sequence[str] = (),
    wrong: Mapping[str, str] | None = None,
    unknown: str = "",
    status: int = 200,
) -> Response:
    faults = wrong or {}
    rows = [desk.row(item, case.looker, case.site.names, case.now) for item in case.items]
    alone = len(case.items) == 1
    closed = case.items[0].closed_at if alone else None
    return case.site.page(
        request,
        "work_act.html",
        status,
        act=act,
        rows=rows,
        says=act.says(case),
        why_not=f"This row was closed at {clock_time(closed)}." if closed else act.why_not(case),
        typed=[(one.words, form.one(one.name)) for one in act.asks(case) if form.one(one.name)],
        questions=[
            {"question": one, "value": form.one(one.name) if form.values else one.first, "wrong": faults.get(one.name)}
            for one in act.asks(case)
        ],
        faults=[(words, f"#{_first(act, case, name)}") for name, words in faults.items()],
        reasons=reasons,
        unknown=unknown,
        reminder=reminder(case) if act is REMIND and not act.why_not(case) else (),
        states=[f"{item.alert}:{line.state}" for item in case.items if (line := item.line or item.opaque)],
        here_page=f"{desk.path}/{case.numbers[0]}/{act.name}" if alone else f"{desk.path}/{act.name}",
        called=desk.called,
        heading=act.words if desk.home == HOME else f"{act.words}: {desk.called} {case.numbers[0]}",
        item_page=f"{desk.path}/{case.numbers[0]}" if alone else "",
        back=_back(desk, form, case.looker),
    )


def _first(act: WorkAct, case: Case, name: str) -> str:
    """Give the id of what an error leads to: a group's first answer, or the field itself."""
    grouped = any(one.name == name and one.kind == "radios" for one in act.asks(case))
    return f"{name}-1" if grouped else name


async def _case(site: Site, looker: Looker, items: tuple[WorkItem, ...], seen: Mapping[int, str] | None = None) -> Case:
    colleagues = await site.enquiries.colleagues(tenant=looker.tenant)
    shown = {item.alert: item.taken_by for item in items if item.alert is not None}
    return Case(
        site=site, looker=looker, items=items, now=site.now(), seen={**shown, **(seen or {})}, colleagues=colleagues
    )


async def item_of(site: Site, desk: Desk, looker: Looker, request: Request) -> WorkItem:
    """Read the item that an address names.

    Raises:
        HTTPException: 404, there is none, or it is not theirs (I9).
    """
    alert = int(request.path_params["alert"])
    found = await desk.item(site, looker, alert) if alert < 1 << 62 else None
    if found is None:
        await site.note(looker, "view", "unknown item")
        raise HTTPException(404)
    return found


def _chosen(form: Form) -> dict[int, str]:
    """Read which items are meant, and who had each on the page."""
    only = form.one("only")
    found: dict[int, str] = {}
    for value in (only,) if only else form.many("item"):
        said, _, taken_by = value.partition(":")
        number = whole_number(said)
        if number is not None and len(found) < _MOST_AT_ONCE:
            found[number] = taken_by
    return found


def _changed(case: Case, form: Form) -> list[str]:
    """Say what moved while the form was filled in."""
    seen = dict(value.partition(":")[::2] for value in form.many("state"))
    found = []
    for item in case.items:
        before, line = seen.get(str(item.alert), ""), item.line or item.opaque
        if line is None or before not in set(LineState) or before == line.state.value:
            continue
        at, now = clock_time(line.entered_at), STATES[line.state].label
        found.append(f"This changed at {at} from {STATES[LineState(before)].label} to {now}. Nothing was done. Review.")
    return found


def _back(desk: Desk, form: Form, looker: Looker) -> str:
    """Give the list as it was, by the address that the form says, read and written anew."""
    if desk.home != HOME:
        return desk.home
    asked = dict(parse_qsl(urlsplit(form.one("back")).query)) if form.values else {}
    return address(read(asked, looker))


def _taken(answers: Mapping[int, str]) -> str:
    failed = [f"Item {alert}: {why}." for alert, why in answers.items() if why]
    done = len(answers) - len(failed)
    words = f"You have taken {done} {'row' if done == 1 else 'rows'}." if done else "Nothing was taken."
    return " ".join((words, *failed))


def _subject(alerts: Iterable[int]) -> str:
    found = [str(alert) for alert in alerts]
    return f"alert{'s' * (len(found) > 1)} {' '.join(found)}"
