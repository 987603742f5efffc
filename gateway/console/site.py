"""What every page of the console stands on: who looks, what they may see, forms, audit leaves, and the frame around it.

Source: console.md 5, 7; brief D15, D16; reliability-security.md I8, I9.
"""

import hmac
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeVar, cast
from urllib.parse import urlsplit

from jinja2 import ChainableUndefined, ChoiceLoader, Environment, PackageLoader
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.access.directory import Directory
from gateway.access.policy import Action, allow, may_enter
from gateway.access.principal import Principal
from gateway.access.roles import ROLES
from gateway.console.assets import Assets
from gateway.console.entering import cookies
from gateway.console.entering.session import Session, Visit
from gateway.console.entering.sessions import Sessions
from gateway.console.forms import MOST_BYTES, read_fields
from gateway.console.words import begun, clock_time
from gateway.console.zipped import zipped
from gateway.domain.errors import Unavailable
from gateway.domain.identifiers import OdsCode
from gateway.domain.written import says_something
from gateway.enquiries import Enquiries
from gateway.ports.attention import MOST_COUNTED
from gateway.ports.store import Store

HOME: Final = "/console/"
BY_ITSELF: Final = "x-live"
"""Header of what an open page asks for by itself: no person asked, and none reads a notice that is shown once."""
_COUNT_SERVES: Final = timedelta(seconds=1)
NEVER_KEPT: Final = frozenset({"golden"})
"""Fields that are looked at once and kept for nobody, not even when a session is over: whole messages."""
_UNDER_WAY_SECONDS: Final = 3.0
"""How long the second of two clicks waits for what the first one does."""

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
}

Names = Mapping[OdsCode, str]
"""What each trust and provider is called."""

Service = TypeVar("Service")


class Notes(Protocol):
    """Where readings are noted."""

    async def note_access(self, *, principal: str, action: str, subject: str, now: datetime) -> None:
        """Write an audit leaf; raises `Unavailable`, and then nothing is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What every page says of where it is.

    Attributes:
        organisation: who operates the gateway, in words.
        environment: live or test.
        development: whether to say on every page that this is a development gateway (D15).
        watch_seconds: how long ago deadlines may have been looked at last.
        help_phone: who is rung when the console itself is in trouble; empty where nobody is named.
    """

    organisation: str
    environment: str
    development: bool
    watch_seconds: float = 60.0
    help_phone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of the navigation.

    Attributes:
        action: who may not do this does not see the entry.
    """

    words: str
    href: str
    action: Action = Action.READ_CONSOLE


class SignedOut(Exception):
    """Nobody we know is looking."""


class SentBefore(Exception):
    """A form was sent a second time: a double click, or the page loaded again.

    Args:
        path: where it led, or the page it stood on where that is not known.
        known: whether it is known.
    """

    def __init__(self, path: str, *, known: bool) -> None:
        super().__init__()
        self.path = path
        self.known = known


@dataclass(frozen=True, slots=True, kw_only=True)
class Looker:
    """Who looks at a page: a person with a session, or an operator's tool with a token.

    Attributes:
        renews: an open page asks by itself: the view is the one that its person asked for.
    """

    principal: Principal
    session: Session | None = None
    renews: bool = False

    @property
    def name(self) -> str:
        """Short name, as it stands in the audit."""
        return self.principal.name

    @property
    def tenant(self) -> OdsCode | None:
        """Whose prescriptions they may see; None for all."""
        return self.principal.tenant

    def may(self, action: Action) -> bool:
        """Tell whether they may do this with what they can see."""
        return allow(self.principal, action, self.tenant)

    def words(self, names: Names) -> str:
        """Give who looks as `name, role, organisation (ODS)`, for the strip on every page (console.md 3)."""
        role = ROLES[self.principal.role].words if self.principal.role else "Operator of the gateway"
        known = names.get(self.tenant) if self.tenant else None
        where = f"{known} ({self.tenant})" if known else str(self.tenant or "every trust")
        person = self.session.person if self.session else ""
        return f"{person or self.name}, {role}, {where}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What was typed and chosen, its token already checked.

    Attributes:
        values: every field with what it holds, for the page to show again.
        token: of this one form; empty if it carries none.
    """

    values: Mapping[str, tuple[str, ...]] = field(repr=False)
    token: str = ""

    def one(self, name: str) -> str:
        """Give a field's first value without space around it; empty where there is none that could be seen."""
        text = self.values.get(name, ("",))[0].strip()
        return text if says_something(text) else ""

    def many(self, name: str) -> tuple[str, ...]:
        """Give every value of a field."""
        return self.values.get(name, ())


