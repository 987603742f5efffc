"""The pages of work items: one item in full, and what a person does about one or several (console.md 6.1).

Each act says first what will happen. It is done once however often the form is sent, and not at all where somebody else
has taken the item meanwhile, or its line has moved: then both are said, and what was typed stands.
"""

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.access.policy import Action
from gateway.console.attention.attention_query import address, read
from gateway.console.attention.attention_words import note_of, row_of
from gateway.console.attention.work_acts import ACTS, REMIND, Case, WorkAct, Wrong, reminder
from gateway.console.in_force.told import told_of
from gateway.console.site import HOME, Form, Looker, Site
from gateway.console.words import STATES, clock_time
from gateway.domain.errors import Unavailable
from gateway.domain.lifecycle import LineState
from gateway.ports.attention import WorkItem

_MOST_AT_ONCE: Final = 100


def routes(site: Site) -> list[BaseRoute]:
    """Give the addresses of work items."""

    async def item(request: Request) -> Response:
        """Show one item in full."""
        looker = site.looking(request)
        found = await _item(site, looker, request)
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

    async def take(request: Request) -> Response:
        """Take one item, or those that were chosen."""
        looker = site.looking(request, Action.WORK)
        form = await site.form(request)
        seen = _chosen(form)
        if not seen:
            return site.to(request, _back(form, looker), "Nothing was chosen, and nothing was taken.")
        await site.note(looker, "take", _subject(seen))
        answers = await site.store.take(tuple(seen), by=looker.name, seen=seen, tenant=looker.tenant, now=site.now())
        return site.to(request, _back(form, looker), _taken(answers))

    return [
        Route("/work/take", take, methods=["POST"]),
        *(route for act in ACTS for route in _of(site, act)),
        Route("/work/{alert:int}", item, methods=["GET"]),
    ]


def _of(site: Site, act: WorkAct) -> list[BaseRoute]:
    """Give the addresses of one act: about one item, and about several where that can be."""

    async def ask(request: Request) -> Response:
        looker = site.looking(request, act.action)
        found = await _item(site, looker, request)
        await site.note(looker, f"{act.name} page", f"alert {found.alert}")
        case = await _case(site, looker, (found,))
        return _page(request, act, case, site.typed(request))

    async def carry_out(request: Request) -> Response:
        looker = site.looking(request, act.action)
        form = await site.form(request)
        found = await _item(site, looker, request)
        await site.note(looker, act.name, f"alert {found.alert}")
        case = await _case(site, looker, (found,), seen=_chosen(form))
        return await _carry_out(request, act, case, form)

    async def several(request: Request) -> Response:
        """Ask about the rows that were chosen, or do it where that was answered."""
        looker = site.looking(request, act.action)
        form = await site.form(request)
        seen = _chosen(form)
        items = [await site.enquiries.work_item(alert, tenant=looker.tenant) for alert in seen]
        found = tuple(one for one in items if one is not None and not one.closed_at)
        if not found:
            return site.to(request, _back(form, looker), "Nothing was chosen, and nothing was done.")
        await site.note(looker, act.name, _subject(seen))
        case = await _case(site, looker, found, seen=seen)
        if not form.one("asked"):
            return _page(request, act, case, form)
        return await _carry_out(request, act, case, form)

    path = f"/work/{{alert:int}}/{act.name}"
    return [
        Route(path, ask, methods=["GET"]),
        Route(path, carry_out, methods=["POST"]),
        *([Route(f"/work/{act.name}", several, methods=["POST"])] if act.several else []),
    ]


