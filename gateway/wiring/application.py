"""Runs a gateway in one loop: doors, worker and watch, until it is told to stop or one of them ends.

A stop ends all parts at once: the doors take no more and answer what they have, the worker claims no more and finishes
what is on the wire; only then is the store let go. What is cut off after the time allowed was not answered, or stays in
the outbox.
"""

import asyncio
import gc
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass

import structlog
import uvloop

from gateway.console.entering.sessions import Sessions
from gateway.console.living.feed import Feed
from gateway.domain.errors import ConfigurationError, Unavailable
from gateway.domain.node import Node
from gateway.enquiries import WATCH
from gateway.mllp import MllpListener
from gateway.notifier.loop import Notifier
from gateway.pipeline.counting import IDLE_SECONDS
from gateway.settings import Settings
from gateway.store.reserve import Reserve
from gateway.store.sql.enquiries import SqlEnquiries
from gateway.watch import Watch
from gateway.wiring.build import Gateway, Part, build
from gateway.wiring.code_maps import CodeMapKeeper
from gateway.wiring.doors import Server, Waking, feed_of, http_application, http_server, mllp_listener, open_socket
from gateway.wiring.nodes import Membership
from gateway.wiring.notifying import notifier_of
from gateway.wiring.room import RoomKeeper
from gateway.wiring.signing_in import sessions_of
from gateway.wiring.standing import adopt
from gateway.wiring.storing import on_server, open_enquiries
from gateway.wiring.watching import dead_man_of, watch_alone, watch_of
from gateway.worker import Attempt, Pace, Surroundings, Worker

_log = structlog.get_logger("gateway")

_CLOCK_SECONDS = 60.0
"""Days, not minutes, are counted by the clockwork."""
_FIGURES_SECONDS = 30.0
"""The books are counted from the base tables, which is not free when there are millions of rows."""
_SELDOM = 4
"""Polls from one look to the next for what people caused elsewhere: re-routes let go by a holder, approved codes."""


LAST_WORD_SECONDS = 1.0
"""For the doors, which cut off by themselves what is not answered in the time allowed, to let their connections go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What people are told when the gateway stands ready.

    Attributes:
        console: the console's address with a link that works once; empty outside development (D15).
        fresh: development tokens made just now, as `trust RBA` and the token.
    """

    http: str
    mllp: str
    console: str
    fresh: tuple[tuple[str, str], ...]


