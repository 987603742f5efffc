"""`gateway config check`."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from gateway.commands.person import Data
from gateway.config.calendar_check import calendar_concerns
from gateway.config.codes_written import codes_as_toml
from gateway.config.configuration import Configuration
from gateway.config.load import load
from gateway.config.reference_check import concerns
from gateway.config.trust_maps import code_faults
from gateway.domain.code_map import ApprovedEntry
from gateway.domain.deadline import Deadlines, Urgency
from gateway.domain.errors import ConfigurationError
from gateway.domain.lifecycle import LineState
from gateway.domain.partner import Environment, Trust
from gateway.settings import Settings, read_settings, variables
from gateway.wiring.around import surroundings
from gateway.wiring.build import SystemClock
from gateway.wiring.standing import orphaned
from gateway.wiring.storing import has_store, open_enquiries, refuse_without_store

app = typer.Typer(no_args_is_help=True, help="The configuration folder.")


@app.callback()
def config() -> None:
    """Group the commands about the configuration folder."""


@app.command()
def check(
    folder: Annotated[
        Path | None, typer.Argument(help="Configuration folder; the one in force otherwise. [GATEWAY_CONFIG]")
    ] = None,
    data: Data = None,
) -> None:
    """Read a configuration folder and list every fault, or say what is in force.

    Where there is a store in the data folder, the configuration is judged against every open line of it, and refused if
    one would lose its trust, its destination or its deadline. Whoever names the folder with --data wants it judged.
    """
    settings = read_settings(data=data)
    if data is not None:
        refuse_without_store(settings)
    configuration = load(folder or settings.config, environ=variables())
    open_lines = asyncio.run(_judged(settings, configuration, changed=folder is not None))
    reference = surroundings(configuration, settings.reference_folder).reference
    today = datetime.now(UTC).date()
    told = (*concerns(configuration, reference, today), *calendar_concerns(configuration.deadlines, today))
    live = configuration.environment is Environment.LIVE
    closed = (one.text for one in told if one.grave and live)
    if faults := (*code_faults(configuration.trusts.values(), reference), *closed):
        raise ConfigurationError(*faults)
    print(f"version      {configuration.version}")
    print(f"digest       {configuration.digest}")
    print(f"gateway      {configuration.organisation}, {configuration.environment}")
    print(f"reference    {reference.release}")
    for trust in configuration.trusts.values():
        codes = f"{len(trust.codes)} local codes{_own_fields(trust)}"
        print(f"trust        {trust.ods} {trust.name}: {trust.signature_policy}, {codes}")
    for provider in configuration.routing.providers.values():
        state = "" if provider.active else ", not active"
        print(f"provider     {provider.ods} {provider.name}: {provider.adapter}{state}")
    print(f"routes       {len(configuration.routing.rows)}")
    _print_deadlines(configuration.deadlines)
    print(f"open lines   {open_lines}")
    for caller in configuration.without_token:
        print(f"no token     {caller.kind} {caller.name}")
    for one in told:
        print(f"warning      {one.text}")


@app.command()
def codes(
    trust: Annotated[str, typer.Argument(help="ODS code of the trust.")],
    data: Data = None,
) -> None:
    """Print the code map entries that two people approved for a trust at the console, as its file would have them."""
    settings = read_settings(data=data)
    refuse_without_store(settings)
    print(codes_as_toml(asyncio.run(_approved(settings, trust))), end="")


async def _approved(settings: Settings, trust: str) -> tuple[ApprovedEntry, ...]:
    enquiries = open_enquiries(settings)
    try:
        return tuple(one for one in await enquiries.approved_entries() if one.trust.value == trust)
    finally:
        await enquiries.close()


async def _judged(settings: Settings, configuration: Configuration, *, changed: bool) -> str:
    """Judge a configuration against the open lines of the data folder.

    Raises:
        ConfigurationError: it would orphan some, each kind with its count, ids and what to do first.
    """
    if not has_store(settings):
        return f"none judged: data folder {settings.data} holds no store"
    enquiries = open_enquiries(settings)
    try:
        before = _in_force(settings) if changed else None
        found, lines = await orphaned(configuration, enquiries, SystemClock(), before=before)
    finally:
        await enquiries.close()
    if found:
        raise ConfigurationError(*map(str, found))
    return f"{lines}, none would lose its way"


def _in_force(settings: Settings) -> Configuration:
    """Read the configuration that a change is held against.

    Raises:
        ConfigurationError: it cannot be read, as after an upgrade that refuses more; each fault says whose it is.
    """
    try:
        return load(settings.config, environ=variables())
    except ConfigurationError as error:
        where = f"the configuration in force, {settings.config}, which must be mended first"
        raise ConfigurationError(*(f"{where}: {fault}" for fault in error.faults)) from error


def _own_fields(trust: Trust) -> str:
    """Name the fields of the trust's own segments that are read."""
    return "".join(f", {field.place} is {field.target}" for field in trust.z_fields)


def _print_deadlines(deadlines: Deadlines) -> None:
    """Print the limits in force today, and until when the days that are worked are known."""
    now = datetime.now(UTC)
    for state in LineState:
        routine, urgent = (deadlines.limit(state, kind, now) for kind in (Urgency.ROUTINE, Urgency.URGENT))
        if routine is not None:
            print(f"deadline     {state}: {routine}{f', urgent {urgent}' if urgent != routine else ''}")
    for request, limit in deadlines.answers.items():
        print(f"answer       {request}: {limit}")
    calendar = deadlines.calendar
    print(f"calendar     {calendar.first} to {calendar.last}, {len(calendar.holidays)} days not worked")
