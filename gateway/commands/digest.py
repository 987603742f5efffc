"""`gateway digest`."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from gateway.commands.exits import Exit
from gateway.commands.offline import NOBODY, Offline, sender_of
from gateway.commands.translate import known_trust, submission_of
from gateway.config.load import load
from gateway.domain.errors import Refusal
from gateway.domain.submission import WireFormat
from gateway.pipeline.prepare import prepare_submission
from gateway.settings import read_settings, variables
from gateway.sign.eps_digest import Algorithm, Prepared
from gateway.wiring.around import surroundings

File = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="An order in any format, as sent.")
]


def digest(
    file: File,
    *,
    form: Annotated[WireFormat | None, typer.Option("--from", help="Its format; recognised otherwise.")] = None,
    trust: Annotated[
        str | None, typer.Option(help="ODS code of the sender; the message's word is taken otherwise.")
    ] = None,
    when: Annotated[str, typer.Option(help="Signing time, ISO 8601 with its zone; now if left out.")] = "",
    algorithm: Annotated[
        Algorithm, typer.Option(help="RS1 only reproduces old answers; no new signature may use it.")
    ] = Algorithm.RS256,
) -> None:
    """Print the `$prepare` answer for an order: the bytes a prescriber signs.

    HL7 v2 and trust XML are translated; the digest is of the FHIR message that would be sent.
    """
    moment = _moment(when)
    try:
        prepared = _prepared(file, form, trust, moment, algorithm)
    except Refusal as refusal:
        _refuse("\n".join(f"{issue.code} {issue.location}: {issue.text}" for issue in refusal.issues))
    print(json.dumps(prepared.parameters(), indent=2))


def _prepared(
    file: Path, form: WireFormat | None, trust: str | None, moment: datetime, algorithm: Algorithm
) -> Prepared:
    offline = Offline(surroundings(load(read_settings().config, environ=variables())))
    submission = submission_of(file, form, known_trust(offline, trust) if trust else NOBODY, moment)
    around = offline.around
    if not trust:
        tenant, around = sender_of(submission, around)
        submission = replace(submission, tenant=tenant)
    return prepare_submission(submission, around, moment, algorithm)


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
