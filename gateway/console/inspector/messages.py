"""Messages: the list, and one page a message (console.md 6.7). Nothing of a patient is seen before it is unmasked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.access.policy import Action
from gateway.console import pages
from gateway.console.csv_stream import csv_stream, newest
from gateway.console.csv_text import Cell
from gateway.console.days_asked import between, day_faults
from gateway.console.inspector import acts, saved
from gateway.console.inspector.names import CHANNELS, OUTCOME_WORDS, STATE_WORDS
from gateway.console.site import Entry, Names, Site
from gateway.console.words import clock_time, when
from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import CODES
from gateway.ports.inspection import OUTCOMES, Below, Channel, MessageRow, Wanted

ENTRIES: Final = (Entry(words="Messages", href="/console/messages", action=Action.READ_MESSAGES),)
_PAGE: Final = 50
_MOST_IN_FILE: Final = 5000
_LONGEST: Final = 128
_FILTERS: Final = ("way", "partner", "type", "outcome", "issue", "since", "until", "version", "warned")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One message in the list, in words."""

    href: str
    name: str
    at: str
    ago: str
    way: str
    partner: str
    kind: str
    control_id: str
    outcome: str
    colour: str
    issues: tuple[str, ...]
    size: str
    attempts: str
    state: str


def listed(row: MessageRow, names: Names, now: datetime) -> Listed:
    """Give one row of the list."""
    outcome, colour = OUTCOME_WORDS.get(row.outcome, (row.outcome, "grey"))
    sent = row.id.channel is Channel.SENT
    ods = OdsCode.parse(row.partner)
    return Listed(
        href=f"/console/messages/{row.id}",
        name=str(row.id),
        at=clock_time(row.at),
        ago=when(row.at, now),
        way=CHANNELS[row.id.channel],
        partner=pages.named(ods, names) if ods else row.partner,
        kind=row.kind or "Type not read",
        control_id=row.control_id or "No control id",
        outcome=outcome,
        colour=colour,
        issues=row.issues,
        size=f"{row.size:,} bytes",
        attempts=str(row.attempts) if sent else "",
        state=STATE_WORDS.get(row.state, "") if sent else "",
    )


def routes(site: Site) -> list[BaseRoute]:
    """Give the addresses of the messages."""

    async def messages(request: Request) -> Response:
        looker = site.looking(request, Action.READ_MESSAGES)
        await site.note(looker, "view", "messages")
        asked, faults = _asked(request.query_params)
        versions = await site.enquiries.configurations()
        wanted = _wanted(asked, versions) if not faults else Wanted()
        below = Below.parse(request.query_params.get("below", ""))
        now = site.now()
        found = await site.enquiries.messages(tenant=looker.tenant, wanted=wanted, below=below, limit=_PAGE)
        further = _address({**asked, "below": str(found.further)}) if found.further else ""
        return site.page(
            request,
            "messages.html",
            422 if faults else 200,
            rows=[listed(row, site.names, now) for row in found.rows] if not faults else [],
            asked=asked,
            faults=faults,
            further="" if faults else further,
            looked_back_to=clock_time(found.looked_back_to) if found.looked_back_to else "",
            newest=below is None,
            narrowed=any(asked.values()),
            file=_address(asked, ".csv"),
            choices=_choices(site, versions),
            sought="",
            filters=await saved.kept(site, looker),
            query=_address(asked).partition("?")[2],
        )

    async def as_file(request: Request) -> Response:
        looker = site.looking(request, Action.READ_MESSAGES)
        await site.note(looker, "download", "messages")
        asked, faults = _asked(request.query_params)
        wanted = _wanted(asked, await site.enquiries.configurations()) if not faults else Wanted()

        async def read(
            below: Below | None, limit: int
        ) -> tuple[Sequence[Sequence[Cell]], Below | None, datetime | None]:
            part = await site.enquiries.messages(tenant=looker.tenant, wanted=wanted, below=below, limit=limit)
            return tuple(map(_cells, part.rows)), part.further, part.looked_back_to

        # nothing where what is asked for cannot be meant
        rows = newest(read, most=0 if faults else _MOST_IN_FILE, columns=len(_HEADER))
        return await csv_stream(f"messages-newest-{_MOST_IN_FILE}", _HEADER, rows)

    async def find(request: Request) -> Response:
        looker = site.looking(request, Action.READ_MESSAGES)
        text = (await site.form(request)).one("name")
        await site.note(looker, "search", "messages by name")
        rows = await site.enquiries.messages_named(text, tenant=looker.tenant) if 0 < len(text) <= _LONGEST else ()
        if len(rows) == 1:
            return site.to(request, f"/console/messages/{rows[0].id}")
        now = site.now()
        return site.page(
            request,
            "messages.html",
            rows=[listed(row, site.names, now) for row in rows],
            asked=dict.fromkeys(_FILTERS, ""),
            faults=()
            if rows or text
            else ("Type a control id, a message id, an answer's id, a digest or a prescription's id.",),
            further="",
            looked_back_to="",
            newest=True,
            narrowed=False,
            file="",
            choices=_choices(site, await site.enquiries.configurations()),
            sought=text,
            filters=(),
            query="",
        )

    return [
        Route("/messages", messages, methods=["GET"]),
        Route("/messages.csv", as_file, methods=["GET"]),
        Route("/messages/find", find, methods=["POST"]),
        *saved.routes(site, lambda query: _address(_asked(query)[0])),
        *acts.routes(site),
    ]


