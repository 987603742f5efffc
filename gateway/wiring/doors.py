"""The doors of a gateway: the HTTP application with the console in it, its server, and the MLLP listener."""

import asyncio
import ssl
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from socket import AF_INET, AF_INET6, create_server, socket
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from gateway.config.partners import sites_of
from gateway.console.application import create_console
from gateway.console.board.provider_book import ProviderBook
from gateway.console.entering.entrance import Entrance
from gateway.console.entering.sessions import Sessions
from gateway.console.in_force.settings_book import SettingsBook
from gateway.console.living.feed import Feed
from gateway.console.site import Frame
from gateway.domain.errors import ConfigurationError
from gateway.domain.notice_rules import NoticeRules
from gateway.domain.submission import Answer, Submission
from gateway.mllp import MllpListener, TenantOf, by_certificate, by_sending_facility
from gateway.pipeline.again import SendingAgain
from gateway.pipeline.asking import Asking
from gateway.pipeline.prepare import prepare_submission
from gateway.pipeline.reading_again import ReadAgain
from gateway.pipeline.reroute import Rerouting
from gateway.ports.callback import Callback, CallbackResult
from gateway.settings import Settings
from gateway.web.app import Identity, create_app
from gateway.web.limits import Limits
from gateway.wiring.at_the_desk import at_the_desk
from gateway.wiring.build import Gateway, Part
from gateway.wiring.crowd import Crowd
from gateway.wiring.settings_shown import settings_of
from gateway.wiring.signing_in import entrance_to


class Waking:
    """The pipeline as the doors see it: after each of its verbs the worker looks for work.

    Args:
        gateway: whose pipeline it is.
        wake: the worker's.
    """

    def __init__(self, gateway: Gateway, wake: Callable[[], None]) -> None:
        self._pipeline = gateway.pipeline
        self.refuse_unread = gateway.pipeline.refuse_unread
        self._wake = wake

    async def receive(self, submission: Submission) -> Answer:
        """See `Pipeline.receive`."""
        answer = await self._pipeline.receive(submission)
        self._wake()
        return answer

    async def acknowledge(self, callback: Callback, headers: Mapping[str, str]) -> CallbackResult:
        """See `Pipeline.acknowledge`."""
        result = await self._pipeline.acknowledge(callback, headers)
        self._wake()
        return result


_DATE_SECONDS: Final = 1.0
"""How old the Date header of an answer may be."""


