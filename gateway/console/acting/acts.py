"""The pages of acts on a prescription: each says first what will happen, asks why, and does it once.

The form carries what was seen, the state and the epoch of every line. Where it moved meanwhile nothing is done, both
versions are shown, and what was typed stands. A form that is sent twice is done once. A store that is away says what is
known: nothing, until somebody has looked.

Source: console.md 2 (rules 8 and 9), 6.3, 7; reliability-security.md I7, I9.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.console.acting.again import Again, News
from gateway.console.acting.cancel import Cancel
from gateway.console.acting.correct import Correct
from gateway.console.acting.desk import Answer, Close, Resolve, Rule
from gateway.console.acting.envelope import OrderNumber, Paper
from gateway.console.acting.hold import Hold, Release
from gateway.console.acting.offered import BY_NAME, ActName, Standing, address, not_theirs, standings, why_not
from gateway.console.acting.reroute import Reroute
from gateway.console.acting.shape import Acting, Came, Case, Field, Filled, Kind, Line, NotDone, Says
from gateway.console.acting.supply import Renewal, RescueSupply
from gateway.console.pages import address as prescription_address
from gateway.console.site import Form, Looker, Site
from gateway.console.trouble import note_nothing_done
from gateway.console.whole_number import whole_number
from gateway.console.words import Shown, born, clock_time, inert, line_shown, nhs_number
from gateway.domain.asking import Seen
from gateway.domain.errors import Unavailable
from gateway.domain.identifiers import parse_uuid
from gateway.domain.labels import LABELS, held_as
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.enquiries import LineView, PrescriptionView

ACTS: Final[tuple[Acting, ...]] = (
    Cancel(),
    Hold(),
    Release(),
    Reroute(),
    Again(),
    Resolve(),
    Answer(),
    Close(),
    Rule(),
    Renewal(),
    RescueSupply(),
    OrderNumber(),
    Paper(),
    News(),
    Correct(),
)
"""Every act that has a page."""
_ASKED: Final = ("to",)
"""Parameters that a page of an act takes in its address: no patient data, and nothing that is done."""
_GOT_NOWHERE: Final = frozenset({LineEvent.ON_WIRE, LineEvent.NOT_STORED})
"""What a provider that is away makes of a waiting order every few seconds: nothing of it is there, as before."""


def routes(site: Site) -> list[BaseRoute]:
    """Give the page of each act, and the page of what came of it."""
    return [route for act in ACTS for route in _of(site, act)]


def _of(site: Site, act: Acting) -> list[BaseRoute]:
    row = BY_NAME[act.name]

    async def ask(request: Request) -> Response:
        """Say what will happen, and ask why."""
        looker = site.looking(request, row.action)
        case = await _case(site, looker, request, act.name)
        await site.note(looker, f"{act.name} page", str(case.view.found.prescription_id))
        return await _page(request, act, case, _with_asked(request, site.typed(request)))

    async def carry_out(request: Request) -> Response:
        """Do it, if it is still as it was seen."""
        looker = site.looking(request, row.action)
        form = await site.form(request)
        case = await _case(site, looker, request, act.name)
        seen = _seen(form)
        if _moved(case, form):
            await _not_done(case, act.name)
            return await _page(request, act, case, form, _Trouble(changed=_changed(case, form, act.name)))
        says = await act.says(case, form)
        wrong = _wrong(says, case, form)
        if wrong or case.why_not or says.blocked:
            await _not_done(case, act.name)
            return await _page(request, act, case, form, _Trouble(wrong=wrong))
        await site.note(looker, str(act.name), str(_id(case)))
        came = await _try(act, case, _filled(says, case, form, seen))
        if isinstance(came, Came):
            return site.to(request, came.href or f"{address(_id(case), act.name)}/result", came.words)
        if isinstance(came, NotDone):
            await _not_done(case, act.name)
        if isinstance(came, NotDone) and came.moved:
            case = await _case(site, looker, request, act.name)
            changed = _changed(case, form, act.name)
            return await _page(request, act, case, form, _Trouble(changed=changed, reasons=came.reasons))
        reasons = came.reasons if isinstance(came, NotDone) else ()
        trouble = _Trouble(reasons=reasons, unknown="" if reasons else _reference(form))
        return await _page(request, act, case, form, trouble)

    async def result(request: Request) -> Response:
        """Say how it stands now, from the record."""
        looker = site.looking(request, row.action)
        case = await _case(site, looker, request, act.name)
        await site.note(looker, f"{act.name} result", str(_id(case)))
        return site.page(request, "act_result.html", 200, **_result(case, row.words))

    path = f"/prescriptions/{{prescription_id}}/{act.name}"
    return [
        Route(path, ask, methods=["GET"]),
        Route(path, carry_out, methods=["POST"]),
        Route(f"{path}/result", result, methods=["GET"]),
    ]


def _with_asked(request: Request, typed: Form) -> Form:
    """Add what was chosen on the page itself before its form: which provider is to have it."""
    asked = {name: (request.query_params[name],) for name in _ASKED if name in request.query_params}
    return Form(values={**typed.values, **asked})


async def _try(act: Acting, case: Case, filled: Filled) -> Came | NotDone | None:
    """Do it; None where the store is away, and nobody knows what was done."""
    try:
        return await act.carry_out(case, filled)
    except Unavailable:
        return None


async def _not_done(case: Case, name: ActName) -> None:
    await note_nothing_done(case.site, case.looker, name, str(_id(case)))


async def _case(site: Site, looker: Looker, request: Request, name: ActName) -> Case:
    """Read the prescription, as it stands now.

    Raises:
        HTTPException: 404, there is none, or it is not theirs (I9).
    """
    prescription_id = parse_uuid(request.path_params["prescription_id"])
    view = await site.enquiries.prescription(prescription_id, tenant=looker.tenant) if prescription_id else None
    if view is None:
        await site.note(looker, str(name), "unknown prescription")
        raise HTTPException(404)
    standing = standings(view)
    lines = [Line(view=line, standing=standing[line.line_id]) for line in view.lines]
    barred = not_theirs(view, looker)
    reasons = [barred or why_not(name, line.standing) for line in lines]
    fits = tuple(line for line, reason in zip(lines, reasons, strict=True) if not reason)
    why = "" if fits else next(iter(reasons), "Nothing of it could be read.")
    return Case(site=site, looker=looker, view=view, lines=fits, why_not=why, now=site.now())


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A line that moved while somebody filled in the form."""

    product: str
    seen: str
    now: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trouble:
    """Why nothing was done, or why that is not known.

    Attributes:
        wrong: field to words.
        unknown: a reference to quote where nobody knows what was done.
    """

    wrong: Mapping[str, str] | None = None
    reasons: tuple[str, ...] = ()
    changed: tuple[Changed, ...] = ()
    unknown: str = ""

    @property
    def status(self) -> int:
        """What the answer is in HTTP: it changed meanwhile, nobody knows, or it was not answered in full."""
        return 409 if self.changed else 503 if self.unknown else 422


