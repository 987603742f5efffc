"""`gateway demo`: a complete gateway on loopback, with simulated trusts and providers, ending in reconciled books.

Source: brief 5.
"""

import asyncio
import json
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.text import Text

from gateway.settings import read_settings
from gateway.simulate.child import GatewayDiedError
from gateway.simulate.display import Display, in_words, tell_result
from gateway.simulate.run import Demonstration, Plan, Progress, Result

_CHAOS_PAUSE_SECONDS = 0.1
_CHAOS_LINES = 4
_PATIENCE_SECONDS = 240.0
_CHAOS_PATIENCE = 0.6
"""Seconds more for each prescription, when the gateway is away half the time."""
_LINES = 2
_TRICKLE_SECONDS = 4.0
_PAUSE_SECONDS = 0.3
"""Slow enough to be watched."""


def run(*, headless: bool, prescriptions: int, seed: int, chaos: bool, as_json: bool, data: Path | None = None) -> int:
    """Run the demonstration.

    Args:
        headless: no display, and end after the first batch; otherwise go on with a trickle until interrupted.
        prescriptions: how many in the first batch.
        seed: equal seeds prescribe equal things.
        chaos: kill the gateway again and again; let providers fall silent, trusts cancel and people re-route.
        as_json: print the result as one JSON object on standard output.
        data: the gateway's data folder; a temporary one if None.

    Raises:
        ConfigurationError: the environment has a setting that is wrong.

    Returns:
        The exit code: 0 when the books balance and nothing was lost or supplied twice, otherwise 1.
    """
    settings = read_settings()
    with ExitStack() as stack:
        folder = data or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gateway-demo-")))
        plan = Plan(
            prescriptions=prescriptions,
            seed=seed,
            data=folder.resolve(),
            chaos=chaos,
            lines=_CHAOS_LINES if chaos else _LINES,
            pause_seconds=_CHAOS_PAUSE_SECONDS if chaos else 0.0 if headless else _PAUSE_SECONDS,
            patience_seconds=_PATIENCE_SECONDS + (_CHAOS_PATIENCE * prescriptions if chaos else 0.0),
            # a person expects the documented addresses, or those that are set; a test run must not collide with one
            http=0 if headless else _if_free(settings.port),
            mllp=0 if headless else _if_free(settings.mllp_port),
            visitors=not headless,
        )
        console = Console(stderr=as_json)
        try:
            result: Result | None = asyncio.run(_headless(plan) if headless else _watched(plan, console))
        except GatewayDiedError as error:
            console.print(str(error), style="bold red")
            return 1
        if result is None:
            console.print("Stopped before everything was settled: the books were not reckoned.")
            return 0
        return _tell(result, console, as_json=as_json)


def _tell(result: Result, console: Console, *, as_json: bool) -> int:
    if result.tally:
        console.print(f"On the way: {in_words(result.tally)}.", markup=False, highlight=False)
    if as_json:
        sys.stdout.write(json.dumps(result.as_json) + "\n")
        for fault in result.faults:
            console.print(fault, style="red", markup=False)
    else:
        tell_result(console, result.as_json, result.faults)
    return 1 if result.faults else 0


async def _headless(plan: Plan) -> Result:
    demonstration = Demonstration(plan)
    try:
        await demonstration.open()
        return await demonstration.run()
    finally:
        await demonstration.close()


async def _watched(plan: Plan, console: Console) -> Result | None:
    """Run with the display: the first batch, then a trickle, until interrupted; then everything may settle.

    Returns:
        How it ended; None when a second interrupt came before everything was settled.
    """
    stops = _Stops()
    displays: list[Display] = []
    with Live(Text("Starting the gateway …"), console=console, refresh_per_second=4) as live:

        def draw(progress: Progress) -> None:
            for display in displays:
                live.update(display.draw(progress))

        demonstration = Demonstration(plan, watch=draw)
        try:
            await demonstration.open()
            link = demonstration.child.console_link
            displays.append(Display(demonstration.world, total=plan.prescriptions, console_link=link))
            return await stops.attend(_whole(demonstration, stops), demonstration.world.rest)
        finally:
            await demonstration.close()


async def _whole(demonstration: Demonstration, stops: "_Stops") -> Result:
    await demonstration.run()
    await demonstration.prescribe_on(stops.first, pause_seconds=_TRICKLE_SECONDS)
    return await demonstration.settle()


class _Stops:
    """The first interrupt and the second."""

    def __init__(self) -> None:
        self.first, self.second = asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop)

    def _stop(self) -> None:
        (self.second if self.first.is_set() else self.first).set()

    async def attend(self, story: Coroutine[None, None, Result], rest: Callable[[], None]) -> Result | None:
        """Go through a story: call `rest` at the first interrupt, end at the second and give None."""
        told = asyncio.create_task(story)
        resting = asyncio.create_task(self._then(rest))
        now = asyncio.create_task(self.second.wait())
        await asyncio.wait({told, now}, return_when=asyncio.FIRST_COMPLETED)
        ended = told.done()
        for task in (told, resting, now):
            task.cancel()
        await asyncio.gather(told, resting, now, return_exceptions=True)
        return told.result() if ended else None

    async def _then(self, rest: Callable[[], None]) -> None:
        await self.first.wait()
        rest()


def _if_free(port: int) -> int:
    """Give the port if nobody listens on it, otherwise 0 for any other."""
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return 0
    return port
