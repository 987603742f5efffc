"""One run from end to end: start the gateway, let the parties loose, wait until everything is settled, and reckon."""

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random

from gateway.domain.books import london_day
from gateway.simulate.behaviours import BEHAVIOURS, SILENT, TROUBLED
from gateway.simulate.books import COUNTS, NOWHERE, Place, Reckoning, imbalances, reckon
from gateway.simulate.child import Child, GatewayDiedError
from gateway.simulate.folder import (
    DEADLINES,
    WATCHED_DEADLINES,
    WATCHED_GIVES_UP_SECONDS,
    WATCHED_TERMS,
    Addresses,
    choose_addresses,
    write_folder,
    write_handout,
)
from gateway.simulate.office import Office
from gateway.simulate.promises import Promise, standings
from gateway.simulate.public import Public
from gateway.simulate.standing import POSITIVE, Standing
from gateway.simulate.unrest import Unrest
from gateway.simulate.world import OVER_MLLP, PROFILES, SEES_TROUBLE, Run, World, now

_LOOK_SECONDS = 0.5
_CERTIFICATE_ENDS_IN = timedelta(days=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to do.

    Attributes:
        kills: how many times the gateway is killed without warning while the trusts prescribe.
        chaos: a bad day for everybody, as `unrest` and the parties' own tempers have it.
        pause_seconds: between one prescription of a trust's line and the next.
        lines: how many messages each trust has under way at once.
        patience_seconds: for the whole run; then it is reckoned as it stands.
        http: the gateway's ports, 0 for any free one; `mllp` likewise.
        visitors: whether a person looks on, who may act, and post prescriptions too, which no simulated trust counts.
    """

    prescriptions: int
    seed: int
    data: Path
    kills: int = 0
    chaos: bool = False
    pause_seconds: float = 0.0
    lines: int = 2
    patience_seconds: float = 240.0
    http: int = 0
    mllp: int = 0
    visitors: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How it ended.

    Attributes:
        books: the gateway's own counts.
        faults: every equation that is not kept, and every surprise.
        kills: how many times the gateway was killed.
        tally: what else went wrong or was done about it, counted, in words for people.
    """

    books: Mapping[str, int]
    reckoning: Reckoning
    faults: tuple[str, ...]
    kills: int
    seconds: float
    tally: Mapping[str, int]

    @property
    def as_json(self) -> dict[str, int | float]:
        """The object of brief 5."""
        return {
            **{name: self.books.get(name, 0) for name in COUNTS},
            "lost": len(self.reckoning.lost),
            "double_supplied": len(self.reckoning.double_supplied),
            "seconds": round(self.seconds, 1),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run has come."""

    settled: int
    total: int
    books: Mapping[str, int]
    tally: Mapping[str, int]


class Demonstration:
    """A gateway and everybody around it.

    Args:
        plan: what to do.
        watch: told of the progress about twice a second.
    """

    def __init__(self, plan: Plan, *, watch: Callable[[Progress], None] = lambda _: None) -> None:
        self._plan = plan
        self._watch = watch
        self._source = Random(plan.seed)  # noqa: S311 - simulation; repeatable on purpose
        self._stack = AsyncExitStack()
        self._places: dict[str, Place] = {}
        self._before: Mapping[str, int] = {}
        self._tally: Counter[str] = Counter()
        self._started = time.monotonic()
        self.addresses: Addresses = choose_addresses(PROFILES, BEHAVIOURS, http=plan.http, mllp=plan.mllp)
        config = plan.data / "config"
        self._watched = watched = plan.visitors and not plan.chaos
        write_folder(
            config,
            self.addresses,
            over_mllp=OVER_MLLP,
            deadlines=WATCHED_DEADLINES if watched else DEADLINES,
            terms=WATCHED_TERMS if watched else "",
            certificates={SILENT: now().date() + _CERTIFICATE_ENDS_IN} if watched else None,
            gives_up_seconds=WATCHED_GIVES_UP_SECONDS if watched else 0,
        )
        self.child = Child(data=plan.data, config=config, addresses=self.addresses)
        self.public = Public(self.addresses)
        run = Run(
            seed=plan.seed,
            tag=secrets.token_hex(3).upper(),
            anchors=plan.data / "keys" / "anchors.pem",
            journals=plan.data / "journals",
            lines=plan.lines,
            chaos=plan.chaos,
            visitors=plan.visitors,
        )
        self.world = World(run, self.addresses)
        self._office = Office(
            data=plan.data,
            config=config,
            addresses=self.addresses,
            providers=self.world.providers,
            source=self._source,
            tally=self._tally,
        )

    async def open(self) -> None:
        """Start everybody. Raises `GatewayDiedError`."""
        self._stack.push_async_callback(self.public.close)
        self._stack.push_async_callback(self.world.close)
        await self.world.open()
        self._stack.push_async_callback(self.child.stop)
        await self.child.start()
        if self._plan.chaos:
            await self._office.open()
        self._before = await self.public.books() or {}
        write_handout(self._plan.data / "try.env", self.addresses)

    async def close(self) -> None:
        """Stop everybody, the gateway first."""
        await self._stack.aclose()

    async def run(self) -> Result:
        """Let the trusts prescribe, wait until everything is settled, and reckon.

        Raises:
            GatewayDiedError: the gateway ended by itself.
        """
        await self._alongside(self._story())
        return await self.result()

    async def _story(self) -> None:
        try:
            async with asyncio.timeout(self._plan.patience_seconds):
                if self._plan.chaos:
                    await self._unrest().last(self._prescribe())
                else:
                    async with asyncio.TaskGroup() as group:
                        group.create_task(self._kill_now_and_then())
                        group.create_task(self._prescribe())
                        if self._watched:
                            group.create_task(self._people_act())
                await self.world.disturb()
                if self._plan.chaos:
                    await self._tidy_up()
                await self._until_settled()
        except TimeoutError:
            pass  # reckoned as it stands: what is not settled is an imbalance

    async def _prescribe(self) -> None:
        await self.world.open_the_day(self._plan.prescriptions, pause_seconds=self._plan.pause_seconds)
        await self._while(lambda: self.world.prescribing)

    async def _people_act(self) -> None:
        """Let two people begin what then waits for others: a provider gives nothing up, and its list lacks a line."""
        await self._office.open()
        await self._office.ask_back(SILENT, "VNE51", tenant=SEES_TROUBLE)
        await self._office.compare_lists(TROUBLED, day=london_day(now()))

    def _unrest(self) -> Unrest:
        return Unrest(
            child=self.child,
            providers=self.world.providers,
            office=self._office,
            source=self._source,
            tally=self._tally,
        )

    async def _while(self, holds: Callable[[], bool]) -> None:
        while holds():  # noqa: ASYNC110 - many parties, and no one event
            await asyncio.sleep(_LOOK_SECONDS)

    async def _tidy_up(self) -> None:
        """Let what was held up come through, and people end what a person can end."""
        await self._while(lambda: self.world.busy)
        await self._office.close_for_the_day()

    async def _alongside(self, story: Coroutine[None, None, None]) -> None:
        """Go through a story while the progress is watched; end it at once should the gateway end by itself."""
        told = asyncio.create_task(story)
        watching = asyncio.create_task(self._keep_watching())
        death = asyncio.create_task(self.child.died())
        try:
            await asyncio.wait({told, death}, return_when=asyncio.FIRST_COMPLETED)
            if not told.done():
                raise GatewayDiedError(f"the gateway ended by itself; its log is {self.child.log}")
            await _its_own_error(told)
        finally:
            for task in (told, watching, death):
                task.cancel()
            await asyncio.gather(told, watching, death, return_exceptions=True)

    async def prescribe_on(self, stop: asyncio.Event, *, pause_seconds: float) -> None:
        """Keep a trickle of prescriptions going until told to stop. Raises as `run`."""
        await self._alongside(self._trickle(stop, pause_seconds))

    async def settle(self) -> Result:
        """Wait until everything is settled, and reckon. Raises as `run`."""
        await self._alongside(self._until_settled())
        return await self.result()

    async def _trickle(self, stop: asyncio.Event, pause_seconds: float) -> None:
        while not stop.is_set():
            await self.world.prescribe(len(self.world.trusts))
            await self._look()
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_seconds):
                    await stop.wait()

    async def _kill_now_and_then(self) -> None:
        for _ in range(self._plan.kills):
            await asyncio.sleep(self._source.uniform(0.02, 0.8))
            await self.child.kill()
            self._tally["killed"] += 1
            await asyncio.sleep(self._source.uniform(0.0, 0.2))
            await self.child.start()

    async def _until_settled(self) -> None:
        await self._look()
        while self._unsettled() or self.world.busy or not await self._balanced():
            await asyncio.sleep(_LOOK_SECONDS)
            await self._look()
            if not self._unsettled():
                await self._look_at_all()  # an alert that was open when we last asked may be closed, and its line not

    async def _balanced(self) -> bool:
        """Say whether the gateway's counts add up; they are taken at one instant, what we asked after is not."""
        books = await self.public.books()
        return books is not None and not imbalances(books)

    def _unsettled(self) -> list[tuple[str, Promise]]:
        """Give what was promised and has neither ended nor been reported; a commit without its answer is neither."""
        return [
            (ods, promise)
            for ods, trust in self.world.trusts.items()
            for promise in trust.promises()
            if promise.standing is Standing.COMMITTED
            or (promise.made and not self._places.get(promise.message, NOWHERE).settled)
        ]

    async def _look(self) -> None:
        """Ask the gateway, as each trust, after everything that is not yet settled."""
        await self._ask(self._unsettled())

    async def _look_at_all(self) -> None:
        """Ask after everything: what was reported once may have gone on since, and ended otherwise."""
        await self._ask([(ods, one) for ods, trust in self.world.trusts.items() for one in trust.promises()])

    async def _ask(self, promises: Sequence[tuple[str, Promise]]) -> None:
        async def ask(ods: str, promise: Promise) -> None:
            place = await self.public.place(ods, promise.message)
            if place is not None:
                self._places[promise.message] = place

        await asyncio.gather(*(ask(ods, promise) for ods, promise in promises))

    async def _keep_watching(self) -> None:
        while True:
            written = self._written()
            answered = sum(len(standings(trust.journal)) for trust in self.world.trusts.values())
            settled = answered - len(self._unsettled())
            self._watch(
                Progress(
                    settled=settled,
                    total=max(written, self._plan.prescriptions),
                    books=await self.public.books() or {},
                    tally=dict(self._tally),
                )
            )
            await asyncio.sleep(_LOOK_SECONDS)

    def _written(self) -> int:
        return sum(len(trust.written) for trust in self.world.trusts.values())

    async def result(self) -> Result:
        """Reckon as things stand."""
        await self._look_at_all()
        books = {name: count - self._before.get(name, 0) for name, count in (await self.public.books() or {}).items()}
        reckoning = reckon(
            [(trust.promises(), trust.journal) for trust in self.world.trusts.values()],
            [provider.journal for provider in self.world.providers.values()],
            self._places,
        )
        return Result(
            books=books,
            reckoning=reckoning,
            faults=_faults(books, reckoning, None if self._plan.visitors else self._written()),
            kills=self._tally["killed"],
            tally=dict(self._tally),
            seconds=time.monotonic() - self._started,
        )


async def _its_own_error(told: asyncio.Task[None]) -> None:
    """Wait for a story; the gateway's end is raised as itself, however many tasks it was met in."""
    try:
        await told
    except BaseExceptionGroup as group:
        deaths = group.subgroup(GatewayDiedError)
        if deaths is None:
            raise
        raise _first(deaths) from group


def _first(error: BaseException) -> BaseException:
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


def _faults(books: Mapping[str, int], reckoning: Reckoning, written: int | None) -> tuple[str, ...]:
    """Give what does not add up; with `written` None, what the trusts wrote is not all there is to count."""
    if not books:
        return ("the gateway gave no counts",)
    if written is None:
        return (*imbalances(books), *_wrongs(reckoning))
    answers, changes = reckoning.answers, reckoning.changes
    silent = written - sum(answers.values())
    # a change is a new prescription under the old number, taken or refused like any other
    told = {
        "accepted": sum(answers.get(standing, 0) + changes.get(standing, 0) for standing in POSITIVE),
        "refused": answers.get(Standing.REFUSED, 0) + changes.get(Standing.REFUSED, 0),
    }
    # a change waits for a ruling when its cancel came too late, and is held for that
    held = answers.get(Standing.HELD, 0), answers.get(Standing.HELD, 0) + sum(changes.values())
    return (
        *imbalances(books),
        *(() if held[0] <= books["held"] <= held[1] else (f"the gateway counts {books['held']} held, not {held}",)),
        *((f"{silent} prescriptions were never answered",) if silent else ()),
        *(
            f"the gateway counts {books[name]} {name}, the trusts {count}"
            for name, count in told.items()
            if books[name] != count
        ),
        *_wrongs(reckoning),
    )


def _wrongs(reckoning: Reckoning) -> tuple[str, ...]:
    return (
        *(f"lost: {key}" for key in reckoning.lost),
        *(f"supplied twice: {item}" for item in reckoning.double_supplied),
        *reckoning.surprises,
    )
