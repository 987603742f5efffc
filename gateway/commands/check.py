"""`gateway check`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from gateway.commands.exits import Exit
from gateway.config.fhir_xml import fhir_xml
from gateway.config.profiles import fhir_checker
from gateway.validate.fhir.checker import check_body
from gateway.validate.fhir.finding import Level, operation_outcome

File = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="A FHIR R4 resource, JSON or XML.")
]


def check(file: File) -> None:
    """Check a FHIR resource or Bundle, JSON or XML, and print an OperationOutcome with every issue, as JSON."""
    body = file.read_bytes()
    findings = check_body(fhir_checker(), body, xml=fhir_xml() if _is_xml(body) else None)
    print(json.dumps(operation_outcome(findings), indent=2))
    raise typer.Exit(Exit.REFUSED if any(finding.level is Level.ERROR for finding in findings) else Exit.DONE)


def _is_xml(body: bytes) -> bool:
    """Tell XML by its first character: no JSON begins with it, and a file has no media type."""
    return body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<"
