"""Pausing a provider, and letting it go on: what will happen is said first, and a reason is kept (console.md 6.5)."""

from collections.abc import Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.access.policy import Action
from gateway.console.site import Form, Looker, Site
from gateway.console.words import clock_time
from gateway.domain.errors import Unavailable
from gateway.domain.partner import Provider
from gateway.enquiries import PauseView
from gateway.ports.work import BY_OPERATOR

LONGEST: Final = 500
_SAYS: Final = {
    "pause": (
        "Pause",
        (
            "Nothing more is sent to it until somebody lets it go on. What is being sent now is finished.",
            "New prescriptions for it are taken, and wait. Their deadlines run on, and alerts open when they pass.",
        ),
        ("Nothing that it has already is stopped, cancelled or called back. It is not told.",),
        "Yes: let it go on at any time. What waits is then sent, the oldest first.",
    ),
    "resume": (
        "Let go on",
        ("What waits for it is sent, the oldest first.",),
        ("A pause of another kind, such as after a restore, does not end by this.",),
        "It can be paused again. What has been sent by then has been sent.",
    ),
}


def routes(site: Site, provider_of: Callable[[Looker, Request], Provider]) -> list[BaseRoute]:
    """Give the addresses of the two acts.

    Args:
        site: what pages share.
        provider_of: gives the provider of an address, or raises 404.
    """

    async def ask(request: Request) -> Response:
        looker = site.looking(request, Action.PAUSE)
        provider, act = provider_of(looker, request), _act(request)
        await site.note(looker, f"{act} page", f"provider {provider.ods}")
        return await _page(site, request, provider, site.typed(request))

    async def do(request: Request) -> Response:
        looker = site.looking(request, Action.PAUSE)
        provider, act = provider_of(looker, request), _act(request)
        form = await site.form(request)
        reason = form.one("reason")
        fault = _fault(reason)
        if fault:
            return await _page(site, request, provider, form, fault=fault, status=422)
        doing = site.store.pause if act == "pause" else site.store.resume
        try:
            done = await doing(provider.ods, by=looker.name, reason=reason, now=site.now())
        except Unavailable:
            return await _page(site, request, provider, form, unknown=True, status=503)
        if not done:
            return await _page(site, request, provider, form, changed=True, status=409)
        said = "is paused. Nothing is sent to it" if act == "pause" else "goes on. What waits is sent"
        return site.to(request, f"/console/providers/{provider.ods}", f"{provider.name} {said}.")

    return [
        Route(f"/providers/{{ods}}/{act}", endpoint, methods=[method], name=act)
        for act in _SAYS
        for endpoint, method in ((ask, "GET"), (do, "POST"))
    ]


async def _page(
    site: Site,
    request: Request,
    provider: Provider,
    form: Form,
    *,
    fault: str = "",
    unknown: bool = False,
    changed: bool = False,
    status: int = 200,
) -> Response:
    act = _act(request)
    button, will, will_not, undo = _SAYS[act]
    pause = None if unknown else await _open(site, provider)
    return site.page(
        request,
        "provider_pause.html",
        status,
        name=provider.name,
        ods=str(provider.ods),
        act=act,
        heading=f"Pause {provider.name}" if act == "pause" else f"Let {provider.name} go on",
        button=button,
        will=will,
        will_not=will_not,
        undo=undo,
        stands=_stands(provider, pause),
        moot=not unknown and (pause is not None) == (act == "pause"),
        fault=fault,
        unknown=unknown,
        changed=changed,
        reason=form.one("reason"),
        longest=LONGEST,
    )


async def _open(site: Site, provider: Provider) -> PauseView | None:
    pauses = await site.enquiries.pauses()
    return next((one for one in pauses if one.destination == provider.ods and one.kind == BY_OPERATOR), None)


def _stands(provider: Provider, pause: PauseView | None) -> str:
    if pause is None:
        return f"{provider.name} is not paused by anybody."
    return f"{provider.name} was paused at {clock_time(pause.begun_at)} by {pause.begun_by}: {pause.reason}"


def _act(request: Request) -> str:
    return request.url.path.rpartition("/")[2]


def _fault(reason: str) -> str:
    if not reason:
        return "Enter a reason"
    return f"Use {LONGEST} characters or fewer" if len(reason) > LONGEST else ""
