"""`gateway translate`."""

import hashlib
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from gateway.commands.exits import Exit
from gateway.commands.offline import NOBODY, Offline, Seen, sender_of
from gateway.commands.trace_table import print_trace
from gateway.config.load import load
from gateway.domain.errors import ConfigurationError
from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import Issue
from gateway.domain.labels import worst
from gateway.domain.message import FhirMessage
from gateway.domain.submission import Outcome, Submission, WireFormat
from gateway.domain.trace import Leftover, TraceRow
from gateway.settings import read_settings, variables
from gateway.translate.to_fhir.dispense import write_dispenses
from gateway.wire.strict_json import JSON, dumps, loads
from gateway.wiring.around import surroundings

_FHIR_XML = "application/fhir+xml; fhirVersion=4.0"
_HEAD_BYTES = 4096
"""Where a root element's namespace stands, at the latest."""
ISSUE_SYSTEM = "urn:x-homecare-gateway:issue"
_EXITS = {Outcome.REFUSED: Exit.REFUSED, Outcome.HELD: Exit.HELD}
_TYPES = {
    WireFormat.HL7V2: "application/hl7-v2+er7",
    WireFormat.XML: "application/xml",
    WireFormat.FHIR: "application/fhir+json; fhirVersion=4.0",
}

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="A submission, as sent.")]


def translate(
    file: File,
    *,
    form: Annotated[WireFormat | None, typer.Option("--from", help="Its format; recognised otherwise.")] = None,
    trust: Annotated[
        str | None, typer.Option(help="ODS code of the sender; the message's word is taken otherwise.")
    ] = None,
    after: Annotated[
        list[Path] | None,
        typer.Option(exists=True, dir_okay=False, help="An earlier submission, read first; may be repeated."),
    ] = None,
    trace: Annotated[bool, typer.Option("--trace", help="Say where every value comes from.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    at: Annotated[
        datetime | None, typer.Option(help="Read as if received then (UTC); now otherwise.", show_default=False)
    ] = None,
) -> None:
    """Read one submission offline; print the FHIR message, or what is wrong and where."""
    settings = read_settings()
    offline = Offline(surroundings(load(settings.config, environ=variables()), settings.reference_folder))
    received_at = at.replace(tzinfo=UTC) if at else datetime.now(UTC)
    for earlier in after or []:
        _take(offline, earlier, form, trust, received_at)
    seen = _take(offline, file, form, trust, received_at)
    outcome = Outcome.DUPLICATE if seen.repeated else seen.verdict.outcome
    if as_json:
        print(_pretty(_result(seen, outcome, trace=trace)))
    else:
        _print(seen, outcome, trace=trace)
    raise typer.Exit(_EXITS.get(seen.verdict.outcome, Exit.DONE))


def submission_of(file: Path, form: WireFormat | None, tenant: OdsCode, received_at: datetime) -> Submission:
    """Make the submission that a file would have been.

    Args:
        file: the body.
        form: its format; recognised if None.
        tenant: the sender.
        received_at: aware.

    Returns:
        The submission; a single order, which has no name of its own, is named by its digest.
    """
    body = file.read_bytes()
    spoken = form or recognise(body)
    in_xml = spoken is WireFormat.FHIR and _first(body) == b"<"
    return Submission(
        tenant=tenant,
        format=spoken,
        body=body,
        content_type=_FHIR_XML if in_xml else _TYPES[spoken],
        received_at=received_at,
        idempotency_key=hashlib.sha256(body).hexdigest(),
    )


def _take(offline: Offline, file: Path, form: WireFormat | None, trust: str | None, received_at: datetime) -> Seen:
    tenant = known_trust(offline, trust) if trust else NOBODY
    submission = submission_of(file, form, tenant, received_at)
    if not trust:
        tenant, offline.around = sender_of(submission, offline.around)
        submission = replace(submission, tenant=tenant)
    return offline.take(submission)


def known_trust(offline: Offline, trust: str) -> OdsCode:
    """Give the trust of that ODS code.

    Raises:
        ConfigurationError: it is not configured.
    """
    ods = OdsCode.parse(trust)
    if ods is None or ods not in offline.around.trusts:
        known = ", ".join(sorted(map(str, offline.around.trusts)))
        raise ConfigurationError(f"--trust {trust}: is not a trust of the configuration ({known})")
    return ods


def recognise(body: bytes) -> WireFormat:
    """Tell the format by its first character; HL7 v2 when nothing else fits, whose reader says what is wrong.

    XML is FHIR where its root is in the namespace of FHIR.
    """
    if _first(body) == b"<" and re.search(
        rb"""\sxmlns(:\w+)?\s*=\s*["']http://hl7\.org/fhir["']""", body[:_HEAD_BYTES]
    ):
        return WireFormat.FHIR
    return {b"<": WireFormat.XML, b"{": WireFormat.FHIR, b"[": WireFormat.FHIR}.get(_first(body), WireFormat.HL7V2)


def _first(body: bytes) -> bytes:
    return body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]


