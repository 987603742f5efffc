"""Getting in by an identity provider: there, back, and in one of the roles it says; and out when it says so.

Whoever has no role here is told so and let no further. Every outcome leaves an audit leaf before anything is shown;
of people who are not known, and of whom anybody can send any number, at most one each second, which counts the others.

Source: OpenID Connect Core 3.1; Back-Channel Logout 1.0, 2.5; reliability-security.md 8.
"""

import hmac
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from gateway.access.posts import Identity, Post, with_grants
from gateway.console.entering import arrivals, cookies
from gateway.console.entering.arrivals import Arrival
from gateway.console.entering.entrance import Entrance, short_name
from gateway.console.entering.getting_in import let_in, local, note, still_given, written_down
from gateway.console.entering.id_token import NotBelieved
from gateway.console.entering.issuer import Issuer, IssuerAway
from gateway.console.entering.role import Choice, choices, choices_of
from gateway.console.entering.session import digest_of, form_token
from gateway.console.site import HEADERS, HOME, SignedOut, Site
from gateway.domain.session import Why

_SECONDS: Final = int(arrivals.LASTS.total_seconds())
_APART: Final = timedelta(seconds=1)


@dataclass(slots=True)
class Strangers:
    """When a leaf of somebody who is not known was last written, and how many came since."""

    at: datetime | None = None
    unsaid: int = 0


