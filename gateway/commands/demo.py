"""`gateway demo`."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.simulate.demo import run


def demo(
    *,
    headless: Annotated[bool, typer.Option("--headless", help="No display; end when the books are settled.")] = False,
    prescriptions: Annotated[int, typer.Option(min=1, help="How many prescriptions to send.")] = 40,
    seed: Annotated[int, typer.Option(help="Equal seeds prescribe equal things.")] = 1,
    chaos: Annotated[
        bool, typer.Option("--chaos", help="Kill the gateway, silence providers, cancel, hold and re-route on the way.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")] = False,
    data: Annotated[Path | None, typer.Option(help="Keep the data here; a temporary folder otherwise.")] = None,
) -> None:
    """Run a complete gateway on loopback with simulated trusts and providers."""
    raise typer.Exit(
        run(
            headless=headless,
            prescriptions=prescriptions,
            seed=seed,
            chaos=chaos,
            as_json=as_json,
            data=data,
        )
    )