class Server(uvicorn.Server):
    """A server that leaves the process's signals to us, and sleeps until it is told to stop."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """Take no more requests; `serve` returns when those begun are answered."""
        self.should_exit = True
        self._stopped.set()

    async def main_loop(self) -> None:
        """Renew the Date header until stopped. The server's own loop asks ten times a second whether it should end."""
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                async with asyncio.timeout(_DATE_SECONDS):
                    await self._stopped.wait()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Capture none."""
        yield


def open_socket(host: str, port: int) -> socket:
    """Take an address before anything else starts, so that a port in use is found at once.

    Raises:
        ConfigurationError: it is taken, or not ours.
    """
    try:
        return create_server((host, port), family=AF_INET6 if ":" in host else AF_INET, backlog=1024)
    except OSError as error:
        raise ConfigurationError(f"cannot listen on {host}:{port}: {error.strerror}") from error


def http_application(
    gateway: Gateway, story: Waking, sessions: Sessions, parts: frozenset[Part], base: str, *, feed: Feed | None = None
) -> ASGIApp:
    """Build the HTTP application with the parts that are wanted.

    Args:
        gateway: what it serves.
        story: the pipeline.
        sessions: the console's.
        parts: HTTP, CONSOLE or both.
        base: where it answers, without a slash at the end.
        feed: what moves, for pages that stay open.
    """
    configuration, settings = gateway.configuration, gateway.settings
    routes = _console(gateway, sessions, feed) if Part.CONSOLE in parts else []
    if Part.HTTP not in parts:
        return Starlette(routes=routes)
    return create_app(
        story=story,
        enquiries=gateway.enquiries,
        notes=gateway.store,
        directory=gateway.directory,
        providers=frozenset(configuration.routing.providers),
        identity=Identity(
            organisation=configuration.organisation,
            environment=configuration.environment,
            base_url=base,
            version=gateway.version,
        ),
        jwks={name: [{**key} for key in keys] for name, keys in gateway.keys.jwks().items()},
        metrics=gateway.metrics,
        now=gateway.clock.now,
        limits=Limits(body_bytes=settings.http_body_bytes, in_flight=settings.tenant_requests),
        hosts=settings.allowed_hosts,
        deadlines=configuration.deadlines,
        watch_seconds=settings.watch_allowed_seconds,
        routes=routes,
        prepare=lambda submission, when: prepare_submission(submission, gateway.around, when),
    )


def feed_of(gateway: Gateway) -> Feed:
    """Make what follows the store for the pages that stay open."""
    return Feed(
        enquiries=gateway.enquiries,
        listen=gateway.joining.listen,
        now=gateway.clock.now,
        watch_seconds=gateway.settings.watch_allowed_seconds,
    )


def _console(gateway: Gateway, sessions: Sessions, feed: Feed | None) -> list[BaseRoute]:
    configuration = gateway.configuration
    services: dict[type, object] = {Entrance: entrance_to(gateway)} | ({} if feed is None else {Feed: feed})
    services |= at_the_desk(gateway)
    services[SettingsBook] = settings_of(gateway)
    services[ProviderBook] = ProviderBook(
        providers=configuration.routing.providers,
        routes=configuration.routing.rows,
        promises={ods: destination.promises for ods, destination in gateway.destinations.items()},
    )
    services |= _acting(gateway)
    services[ReadAgain] = ReadAgain(gateway.store, gateway.around)
    services[NoticeRules] = configuration.notices
    names = {trust.ods: trust.name for trust in configuration.trusts.values()}
    names |= {provider.ods: provider.name for provider in configuration.routing.providers.values()}
    return create_console(
        enquiries=gateway.enquiries,
        notes=gateway.store,
        directory=gateway.directory,
        sessions=sessions,
        frame=Frame(
            organisation=configuration.organisation.value,
            environment=configuration.environment.value,
            development=gateway.settings.in_development,
            watch_seconds=gateway.settings.watch_allowed_seconds,
        ),
        names=names,
        now=gateway.clock.now,
        services=services,
    )


def _acting(gateway: Gateway) -> dict[type, object]:
    """Make what carries the acts of people at the console."""
    bench = {
        "store": gateway.store,
        "enquiries": gateway.enquiries,
        "sealer": gateway.keys.seal(gateway.configuration.organisation),
        "around": gateway.around,
        "clock": gateway.clock,
    }
    return {Asking: Asking(**bench), SendingAgain: SendingAgain(**bench), Rerouting: gateway.rerouting}  # type: ignore[arg-type]


def http_server(gateway: Gateway, application: ASGIApp) -> Server:
    """Make the server of the HTTP application."""
    crowd = Crowd(
        application,
        most=gateway.settings.http_connections,
        connections=lambda: len(server.server_state.connections),
    )
    config = uvicorn.Config(
        crowd,
        log_config=None,
        access_log=False,  # the application's own log line has no query string
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=int(gateway.settings.drain_seconds) or 1,
    )
    server = Server(config)
    return server


def mllp_listener(gateway: Gateway, story: Waking) -> MllpListener:
    """Make the MLLP listener.

    With TLS, the client certificate says who speaks. Plain text is for loopback in development, where a message is
    taken at its word.

    Raises:
        ConfigurationError: the certificates cannot be read; or there are none, and this is not development.
    """
    tls = _tls(gateway.settings)
    if tls is None and not gateway.settings.in_development:
        raise ConfigurationError(
            "MLLP outside development needs GATEWAY_MLLP_CERTIFICATE, GATEWAY_MLLP_KEY and "
            "GATEWAY_MLLP_CLIENT_AUTHORITIES; without MLLP, run with --only http,worker,watch,console"
        )
    return MllpListener(
        story.receive,
        refuse=story.refuse_unread,
        tenant_of=_by_site(gateway) if tls is None else by_certificate(gateway.configuration.certificates),
        now=gateway.clock.now,
        limit=gateway.settings.mllp_body_bytes,
        idle_seconds=gateway.settings.mllp_idle_seconds,
        most_connections=gateway.settings.mllp_connections,
        most_of_one=gateway.settings.mllp_connections_of_one,
        tls=tls,
        metrics=gateway.metrics,
    )


def _by_site(gateway: Gateway) -> TenantOf:
    providers = {ods.value: ods for ods in gateway.configuration.routing.providers}
    trusts = gateway.configuration.trusts.values()
    return by_sending_facility(providers | {ods.value: trust.ods for trust in trusts for ods in sites_of(trust)})


def _tls(settings: Settings) -> ssl.SSLContext | None:
    stated = (settings.mllp_certificate, settings.mllp_key, settings.mllp_client_authorities)
    certificate, key, authorities = stated
    if certificate is None or key is None or authorities is None:
        if any(stated):
            raise ConfigurationError("MLLP over TLS needs certificate, key and client authorities together")
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    try:
        context.load_cert_chain(certificate, key)
        context.load_verify_locations(authorities)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"MLLP certificates cannot be read: {type(error).__name__}") from error
    return context
