"""Settings as they are in force: read only, in plain words, and without a secret (console.md 6.10).

They are read from the configuration folder, and judged against every open line before they are put in force. What a
change would do can be asked here; it is made there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.access.policy import Action
from gateway.access.roles import ROLES
from gateway.access.signing_in import SigningIn
from gateway.console.board.outages import told
from gateway.console.in_force.settings_book import Dated, SettingsBook
from gateway.console.in_force.what_if import WORDS, Change, Outcome, what_if
from gateway.console.pages import named
from gateway.console.site import Entry, Looker, Names, Site
from gateway.console.words import LONDON, STATES, clock_time, day, how_long, when
from gateway.domain.deadline import Deadlines, Limit, Urgency
from gateway.domain.escalation import Circle
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineState
from gateway.domain.partner import Provider, Trust
from gateway.domain.retention import Retention, RetentionTerm
from gateway.domain.routing import RouteRow

PATH: Final = "/console/settings"
ENTRIES: Final = (Entry(words="Settings", href=PATH, action=Action.READ_SETTINGS),)
_SOON: Final = timedelta(days=30)

Facts = tuple[tuple[str, str], ...]
"""Pairs of what and how it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a table, its first cell the heading."""

    head: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One trust or provider."""

    name: str
    facts: Facts


def routes(site: Site) -> list[BaseRoute]:
    """Give the address of the settings."""

    async def settings(request: Request) -> Response:
        looker = site.looking(request, Action.READ_SETTINGS)
        await site.note(looker, "view", "settings")
        book = site.service(SettingsBook)
        return site.page(
            request,
            "settings.html",
            **_shown(book, looker, site.names, site.now()),
            force=await _in_force(site, book),
            paused=[
                f"{named(one.destination, site.names)}, since {clock_time(one.begun_at)}: {one.reason}"
                for one in await site.enquiries.pauses()
            ],
            outages=[
                f"{named(one.outage.provider, site.names)}, {told(one.outage)}"
                for one in await site.enquiries.planned_outages(now=site.now())
            ],
            outcome=await _asked(site, request, looker, book),
            asked={name: request.query_params.get(name, "") for name in ("provider", "change")},
        )

    return [Route("/settings", settings, methods=["GET"])]


async def _in_force(site: Site, book: SettingsBook) -> Facts:
    """Say which configuration is in force, and since when."""
    configuration, stored = book.configuration, await site.enquiries.configuration_in_force()
    since = f"{clock_time(stored[2])}, {when(stored[2], site.now())}" if stored else "Not written down"
    differs = stored is not None and stored[0] != configuration.digest
    return (
        ("Version", configuration.version),
        ("Digest", configuration.digest),
        ("In force since", f"{since}. It is not what this node runs with" if differs else since),
        ("Gateway", f"{configuration.organisation}, {configuration.environment} environment"),
        ("Program", book.version),
        ("Reference tables", book.reference),
        *((("Deadlines run", f"{configuration.time_scale:g} times faster"),) if configuration.time_scale != 1 else ()),
    )


async def _asked(site: Site, request: Request, looker: Looker, book: SettingsBook) -> Outcome | None:
    """Answer what a change would do, if that is asked."""
    said = request.query_params
    provider = OdsCode.parse(said.get("provider", ""))
    if provider not in book.configuration.routing.providers or said.get("change") not in set(Change):
        return None
    assert provider is not None
    standing = await site.enquiries.standing()
    seen = [one for one in standing if looker.tenant in {None, one.tenant}]
    return what_if(book, provider, Change(said["change"]), seen, site.names)


def _shown(book: SettingsBook, looker: Looker, names: Names, now: datetime) -> dict[str, object]:
    """Give what stands on the page: of a trust's person, what is its own or everybody's."""
    configuration, tenant = book.configuration, looker.tenant
    providers = configuration.routing.providers
    trusts = [one for one in configuration.trusts.values() if tenant in {None, one.ods}]
    circles = [one for one in configuration.notices.circles if tenant in {None, one.trust}]
    return {
        "routes": [
            _route(row, names) for row in configuration.routing.rows if tenant is None or row.trust in {None, tenant}
        ],
        "providers": [_provider(one) for one in providers.values()],
        "asks": [(str(one.ods), named(one.ods, names)) for one in providers.values()],
        "changes": [(change.value, words) for change, words in WORDS.items()],
        "limits": _limits(configuration.deadlines, now),
        "answers": [
            (request.value.capitalize(), _limit(limit)) for request, limit in configuration.deadlines.answers.items()
        ],
        "notices": [_circle(one, names) for one in circles],
        "tells": configuration.notices.tells,
        "certificates": [_certificate(one, now) for one in book.certificates()],
        "trusts": [_trust(one, now) for one in trusts],
        "signing_in": _signing_in(configuration.signing_in, names, tenant),
        "retention": _retention(configuration.retention, tenant, names),
        "own": tenant is not None,
    }


