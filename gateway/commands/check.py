"""`gateway check`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from gateway.commands.exits import Exit
from gateway.config.profiles import fhir_checker
from gateway.validate.fhir.checker import check_body
from gateway.validate.fhir.finding import Level, operation_outcome

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="A FHIR R4 resource, JSON.")]


def check(file: File) -> None:
    """Check a FHIR resource or Bundle and print an OperationOutcome with every issue."""
    findings = check_body(fhir_checker(), file.read_bytes())
    print(json.dumps(operation_outcome(findings), indent=2))
    raise typer.Exit(Exit.REFUSED if any(finding.level is Level.ERROR for finding in findings) else Exit.DONE)