def _seen(form: Form) -> dict[UUID, Seen]:
    """Read what the person saw: line, state and epoch of each."""
    found = {}
    for value in form.many("seen"):
        line, _, rest = value.partition(" ")
        state, _, rest = rest.partition(" ")
        epoch = whole_number(rest.partition(" ")[0])
        line_id = parse_uuid(line)
        if line_id is not None and state in set(LineState) and epoch is not None:
            found[line_id] = Seen(state=LineState(state), epoch=epoch)
    return found


def _moved(case: Case, form: Form) -> bool:
    """Tell whether a line moved, though it may have come back to where it was: what was found out then is old."""
    return set(form.many("seen")) != set(_shown(case.view))


def _shown(view: PrescriptionView) -> list[str]:
    """Give what the form carries of each line: its state, its epoch, and the last event that moved it."""
    return [f"{line.line_id} {line.state} {line.epoch} {_last_move(view, line)}" for line in view.lines]


def _last_move(view: PrescriptionView, line: LineView) -> int:
    """Give the event that last moved a line. An attempt that stored nothing leaves an order that waits as it was."""
    still = _GOT_NOWHERE if line.state is LineState.READY else frozenset()
    moves = (
        one.seq
        for one in view.events
        if one.line_id == line.line_id and one.state_before != one.state_after and one.event not in still
    )
    return max(moves, default=0)


def _changed(case: Case, form: Form, name: ActName) -> tuple[Changed, ...]:
    """Give both versions of every line that moved; all of them where the form says nothing of what was seen."""
    seen, said, shown = _seen(form), set(form.many("seen")), _shown(case.view)
    out = []
    for line, now_shown in zip(case.view.lines, shown, strict=True):
        before = seen.get(line.line_id)
        if before is None or now_shown not in said:
            words = LABELS[before.state] if before else "Not shown to you"
            now = LABELS[line.state] + (", with another provider" if before and before.epoch != line.epoch else "")
            again = before is not None and (before.state, before.epoch) == (line.state, line.epoch)
            out.append(
                Changed(product=line.product or str(name), seen=words, now=f"{now}, once more" if again else now)
            )
    return tuple(out)


