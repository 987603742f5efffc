"""`gateway digest`."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from gateway.commands.exits import Exit
from gateway.sign.eps_bundle import EpsOrder, Unsignable
from gateway.sign.eps_digest import Algorithm, prepare
from gateway.wire.strict_json import JsonError, loads

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="An EPS order Bundle, JSON.")]


def digest(
    file: File,
    when: Annotated[str, typer.Option(help="Signing time, ISO 8601 with its zone; now if left out.")] = "",
    algorithm: Annotated[
        Algorithm, typer.Option(help="RS1 only reproduces old answers; no new signature may use it.")
    ] = Algorithm.RS256,
) -> None:
    """Print the `$prepare` answer for an EPS order: the bytes a prescriber signs."""
    moment = _moment(when)
    try:
        bundle = loads(file.read_bytes())
        prepared = prepare(EpsOrder(bundle if isinstance(bundle, dict) else {}), moment, algorithm)
    except JsonError as error:
        _refuse(f"{error.code} {error.location}: {error.text}")
    except Unsignable as error:
        _refuse(str(error))
    print(json.dumps(prepared.parameters(), indent=2))


def _moment(text: str) -> datetime:
    if not text:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        _refuse("--when is not an ISO 8601 time")
    if moment.tzinfo is None:
        _refuse("--when has no zone")
    return moment


def _refuse(reason: str) -> NoReturn:
    typer.echo(reason, err=True)
    raise typer.Exit(Exit.REFUSED)
