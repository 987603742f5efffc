"""`gateway reference load` and `gateway reference show`."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from gateway.config.reference import reference_in_force
from gateway.config.reference_load import find_sources, load_release
from gateway.domain.errors import ConfigurationError
from gateway.domain.partner import Environment
from gateway.domain.prescription import ProductLevel
from gateway.domain.reference import Reference
from gateway.settings import read_settings

app = typer.Typer(no_args_is_help=True, help="Reference data: dm+d products, units and routes; ODS organisations.")


@app.callback()
def reference() -> None:
    """Group the commands about reference data."""


@app.command()
def load(
    folder: Annotated[
        Path,
        typer.Argument(help="An unpacked dm+d release (f_vmp2_*.xml and the others); ODS lists (*.csv) beside it."),
    ],
    into: Annotated[
        Path | None, typer.Option(help="Reference folder; `reference` of the data folder otherwise.")
    ] = None,
) -> None:
    """Read a dm+d release from TRUD and put it in force; a gateway uses it from its next start."""
    place = into or read_settings().reference_folder
    loaded = load_release(find_sources(folder), place)
    _print(loaded)
    print(f"in force in   {place}")


@app.command()
def show(
    code: Annotated[str | None, typer.Argument(help="dm+d code of a product, or ODS code of an organisation.")] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Reference folder; `reference` of the data folder otherwise.")
    ] = None,
) -> None:
    """Say which release is in force, or what it says of one code."""
    found = reference_in_force(folder or read_settings().reference_folder, Environment.TEST)
    if code is None:
        _print(found)
        return
    row = found.products.get(code) or found.organisations.get(code)
    if row is None:
        raise ConfigurationError(f"{code} is not in release {found.release}")
    print(f"release       {found.release}")
    for name in row.__slots__:
        value = getattr(row, name)
        if value not in {None, ""}:
            print(f"{name:<13} {value}")


def _print(found: Reference) -> None:
    levels = Counter(row.level.value for row in found.products.values())
    unknown = sum(not row.schedule_known for row in found.products.values() if row.level is not ProductLevel.VTM)
    replaced = sum(bool(row.replaced_by) for row in found.products.values())
    print(f"release       {found.release}")
    if found.dated is not None:
        print(f"dated         {found.dated}, {(datetime.now(UTC).date() - found.dated).days} days old")
    for level, count in levels.items():
        print(f"{level:<13} {count}")
    print(f"no schedule   {unknown}")
    print(f"old codes     {replaced}")
    print(f"units         {len(found.units)}")
    print(f"routes        {len(found.routes)}")
    print(f"names         {len(found.names.meanings)}")
    print(f"organisations {len(found.organisations)}")