def _result(seen: Seen, outcome: Outcome, *, trace: bool) -> dict[str, JSON]:
    """Write the object of brief 5."""
    result: dict[str, JSON] = {
        "outcome": outcome.value,
        "commit": seen.verdict.commit if seen.envelope.enhanced else None,
        "application": seen.verdict.application,
        "issues": [_issue(issue) for issue in seen.verdict.issues],
        "messages": _messages(seen),
    }
    if seen.states:
        result["state"] = worst(seen.states).value
    if trace:
        result["trace"] = [row for order in seen.orders for row in _rows(order.trace, _paths(order.messages))]
        result["leftovers"] = [_leftover(one) for one in (seen.translation.leftovers if seen.translation else ())]
        result["unaccounted"] = list(seen.unaccounted)
        result["unexplained"] = [
            path for order in seen.orders for message in order.messages for path in message.unexplained
        ]
    return result


def _messages(seen: Seen) -> list[JSON]:
    supplied = [write_dispenses(seen.dispenses)] if seen.dispenses else []
    return [*(loads(message.body) for order in seen.orders for message in order.messages), *supplied]


def _issue(issue: Issue) -> JSON:
    return {
        "code": issue.code,
        "severity": issue.severity.value,
        "location": issue.location,
        "text": issue.text,
    }


def _paths(messages: tuple[FhirMessage, ...]) -> list[tuple[str, str]]:
    return [(origin, path) for message in messages for path, origin in message.explained]


def _rows(trace: tuple[TraceRow, ...], paths: list[tuple[str, str]]) -> list[JSON]:
    """Write each row with the FHIRPaths of the values that come from it."""
    return [
        {
            "target": row.target,
            "fhir": [path for origin, path in paths if _covers(row.target, origin)],
            "source": row.source,
            "rule": row.rule,
            "transform": row.transform,
            "raw": row.raw,
            "result": row.result,
        }
        for row in trace
    ]


def _covers(target: str, origin: str) -> bool:
    return origin == target or origin.startswith((f"{target}.", f"{target}["))


def _leftover(one: Leftover) -> JSON:
    return {"source": one.source, "raw": one.raw, "disposition": one.disposition.value, "rule": one.rule}


def _outcome(issues: tuple[Issue, ...]) -> JSON:
    """Write an OperationOutcome whose locations are the sender's own."""
    return {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": issue.severity.value,
                "code": issue.row.fhir,
                "details": {"coding": [{"system": ISSUE_SYSTEM, "code": issue.code}], "text": issue.row.advice},
                "diagnostics": issue.text,
                **({"expression": [issue.location]} if issue.location else {}),
            }
            for issue in issues
        ],
    }


def _print(seen: Seen, outcome: Outcome, *, trace: bool) -> None:
    """Print for a person: the messages, or the OperationOutcome; what is said beside them goes to standard error."""
    typer.echo(f"{outcome.value}: {seen.verdict.application}", err=True)
    messages = _messages(seen)
    for message in messages:
        print(_pretty(message))
    if not messages and seen.verdict.issues:
        print(_pretty(_outcome(seen.verdict.issues)))
    elif messages:
        for issue in seen.verdict.issues:
            typer.echo(f"{issue.code} {issue.location}: {issue.text}", err=True)
    if trace:
        print_trace(
            (row for order in seen.orders for row in order.trace),
            seen.translation.leftovers if seen.translation else (),
        )


def _pretty(value: JSON) -> str:
    """Indent without touching a number's digits."""
    return msgspec.json.format(dumps(value), indent=1).decode()