def serve(
    settings: Settings,
    *,
    parts: frozenset[Part] = frozenset(Part),
    tell: Callable[[Told], None],
    tell_link: Callable[[str], None],
) -> int:
    """Run a gateway until it is stopped.

    Args:
        settings: as read.
        parts: what this node runs.
        tell: told once, when every door is open.
        tell_link: told the console's next link, when one was used.

    Returns:
        The exit code: 0 after an orderly stop, 1 when something failed.

    Raises:
        ConfigurationError: it cannot start.
        Unavailable: the store cannot be opened.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_Application(settings, parts, tell, tell_link).run())


class _Application:
    """One run of a gateway."""

    def __init__(
        self,
        settings: Settings,
        parts: frozenset[Part],
        tell: Callable[[Told], None],
        tell_link: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._parts = parts
        self._tell = tell
        self._tell_link = tell_link
        self._stop = asyncio.Event()
        self._failed = False
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._feed: Feed | None = None
        self._tells: Notifier | None = None

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)

        def broken() -> None:
            loop.call_soon_threadsafe(self._fail, "disk")

        if self._parts == {Part.WATCH}:
            self._tell(Told(http="", mllp="", console="", fresh=()))
            await watch_alone(self._settings, self._stop, broken=broken, differs=lambda: self._fail("membership"))
            return 1 if self._failed else 0
        gateway = build(self._settings, broken=broken)
        gc.collect()
        gc.freeze()  # tables and modules live as long as the process, and are not to be looked through again and again
        membership = _member(gateway, self._parts)
        try:
            await membership.enter()
            await gateway.joining.start()
            await adopt(gateway.configuration, gateway.store, gateway.enquiries, gateway.clock)
            await self._run(gateway, membership)
        finally:
            await membership.leave()
            await _let_go(gateway)
        return 1 if self._failed else 0

    def _fail(self, what: str) -> None:
        """Stop because something ended that should not have."""
        _log.error("failed", what=what)
        self._failed = True
        self._stop.set()

    async def _run(self, gateway: Gateway, membership: Membership) -> None:
        worker = _worker(gateway)
        own = open_enquiries(self._settings)
        watch, dead_man = watch_of(gateway, own), dead_man_of(gateway)
        keeper = _room_keeper(gateway)
        await keeper.look()  # the figures are known before anything is let in
        story = Waking(gateway, worker.wake)
        maps = CodeMapKeeper(
            gateway.book,
            gateway.enquiries,
            gateway.rereading if Part.WORKER in self._parts else None,
            woken=gateway.rereads,
            poll_seconds=_SELDOM * self._settings.poll_seconds,
            released=worker.wake,
        )
        await gateway.book.look(gateway.enquiries)  # what was approved counts before the first message is read
        server, base, sessions = self._http(gateway, story)
        listener, mllp = await self._mllp(gateway, story)
        if Part.WORKER in self._parts:
            self._start("worker", worker.run())
            self._start("reroutes", self._reroutes(gateway))
            self._start("clockwork", self._clockwork(gateway))
            self._start("counting", self._counting(gateway))
        if Part.WATCH in self._parts:
            self._start("watch", watch.run())
            if (notifier := self._notifier(gateway, own)) is not None:
                self._start("notifier", notifier.run())
        self._start("figures", self._figures(gateway))
        self._start("code-maps", maps.run())
        self._start("dead-man", dead_man.run())
        self._start("room", keeper.run())
        self._start("membership", membership.run(lambda: self._fail("membership")))
        linked = base and Part.CONSOLE in self._parts and self._settings.in_development
        link = base + sessions.link() if linked else ""
        self._tell(Told(http=base, mllp=mllp, console=link, fresh=tuple(gateway.fresh.items())))
        _log.info("started", version=gateway.version, development=gateway.settings.in_development)
        await self._stop.wait()
        _log.info("stopping")
        dead_man.stop()
        maps.stop()
        keeper.stop()
        membership.stop()
        await self._drain(server, listener, worker, watch)
        await own.close()

    def _http(self, gateway: Gateway, story: Waking) -> tuple[Server | None, str, Sessions]:
        where = ""
        sessions = sessions_of(gateway, announce=lambda path: self._tell_link(where + path))
        if not self._parts & {Part.HTTP, Part.CONSOLE}:
            return None, "", sessions
        host = self._settings.host
        taken = open_socket(host, self._settings.port)
        where = f"http://{f'[{host}]' if ':' in host else host}:{taken.getsockname()[1]}"
        if Part.CONSOLE in self._parts:
            self._feed = feed_of(gateway)
            self._start("live", self._feed.run())
        application = http_application(gateway, story, sessions, self._parts, where, feed=self._feed)
        server = http_server(gateway, application)
        self._start("http", server.serve(sockets=[taken]))
        return server, where, sessions

    async def _mllp(self, gateway: Gateway, story: Waking) -> tuple[MllpListener | None, str]:
        if Part.MLLP not in self._parts:
            return None, ""
        listener = mllp_listener(gateway, story)
        host, port = self._settings.mllp_host, self._settings.mllp_port
        try:
            chosen = await listener.start(host, port)
        except OSError as error:
            raise ConfigurationError(f"cannot listen on {host}:{port}: {error.strerror}") from error
        return listener, f"{host}:{chosen}"

    def _notifier(self, gateway: Gateway, enquiries: SqlEnquiries) -> Notifier | None:
        self._tells = notifier_of(
            gateway.configuration, name=gateway.name, store=gateway.store, enquiries=enquiries, clock=gateway.clock
        )
        return self._tells

    async def _figures(self, gateway: Gateway) -> None:
        """Publish the books now and then."""
        while not self._stop.is_set():
            with suppress(Unavailable):
                gateway.metrics.counted(await gateway.enquiries.books())
                if (swept := await gateway.enquiries.last_beat(WATCH)) is not None:
                    gateway.metrics.watched(swept)  # by a watch in another process, perhaps
                await _publish(gateway)
            with suppress(TimeoutError):
                async with asyncio.timeout(_FIGURES_SECONDS):
                    await self._stop.wait()

    async def _reroutes(self, gateway: Gateway) -> None:
        """Give over, now and then, what a provider has given up for a re-route."""
        while not self._stop.is_set():
            try:
                await gateway.rerouting.finish()
            except Unavailable:
                _log.warning("reroutes_store_away")
            except Exception:  # noqa: BLE001 - plug-in code writes what is sent; a re-route that fails stays on record
                _log.exception("reroutes_failed")
            with suppress(TimeoutError):
                async with asyncio.timeout(_SELDOM * self._settings.poll_seconds):
                    await self._stop.wait()

    async def _clockwork(self, gateway: Gateway) -> None:
        """Do, now and then, what the clock alone causes."""
        while not self._stop.is_set():
            with suppress(Unavailable):
                struck = await gateway.clockwork.strike()
                if struck.expired:
                    _log.warning("validity_over", lines=struck.expired)
            with suppress(TimeoutError):
                async with asyncio.timeout(_CLOCK_SECONDS):
                    await self._stop.wait()

    async def _counting(self, gateway: Gateway) -> None:
        """Keep the figures of the service up with the history."""
        while not self._stop.is_set():
            wait = IDLE_SECONDS
            try:
                wait = await gateway.counting.count()
            except Unavailable:
                _log.warning("counting_store_away")
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._stop.wait()

    def _start(self, name: str, work: Coroutine[object, object, None]) -> None:
        """Run a part; its end before the stop is a failure of the whole."""

        def ended(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and (error := task.exception()) is not None:
                _log.error("part_failed", what=name, exc_info=error)
            if not self._stop.is_set():
                self._fail(name)

        self._tasks[name] = task = asyncio.create_task(work, name=name)
        task.add_done_callback(ended)

    async def _drain(self, server: Server | None, listener: MllpListener | None, worker: Worker, watch: Watch) -> None:
        """Finish what is in hand, all parts at once: together they have the time allowed, not one after the other."""
        allowed = self._settings.drain_seconds
        if self._feed is not None:
            self._feed.stop()  # a stream has no end of its own
        if self._tells is not None:
            self._tells.stop()
        watch.stop()
        worker.stop()
        if server is not None:
            server.stop()
        if listener is not None:
            self._tasks["mllp"] = asyncio.create_task(listener.close(drain_seconds=allowed), name="mllp")
        _, late = await asyncio.wait(self._tasks.values(), timeout=allowed + LAST_WORD_SECONDS)
        for task in late:
            _log.warning("cut_off", what=task.get_name())
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)


async def _publish(gateway: Gateway) -> None:
    """Publish what waits for a person, and for how long what could be sent."""
    now = gateway.clock.now()
    found = await gateway.enquiries.checkup(now=now)
    waits = (now - found.due.since).total_seconds() if found.due.since is not None else 0.0
    gateway.metrics.stands(alerts={one.kind: one.count for one in found.alerts}, due_seconds=max(waits, 0.0))


def _member(gateway: Gateway, parts: frozenset[Part]) -> Membership:
    """Give the place of a gateway among those that share its store."""
    node = Node(
        name=gateway.name,
        version=gateway.version,
        parts=",".join(sorted(parts)),
        configuration=gateway.configuration.digest,
        reference=gateway.around.reference.release,
        key_id=gateway.keys.key_id,
    )
    return Membership(node, gateway.store, gateway.enquiries, gateway.clock, shared=on_server(gateway.settings))


def _worker(gateway: Gateway) -> Worker:
    def observe(attempt: Attempt) -> None:
        gateway.metrics.transmitted(attempt.destination.value, attempt.outcome, attempt.seconds)

    retry = gateway.configuration.retry
    around = Surroundings(
        store=gateway.store,
        enquiries=gateway.enquiries,
        clock=gateway.clock,
        destinations=gateway.destinations,
        providers=gateway.configuration.routing.providers,
        mailboxes=gateway.mailboxes,
        compose=gateway.pipeline.compose,
        observe=observe,
        joining=gateway.joining,
    )
    pace = Pace(
        poll_seconds=gateway.settings.poll_seconds,
        lease_seconds=retry.lease_seconds,
        attempts=retry.attempts,
        age_seconds=retry.age_seconds,
    )
    return Worker(name=gateway.name, around=around, pace=pace)


def _room_keeper(gateway: Gateway) -> RoomKeeper:
    """Make what keeps account of the room that is left."""
    return RoomKeeper(
        admission=gateway.admission,
        reserve=Reserve(gateway.settings.data, 0 if on_server(gateway.settings) else gateway.settings.reserve_bytes),
        enquiries=gateway.enquiries,
        store=gateway.store,
        clock=gateway.clock,
    )


async def _let_go(gateway: Gateway) -> None:
    """Close what was opened, the store last."""
    for outlet in (*gateway.destinations.values(), *gateway.mailboxes.values()):
        with suppress(Exception):  # plug-in code; the process is ending
            await outlet.close()
    await gateway.joining.close()
    await gateway.enquiries.close()
    await gateway.store.close()
