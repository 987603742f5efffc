"""`gateway backup`: a copy of the store, made and proven while the gateway runs."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from gateway.commands.person import Data
from gateway.settings import read_settings
from gateway.store.sqlite.backup import KEYS, Manifest, verify
from gateway.wiring.restoring import back_up_store


def backup(
    target: Annotated[Path, typer.Argument(help="A new folder; with --check, a backup that was made before.")],
    *,
    with_keys: Annotated[
        bool, typer.Option("--with-keys", help="Copy the seal's keys too; then guard the backup as you guard them.")
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="Make nothing: check a backup from end to end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    data: Data = None,
) -> None:
    """Copy the store into a new folder while the gateway runs, and prove that the copy is whole.

    Every page, every reference and every leaf of the audit is read again before the backup gets its name. Nothing is
    ever overwritten. It holds patient data, and is not encrypted: put it where the store itself could be.
    """
    if check:
        _show(verify(target), target, as_json=as_json)
        return
    settings = read_settings(data=data)
    manifest = back_up_store(settings, target, with_keys=with_keys)
    _show(manifest, target, as_json=as_json)
    if not manifest.keys and not as_json:
        print(f"not in it    {settings.data / KEYS}, operators, configuration, reference data: keep them apart")


def _show(manifest: Manifest, target: Path, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(asdict(manifest), indent=1))
        return
    print(f"backup       {target}")
    print(f"sha256       {manifest.sha256}")
    print(f"up to        {manifest.last_at}, event {manifest.newest_event}, leaf {manifest.leaves}")
    print(f"holds        {manifest.submissions} submissions, {manifest.bytes} bytes")
    print(f"generation   {manifest.generation}, schema {manifest.schema}, gateway {manifest.version}")
