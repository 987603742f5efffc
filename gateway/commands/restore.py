"""`gateway restore`: put a backup back, in a new generation, with every provider held."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from gateway.access.operators import Operators
from gateway.access.policy import Action
from gateway.commands.person import By, Config, Data, Reason, operator, stated
from gateway.settings import Settings, read_settings
from gateway.store.sql.restoring import Person
from gateway.store.sqlite.restoring import Restored
from gateway.wiring.restoring import begin_after_restore, restore_store

_LATEST: Final = 100_000
"""Of the generations that can be named; beyond it the epochs of an order would not fit a party's list."""


def restore(
    backup: Annotated[
        Path | None,
        typer.Argument(help="A backup's folder, as `gateway backup` made it; none where a server put its own back."),
    ] = None,
    *,
    reason: Reason,
    by: By,
    least_generation: Annotated[
        int,
        typer.Option(
            min=1, max=_LATEST, help="If a later generation was ever run that neither folder shows: one above it."
        ),
    ] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Put a backup into a data folder on which nothing runs. What was there is kept aside, never deleted.

    The store begins a new generation, which voids every lease. Nothing is sent to any provider before each of them has
    been reconciled: see `gateway reconcile`. Where the operators' file is there, you are recognised by your secret;
    where it was lost with the rest, the audit says that you were not.

    A store in PostgreSQL is put back by the server's own means; then, before any node starts, this command without a
    folder says so.
    """
    settings = read_settings(data=data, config=config)
    person = _person(settings, by, stated(reason))
    if backup is None:
        point, generation, held, trusts = begin_after_restore(settings, person, least_generation=least_generation)
        fields: dict[str, object] = {"restored_to": point.last_at.isoformat(), "generation": generation}
        fields |= {"held": [one.value for one in held], "trusts": [one.value for one in trusts]}
        _show(fields, as_json=as_json)
        return
    done = restore_store(settings, backup, person, least_generation=least_generation)
    _show(_fields(done), as_json=as_json)


def _show(fields: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(fields, indent=1))
        return
    print(f"restored     to {fields['restored_to']}: what came and went after that is not here")
    print(f"generation   {fields['generation']}")
    if not fields.get("noted", True):
        print("not noted    the backup could not be written to. Where it is put back without this data folder, add")
        print(f"             --least-generation {int(fields['generation']) + 1}: a generation is never begun twice")
    if fields.get("kept_aside"):
        print(f"kept aside   {fields['kept_aside']}")
    print(f"providers    {' '.join(fields['held'])}")
    print(f"trusts       {' '.join(fields['trusts'])}")
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
        "noted": done.noted,
        "held": [one.value for one in done.held],
        "trusts": [one.value for one in done.trusts],
        "kept_aside": str(done.aside) if done.aside is not None else None,
    }
