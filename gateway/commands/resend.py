"""`gateway resend`."""

import asyncio
import sys
from typing import Annotated
from uuid import UUID

import typer

from gateway.access.policy import Action
from gateway.access.principal import Principal
from gateway.commands.exits import Exit
from gateway.commands.person import By, Config, Data, Reason, operator, stated
from gateway.settings import Settings, read_settings
from gateway.wiring.acting import desk


def resend(
    what: Annotated[UUID, typer.Argument(help="Id of a message or of a prescription, as `gateway alerts` shows it.")],
    *,
    reason: Reason,
    by: By,
    data: Data = None,
    config: Config = None,
) -> None:
    """Send once more the news or the cancel that the gateway had given up: the same bytes under the same id.

    An order is not sent again this way: see `gateway resolve`, `gateway reroute` and `gateway close`.
    """
    settings = read_settings(data=data, config=config)
    words = stated(reason)
    person = operator(settings, by, Action.RESOLVE)
    count = asyncio.run(_resend(settings, what, words, person))
    if not count:
        print("nothing of this was given up", file=sys.stderr)
        raise typer.Exit(Exit.REFUSED)
    print(f"{count} {'message' if count == 1 else 'messages'} will be sent again, by {person.name}")


async def _resend(settings: Settings, what: UUID, reason: str, person: Principal) -> int:
    async with desk(settings) as at:
        return await at.store.resend(what, by=person.name, reason=reason, now=at.clock.now())
