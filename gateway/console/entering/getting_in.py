"""What every way into the console has in common: the page of who is out, the cookie of who is in, and where to."""

from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.access.principal import Principal
from gateway.console.entering.entrance import Entrance
from gateway.console.site import HEADERS, HOME, Site

_KEPT: Final = "You were signed out before this was sent. Nothing was done. What you typed is still here."


def signed_out(site: Site, request: Request, status: int, *, used: bool = False, kept: bool = False) -> Response:
    """Say how to get in, and why the browser is out; and whether what was just sent is kept."""
    entrance = site.services.get(Entrance)
    issuer = entrance.issuer if isinstance(entrance, Entrance) else None
    ended = site.sessions.ended(site.cookie.of(request))
    here = request.url.path if request.method == "GET" else ""
    return site.page(
        request,
        "signed_out.html",
        status,
        used=used,
        why=ended.why.value if ended else "",
        kept=kept,
        sent=request.method == "POST",
        issuer=issuer.settings.words if issuer else "",
        begin=f"{HOME}sign-in/begin?to={local(here)}",
    )


def let_in(site: Site, secret: str, path: str, *, notice: str = "") -> Response:
    """Let a browser in: to what was being typed when an earlier session ended, or else to where it wanted to go.

    Args:
        site: the console.
        secret: of the new session.
        path: where it wanted to go.
        notice: what is said there once.
    """
    session = site.sessions.find(secret)
    if session is not None and session.typed:
        path = list(session.typed)[-1]
        notice = f"{notice} {_KEPT}".strip()
    if session is not None:
        session.notice = notice
    response = RedirectResponse(path, 303, HEADERS)
    site.cookie.give(response, secret)
    return response


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
