import base64
import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from gateway.commands.check import check
from gateway.commands.digest import digest


def run(command: object, *arguments: str) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(command)  # type: ignore[type-var]
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, result.output


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ('{"resourceType": "Endpoint"}', 2, "Endpoint.status"),
        ('{"resourceType": "Bundle", "type": "collection"}', 0, "No issue was found"),
        ('{"resourceType": "Patient", "gender": "female"}', 0, '"severity": "warning"'),
        ('{"resourceType": "Patient", "gender": "F"}', 2, "Patient.gender"),
        ('{"resourceType": "Patient", "gender": "female", "gender": "male"}', 2, "DUPLICATE_KEY"),
        ('{"resourceType": "Basic"}', 2, "not-supported"),
        ("[]", 2, "one resource"),
        ("{", 2, "UNREADABLE"),
        ('<Patient xmlns="http://hl7.org/fhir"><gender value="female"/></Patient>', 0, '"severity": "warning"'),
        ('\ufeff\n<Patient xmlns="http://hl7.org/fhir"><gender value="F"/></Patient>', 2, "Patient.gender"),
        ('<Patient xmlns="http://hl7.org/fhir"><nick value="F"/></Patient>', 2, "Patient.nick"),
        ("<Patient", 2, "UNREADABLE"),
    ],
)
def test_check_prints_an_outcome_and_exits_by_it(tmp_path: Path, body: str, code: int, said: str) -> None:
    file = tmp_path / "resource.json"
    file.write_text(body)
    exit_code, output = run(check, str(file))
    assert exit_code == code
    assert json.loads(output)["resourceType"] == "OperationOutcome"
    assert said in output


@pytest.mark.parametrize(
    ("body", "arguments", "said"),
    [
        ('{"resourceType": "Bundle", "type": "message"}', [], "there is no MedicationRequest"),
        ("MSH|^~\\&|", [], "MSH"),
        ("<a/>", ["--trust", "RBA"], "MESSAGE_TYPE_UNSUPPORTED"),
        ("{", [], "UNREADABLE"),
        ("{}", ["--when", "2026-10-05T09:15:00"], "zone"),
        ("{}", ["--when", "yesterday"], "ISO 8601"),
    ],
)
def test_digest_says_why_it_gives_none(tmp_path: Path, body: str, arguments: list[str], said: str) -> None:
    file = tmp_path / "order.json"
    file.write_text(body)
    exit_code, output = run(digest, str(file), *arguments)
    assert exit_code == 2
    assert said in output


def test_an_order_of_another_format_is_translated_and_its_message_digested() -> None:
    order = Path(__file__).parents[2] / "golden/hl7v2/S01.hl7"
    arguments = ("--from", "hl7v2", "--trust", "RBA", "--when", "2026-10-05T09:15:00+01:00")
    exit_code, output = run(digest, str(order), *arguments)
    assert exit_code == 0
    values = {one["name"]: one["valueString"] for one in json.loads(output)["parameter"]}
    assert values["timestamp"] == "2026-10-05T08:15:00+00:00"
    assert values["algorithm"] == "RS256"
    assert base64.b64decode(values["digest"]).startswith(b"<SignedInfo ")
