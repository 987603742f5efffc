"""`gateway migrate`."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.settings import read_settings
from gateway.wiring.build import migrate_store


def migrate(
    data: Annotated[Path | None, typer.Option(help="Data folder. [GATEWAY_DATA]")] = None,
) -> None:
    """Bring the store to the schema of this version. The gateway must be stopped; starting it does the same."""
    print(f"schema {migrate_store(read_settings(data=data))}")
