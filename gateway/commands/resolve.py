"""`gateway resolve`."""

import asyncio
import sys
from typing import Annotated
from uuid import UUID

import typer

from gateway.access.policy import Action
from gateway.access.principal import Principal
from gateway.commands.exits import Exit
from gateway.commands.person import By, Config, Data, operator, stated
from gateway.ports.work import Whereabouts
from gateway.settings import Settings, read_settings
from gateway.wiring.acting import desk

Evidence = Annotated[
    str,
    typer.Option(help="Who at the provider said so, when and how, in words. No patient data: ids and names of staff."),
]


def resolve(
    prescription: Annotated[UUID, typer.Argument(help="The prescription's id, as `gateway alerts` shows it.")],
    found: Annotated[
        Whereabouts,
        typer.Argument(help="with-provider: they say they have it. never-arrived: they prove they never had it."),
    ],
    *,
    evidence: Evidence,
    by: By,
    data: Data = None,
    config: Config = None,
) -> None:
    """Say what became of a prescription whose transmission is uncertain.

    What is with the provider waits for its answer as usual. What never arrived is sent again: the same bytes, under the
    same message id, to the same provider. A time-out is no evidence of either; ask the provider.
    """
    settings = read_settings(data=data, config=config)
    words = stated(evidence, "--evidence")
    person = operator(settings, by, Action.RESOLVE)
    moved = asyncio.run(_resolve(settings, prescription, found, words, person))
    if not moved:
        print("nothing of this prescription is in doubt, or an attempt is under way: look again", file=sys.stderr)
        raise typer.Exit(Exit.REFUSED)
    print(f"{moved} {'line' if moved == 1 else 'lines'} resolved by {person.name}: {found}")


async def _resolve(settings: Settings, prescription: UUID, found: Whereabouts, evidence: str, person: Principal) -> int:
    async with desk(settings) as at:
        now = at.clock.now()
        return await at.store.resolve_doubt(prescription, found=found, evidence=evidence, by=person.name, now=now)
