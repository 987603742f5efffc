"""The page on which a person with several roles picks one; in development, which invented person to be.

Source: console.md 3; brief D15.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.access.posts import Post
from gateway.access.principal import Principal
from gateway.access.roles import ROLES
from gateway.console.entering.entrance import Entrance
from gateway.console.entering.getting_in import let_in, still_given, written_down
from gateway.console.entering.session import Session
from gateway.console.entering.sessions import BY_LINK, Opened
from gateway.console.site import Looker, Names, SignedOut, Site
from gateway.domain.identifiers import OdsCode

_WHOLE = "The gateway as a whole"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One role a person may take.

    Attributes:
        group: the organisation it is for.
        words: what it is called; with the person's name where it is another person.
        hint: what one sees and may do in it.
    """

    key: str
    group: str
    words: str
    hint: str
    now: bool = False


def choices_of(posts: Iterable[Post], names: Names, *, now: str = "") -> tuple[Choice, ...]:
    """Give a person's own posts to choose from."""
    return tuple(_choice(post.key, post, "", names, now=post.key == now) for post in posts)


def choices(offered: tuple[Choice, ...], token: str, action: str, *, missing: bool = False) -> dict[str, object]:
    """Give what stands on the page.

    Args:
        offered: what to choose from.
        token: what the form must carry.
        action: where it is sent, below `/console/`.
        missing: whether nothing was chosen.
    """
    groups = [(group, list(rows)) for group, rows in groupby(offered, key=lambda one: one.group)]
    return {"groups": groups, "state": token, "action": action, "missing": missing, "first": offered[0].key}


def routes(site: Site) -> list[BaseRoute]:
    """Give the addresses of changing role."""

    async def which(request: Request) -> Response:
        session = _session(site, request)
        return site.page(request, "role.html", **choices(_offered(site, session), "", "role"))

    async def chosen(request: Request) -> Response:
        form = await site.form(request)
        session = _session(site, request)
        key = form.one("post")
        if key not in {one.key for one in _offered(site, session)}:
            return site.page(request, "role.html", 422, **choices(_offered(site, session), "", "role", missing=True))
        post = _taken(site, session, key)
        looker = Looker(principal=post.principal, session=replace(session, person=post.person))
        opened = await _become(site, session, post)
        return await let_in(site, opened, site.first_page(looker), notice=f"You are now {looker.words(site.names)}.")

    return [Route("/role", which, methods=["GET"]), Route("/role", chosen, methods=["POST"])]


def _session(site: Site, request: Request) -> Session:
    session = site.session(request)
    if session is None:
        raise SignedOut
    if len(_offered(site, session)) < 2:  # noqa: PLR2004 - nothing to choose from
        raise HTTPException(404)
    return session


def _offered(site: Site, session: Session) -> tuple[Choice, ...]:
    if not session.developing:
        return choices_of(session.posts, site.names, now=_key(session))
    entrance = site.services.get(Entrance)
    invented = entrance.invented if isinstance(entrance, Entrance) else ()
    operator = Choice(
        key=BY_LINK.name,
        group=_WHOLE,
        words="Look as the gateway's operator",
        hint="Everything, every trust's patients too: in development alone",
        now=session.principal == BY_LINK,
    )
    return (
        operator,
        *(
            _choice(one.name, one.post, one.person, site.names, now=session.principal.name == one.name)
            for one in invented
        ),
    )


def _choice(key: str, post: Post, person: str, names: Names, *, now: bool) -> Choice:
    row = ROLES[post.role]
    return Choice(
        key=key,
        group=_organisation(post.tenant, names),
        words=f"{person}, {row.words}" if person else row.words,
        hint=f"{row.sees}. {row.does}.",
        now=now,
    )


def _organisation(tenant: OdsCode | None, names: Names) -> str:
    if tenant is None:
        return _WHOLE
    return f"{names[tenant]} ({tenant})" if tenant in names else str(tenant)


def _key(session: Session) -> str:
    role = session.principal.role
    return Post(role=role, tenant=session.principal.tenant).key if role else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    """Who somebody goes on as."""

    principal: Principal
    person: str = ""
    until: datetime | None = None


def _taken(site: Site, session: Session, key: str) -> _Taken:
    """Give who a choice among those offered is."""
    if not session.developing:
        post = next(one for one in session.posts if one.key == key)
        return _Taken(principal=post.principal(session.principal.name), person=session.person, until=post.until)
    if key == BY_LINK.name:
        return _Taken(principal=BY_LINK)
    invented = next(one for one in site.service(Entrance).invented if one.name == key)
    return _Taken(principal=invented.post.principal(invented.name), person=invented.person)


async def _become(site: Site, session: Session, taken: _Taken) -> Opened:
    """Go on in the post that was chosen, after the audit knows of it."""
    principal = taken.principal
    role = f"{principal.role or 'operator'} {principal.tenant or 'of the whole gateway'}"
    subject = f"{role} as {principal.name}"
    await site.note(Looker(principal=session.principal, session=session), "change role", subject)
    await written_down(site, principal, taken.person)
    opened = await site.sessions.change(session, principal, person=taken.person, until=taken.until)
    await still_given(site, principal, taken.until)
    return opened
