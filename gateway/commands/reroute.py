"""`gateway reroute`: give prescriptions to another provider, one or everything that one provider has."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace
from typing import Annotated, Final, NoReturn
from uuid import UUID

import typer

from gateway.access.policy import Action
from gateway.commands.exits import Exit
from gateway.commands.person import Config, Data, operator, stated
from gateway.commands.reroute_list import (
    Concerned,
    affected_as_json,
    affected_as_text,
    concerned,
    lines_as_json,
    lines_as_text,
)
from gateway.domain.identifiers import OdsCode
from gateway.domain.partner import Provider
from gateway.domain.reconciliation import AFTER_RESTORE
from gateway.domain.reroute import HeldPrescription, Wanted
from gateway.enquiries import Enquiries
from gateway.pipeline.reroute import Act, Plan, Rerouting
from gateway.settings import Settings, read_settings
from gateway.store.sql.rerouting import RESTORED
from gateway.wiring.rerouting import rerouting

AUTO: Final = "auto"
_NOBODY: Final = ("one person", "another person")


def reroute(
    prescription: Annotated[str, typer.Argument(help="Id of the prescription (a UUID).")] = "",
    *,
    to: Annotated[str, typer.Option(help="ODS code of the provider that is to have it; or auto.")],
    all_from: Annotated[str, typer.Option(help="Instead of one prescription: all that this provider has.")] = "",
    reason: Annotated[str, typer.Option(help="Why, in words for those who look later. No patient data.")] = "",
    by: Annotated[str, typer.Option("--by", help="Your operator name. The secret: GATEWAY_OPERATOR_SECRET.")] = "",
    second: Annotated[
        str, typer.Option("--and", help="The second person. The secret: GATEWAY_OPERATOR_SECOND_SECRET.")
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List what would happen; ask nobody, write nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Give what one provider has, or was given, to another; behind the fence, and by two people together.

    What never reached the provider, or was given back by it, goes at once. For the rest the provider is asked to give
    it up, and nothing moves until it confirms. Exit 0: all has gone; 3: some waits for a provider; 2: some needs a
    person, or nothing was done. Run it again to go on: what has gone is not listed again. A dry run refuses what the
    command itself would refuse, and ends as it would.
    """
    settings = read_settings(data=data, config=config)
    chosen, target = _chosen(prescription, all_from), _target(to)
    people = _NOBODY if dry_run else _people(settings, by, second)
    why = "dry run" if dry_run else stated(reason)
    done = asyncio.run(_run(settings, chosen, target, people, "" if dry_run else why))
    if not done.plans:
        print("no open line of that provider" if all_from else "no open line under that id", file=sys.stderr)
        raise typer.Exit(Exit.DONE if all_from else Exit.REFUSED)
    _show(done, dry_run=dry_run, as_json=as_json)
    raise typer.Exit(_exit(done.plans))


def _chosen(prescription: str, all_from: str) -> UUID | OdsCode:
    if bool(prescription) == bool(all_from):
        raise typer.BadParameter("give one prescription, or --all-from, and not both")
    if all_from:
        return _ods(all_from, "--all-from")
    try:
        return UUID(prescription)
    except ValueError:
        raise typer.BadParameter("is not a prescription's id", param_hint="PRESCRIPTION") from None


def _target(to: str) -> OdsCode | None:
    return None if to == AUTO else _ods(to, "--to")


def _ods(code: str, option: str) -> OdsCode:
    parsed = OdsCode.parse(code)
    if parsed is None:
        raise typer.BadParameter("is not an ODS code", param_hint=option)
    return parsed


def _people(settings: Settings, by: str, second: str) -> tuple[str, str]:
    """Give the names of the two people, each known by a secret."""
    if not by or not second or by == second:
        print("not allowed: two different people must authorise it: --by and --and", file=sys.stderr)
        raise typer.Exit(Exit.REFUSED)
    first = operator(settings, by, Action.REROUTE)
    return first.name, operator(settings, second, Action.REROUTE, second=True).name


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    """What was planned, and carried out unless it was a dry run.

    Attributes:
        affected: counted in a dry run alone: after anything was done that is what must be printed, come what may.
        page_of: the provider of which the console has a page, where all that it has was asked for.
    """

    plans: list[Plan]
    affected: tuple[Concerned, ...] = ()
    page_of: OdsCode | None = None


async def _run(
    settings: Settings, chosen: UUID | OdsCode, to: OdsCode | None, people: tuple[str, str], reason: str
) -> _Done:
    """Plan, and where a reason is given carry out, one prescription after another."""
    out = []
    async with rerouting(settings) as (routes, enquiries):
        await _check(routes, enquiries, chosen, to)
        async for held in _held(enquiries, chosen):
            plan = await routes.plan(held, to=to, people=people)
            if reason and plan.to is not None:
                plan = await routes.carry_out(plan, Wanted(to=plan.to, people=people, reason=reason))
            out.append(plan)
        if reason:
            return _Done(plans=out)
        if any(one.kind == AFTER_RESTORE for one in await enquiries.pauses()):
            out = [_waiting(plan) for plan in out]
        page_of = chosen if isinstance(chosen, OdsCode) else None
        return _Done(plans=out, affected=await concerned(enquiries, out), page_of=page_of)


def _waiting(plan: Plan) -> Plan:
    """Say what the store would: after a restore nobody knows yet what had left."""
    lines = (replace(one, act=Act.PERSON, why=RESTORED) if one.act is Act.AT_ONCE else one for one in plan.lines)
    return replace(plan, lines=tuple(lines))


async def _check(routes: Rerouting, enquiries: Enquiries, chosen: UUID | OdsCode, to: OdsCode | None) -> None:
    """Refuse a provider that nobody knows. One that was taken out of the configuration may have lines all the same."""
    if to is not None and to not in {one.ods for one in routes.providers()}:
        _refuse(f"--to: {to} is not a provider that is known and active here", routes.providers())
    if isinstance(chosen, UUID) or chosen in {one.ods for one in routes.known()}:
        return
    if not await enquiries.ever_had(chosen) and not await enquiries.held(provider=chosen, most=1):
        _refuse(f"--all-from: {chosen} is not in the configuration, and never had a line", routes.known())


def _refuse(why: str, known: Iterable[Provider]) -> NoReturn:
    """Name those that could have been meant, and end the command; a code that was mistyped must not look like done."""
    names = ", ".join(f"{one.ods} {one.name}" for one in known)
    print(f"not done: {why}. Known: {names or 'none'}", file=sys.stderr)
    raise typer.Exit(Exit.REFUSED)


async def _held(enquiries: Enquiries, chosen: UUID | OdsCode) -> AsyncIterator[HeldPrescription]:
    if isinstance(chosen, OdsCode):
        found = await enquiries.held(provider=chosen)
    else:
        found = await enquiries.held(prescription_id=chosen)
    for held in found:
        if held.lines:
            yield held


def _show(done: _Done, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        more = affected_as_json(done.affected, done.page_of) if dry_run else {}
        print(json.dumps({"dry_run": dry_run, **lines_as_json(done.plans), **more}, indent=1))
        return
    print(*lines_as_text(done.plans), sep="\n")
    if dry_run:
        print(*affected_as_text(done.affected, done.page_of), "Dry run: nothing was done.", sep="\n")


def _exit(plans: list[Plan]) -> Exit:
    acts = {line.act for plan in plans for line in plan.lines}
    if Act.PERSON in acts:
        return Exit.REFUSED
    return Exit.HELD if acts & {Act.UNDER_WAY, Act.REVOKE_FIRST} else Exit.DONE
