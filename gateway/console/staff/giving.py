"""The pages on which a role is proposed for somebody, and on which one is ended (console.md 6.10)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.access.policy import Action
from gateway.access.posts import Organisations, Post
from gateway.access.roles import Role
from gateway.console.acting.shape import LONGEST
from gateway.console.entering.entrance import Entrance
from gateway.console.site import Form, Looker, Names, Site
from gateway.console.staff.granting import PATH, Wanted, in_words, proposable, proposal_of, wanted
from gateway.console.trouble import note_nothing_done
from gateway.console.words import clock_time
from gateway.domain.identifiers import OdsCode, parse_uuid
from gateway.domain.person import GrantView

_PROPOSE: Final = "propose a role"
_END: Final = "end a role"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """One role that was given here."""

    href: str
    person: str
    name: str
    role: str
    by: str
    reason: str
    until: str
    stands: str
    in_force: bool


def routes(site: Site) -> list[BaseRoute]:
    """Give the addresses of giving and ending roles."""

    async def give(request: Request) -> Response:
        looker = site.looking(request, Action.CHANGE_SETTINGS)
        await site.note(looker, "view", "give a role")
        return _form(site, request, looker, site.typed(request), {})

    async def propose(request: Request) -> Response:
        looker = site.looking(request, Action.CHANGE_SETTINGS)
        form = await site.form(request)
        asked = wanted(form, looker.principal, _organisations(site), site.now())
        if not isinstance(asked, Wanted):
            await note_nothing_done(site, looker, _PROPOSE, "people")
            return _form(site, request, looker, form, asked)
        proposal = proposal_of(asked, by=looker.name, reason=form.one("reason"), now=site.now())
        await site.note(looker, _PROPOSE, str(proposal.id))
        faults = await site.store.propose(proposal)
        if faults:
            await note_nothing_done(site, looker, _PROPOSE, str(proposal.id))
            return _form(site, request, looker, form, {"post": faults[0]})
        return site.to(request, PATH, "Proposed. Nobody has the role until a second person has agreed.")

    async def ending(request: Request) -> Response:
        looker, view = await _one(site, request)
        await site.note(looker, "view", f"role {view.grant.id}")
        return _end_page(site, request, view, site.typed(request))

    async def end(request: Request) -> Response:
        looker, view = await _one(site, request)
        form = await site.form(request)
        reason = form.one("reason")
        if not reason or len(reason) > LONGEST:
            await note_nothing_done(site, looker, _END, str(view.grant.id))
            return _end_page(site, request, view, form, f"Give a reason of up to {LONGEST} letters")
        await site.note(looker, _END, str(view.grant.id))
        faults = await site.store.end_grant(
            view.grant.id, by=looker.name, reason=reason, tenant=looker.tenant, now=site.now()
        )
        if faults:
            await note_nothing_done(site, looker, _END, str(view.grant.id))
            return site.to(request, PATH, f"Nothing was done. {faults[0]}")
        return site.to(request, PATH, f"Ended. {view.grant.person} no longer has the role, and has been signed out.")

    return [
        Route("/people/give", give, methods=["GET"]),
        Route("/people/give", propose, methods=["POST"]),
        Route("/people/{grant}/end", ending, methods=["GET"]),
        Route("/people/{grant}/end", end, methods=["POST"]),
    ]


def given(site: Site, view: GrantView) -> Given:
    """Give one role that was given here."""
    grant, now = view.grant, site.now()
    in_force = view.in_force(now)
    stands = f"Ended by {view.ended_by}, {clock_time(view.ended_at)}" if view.ended_at else "Ended by its date"
    return Given(
        href=f"{PATH}/{grant.id}/end",
        person=grant.person,
        name=grant.name,
        role=_words(grant.role, grant.tenant, site.names),
        by=f"{grant.by} and {grant.second_by}, {clock_time(grant.at)}",
        reason=grant.reason,
        until=clock_time(grant.until),
        stands="In force" if in_force else stands,
        in_force=in_force,
    )


def _form(site: Site, request: Request, looker: Looker, form: Form, wrong: Mapping[str, str]) -> Response:
    """Give the page that asks for whom a role is, which, until when and why."""
    posts = proposable(looker.principal, _organisations(site))
    typed = {name: form.one(name) for name in ("name", "person", "post", "until", "reason")}
    options = [(post.key, in_words(post, site.names)) for post in posts]
    status = 422 if wrong else 200
    return site.page(request, "people_give.html", status, options=options, typed=typed, wrong=wrong, longest=LONGEST)


def _end_page(site: Site, request: Request, view: GrantView, form: Form, wrong: str = "") -> Response:
    status, typed = 422 if wrong else 200, form.one("reason")
    return site.page(
        request, "people_end.html", status, row=given(site, view), typed=typed, wrong=wrong, longest=LONGEST
    )


async def _one(site: Site, request: Request) -> tuple[Looker, GrantView]:
    """Give who looks, and the grant of the address.

    Raises:
        HTTPException: 404, there is none, or it is not theirs to end (I9).
    """
    looker = site.looking(request, Action.CHANGE_SETTINGS)
    key: UUID | None = parse_uuid(request.path_params["grant"])
    found = await site.enquiries.grants(tenant=looker.tenant, now=site.now())
    view = next((one for one in found if one.grant.id == key), None)
    if view is None:
        raise HTTPException(404)
    return looker, view


def _organisations(site: Site) -> Organisations:
    entrance = site.services.get(Entrance)
    return entrance.organisations if isinstance(entrance, Entrance) else {}


def _words(role: str, tenant: OdsCode | None, names: Names) -> str:
    """Give a role in words, also one that is no longer ours."""
    if role not in set(Role):
        return f"{role}, {where(tenant, names)}"
    return in_words(Post(role=Role(role), tenant=tenant), names)


def where(tenant: OdsCode | None, names: Names) -> str:
    """Give an organisation in words."""
    if tenant is None:
        return "The gateway as a whole"
    return f"{names[tenant]} ({tenant})" if tenant in names else str(tenant)