def _asked(query: Mapping[str, str]) -> tuple[dict[str, str], tuple[tuple[str, str], ...]]:
    """Give what is asked as it stands in the address, and what is wrong with it, by field."""
    asked = {name: query.get(name, "").strip()[:_LONGEST] for name in _FILTERS}
    return asked, tuple(day_faults(asked))


def _wanted(asked: Mapping[str, str], versions: tuple[tuple[str, datetime], ...]) -> Wanted:
    since, until = between(asked)
    begun = [moment for version, moment in versions if version == asked["version"]]
    if begun:
        later = [moment for _, moment in versions if moment > begun[-1]]
        since = max(filter(None, (since, begun[0])))
        until = min(filter(None, (until, later[0] if later else None)), default=None)
    return Wanted(
        channel=Channel(asked["way"]) if asked["way"] in set(Channel) else None,
        partner=asked["partner"],
        kind=asked["type"],
        outcome=asked["outcome"] if asked["outcome"] in OUTCOMES else "",
        issue=asked["issue"],
        warned=bool(asked["warned"]),
        since=since,
        until=until,
    )


def _address(asked: Mapping[str, str], ending: str = "") -> str:
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"/console/messages{ending}" + (f"?{query}" if query else "")


def _choices(site: Site, versions: tuple[tuple[str, datetime], ...]) -> dict[str, list[tuple[str, str]]]:
    """Give what each list of choices holds, as value and words."""
    partners = [(ods.value, pages.named(ods, site.names)) for ods in sorted(site.names, key=str)]
    return {
        "way": [(channel.value, words) for channel, words in CHANNELS.items()],
        "partner": partners,
        "outcome": [(name, OUTCOME_WORDS[name][0]) for name in OUTCOMES],
        "issue": [(code, code) for code in sorted(CODES)],
        "version": [(version, f"{version}, since {clock_time(since)}") for version, since in reversed(versions)],
    }


_HEADER: Final = (
    "name",
    "time",
    "way",
    "partner",
    "type",
    "control_id",
    "outcome",
    "issues",
    "bytes",
    "attempts",
    "state",
    "sha256",
)


def _cells(row: MessageRow) -> tuple[str | int | datetime | None, ...]:
    sent = row.id.channel is Channel.SENT
    return (
        str(row.id),
        row.at,
        row.id.channel.value,
        row.partner,
        row.kind,
        row.control_id,
        row.outcome,
        " ".join(row.issues),
        row.size,
        row.attempts if sent else None,
        row.state if sent else None,
        row.digest or None,
    )
