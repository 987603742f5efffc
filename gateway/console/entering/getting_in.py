"""What every way into the console has in common: the page of who is out, the cookie of who is in, and where to."""

from datetime import datetime
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.access.principal import Principal
from gateway.console.entering.entrance import Entrance
from gateway.console.entering.sessions import WORDS, Opened
from gateway.console.site import HEADERS, HOME, SignedOut, Site, visit_of
from gateway.domain.session import Why

_KEPT: Final = "You were signed out before this was sent. Nothing was done. What you typed is still here."


def signed_out(site: Site, request: Request, status: int, *, used: bool = False, kept: bool = False) -> Response:
    """Say how to get in, and why the browser is out; and whether what was just sent is kept."""
    entrance = site.services.get(Entrance)
    issuer = entrance.issuer if isinstance(entrance, Entrance) else None
    ended = visit_of(request).ended
    here = request.url.path if request.method == "GET" else ""
    return site.page(
        request,
        "signed_out.html",
        status,
        used=used,
        why=WORDS[ended.why] if ended else "",
        kept=kept,
        sent=request.method == "POST",
        issuer=issuer.settings.words if issuer else "",
        begin=f"{HOME}sign-in/begin?to={local(here)}",
    )


async def let_in(site: Site, opened: Opened, path: str, *, notice: str = "") -> Response:
    """Let a browser in: to what was being typed when an earlier session ended, or else to where it wanted to go.

    Args:
        site: the console.
        opened: the new session.
        path: where it wanted to go.
        notice: what is said there once.
    """
    if opened.typed:
        path, notice = opened.typed, f"{notice} {_KEPT}".strip()
    if notice:
        await site.sessions.say(opened.secret, notice)
    response = RedirectResponse(path, 303, HEADERS)
    site.cookie.give(response, opened.secret)
    return response


async def still_given(site: Site, principal: Principal, until: datetime | None) -> None:
    """Look once more whether a role may be taken, when its session is open: its end ends those that are open then.

    Args:
        site: the console.
        principal: in the role.
        until: when the role ends, if it was given here.

    Raises:
        SignedOut: it was ended meanwhile.
    """
    if until is None:
        return
    grants = await site.enquiries.granted_to(principal.name, now=site.now())
    if (principal.role, principal.tenant) not in {(one.role, one.tenant) for one in grants}:
        await site.sessions.end_all(principal.name, Why.POST)
        place = f"{principal.role} {principal.tenant or 'of the whole gateway'}"
        await note(site, principal.name, "sign in: not let in, the role had ended", place)
        raise SignedOut


def local(path: str) -> str:
    """Give a page of the console, whatever was asked for: never an address elsewhere."""
    inside = path.startswith(HOME) and path.isascii() and path.isprintable() and not set(path) & set("\\?#% ")
    return path if inside and not path.startswith((f"{HOME}sign-in", f"{HOME}enter")) else HOME


async def written_down(site: Site, principal: Principal, person: str) -> None:
    """Keep who takes which role, for the list of people and for work to be handed to."""
    if principal.role is not None:
        await site.store.let_in(
            principal.name, person=person, role=principal.role, tenant=principal.tenant, now=site.now()
        )


async def note(site: Site, name: str, action: str, subject: str) -> None:
    """Write an audit leaf of somebody who is not let in yet."""
    await site.store.note_access(principal=name, action=f"console {action}", subject=subject, now=site.now())
