"""`gateway alert close`."""

import asyncio
import sys
from collections.abc import Iterable
from typing import Annotated

import typer

from gateway.access.policy import Action
from gateway.access.principal import Principal
from gateway.commands.exits import Exit
from gateway.commands.person import LARGEST, By, Config, Data, Reason, operator, stated
from gateway.settings import Settings, read_settings
from gateway.wiring.acting import desk

app = typer.Typer(no_args_is_help=True, help="Alerts; `gateway alerts` lists those that are open.")


@app.callback()
def alert() -> None:
    """Group the commands about alerts."""


@app.command()
def close(
    numbers: Annotated[
        list[int],
        typer.Argument(metavar="NUMBER...", min=1, max=LARGEST, help="The alerts', as `gateway alerts` shows them."),
    ],
    *,
    reason: Reason,
    by: By,
    data: Data = None,
    config: Config = None,
) -> None:
    """Close alerts for good, with a name and a reason that is true of each. While its cause lasts, another is opened.

    Exit 2: one of them was not open; the others are closed.
    """
    settings = read_settings(data=data, config=config)
    words = stated(reason)
    person = operator(settings, by, Action.CLOSE_ALERT)
    if not asyncio.run(_close(settings, dict.fromkeys(numbers), words, person)):
        raise typer.Exit(Exit.REFUSED)


async def _close(settings: Settings, numbers: Iterable[int], reason: str, person: Principal) -> bool:
    """Close each, saying so at once; tell whether all were open."""
    every = True
    async with desk(settings) as at:
        for number in numbers:
            if await at.store.close_alert(number, by=person.name, reason=reason, now=at.clock.now()):
                print(f"alert {number} closed by {person.name}")
            else:
                print(f"alert {number} is not open", file=sys.stderr)
                every = False
    return every
