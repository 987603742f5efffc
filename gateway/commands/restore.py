"""`gateway restore`: put a backup back, in a new generation, with every provider held."""

import json
from pathlib import Path
from typing import Annotated

import typer

from gateway.access.operators import Operators
from gateway.access.policy import Action
from gateway.commands.person import By, Config, Data, Reason, operator, stated
from gateway.settings import Settings, read_settings
from gateway.store.sqlite.restoring import Person, Restored
from gateway.wiring.restoring import restore_store


def restore(
    backup: Annotated[Path, typer.Argument(help="A backup's folder, as `gateway backup` made it.")],
    *,
    reason: Reason,
    by: By,
    least_generation: Annotated[
        int, typer.Option(min=1, help="If a later generation was ever run that neither folder shows: one above it.")
    ] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Put a backup into a data folder on which nothing runs. What was there is kept aside, never deleted.

    The store begins a new generation, which voids every lease. Nothing is sent to any provider before each of them has
    been reconciled: see `gateway reconcile`. Where the operators' file is there, you are recognised by your secret;
    where it was lost with the rest, the audit says that you were not.
    """
    settings = read_settings(data=data, config=config)
    done = restore_store(settings, backup, _person(settings, by, stated(reason)), least_generation=least_generation)
    if as_json:
        print(json.dumps(_fields(done), indent=1))
        return
    print(f"restored     to {done.manifest.last_at}: what came and went after that is not here")
    print(f"generation   {done.generation}")
    if done.aside is not None:
        print(f"kept aside   {done.aside}")
    print(f"providers    {' '.join(map(str, done.held))}")
    print(f"trusts       {' '.join(map(str, done.trusts))}")
    print("next         start the gateway; nothing is sent yet. Then for each of the above:")
    print("             gateway reconcile --destination PROVIDER --holdings FILE")
    print("             gateway reconcile --destination TRUST --messages FILE")


def _person(settings: Settings, by: str, reason: str) -> Person:
    """Recognise the person, as far as there is anybody to recognise."""
    if not Operators(settings.data).everyone():
        return Person(name=stated(by, "--by"), recognised=False, reason=reason)
    return Person(name=operator(settings, by, Action.RESTORE).name, recognised=True, reason=reason)


def _fields(done: Restored) -> dict[str, object]:
    return {
        "restored_to": done.manifest.last_at,
        "sha256": done.manifest.sha256,
        "generation": done.generation,
        "held": [one.value for one in done.held],
        "trusts": [one.value for one in done.trusts],
        "kept_aside": str(done.aside) if done.aside is not None else None,
    }