async def _carry_out(request: Request, act: WorkAct, case: Case, form: Form) -> Response:
    site = case.site
    changed = _changed(case, form)
    if changed or act.why_not(case):
        return _page(request, act, case, form, reasons=changed, status=409 if changed else 422)
    values = {name: form.one(name) for name in form.values}
    try:
        answers = await act.do(case, values)
    except Wrong as wrong:
        return _page(request, act, case, form, wrong=wrong.fields, status=422)
    except Unavailable:
        return _page(request, act, case, form, unknown=form.token[:8] or "none", status=503)
    failed = [f"Item {alert}: {why}." for alert, why in answers.items() if why]
    if len(failed) == len(answers):
        return _page(request, act, case, form, reasons=failed, status=409)
    done = act.done(case, values)
    if failed:
        done = f"{done} Not done: {' '.join(failed)}"
    alone = f"/console/work/{case.numbers[0]}" if len(case.items) == 1 and act.name != "close" else ""
    return site.to(request, alone or _back(form, case.looker), done)


def _page(
    request: Request,
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
    rows = [row_of(item, case.looker, case.site.names, case.now) for item in case.items]
    alone = len(case.items) == 1
    return case.site.page(
        request,
        "work_act.html",
        status,
        act=act,
        rows=rows,
        says=act.says(case),
        why_not="This row was closed already." if case.items[0].closed_at and alone else act.why_not(case),
        questions=[
            {"question": one, "value": form.one(one.name) if form.values else one.first, "wrong": faults.get(one.name)}
            for one in act.asks(case)
        ],
        faults=[(words, f"#{_first(act, case, name)}") for name, words in faults.items()],
        reasons=reasons,
        unknown=unknown,
        reminder=reminder(case) if act is REMIND and not act.why_not(case) else (),
        states=[f"{item.alert}:{item.line.state}" for item in case.items if item.line is not None],
        here_page=f"/console/work/{case.numbers[0]}/{act.name}" if alone else f"/console/work/{act.name}",
        item_page=f"/console/work/{case.numbers[0]}" if alone else "",
        back=_back(form, case.looker),
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


async def _item(site: Site, looker: Looker, request: Request) -> WorkItem:
    """Read an item.

    Raises:
        HTTPException: 404, there is none, or it is not theirs (I9).
    """
    alert = int(request.path_params["alert"])
    found = await site.enquiries.work_item(alert, tenant=looker.tenant) if alert < 1 << 62 else None
    if found is None:
        await site.note(looker, "view", "unknown item")
        raise HTTPException(404)
    return found


def _chosen(form: Form) -> dict[int, str]:
    """Read which items are meant, and who had each on the page."""
    only = form.one("only")
    found: dict[int, str] = {}
    for value in (only,) if only else form.many("item"):
        number, _, taken_by = value.partition(":")
        if number.isascii() and number.isdigit() and len(number) < 18 and len(found) < _MOST_AT_ONCE:  # noqa: PLR2004
            found[int(number)] = taken_by
    return found


def _changed(case: Case, form: Form) -> list[str]:
    """Say what moved while the form was filled in."""
    seen = dict(value.partition(":")[::2] for value in form.many("state"))
    found = []
    for item in case.items:
        before = seen.get(str(item.alert), "")
        if item.line is None or before not in set(LineState) or before == item.line.state.value:
            continue
        at, now = clock_time(item.line.entered_at), STATES[item.line.state].label
        found.append(f"This changed at {at} from {STATES[LineState(before)].label} to {now}. Nothing was done. Review.")
    return found


def _back(form: Form, looker: Looker) -> str:
    """Give the list as it was, by the address that the form says, read and written anew."""
    asked = dict(parse_qsl(urlsplit(form.one("back")).query)) if form.values else {}
    return address(read(asked, looker))


def _taken(answers: Mapping[int, str]) -> str:
    failed = [f"Item {alert}: {why}." for alert, why in answers.items() if why]
    done = len(answers) - len(failed)
    words = f"You have taken {done} {'row' if done == 1 else 'rows'}." if done else "Nothing was taken."
    return " ".join((words, *failed))


def _subject(seen: Mapping[int, str]) -> str:
    return f"alerts {' '.join(str(alert) for alert in seen)}"
