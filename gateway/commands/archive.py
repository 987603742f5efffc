"""`gateway archive`: move closed prescriptions out of the store, list and check the archives, look one up there."""

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer

from gateway.access.policy import Action
from gateway.commands.exits import Exit
from gateway.commands.person import LARGEST, By, Config, Data, Reason, operator, stated
from gateway.domain.identifiers import NhsNumber, PrescriptionNumber, parse_uuid
from gateway.domain.labels import LABELS
from gateway.enquiries import Found, PrescriptionView
from gateway.settings import Settings, read_settings
from gateway.store.sql.leaves import reason_digest
from gateway.store.sqlite.archive_file import FOLDER, ArchiveManifest
from gateway.store.sqlite.archiving import MOST, Archived
from gateway.wiring import archiving
from gateway.wiring.acting import desk

app = typer.Typer(help="Closed prescriptions: move them to an archive, look one up there.")

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.callback(invoke_without_command=True)
def archive(
    context: typer.Context,
    *,
    before: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only what was closed before this day (UTC).")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go and why the rest stays.")] = False,
    most: Annotated[
        int, typer.Option(min=1, max=LARGEST, help="Prescriptions in one archive; the rest goes next time.")
    ] = MOST,
    as_json: AsJson = False,
    by: By = "",
    data: Data = None,
    config: Config = None,
) -> None:
    """Move what is closed, past its term and under no legal hold to a new archive of the data folder.

    The archive is written and read again before anything leaves the store; a run that was stopped is taken up by the
    next. A gateway may be running. `retention.toml` of the configuration says how long records stay.
    """
    if context.invoked_subcommand is not None:
        return
    settings = read_settings(data=data, config=config)
    person = "" if dry_run else operator(settings, by, Action.ARCHIVE).name
    until = before.replace(tzinfo=UTC) if before else None
    run = archiving.asked(settings, by=person, before=until, most=most)
    for term in archiving.terms(run) if not as_json else ():
        whose = term.trust or "every trust"
        print(f"term         {whose}: {term.archive_after_days} days, kept {term.keep_years} years: {term.decided_by}")
    done = archiving.survey(run) if dry_run else archiving.archive(run)
    _show(done, dry_run=dry_run, as_json=as_json)


@app.command("list")
def listed(*, verify: bool = False, as_json: AsJson = False, data: Data = None) -> None:
    """Show every archive of the data folder: what is in it, and until when it must be kept. `--verify` reads each."""
    settings = read_settings(data=data)
    found = tuple(archiving.verified(settings.data)) if verify else archiving.manifests(settings.data)
    held = {one.name: len(archiving.held(settings, one.name)) for one in found}
    if as_json:
        print(json.dumps([{**asdict(one), "under_legal_hold": held[one.name]} for one in found], indent=1))
    for one in found if not as_json else ():
        kept = f"{_kept(one)}{f', {held[one.name]} under legal hold' if held[one.name] else ''}"
        print(f"{one.name}  {one.prescriptions} prescriptions, {one.first[:10]} to {one.last[:10]}, {kept}")
    _refuse_gaps(archiving.gaps(settings, found))
    if not found and not as_json:
        print(f"no archive in {settings.data / FOLDER}")


@app.command()
def find(
    what: Annotated[
        str, typer.Argument(help="Prescription id (UUID or EPS form) or order number; leave it out for a patient.")
    ] = "",
    *,
    patient: Annotated[bool, typer.Option("--patient", help="Ask for an NHS number, which is not shown.")] = False,
    reason: Reason,
    by: By,
    data: Data = None,
    config: Config = None,
) -> None:
    """Look a prescription up in the archives. Who looked and why is audited."""
    settings = read_settings(data=data, config=config)
    words = stated(reason)
    person = operator(settings, by, Action.ARCHIVE)
    if bool(what) == patient:
        raise typer.BadParameter("give an id or an order number, or --patient")
    number = _nhs_number() if patient else ""
    asyncio.run(_note(settings, person.name, words))
    identity = parse_uuid(what)
    if identity is not None:
        _show_one(settings, identity)
    else:
        _show_found(settings, what, nhs_number=number)


def _nhs_number() -> str:
    said = NhsNumber.parse(typer.prompt("NHS number", hide_input=True, err=True))
    if said is None:
        raise typer.BadParameter("is not an NHS number", param_hint="--patient")
    return said.value


async def _note(settings: Settings, by: str, reason: str) -> None:
    async with desk(settings) as at:
        now = at.clock.now()
        await at.store.note_access(principal=by, action="archive-searched", subject=reason_digest(reason), now=now)


def _show_one(settings: Settings, identity: UUID) -> None:
    seen = archiving.view(settings.data, identity)
    if seen is None:
        raise _nothing()
    name, view = seen
    print(f"in archive {name}{_holds(archiving.held(settings, name).get(identity, ()))}")
    print(json.dumps(_as_object(view), indent=1, default=str))


def _show_found(settings: Settings, what: str, *, nhs_number: str) -> None:
    by_number = not nhs_number and PrescriptionNumber.parse(what.upper()) is not None
    found = list(
        archiving.find(
            settings,
            nhs_number=nhs_number,
            number=what.upper() if by_number else "",
            order_number="" if by_number or nhs_number else what,
        )
    )
    for one in found:
        print(f"{one.archive}  {_line(one.found)}{_holds(one.holds)}")
    if not found:
        raise _nothing()


def _line(found: Found) -> str:
    medicines = "; ".join(found.medicines)
    return f"{found.prescription_id}  {found.number}  {found.tenant}  {LABELS[found.state]}  {medicines}"


def _holds(numbers: Sequence[int]) -> str:
    return "".join(f"  legal hold {number}" for number in numbers)


def _as_object(view: PrescriptionView) -> dict[str, object]:
    """Give everything but the bytes, which stay in the archive."""
    whole = asdict(view)
    return {name: value for name, value in whole.items() if not isinstance(value, bytes)}


def _nothing() -> typer.Exit:
    print("no archive of this folder has it", file=sys.stderr)
    return typer.Exit(Exit.REFUSED)


def _show(done: Archived, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        manifest = asdict(done.manifest) if done.manifest else None
        figures = {"chosen": done.chosen, "let_go": done.let_go, "changed": done.changed, "stays": dict(done.stays)}
        print(json.dumps({**figures, "archive": manifest}, indent=1))
        return
    print(f"{'would go' if dry_run else 'went':12} {done.chosen if dry_run else done.let_go} prescriptions")
    for why, count in sorted(done.stays.items()):
        print(f"stays        {count}: {why}")
    if done.changed:
        print(f"stays        {done.changed}: changed since it was copied, or is kept now")
    if done.manifest:
        print(f"archive      {done.manifest.name}, {done.manifest.bytes} bytes, {_kept(done.manifest)}")
        print(f"sha256       {done.manifest.sha256}")


def _kept(manifest: ArchiveManifest) -> str:
    return f"to be kept until {manifest.keep_until}"


def _refuse_gaps(missing: Sequence[str]) -> None:
    """Say which archives that must be kept are not there."""
    for one in missing:
        print(one, file=sys.stderr)
    if missing:
        raise typer.Exit(Exit.REFUSED)
