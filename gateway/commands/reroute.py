"""`gateway reroute`: give prescriptions to another provider, one or everything that one provider has."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator
from typing import Annotated, Final
from uuid import UUID

import typer

from gateway.access.policy import Action
from gateway.commands.exits import Exit
from gateway.commands.person import Config, Data, operator, stated
from gateway.domain.identifiers import OdsCode
from gateway.domain.reroute import HeldPrescription, Wanted
from gateway.enquiries import Enquiries
from gateway.pipeline.reroute import Act, LinePlan, Plan
from gateway.settings import Settings, read_settings
from gateway.wiring.rerouting import rerouting

AUTO: Final = "auto"
_NOBODY: Final = ("one person", "another person")
_COLUMNS: Final = ("prescription", "line", "state", "from", "to", "what", "why")


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
    person, or nothing was done. Run it again to go on: what has gone is not listed again.
    """
    settings = read_settings(data=data, config=config)
    chosen, target = _chosen(prescription, all_from), _target(to)
    people = _NOBODY if dry_run else _people(settings, by, second)
    why = "dry run" if dry_run else stated(reason)
    plans = asyncio.run(_run(settings, chosen, target, people, "" if dry_run else why))
    rows = [_row(plan, line) for plan in plans for line in plan.lines]
    if not rows:
        print("no open line of that provider" if all_from else "no open line under that id", file=sys.stderr)
        raise typer.Exit(Exit.DONE if all_from else Exit.REFUSED)
    _show(rows, plans, dry_run=dry_run, as_json=as_json)
    raise typer.Exit(Exit.DONE if dry_run else _exit(plans))


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


async def _run(
    settings: Settings, chosen: UUID | OdsCode, to: OdsCode | None, people: tuple[str, str], reason: str
) -> list[Plan]:
    """Plan, and where a reason is given carry out, one prescription after another."""
    out = []
    async with rerouting(settings) as (routes, enquiries):
        async for held in _held(enquiries, chosen):
            plan = await routes.plan(held, to=to, people=people)
            if reason and plan.to is not None:
                plan = await routes.carry_out(plan, Wanted(to=plan.to, people=people, reason=reason))
            out.append(plan)
    return out


async def _held(enquiries: Enquiries, chosen: UUID | OdsCode) -> AsyncIterator[HeldPrescription]:
    if isinstance(chosen, OdsCode):
        found = await enquiries.held(provider=chosen)
    else:
        found = await enquiries.held(prescription_id=chosen)
    for held in found:
        if held.lines:
            yield held


def _row(plan: Plan, one: LinePlan) -> dict[str, str | int]:
    holding = one.line.holding
    return {
        "prescription": str(plan.held.prescription_id),
        "number": plan.held.number,
        "trust": plan.held.tenant.value,
        "line": str(one.line.line_id),
        "order": one.line.order_number,
        "state": holding.state.value,
        "epoch": holding.epoch,
        "left": holding.left,
        "from": holding.provider.value if holding.provider else "",
        "to": plan.to.value if plan.to else "",
        "what": one.act.value,
        "why": one.why,
    }


def _show(rows: list[dict[str, str | int]], plans: list[Plan], *, dry_run: bool, as_json: bool) -> None:
    counts = Counter(line.act.value for plan in plans for line in plan.lines)
    if as_json:
        print(json.dumps({"dry_run": dry_run, "prescriptions": len(plans), "counts": counts, "lines": rows}, indent=1))
        return
    table = [_COLUMNS, *(tuple(str(row[name]) for name in _COLUMNS) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for cells in table:
        print("  ".join(f"{cell:{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip())
    told = ", ".join(f"{number} {what}" for what, number in sorted(counts.items()))
    print(f"{len(plans)} prescriptions: {told}{' (dry run: nothing was done)' if dry_run else ''}")


def _exit(plans: list[Plan]) -> Exit:
    acts = {line.act for plan in plans for line in plan.lines}
    if Act.PERSON in acts:
        return Exit.REFUSED
    return Exit.HELD if acts & {Act.UNDER_WAY, Act.REVOKE_FIRST} else Exit.DONE