def _route(row: RouteRow, names: Names) -> Row:
    whose = named(row.trust, names) if row.trust else "Every trust"
    stated = {"scheme": row.scheme, "product": row.product, "registration begins": row.registration_prefix}
    besides = "; ".join(f"{name} {value}" for name, value in stated.items() if value)
    return Row(head=whose, cells=(besides or "Whatever is prescribed", named(row.provider, names)))


def _limits(deadlines: Deadlines, now: datetime) -> list[Row]:
    rows = []
    for state in LineState:
        found = [deadlines.limit(state, urgency, now) for urgency in (Urgency.ROUTINE, Urgency.URGENT)]
        if any(found):
            rows.append(Row(head=STATES[state].label, cells=tuple(_limit(one) for one in found)))
    return rows


def _limit(limit: Limit | None) -> str:
    if limit is None:
        return "None"
    if limit.at_once:
        return "At once"
    return str(limit) if limit.working_days else how_long(timedelta(seconds=limit.seconds))


def _circle(circle: Circle, names: Names) -> Profile:
    people = [(rung.value.capitalize(), ", ".join(one.name for one in circle.people[rung])) for rung in circle.rungs]
    waits = [
        (f"Next person, {soon.value}", f"after {how_long(patience.wait)}{'' if patience.always else ' at work'}")
        for soon, patience in circle.patience.items()
    ]
    return Profile(name=named(circle.trust, names) if circle.trust else "The gateway itself", facts=(*people, *waits))


def _certificate(one: Dated, now: datetime) -> Row:
    if one.ends_at is None:
        return Row(head=one.what, cells=(one.whose, "Not known"))
    left = (one.ends_at - now).days
    ends = day(one.ends_at.astimezone(LONDON).date())
    said = f"{left} days left" if one.ends_at > now else "ENDED"
    return Row(
        head=one.what,
        cells=(one.whose, f"{'Soon: ' if timedelta() < one.ends_at - now <= _SOON else ''}{said}, {ends}"),
    )


def _provider(one: Provider) -> Profile:
    return Profile(
        name=f"{one.name} ({one.ods})",
        facts=(
            ("Adapter", one.adapter),
            ("Sent to", "Yes" if one.active else "No: not active"),
            ("Phone", one.phone or "Not stated"),
            ("Out of hours", one.out_of_hours or "Not stated"),
            ("Answers within", f"{one.answers_within_seconds:g} s"),
            ("Messages under way at once", str(one.max_in_flight)),
            (
                "Knows a repeated message",
                "Yes: one in doubt is sent again as it was" if one.recognises_repeats else "Not proven",
            ),
        ),
    )


def _trust(one: Trust, now: datetime) -> Profile:
    today = one.on(now.astimezone(LONDON).date())
    own = "; ".join(f"{field.place} is {field.target}" for field in today.z_fields)
    return Profile(
        name=f"{one.name} ({one.ods})",
        facts=(
            ("Sites", ", ".join(map(str, one.sites)) or "None of their own"),
            ("Systems", ", ".join(one.systems) or "Any"),
            ("Prescriber's signature", one.signature_policy.value.replace("-", " ")),
            ("A message that contradicts itself", "is held" if one.on_conflict == "hold" else "is refused"),
            ("Pharmacist's check here", "Yes" if one.screening else "No: the message carries it"),
            ("Local codes in force", f"{len(today.codes)}, of {len(one.codes)} stated"),
            ("Fields of its own segments", own or "None"),
            ("Directions in comments of type", ", ".join(one.dosing_comment_types) or "None"),
            ("Consultant", one.consultant_field),
            ("Asks for a renewal", f"{one.renewal_lead.days // 7} weeks before supplies end"),
            ("Is told of decisions", f"By {one.tells.kind.upper()}" if one.tells else "No"),
        ),
    )


def _signing_in(signing_in: SigningIn, names: Names, tenant: OdsCode | None) -> Mapping[str, object]:
    rules = [one for one in signing_in.rules if tenant is None or one.stated or one.organisation == tenant]
    whom = {True: "whom the sign-in states"}
    return {
        "by": signing_in.issuer.words if signing_in.issuer else "",
        "issuer": signing_in.issuer.url if signing_in.issuer else "",
        "idle": how_long(signing_in.idle),
        "absolute": how_long(signing_in.absolute),
        "rules": [
            Row(
                head=one.value,
                cells=(
                    ROLES[one.role].words,
                    whom.get(one.stated)
                    or (named(one.organisation, names) if one.organisation else "the whole gateway"),
                ),
            )
            for one in rules
        ],
    }


def _retention(retention: Retention, tenant: OdsCode | None, names: Names) -> list[str]:
    return [_term(one, names) for one in retention.terms if tenant is None or one.trust in {None, tenant}]


def _term(one: RetentionTerm, names: Names) -> str:
    return (
        f"From {day(one.since)}, {named(one.trust, names) if one.trust else 'every trust'}: "
        f"closed prescriptions move to an archive after {one.archive_after_days} days and are kept {one.keep_years} "
        f"years; those of a child at least until the age of {one.keep_until_age}. Decided by: {one.decided_by}."
    )
