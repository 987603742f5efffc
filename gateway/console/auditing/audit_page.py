"""Who saw or did what (console.md 6.9). Looking at the audit is in the audit; no more is shown than a leaf holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.access.policy import Action
from gateway.console import pages
from gateway.console.auditing.checking_leaves import Check, Checker
from gateway.console.bytes_shown import visible
from gateway.console.csv_stream import csv_stream, newest
from gateway.console.csv_text import Cell
from gateway.console.days_asked import between, day_faults
from gateway.console.site import Entry, Looker, Site
from gateway.console.whole_number import whole_number
from gateway.console.words import ACTORS, clock_time, how_long, when
from gateway.domain.identifiers import parse_uuid
from gateway.domain.lifecycle import Actor
from gateway.ports.audit_trail import AuditLeaf, AuditList, AuditWanted
from gateway.ports.inspection import MessageId

ENTRIES: Final = (Entry(words="Audit", href="/console/audit", action=Action.READ_AUDIT),)
MANY: Final = 20
"""Distinct patients opened by one person within an hour, from which on the privacy officer is shown it."""
_LOOKED_BACK: Final = timedelta(days=1)
_PAGE: Final = 50
_MOST_IN_FILE: Final = 5000
_LONGEST: Final = 128
_HEX: Final = 64
_FILTERS: Final = ("who", "about", "action", "since", "until")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One leaf in words."""

    number: int
    at: str
    ago: str
    who: str
    what: str
    prescriptions: tuple[tuple[str, str], ...]
    more: int
    messages: tuple[tuple[str, str], ...]
    others: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    reason: str


_MOST_ABOUT: Final = 5
_REASON: Final = "reason_digest"
_NO_WORDS: Final = sha256(b"").hexdigest()


def shown(leaf: AuditLeaf, now: datetime) -> Shown:
    """Give one leaf in words."""
    named = {str(one) for one in leaf.prescriptions}
    messages = tuple(name for name in leaf.about if MessageId.parse(name) is not None)
    facts = tuple(
        (name.replace("_", " ").capitalize(), visible(value))
        for name, value in leaf.facts.items()
        if name != _REASON and value not in leaf.about
    )
    return Shown(
        number=leaf.seq,
        at=clock_time(leaf.at),
        ago=when(leaf.at, now),
        who=_who(leaf),
        what=visible(_what(leaf)),
        prescriptions=tuple((str(one), pages.address(one)) for one in leaf.prescriptions[:_MOST_ABOUT]),
        more=max(0, len(leaf.prescriptions) - _MOST_ABOUT),
        messages=tuple((name, f"/console/messages/{name}") for name in messages),
        others=tuple(name for name in leaf.about if name not in named and name not in messages)[:_MOST_ABOUT],
        facts=facts,
        reason=_reason(leaf) or "",
    )


def _who(leaf: AuditLeaf) -> str:
    """Give who did it, as one filters by it; what nobody did is said in words."""
    nobody = leaf.kind != "access" and leaf.who in set(Actor)
    return f"{leaf.who}: {ACTORS[Actor(leaf.who)][0]}" if nobody else visible(leaf.who)


def _reason(leaf: AuditLeaf) -> str | None:
    """Give the digest of the reason that was given; the digest of no words at all is none."""
    found = leaf.facts.get(_REASON)
    return None if found == _NO_WORDS else found


def _what(leaf: AuditLeaf) -> str:
    """Say what was done: `console view` is a view on the console, and an act bears its own name."""
    if leaf.kind == "access":
        door, _, rest = leaf.action.partition(" ")
        return (
            f"{rest.capitalize()} (console)"
            if door == "console" and rest
            else leaf.action.replace("-", " ").capitalize()
        )
    return (leaf.action or leaf.kind).replace("-", " ").replace("_", " ").capitalize()