def _wrong(says: Says, case: Case, form: Form) -> dict[str, str]:
    """Give every question that is not answered, with what to do about it."""
    found = {}
    if says.each and len(case.lines) > 1 and not _chosen(says, case, form):
        found["line"] = "Choose at least one medicine"
    for asked in says.fields:
        value = form.one(asked.name)
        if asked.wrong and not value:
            found[asked.name] = asked.wrong
        elif value and asked.options and value not in {option.value for option in asked.options}:
            found[asked.name] = asked.wrong or "Choose one of the answers"
        elif len(value) > asked.longest:
            found[asked.name] = f"Use at most {asked.longest} characters: these are {len(value)}"
    return found


def _chosen(says: Says, case: Case, form: Form) -> tuple[Line, ...]:
    if not says.each or len(case.lines) == 1:
        return case.lines
    wanted = set(form.many("line"))
    return tuple(line for line in case.lines if str(line.id) in wanted)


def _filled(says: Says, case: Case, form: Form, seen: Mapping[UUID, Seen]) -> Filled:
    values = {asked.name: form.one(asked.name) for asked in (*says.fields, *says.ask)}
    return Filled(values=values, chosen=_chosen(says, case, form), seen=seen, token=form.token)


def _reference(form: Form) -> str:
    """Give a short name of one attempt, to quote."""
    return form.token[:8] or "none"


def _id(case: Case) -> UUID:
    return case.view.found.prescription_id


async def _page(request: Request, act: Acting, case: Case, form: Form, trouble: _Trouble | None = None) -> Response:
    """Give the page of an act, as it stands now, with what was typed."""
    says = await act.says(case, form)
    told = trouble or _Trouble()
    wrong = dict(told.wrong or {})
    chosen = form.many("line")
    row = BY_NAME[act.name]
    return case.site.page(
        request,
        "act_page.html",
        trouble.status if trouble else 200,
        words=row.words,
        says=says,
        why_not=case.why_not,
        here_page=address(_id(case), act.name),
        **_about(case),
        lines=[
            (str(line.id), line.product, _tag(case, line), not chosen or str(line.id) in chosen) for line in case.lines
        ],
        choose=says.each and len(case.lines) > 1,
        seen=_shown(case.view),
        fields=[_asked(field, form, wrong) for field in says.fields],
        ask=[_asked(field, form, wrong) for field in says.ask],
        faults=[(words, f"#{_first(name, says)}") for name, words in wrong.items()],
        line_wrong=wrong.get("line", ""),
        reasons=told.reasons,
        changed=told.changed,
        changed_at=clock_time(_last_moved(case.view)) if told.changed else "",
        unknown=told.unknown,
        typed=[(field.words, form.one(field.name)) for field in says.fields if form.one(field.name)],
    )


def _about(case: Case) -> dict[str, object]:
    """Give what stands on top of every page of an act."""
    view = case.view
    return {
        "patient": inert(view.patient_name),
        "nhs_number": nhs_number(view.nhs_number),
        "born": born(view.birth_date, case.now),
        "number": view.found.number,
        "provider": case.provider if view.found.destination else "not chosen yet",
        "ring": case.ring,
        "quote": case.quote,
        "medicines": [inert(line.product) for line in case.lines]
        or [inert(name) or "Not read" for name in view.found.medicines],
        "prescription_href": prescription_address(view.found.prescription_id),
        "as_of": clock_time(case.now),
    }


def _tag(case: Case, line: Line) -> Shown:
    held = held_as(case.view.issues)
    return line_shown(line.view.state, held=held, made=line.view.delivered, total=line.view.total_supplies)


def _asked(field: Field, form: Form, wrong: Mapping[str, str]) -> dict[str, object]:
    return {
        "name": field.name,
        "words": field.words,
        "kind": field.kind.value,
        "hint": field.hint,
        "options": field.options,
        "longest": field.longest,
        "wrong": wrong.get(field.name, ""),
        "value": form.one(field.name),
    }


def _first(name: str, says: Says) -> str:
    """Give the id of what an error leads to: a group's first answer, or the field itself."""
    field = next((one for one in (*says.fields, *says.ask) if one.name == name), None)
    grouped = name == "line" or (field is not None and field.kind is Kind.RADIOS)
    return f"{name}-1" if grouped else name


def _last_moved(view: PrescriptionView) -> datetime:
    moved = [event.at for event in view.events if event.state_before != event.state_after]
    return moved[-1] if moved else view.found.received_at


def _result(case: Case, words: str) -> dict[str, object]:
    """Give how every line stands, with its cancel, in the words of every other page."""
    standing: Mapping[UUID, Standing] = standings(case.view)
    lines = [Line(view=line, standing=standing[line.line_id]) for line in case.view.lines]
    tags = [_tag(case, line) for line in lines]
    shown = [(line.product, tag, line.cancel_words, tag.sentence) for line, tag in zip(lines, tags, strict=True)]
    return {**_about(case), "words": words, "lines": shown}
