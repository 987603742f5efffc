"""`gateway demo`: a complete gateway on loopback, with simulated trusts and providers, ending in reconciled books.

Source: brief 5.
"""

import asyncio
import json
import signal
import socket
import sys
import tempfile
from collections.abc import Coroutine
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.text import Text

from gateway.simulate.child import GatewayDiedError
from gateway.simulate.display import Display, tell_result
from gateway.simulate.run import Demonstration, Plan, Progress, Result

_CHAOS_KILLS = 5
_TRICKLE_SECONDS = 4.0
_PAUSE_SECONDS = 0.3
"""Slow enough to be watched."""


def run(*, headless: bool, prescriptions: int, seed: int, chaos: bool, as_json: bool, data: Path | None = None) -> int:
    """Run the demonstration.

    Args:
        headless: no display, and end after the first batch; otherwise go on with a trickle until interrupted.
        prescriptions: how many in the first batch.
        seed: equal seeds prescribe equal things.
        chaos: kill the gateway without warning a few times on the way.
        as_json: print the result as one JSON object on standard output.
        data: the gateway's data folder; a temporary one if None.

    Returns:
        The exit code: 0 when the books balance and nothing was lost or supplied twice, otherwise 1.
    """
    with ExitStack() as stack:
        folder = data or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gateway-demo-")))
        plan = Plan(
            prescriptions=prescriptions,
            seed=seed,
            data=folder.resolve(),
            kills=_CHAOS_KILLS if chaos else 0,
            pause_seconds=0.0 if headless else _PAUSE_SECONDS,
            # a person expects the documented addresses; a test run must not collide with one
            http=0 if headless else _if_free(8080),
            mllp=0 if headless else _if_free(2575),
        )
        console = Console(stderr=as_json)
        try:
            result = asyncio.run(_headless(plan) if headless else _watched(plan, console))
        except GatewayDiedError as error:
            console.print(str(error), style="bold red")
            return 1
        return _tell(result, console, as_json=as_json)


def _tell(result: Result, console: Console, *, as_json: bool) -> int:
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


async def _watched(plan: Plan, console: Console) -> Result:
    """Run with the display: the first batch, then a trickle, until interrupted; then reckon as things stand."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    with Live(Text("Starting the gateway …"), console=console, refresh_per_second=4) as live:
        displays: list[Display] = []

        def draw(progress: Progress) -> None:
            for display in displays:
                live.update(display.draw(settled=progress.settled, total=progress.total, books=progress.books))

        demonstration = Demonstration(plan, watch=draw)
        try:
            await demonstration.open()
            displays.append(
                Display(demonstration.world, total=plan.prescriptions, console_link=demonstration.child.console_link)
            )
            await _until(stop, demonstration.run())
            await demonstration.prescribe_on(stop, pause_seconds=_TRICKLE_SECONDS)
            return await demonstration.result()
        finally:
            await demonstration.close()


async def _until(stop: asyncio.Event, story: Coroutine[None, None, Result]) -> None:
    """Go through a story, or as far as it gets before the stop."""
    told, stopped = asyncio.create_task(story), asyncio.create_task(stop.wait())
    await asyncio.wait({told, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not told.done():
        told.cancel()
        await asyncio.gather(told, return_exceptions=True)
        return
    await told


def _if_free(port: int) -> int:
    """Give the port if nobody listens on it, otherwise 0 for any other."""
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return 0
    return port