def routes(site: Site) -> list[BaseRoute]:
    """Give the addresses of the audit."""
    checker = Checker(site.enquiries, site.now)

    async def audit(request: Request) -> Response:
        looker = site.looking(request, Action.READ_AUDIT)
        asked, faults = _asked(request.query_params)
        await site.note(looker, "view", f"audit {asked['about']}".strip())
        now = site.now()
        found = AuditList(leaves=())
        if not faults:
            below = whole_number(request.query_params.get("below", ""))
            found = await site.enquiries.trail(
                tenant=looker.tenant, wanted=_wanted(asked), below=below or None, limit=_PAGE
            )
        busy = await site.enquiries.busy(tenant=looker.tenant, since=now - _LOOKED_BACK, patients=MANY)
        return site.page(
            request,
            "audit.html",
            422 if faults else 200,
            rows=[shown(leaf, now) for leaf in found.leaves],
            asked=asked,
            faults=faults,
            further=_address({**asked, "below": str(found.further)}) if found.further else "",
            looked_back_to=clock_time(found.looked_back_to) if found.looked_back_to else "",
            newest="below" not in request.query_params,
            narrowed=any(asked.values()),
            file=_address(asked, ".csv"),
            own_alone=looker.tenant is not None,
            many=MANY,
            patterns=[
                {
                    "who": visible(one.who),
                    "patients": one.patients,
                    "words": f"{clock_time(one.began)} to {clock_time(one.ended)}, {how_long(one.ended - one.began)}",
                    "href": _address({"who": one.who}),
                }
                for one in busy
            ],
            check=_check(checker, looker, now),
            may_check=looker.tenant is None,
            leaves=await site.enquiries.leaf_count() if looker.tenant is None else 0,
            opens=looker.may(Action.READ_CONSOLE),
            opens_messages=looker.may(Action.READ_MESSAGES),
        )

    async def as_file(request: Request) -> Response:
        looker = site.looking(request, Action.READ_AUDIT)
        asked, faults = _asked(request.query_params)
        await site.note(looker, "download", f"audit {asked['about']}".strip())
        wanted = AuditWanted() if faults else _wanted(asked)

        async def read(below: int | None, limit: int) -> tuple[Sequence[Sequence[Cell]], int | None, datetime | None]:
            part = await site.enquiries.trail(tenant=looker.tenant, wanted=wanted, below=below, limit=limit)
            return tuple(map(_cells, part.leaves)), part.further, part.looked_back_to

        # nothing where what is asked for cannot be meant
        rows = newest(read, most=0 if faults else _MOST_IN_FILE, columns=len(_HEADER))
        return await csv_stream(f"audit-newest-{_MOST_IN_FILE}", _HEADER, rows)

    async def check(request: Request) -> Response:
        looker = site.looking(request, Action.READ_AUDIT)
        form = await site.form(request)
        if looker.tenant is not None:
            raise HTTPException(404)
        size, root = whole_number(form.one("size")) or 0, form.one("root").lower()
        given = bool(form.one("size") or root)
        if given and (not size or len(root) != _HEX or not set(root) <= set("0123456789abcdef")):
            return site.to(
                request,
                "/console/audit#check",
                "The check was not begun: a number of leaves and a root of 64 hexadecimal digits belong together.",
            )
        await site.note(looker, "check of the audit", "leaves")
        await checker.begin(looker.name, (size, root) if given else None)
        return site.to(
            request, "/console/audit#check", "The check of every leaf has begun. This page says how far it is."
        )

    return [
        Route("/audit", audit, methods=["GET"]),
        Route("/audit.csv", as_file, methods=["GET"]),
        Route("/audit/check", check, methods=["POST"]),
    ]


def _check(checker: Checker, looker: Looker, now: datetime) -> dict[str, object] | None:
    """Say how the last check stands; only to whoever may see the whole audit."""
    last = checker.last
    if last is None or looker.tenant is not None:
        return None
    return {
        "running": checker.running,
        "by": visible(last.by),
        "began": clock_time(last.began),
        "ended": clock_time(last.ended) if last.ended else "",
        "ago": when(last.ended or last.began, now),
        "total": f"{last.total:,}",
        "checked": f"{last.checked:,}",
        "size": last.checked,
        "fault": last.fault,
        "root": last.root,
        "away": last.away,
        "noted": _noted(last),
    }


def _noted(last: Check) -> str:
    if last.noted is None:
        return ""
    size, _ = last.noted
    if last.holds is None:
        return "" if last.ended is None else f"There are fewer than {size:,} leaves: some that were there are gone."
    if last.holds:
        return f"The root that was noted over {size:,} leaves is the same: none of them was changed since."
    return f"The root over {size:,} leaves is another than the one that was noted: a leaf among them was changed."


def _asked(query: Mapping[str, str]) -> tuple[dict[str, str], tuple[tuple[str, str], ...]]:
    """Give what is asked as it stands in the address, and what is wrong with it, by field."""
    asked = {name: query.get(name, "").strip()[:_LONGEST] for name in _FILTERS}
    faults = day_faults(asked)
    if asked["about"] and parse_uuid(asked["about"]) is None and MessageId.parse(asked["about"]) is None:
        text = "Write a prescription's id, which stands in its page's address, or a message's name, for example in-12."
        faults.append(("about", text))
        asked["about"] = ""
    return asked, tuple(faults)


def _wanted(asked: Mapping[str, str]) -> AuditWanted:
    since, until = between(asked)
    return AuditWanted(who=asked["who"], about=asked["about"].lower(), action=asked["action"], since=since, until=until)


def _address(asked: Mapping[str, str], ending: str = "") -> str:
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"/console/audit{ending}" + (f"?{query}" if query else "")


_HEADER: Final = ("leaf", "time", "kind", "who", "what", "about", "facts", "reason_sha256")


def _cells(leaf: AuditLeaf) -> tuple[str | int | datetime | None, ...]:
    facts = "; ".join(f"{name}={value}" for name, value in sorted(leaf.facts.items()) if name != _REASON)
    return (
        leaf.seq,
        leaf.at,
        leaf.kind,
        leaf.who,
        leaf.action,
        " ".join(leaf.about),
        facts,
        _reason(leaf),
    )