@dataclass(frozen=True, slots=True)
class ByIssuer:
    """The pages between the console and an identity provider."""

    site: Site
    entrance: Entrance
    issuer: Issuer
    cookie: cookies.Cookie
    strangers: Strangers = field(default_factory=Strangers)

    def routes(self) -> list[BaseRoute]:
        """Give their addresses."""
        return [
            Route("/sign-in/begin", self.begin, methods=["GET"]),
            Route("/sign-in/back", self.back, methods=["GET"]),
            Route("/sign-in/role", self.which, methods=["GET"]),
            Route("/sign-in/role", self.chosen, methods=["POST"]),
            Route("/sign-in/ended", self.ended, methods=["POST"]),
        ]

    async def begin(self, request: Request) -> Response:
        """Send a browser to the identity provider."""
        arrival = Arrival(path=local(request.query_params.get("to", "")), at=self.site.now())
        try:
            address = await self.issuer.begin(arrival)
        except IssuerAway as error:
            return await self._away(request, error)
        response = RedirectResponse(address, 303, HEADERS)
        self.cookie.give(response, arrival.carried(), seconds=_SECONDS)
        return response

    async def back(self, request: Request) -> Response:
        """Take a browser that comes back from the identity provider; what it carried serves once."""
        response = await self._back(request)
        if self.cookie.full_name not in response.headers.get("set-cookie", ""):
            self.cookie.take(response)
        return response

    async def _back(self, request: Request) -> Response:
        said = request.query_params
        arrival = arrivals.came_back(self.cookie.of(request), said.get("state", ""), self.site.now())
        if arrival is None or "code" not in said or "error" in said:
            return await self._not_believed(request, "state" if arrival is None else "refused by the identity provider")
        try:
            known = await self.issuer.identify(arrival, said["code"], named=said.get("iss", ""))
        except IssuerAway as error:
            return await self._away(request, error)
        except NotBelieved as error:
            return await self._not_believed(request, error.why)
        identity = self.entrance.identity(known)
        grants = await self.site.enquiries.granted_to(identity.name, now=self.site.now())
        posts = with_grants(identity.posts, grants, self.entrance.organisations)
        return await self._identified(request, replace(identity, posts=posts), local(arrival.path))

    async def _identified(self, request: Request, identity: Identity, path: str) -> Response:
        """Let a person in who has one role; ask one with several; say so to one with none."""
        if not identity.posts:
            await note(self.site, identity.name, "sign-in refused", "no role here")
            return self.site.page(request, "no_role.html", 403, person=identity.person, name=identity.name)
        if len(identity.posts) == 1:
            return await self._in(identity, identity.posts[0], path)
        secret = await self.site.sessions.ask_role(identity, path)
        response = RedirectResponse(f"{HOME}sign-in/role", 303, HEADERS)
        self.cookie.give(response, secret, seconds=_SECONDS)
        return response

    async def which(self, request: Request) -> Response:
        """Ask in which of several roles a person wants to come in."""
        secret = self.cookie.of(request)
        asked = await self.site.sessions.asked_role(secret)
        if asked is None:
            raise SignedOut
        offered = self._offered(asked[0])
        return self.site.page(request, "role.html", **choices(offered, form_token(secret), "sign-in/role"))

    async def chosen(self, request: Request) -> Response:
        """Let a person in, in the role that was picked."""
        form = await self.site.loose_form(request)
        secret = self.cookie.of(request)
        state = form_token(secret)
        asked = await self.site.sessions.asked_role(secret)
        if asked is None or not hmac.compare_digest(form.one("state").encode(), state.encode()):
            raise SignedOut
        identity, path = asked
        post = next((one for one in identity.posts if one.key == form.one("post")), None)
        if post is None:
            offered = choices(self._offered(identity), state, "sign-in/role", missing=True)
            return self.site.page(request, "role.html", 422, **offered)
        return await self._in(identity, post, path)

    async def ended(self, request: Request) -> Response:
        """Obey the identity provider that ends a person's sessions; the same order counts once."""
        form = await self.site.loose_form(request)
        try:
            subject, token = await self.issuer.signed_out(form.one("logout_token"))
        except (IssuerAway, NotBelieved):
            return Response(status_code=400, headers=HEADERS)
        name = short_name(subject, self.issuer.settings.url)
        ended = await self.site.sessions.end_all(name, Why.ISSUER, order=digest_of(token))
        if ended is None:
            return Response(status_code=400, headers=HEADERS)
        if ended:
            await note(self.site, name, "signed out", "by the identity provider")
        return Response(status_code=200, headers=HEADERS)

    async def _in(self, identity: Identity, post: Post, path: str) -> Response:
        await note(self.site, identity.name, "sign in", f"{post.role} {post.tenant or 'of the whole gateway'}")
        await written_down(self.site, post.principal(identity.name), identity.person)
        opened = await self.site.sessions.sign_in(identity, post)
        await still_given(self.site, post.principal(identity.name), post.until)
        response = await let_in(self.site, opened, path)
        self.cookie.take(response)
        return response

    async def _away(self, request: Request, error: IssuerAway) -> Response:
        await self._of_nobody("sign-in not possible", str(error))
        return self._refused(request, 503, away=True)

    async def _not_believed(self, request: Request, why: str) -> Response:
        await self._of_nobody("sign-in refused", why)
        return self._refused(request, 403, away=False)

    async def _of_nobody(self, action: str, why: str) -> None:
        """Write the leaf of somebody who is not known, now and then: whoever knocks must not fill the audit."""
        now, strangers = self.site.now(), self.strangers
        if strangers.at is not None and now - strangers.at < _APART:
            strangers.unsaid += 1
            return
        more = f", and {strangers.unsaid} more since the leaf before" if strangers.unsaid else ""
        strangers.at, strangers.unsaid = now, 0
        await note(self.site, "nobody", action, f"{why}{more}")

    def _refused(self, request: Request, status: int, *, away: bool) -> Response:
        """Say that nobody was let in, and what to do; the reason stands in the audit, not on the page."""
        words = self.issuer.settings.words
        return self.site.page(request, "sign_in_refused.html", status, away=away, words=words)

    def _offered(self, identity: Identity) -> tuple[Choice, ...]:
        return choices_of(identity.posts, self.site.names)


def pages_of(site: Site, entrance: Entrance) -> list[BaseRoute]:
    """Give the addresses of signing in by the identity provider, if there is one."""
    if entrance.issuer is None:
        return []
    cookie = cookies.Cookie(name=cookies.ARRIVAL, host=not site.frame.development)
    return ByIssuer(site, entrance, entrance.issuer, cookie).routes()