class Site:
    """What the pages share.

    Args:
        enquiries: what is read.
        store: what acts are done with.
        directory: for an operator's tool that shows its token.
        sessions: the browsers let in.
        frame: what every page says of where it is.
        names: what each trust and provider is called.
        now: the clock.
        services: what single pages need beyond these, by class.
        entries: the navigation.
    """

    def __init__(
        self,
        *,
        enquiries: Enquiries,
        store: Notes,
        directory: Directory,
        sessions: Sessions,
        frame: Frame,
        names: Names,
        now: Callable[[], datetime],
        services: Mapping[type, object] | None = None,
        entries: tuple[Entry, ...] = (),
    ) -> None:
        self.enquiries = enquiries
        self.store = cast("Store", store)  # readings need only its notes, and are tried with nothing else
        self.directory = directory
        self.sessions = sessions
        self.frame = frame
        self.names = names
        self.now = now
        self.cookie = cookies.Cookie(name=cookies.SESSION, host=not frame.development)
        self.assets = Assets()
        self.services = services or {}
        self._entries = entries
        self._counted: dict[OdsCode | None, tuple[datetime, int]] = {}
        self._templates = _templates(self.assets)

    def service(self, kind: type[Service]) -> Service:
        """Give what wiring handed in under its class.

        Raises:
            KeyError: it was not handed in.
        """
        return cast("Service", self.services[kind])

    def offer(self, name: str, value: object) -> None:
        """Let every template use a value under a name."""
        self._templates.globals[name] = value

    def session(self, request: Request) -> Session | None:
        """Give the session of a request, if it is in force.

        Raises:
            Unavailable: nobody can say, because the records cannot be read.
        """
        visit = visit_of(request)
        if visit.away:
            raise Unavailable("sessions cannot be read")
        return visit.session

    def looking(self, request: Request, action: Action | None = Action.READ_CONSOLE) -> Looker:
        """Give who looks.

        Args:
            request: with a session's cookie, or an operator's token.
            action: what the page is for; None for a page that everybody may see who is let in.

        Raises:
            SignedOut: nobody we know.
            HTTPException: 404, they may not do this: the same page as for what does not exist (I9).
        """
        session = self.session(request)
        caller = session.principal if session else self.directory.authenticate(request.headers.get("authorization"))
        if caller is None or not may_enter(caller):
            raise SignedOut
        request.state.principal = caller
        renews = request.method == "GET" and BY_ITSELF in request.headers
        looker = Looker(principal=caller, session=session, renews=renews)
        if action is not None and not looker.may(action):
            raise HTTPException(404)
        return looker

    def first_page(self, looker: Looker) -> str:
        """Give the first page a person may see: most roles see patients, some only figures or messages."""
        if looker.may(Action.READ_CONSOLE):
            return HOME
        return next((entry.href for entry in self._entries if looker.may(entry.action)), f"{HOME}help")

    async def note(self, looker: Looker, action: str, subject: str) -> None:
        """Write the audit leaf of a view or an act, before anything is shown.

        A page that stays open and renews itself is the same view as long as the session lasts: it leaves one more leaf
        the first time, and none after that. So no header hides that somebody looked.

        Raises:
            Unavailable: then nothing may be shown.
        """
        view = f"{action}\n{subject}"
        session = looker.session if looker.renews else None
        if session is None or not await self.sessions.renewed(session, view):
            said = f"console {action}"
            await self.store.note_access(principal=looker.name, action=said, subject=subject, now=self.now())
            if session is not None:
                await self.sessions.renew(session, view)
        await self._count(looker)

    async def _count(self, looker: Looker) -> None:
        """Count what needs attention for the navigation of the page that is about to be shown, at most every second."""
        now, last = self.now(), self._counted.get(looker.tenant)
        if looker.may(Action.READ_CONSOLE) and (last is None or now - last[0] >= _COUNT_SERVES):
            self._counted[looker.tenant] = (now, await self.enquiries.attention_count(tenant=looker.tenant, now=now))

    async def form(self, request: Request, *, most: int = MOST_BYTES) -> Form:
        """Read a form of this session. One that carries a token of its own (`once`) is taken the first time alone.

        Args:
            request: as it came.
            most: bytes that it may have.

        Raises:
            SignedOut: the session is over; what was typed is kept for the same person.
            SentBefore: the form was sent already.
            HTTPException: 403 without its token (CSRF), 413, 415.
        """
        fields = await read_fields(request, most)
        csrf, once = (fields.pop(name, ("",))[0] for name in ("csrf", "once"))
        session = await self._still(request)
        kept = {name: values for name, values in fields.items() if name not in NEVER_KEPT}
        if session is None:
            ended = visit_of(request).ended
            request.state.kept = await self.sessions.keep_late(ended, csrf, came_from(request), kept)
            raise SignedOut
        if not hmac.compare_digest(csrf.encode(), session.csrf.encode()):
            raise HTTPException(403)
        if once and not await self.sessions.use(session, once):
            path = await self.sessions.led(session, once, seconds=_UNDER_WAY_SECONDS)
            if not path:  # it may have been refused: nothing that was typed is lost
                await self.sessions.keep(session, came_from(request), kept)
            raise SentBefore(path or came_from(request), known=bool(path))
        request.state.once = once
        await self.sessions.forget(session, came_from(request))
        return Form(values=fields, token=once)

    async def _still(self, request: Request) -> Session | None:
        """Give the session of a request whose form has come: it may have ended while that was under way.

        Raises:
            Unavailable: nobody can say.
        """
        if self.session(request) is not None:
            visit, now = visit_of(request), await self.sessions.visit(self.cookie.of(request), asks=False)
            visit.session, visit.ended, visit.away = now.session, now.ended, now.away
        return self.session(request)

    async def keep_form(self, request: Request) -> bool:
        """Keep what is sent after its session was over, for the same person. Tells whether it is kept."""
        if request.method != "POST" or self.session(request) is not None:
            return False
        if not hasattr(request.state, "kept"):
            with suppress(HTTPException, SignedOut):
                await self.form(request)
        return bool(getattr(request.state, "kept", False))

    async def loose_form(self, request: Request) -> Form:
        """Read a form of no session, which shows by something else that it may be taken.

        Raises:
            HTTPException: 413, 415.
        """
        return Form(values=await read_fields(request))

    def typed(self, request: Request) -> Form:
        """Give what the same person typed on this page when an earlier session was over; an empty form if nothing."""
        session = self.session(request)
        return Form(values=session.keep_typed(request.url.path) if session else {})

    def page(self, request: Request, template: str, status: int = 200, /, **values: object) -> Response:
        """Give a page in its frame."""
        visit = visit_of(request)
        session = visit.session
        asked = BY_ITSELF not in request.headers
        notice = session.notice if session and asked else ""
        visit.shown = bool(notice)
        looker = Looker(principal=session.principal, session=session) if session else None
        body = self._templates.get_template(template).render(
            frame=self.frame,
            now=self.now(),
            csrf=session.csrf if session else "",
            once=session.token if session else str,
            changes_role=session is not None and (session.developing or len(session.posts) > 1),
            ends_at=self.sessions.ends_at(session) if session else None,
            looker=looker,
            looker_words=looker.words(self.names) if looker else "",
            entries=[entry for entry in self._entries if looker and looker.may(entry.action)],
            attention_count=self._attention(looker),
            here=request.url.path,
            notice=notice,
            **values,
        )
        octets, headers = body.encode(), {**HEADERS, "Vary": "Accept-Encoding"}
        if (small := zipped(octets, request.headers.get("accept-encoding", ""))) is not None:
            octets, headers = small, {**headers, "Content-Encoding": "gzip"}
        return Response(octets, status, headers, "text/html; charset=utf-8")

    def _attention(self, looker: Looker | None) -> str:
        """Give the count of what needs attention, as it was when this person's view was noted."""
        last = self._counted.get(looker.tenant) if looker and looker.may(Action.READ_CONSOLE) else None
        if last is None or not last[1]:
            return ""
        return f"{MOST_COUNTED - 1}+" if last[1] >= MOST_COUNTED else str(last[1])

    def to(self, request: Request, path: str, notice: str = "") -> Response:
        """Lead to a page of the console, with a notice that is shown there once."""
        visit = visit_of(request)
        visit.notice, visit.once, visit.path = notice, getattr(request.state, "once", ""), path
        return RedirectResponse(path, 303, HEADERS)


def visit_of(request: Request) -> Visit:
    """Give who makes a request, and what it leaves for the next one."""
    visit = getattr(request.state, "visit", None)
    return visit if isinstance(visit, Visit) else Visit()


def came_from(request: Request) -> str:
    """Give the console's page that a form stood on, by what the browser says; else the address it was sent to."""
    said = urlsplit(request.headers.get("referer", ""))
    ours = said.netloc == request.url.netloc and said.path.startswith(HOME)
    return said.path if ours else request.url.path


def _templates(assets: Assets) -> Environment:
    """Give the templates, everything escaped; ours may not name a value that is missing, those of the library may."""
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("gateway.console"), PackageLoader("nhsuk_frontend_jinja")]),
        autoescape=True,
        undefined=ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["clock_time"] = clock_time
    environment.filters["begun"] = begun
    environment.globals["asset"] = assets.address
    return environment
