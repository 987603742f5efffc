"""`gateway check`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from gateway.commands.exits import Exit
from gateway.config.profiles import fhir_checker
from gateway.validate.fhir.finding import Finding, Level, operation_outcome
from gateway.wire.strict_json import JsonError, loads

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="A FHIR R4 resource, JSON.")]


def check(file: File) -> None:
    """Check a FHIR resource or Bundle and print an OperationOutcome with every issue."""
    findings = _findings(file.read_bytes())
    print(json.dumps(operation_outcome(findings), indent=2))
    raise typer.Exit(Exit.REFUSED if any(finding.level is Level.ERROR for finding in findings) else Exit.DONE)


def _findings(body: bytes) -> tuple[Finding, ...]:
    try:
        resource = loads(body)
    except JsonError as error:
        return (Finding(code="structure", expression=error.location, text=error.text, rule=error.code),)
    if not isinstance(resource, dict):
        return (Finding(code="structure", expression="", text="must be one resource", rule="type"),)
    return fhir_checker().check(resource)
