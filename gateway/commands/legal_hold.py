"""`gateway legal-hold`: records that stay whatever their age."""

import asyncio
import sys
from typing import Annotated
from uuid import UUID

import typer

from gateway.access.policy import Action
from gateway.access.principal import Principal
from gateway.commands.exits import Exit
from gateway.commands.person import LARGEST, By, Config, Data, Reason, operator, stated
from gateway.domain.identifiers import NhsNumber
from gateway.settings import Settings, read_settings
from gateway.wiring.acting import desk

app = typer.Typer(no_args_is_help=True, help="Records that stay in the store whatever their age, until it is lifted.")


@app.callback()
def legal_hold() -> None:
    """Group the commands about legal holds."""


@app.command()
def place(
    prescription: Annotated[UUID | None, typer.Argument(help="The prescription's id.")] = None,
    *,
    patient: Annotated[
        bool, typer.Option("--patient", help="Ask for an NHS number: all records of a patient.")
    ] = False,
    reason: Reason,
    by: By,
    data: Data = None,
    config: Config = None,
) -> None:
    """Keep one prescription, or every one of a patient, out of any archive. What is archived already stays there."""
    settings = read_settings(data=data, config=config)
    words = stated(reason)
    if (prescription is not None) == patient:
        raise typer.BadParameter("give a prescription's id, or --patient")
    person = operator(settings, by, Action.LEGAL_HOLD)
    number = _nhs_number() if patient else ""
    placed = asyncio.run(_place(settings, number, prescription, words, person))
    if placed is None:
        print("such a legal hold is in force already", file=sys.stderr)
        raise typer.Exit(Exit.REFUSED)
    print(f"legal hold {placed} placed by {person.name}")


@app.command()
def lift(
    number: Annotated[int, typer.Argument(min=1, max=LARGEST)],
    *,
    reason: Reason,
    by: By,
    data: Data = None,
    config: Config = None,
) -> None:
    """End a legal hold, by its number."""
    settings = read_settings(data=data, config=config)
    words = stated(reason)
    person = operator(settings, by, Action.LEGAL_HOLD)
    if not asyncio.run(_lift(settings, number, words, person)):
        print(f"there is no legal hold {number} in force", file=sys.stderr)
        raise typer.Exit(Exit.REFUSED)
    print(f"legal hold {number} lifted by {person.name}")


@app.command("list")
def listed(*, by: By, data: Data = None, config: Config = None) -> None:
    """Show the legal holds in force. Patients are not named; their prescriptions are found in the console."""
    settings = read_settings(data=data, config=config)
    operator(settings, by, Action.LEGAL_HOLD)
    found = asyncio.run(_listed(settings))
    for line in found:
        print(line)
    if not found:
        print("no legal hold is in force")


def _nhs_number() -> str:
    said = NhsNumber.parse(typer.prompt("NHS number", hide_input=True, err=True))
    if said is None:
        raise typer.BadParameter("is not an NHS number", param_hint="--patient")
    return said.value


async def _place(
    settings: Settings, nhs_number: str, prescription: UUID | None, reason: str, by: Principal
) -> int | None:
    async with desk(settings) as at:
        now = at.clock.now()
        return await at.store.place_legal_hold(
            nhs_number=nhs_number, prescription=prescription, by=by.name, reason=reason, now=now
        )


async def _lift(settings: Settings, number: int, reason: str, by: Principal) -> bool:
    async with desk(settings) as at:
        return await at.store.lift_legal_hold(number, by=by.name, reason=reason, now=at.clock.now())


async def _listed(settings: Settings) -> list[str]:
    async with desk(settings) as at:
        return [
            f"{one.number}  since {one.placed_at:%Y-%m-%d}, {one.placed_by}, of "
            f"{one.prescription_id or 'a patient'}: {one.reason}"
            for one in await at.enquiries.legal_holds()
        ]
