"""Getting in and out: a link that works once (development, D15), and the way out."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from gateway.access.policy import Action, allow
from gateway.console.site import HEADERS, HOME, SignedOut, Site
from gateway.wire.strict_json import dumps


def routes(site: Site) -> list[BaseRoute]:
    """Give the addresses of getting in and out."""

    async def enter(request: Request) -> Response:
        """Let a browser in by a link that works once."""
        secret = site.sessions.enter(request.path_params["code"])
        if secret is None:
            return site.page(request, "signed_out.html", 403, used=True)
        await site.store.note_access(principal="operator", action="enter", subject="console", now=site.now())
        response = RedirectResponse(HOME, 303, HEADERS)
        site.cookie.give(response, secret)
        return response

    async def leave(request: Request) -> Response:
        """End the session."""
        await site.form(request)
        site.sessions.leave(site.cookie.of(request))
        return RedirectResponse(HOME, 303, HEADERS)

    async def links(request: Request) -> Response:
        """Give an operator's tool, by its token, a link for a browser."""
        caller = site.directory.authenticate(request.headers.get("authorization"))
        if not allow(caller, Action.READ_CONSOLE, None):
            raise SignedOut
        return Response(dumps({"path": site.sessions.link()}), 201, HEADERS, "application/json")

    return [
        Route("/enter/{code}", enter, methods=["GET"]),
        Route("/leave", leave, methods=["POST"]),
        Route("/links", links, methods=["POST"]),
    ]
