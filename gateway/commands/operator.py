"""`gateway operator`: the named people who may act."""

import asyncio
import sys
from typing import Annotated

import typer

from gateway.access.operators import Operators
from gateway.access.policy import Action
from gateway.access.principal import Principal
from gateway.commands.person import By, Config, Data
from gateway.commands.person import operator as checked
from gateway.settings import Settings, read_settings
from gateway.wiring.acting import desk
from gateway.wiring.storing import has_store, refuse_without_store

app = typer.Typer(no_args_is_help=True, help="Named people who may act: close an alert, pause a destination, re-route.")

Name = Annotated[str, typer.Argument(help="Short name, as it stands in the audit: j.smith.")]


@app.callback()
def operator() -> None:
    """Group the commands about operators."""


@app.command()
def add(
    name: Name,
    *,
    person: Annotated[str, typer.Option(help="The person's own name; one person has one credential.")],
    by: By = "",
    data: Data = None,
    config: Config = None,
) -> None:
    """Add a person and show the secret, this once. The first needs no `--by`; every later one does."""
    settings = read_settings(data=data, config=config)
    adder = checked(settings, by, Action.APPOINT) if by else None
    found = has_store(settings)
    secret = asyncio.run(_add(settings, name, person, adder))
    if not found:
        print(f"data folder {settings.data}: held no store; one was made", file=sys.stderr)
    print(secret)


@app.command()
def remove(name: Name, *, by: By, data: Data = None, config: Config = None) -> None:
    """Take a person's credential out of force. The record stays, and the name is never given to another."""
    settings = read_settings(data=data, config=config)
    asyncio.run(_remove(settings, name, checked(settings, by, Action.APPOINT)))
    print(f"{name} may no longer act")


@app.command("list")
def everyone(data: Data = None) -> None:
    """Show everybody who is or was an operator."""
    settings = read_settings(data=data)
    everybody = Operators(settings.data).everyone()
    if not everybody:
        refuse_without_store(settings)
        print("nobody yet: gateway operator add", file=sys.stderr)
    for one in everybody:
        ended = f", removed {one.removed_at[:16]} by {one.removed_by}" if one.removed_at else ""
        print(
            f"{one.name:32} {one.person}, added {one.added_at[:16]}{f' by {one.added_by}' * bool(one.added_by)}{ended}"
        )


async def _add(settings: Settings, name: str, person: str, by: Principal | None) -> str:
    async with desk(settings, make=True) as at:
        now = at.clock.now()
        secret = Operators(settings.data).add(name, person=person, by=by, now=now)
        await at.store.note_access(principal=by.name if by else name, action="operator-added", subject=name, now=now)
        return secret


async def _remove(settings: Settings, name: str, by: Principal) -> None:
    async with desk(settings) as at:
        now = at.clock.now()
        Operators(settings.data).remove(name, by=by, now=now)
        await at.store.note_access(principal=by.name, action="operator-removed", subject=name, now=now)
