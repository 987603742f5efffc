"""`gateway alert close`."""

import asyncio
import sys
from typing import Annotated

import typer

from gateway.access.policy import Action
from gateway.access.principal import Principal
from gateway.commands.exits import Exit
from gateway.commands.person import By, Config, Data, Reason, operator, stated
from gateway.settings import Settings, read_settings
from gateway.wiring.acting import desk

app = typer.Typer(no_args_is_help=True, help="One alert; `gateway alerts` lists those that are open.")


@app.callback()
def alert() -> None:
    """Group the commands about one alert."""


@app.command()
def close(
    number: Annotated[int, typer.Argument(help="The alert's number, as `gateway alerts` shows it.")],
    *,
    reason: Reason,
    by: By,
    data: Data = None,
    config: Config = None,
) -> None:
    """Close an alert for good, with a reason and a name. While its cause lasts, the watch opens another."""
    settings = read_settings(data=data, config=config)
    words = stated(reason)
    person = operator(settings, by, Action.CLOSE_ALERT)
    if not asyncio.run(_close(settings, number, words, person)):
        print(f"alert {number} is not open", file=sys.stderr)
        raise typer.Exit(Exit.REFUSED)
    print(f"alert {number} closed by {person.name}")


async def _close(settings: Settings, number: int, reason: str, person: Principal) -> bool:
    async with desk(settings) as at:
        return await at.store.close_alert(number, by=person.name, reason=reason, now=at.clock.now())
