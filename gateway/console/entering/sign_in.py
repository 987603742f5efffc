"""Getting in and out: by an identity provider, by a link that works once (development, D15), and the way out."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from gateway.access.policy import Action, allow
from gateway.console.entering.by_issuer import pages_of
from gateway.console.entering.entrance import Entrance
from gateway.console.entering.getting_in import let_in, note, signed_out
from gateway.console.site import HEADERS, HOME, SignedOut, Site
from gateway.wire.strict_json import dumps


def routes(site: Site) -> list[BaseRoute]:
    """Give the addresses of getting in and out."""

    async def page(request: Request) -> Response:
        return signed_out(site, request, 200)

    async def enter(request: Request) -> Response:
        """Let a browser in by a link that works once."""
        opened = await site.sessions.enter(request.path_params["code"])
        if opened is None:
            return signed_out(site, request, 403, used=True)
        await note(site, "operator", "enter", "by a link")
        return await let_in(site, opened, HOME)

    async def leave(request: Request) -> Response:
        """End the session."""
        await site.form(request)
        session = site.session(request)
        if session is not None:
            await site.sessions.leave(session)
        return RedirectResponse(f"{HOME}sign-in", 303, HEADERS)

    async def links(request: Request) -> Response:
        """Give an operator's tool, by its token, a link for a browser."""
        caller = site.directory.authenticate(request.headers.get("authorization"))
        if not allow(caller, Action.READ_CONSOLE, None):
            raise SignedOut
        return Response(dumps({"path": site.sessions.link()}), 201, HEADERS, "application/json")

    entrance = site.services.get(Entrance)
    by_link = [Route("/enter/{code}", enter, methods=["GET"]), Route("/links", links, methods=["POST"])]
    return [
        Route("/sign-in", page, methods=["GET"]),
        Route("/leave", leave, methods=["POST"]),
        *(by_link if site.frame.development else []),
        *(pages_of(site, entrance) if isinstance(entrance, Entrance) else []),
    ]
