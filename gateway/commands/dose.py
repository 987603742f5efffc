"""`gateway dose`."""

from pathlib import Path
from typing import Annotated, NoReturn

import typer

from gateway.commands.exits import Exit
from gateway.domain.errors import Refusal
from gateway.translate.dose_words import NoWords, words
from gateway.translate.from_fhir.dosage_list import dosages
from gateway.wire.strict_json import JsonError, loads

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="A FHIR R4 Dosage list, JSON.")]


def dose(file: File) -> None:
    """Print the words for a list of FHIR dosages, or why there are none."""
    try:
        value = loads(file.read_bytes())
        said = words(dosages([value] if isinstance(value, dict) else value, "Dosage"))
    except JsonError as error:
        _refuse(f"{error.code} {error.location}: {error.text}")
    except Refusal as refusal:
        _refuse(*(f"{issue.code} {issue.location}: {issue.text}" for issue in refusal.issues))
    if isinstance(said, NoWords):
        _refuse(said.reason)
    print(said)


def _refuse(*reasons: str) -> NoReturn:
    for reason in reasons:
        typer.echo(reason, err=True)
    raise typer.Exit(Exit.REFUSED)
