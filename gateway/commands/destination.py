"""`gateway destination`: pause one, let it go on, list what is paused."""

import asyncio
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from gateway.access.policy import Action
from gateway.access.principal import Principal
from gateway.commands.exits import Exit
from gateway.commands.person import By, Config, Data, Reason, operator, stated
from gateway.config.configuration import Configuration
from gateway.domain.errors import ConfigurationError
from gateway.domain.identifiers import OdsCode
from gateway.enquiries import PauseView
from gateway.settings import Settings, read_settings
from gateway.wiring.acting import desk

app = typer.Typer(no_args_is_help=True, help="Where messages go: providers, and the trusts that are told of news.")

Ods = Annotated[str, typer.Argument(help="ODS code of the provider, or of a trust that is told.")]


@app.callback()
def destination() -> None:
    """Group the commands about destinations."""


@app.command()
def pause(ods: Ods, *, reason: Reason, by: By, data: Data = None, config: Config = None) -> None:
    """Send nothing more to a destination, cancels included. What is on the wire is finished; deadlines run on."""
    _act(ods, reason, by, read_settings(data=data, config=config), pausing=True)


@app.command()
def resume(ods: Ods, *, reason: Reason, by: By, data: Data = None, config: Config = None) -> None:
    """Let a destination that a person paused go on."""
    _act(ods, reason, by, read_settings(data=data, config=config), pausing=False)


@app.command("list")
def paused(data: Data = None, config: Config = None) -> None:
    """Show every destination to which nothing is sent, why, and by whom."""
    found = asyncio.run(_paused(read_settings(data=data, config=config)))
    for one in found:
        print(f"{one.destination}  since {one.begun_at:%Y-%m-%d %H:%M} UTC, {one.kind}, {one.begun_by}: {one.reason}")
    if not found:
        print("no destination is paused")


def _act(ods: str, reason: str, by: str, settings: Settings, *, pausing: bool) -> None:
    words = stated(reason)
    person = operator(settings, by, Action.PAUSE)
    what = asyncio.run(_change(settings, ods, words, person, pausing=pausing))
    if what is None:
        print(f"{ods} is {'paused already' if pausing else 'not paused by an operator'}", file=sys.stderr)
        raise typer.Exit(Exit.REFUSED)
    print(f"{what} {'paused' if pausing else 'goes on'}, by {person.name}")


async def _change(settings: Settings, ods: str, reason: str, person: Principal, *, pausing: bool) -> str | None:
    """Pause or resume, and say what of; None where it was so already."""
    async with desk(settings) as at:
        where = _destination(ods, at.configuration)
        is_trust = where not in at.configuration.routing.providers
        if pausing and is_trust and at.configuration.trusts[where].tells is None:
            raise ConfigurationError(
                f"{ods}: is told no news, so there is nothing to pause; its orders go to providers"
            )
        act = at.store.pause if pausing else at.store.resume
        done = await act(where, by=person.name, reason=reason, now=at.clock.now())
        return None if not done else f"{ods}, the news it is told and not its orders," if is_trust else ods


async def _paused(settings: Settings) -> Sequence[PauseView]:
    async with desk(settings) as at:
        return await at.enquiries.pauses()


def _destination(ods: str, configuration: Configuration) -> OdsCode:
    """Give the code of a destination that there is: pausing a misspelt one would pause nothing."""
    code = OdsCode.parse(ods)
    if code is None or (code not in configuration.routing.providers and code not in configuration.trusts):
        raise ConfigurationError(f"{ods}: is neither a provider nor a trust of the configuration")
    return code
