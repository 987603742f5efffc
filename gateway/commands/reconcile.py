"""`gateway reconcile`: the books; a party's list against ours; what a provider holds after a restore."""

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from gateway.access.policy import Action
from gateway.commands.after_restore import AfterRestore
from gateway.commands.exits import Exit
from gateway.commands.person import Config, Data, operator, stated
from gateway.commands.stated import read_holdings, read_list, read_messages, read_told
from gateway.domain.books import (
    FIRST_DAY,
    DayList,
    Discrepancy,
    Fault,
    Ledger,
    Listed,
    Side,
    compare,
    has_books,
)
from gateway.domain.errors import ConfigurationError
from gateway.domain.identifiers import OdsCode, parse_uuid
from gateway.domain.reconciliation import AFTER_RESTORE, TRUST_AFTER_RESTORE
from gateway.settings import Settings, read_settings
from gateway.wiring.acting import Desk, desk

_STATEMENTS: Final = frozenset({"--holdings", "--messages", "--without-statement", "--given-up"})
_GOES_WITH: Final = {
    "--theirs": "--list",
    **dict.fromkeys((*sorted(_STATEMENTS), "--reason", "--by"), "--destination"),
    "--told": "--messages",
}
_COLUMNS: Final = ("told", "accepted", "terminal", "open", "alerted", "refused", "quarantined")
_Ods = Annotated[str, typer.Option(help="ODS code of a provider that waits to be reconciled after a restore.")]


def reconcile(  # the options are those of three acts that belong together
    context: typer.Context,
    *,
    day: Annotated[
        str, typer.Option(help="A day in London, as YYYY-MM-DD; for the books: all days if not given.")
    ] = "",
    party: Annotated[str, typer.Option("--list", help="ODS code: print our list of that day with this party.")] = "",
    theirs: Annotated[
        Path | None, typer.Option(help="With --list: compare this list of the party's with ours.")
    ] = None,
    destination: _Ods = "",
    holdings: Annotated[
        Path | None, typer.Option(help="With --destination: everything that the provider holds.")
    ] = None,
    messages: Annotated[
        Path | None, typer.Option(help="With --destination, a trust: ids of all it was told is held since the backup.")
    ] = None,
    told: Annotated[
        Path | None, typer.Option(help="With --messages: lines it was told are cancelled or on hold since.")
    ] = None,
    without_statement: Annotated[
        bool, typer.Option("--without-statement", help="With --destination: no list; you asked, and answer.")
    ] = False,
    given_up: Annotated[
        str, typer.Option(help="With --destination: the line (UUID) it stated after a restore and has now given up.")
    ] = "",
    reason: Annotated[str, typer.Option(help="Why, or where the list is from; no patient data.")] = "",
    by: Annotated[str, typer.Option("--by", help="Your operator name. The secret: GATEWAY_OPERATOR_SECRET.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Show whether the books balance, compare a party's list with ours, or reconcile a provider after a restore.

    Books: for each trust, provider and day accepted = terminal + open; what is not explained is named, and opens an
    alert. Lists: JSON lines, or CSV with a heading; every difference is named, both ways, and opens an alert. After a
    restore: nothing goes to any provider before each of them was reconciled. Exit 2: something does not agree.
    """
    given = _given(context)
    _refuse_strays(given)
    settings = read_settings(data=data, config=config)
    if "--destination" in given:
        words, person = stated(reason), operator(settings, by, Action.RECONCILE)
        act = AfterRestore(settings=settings, destination=_ods(destination), by=person.name, reason=words)
        if holdings is not None:
            act.state(read_holdings(holdings), as_json=as_json)
        elif messages is not None:
            act.trust_told(read_messages(messages), read_told(told) if told is not None else {})
        elif without_statement:
            act.answer_for()
        else:
            act.end(given_up)
    elif "--list" in given:
        when = _day(day)
        if when is None:
            raise typer.BadParameter("name the day", param_hint="--day")
        _lists(settings, _ods(party), when, theirs, as_json=as_json)
    else:
        _books(settings, _day(day), as_json=as_json)


def _given(context: typer.Context) -> set[str]:
    """Name the options that stand on the command line, whatever they say there."""
    sources = {one.opts[0]: context.get_parameter_source(str(one.name)) for one in context.command.params}
    return {option for option, source in sources.items() if source is not None and source.name == "COMMANDLINE"}


def _refuse_strays(given: set[str]) -> None:
    """Refuse an option that says nothing beside the others: whoever wrote it believes that it was heeded.

    Raises:
        BadParameter: naming the option, and what it goes with.
    """
    for option, beside in _GOES_WITH.items():
        if option in given and beside not in given:
            raise typer.BadParameter(f"goes with {beside}", param_hint=option)
    if "--destination" not in given:
        return
    for option in sorted(given & {"--list", "--day"}):
        raise typer.BadParameter("does not go with --destination", param_hint=option)
    if len(given & _STATEMENTS) != 1:
        raise typer.BadParameter("give one of --holdings, --messages, --without-statement and --given-up")
    if "--json" in given and "--holdings" not in given:
        raise typer.BadParameter("goes with --holdings, where there is a --destination", param_hint="--json")


def _ods(code: str) -> OdsCode:
    parsed = OdsCode.parse(code)
    if parsed is None:
        raise typer.BadParameter(f"{code} is not an ODS code")
    return parsed


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("is not a day, as YYYY-MM-DD", param_hint="--day") from None
    if not has_books(day, datetime.now(UTC)):
        raise typer.BadParameter(f"{text} has not begun in London, or is before {FIRST_DAY}", param_hint="--day")
    return day


def _books(settings: Settings, day: date | None, *, as_json: bool) -> None:
    books, held = asyncio.run(_balance(settings, day))
    if as_json:
        accounts = [{**asdict(one), "party": one.party.value, "day": one.day.isoformat()} for one in books.accounts]
        faults = [asdict(one) for one in books.faults]
        waiting = [one.value for one in held]
        print(
            json.dumps({"balances": books.balances, "accounts": accounts, "faults": faults, "held": waiting}, indent=1)
        )
    else:
        _print_books(books, held)
    raise typer.Exit(Exit.DONE if books.balances else Exit.REFUSED)


def _print_books(books: Ledger, held: list[OdsCode]) -> None:
    print(f"{'day':10}  {'side':8}  {'party':6}  " + "  ".join(f"{name:>11}" for name in _COLUMNS))
    for one in books.accounts:
        figures = "  ".join(f"{getattr(one, name):>11}" for name in _COLUMNS)
        print(f"{one.day}  {one.side:8}  {one.party!s:6}  {figures}{'' if one.balances else '  DOES NOT BALANCE'}")
    for fault in books.faults:
        print(f"{fault.what}: {fault.id}")
    if held:
        print(f"not reconciled since a restore, so what concerns them is not sent: {' '.join(map(str, held))}")
    print("the books balance" if books.balances else f"out of balance: {len(books.faults)} named above")


async def _balance(settings: Settings, day: date | None) -> tuple[Ledger, list[OdsCode]]:
    async with desk(settings) as at:
        now = at.clock.now()
        books = await at.enquiries.ledger(day=day, now=now)
        for fault in books.faults:
            text = f"The books do not balance: {fault.what}."
            await at.store.open_alert(
                kind="books-out", subject=fault.id, line_id=parse_uuid(fault.id), now=now, text=text
            )
        held = [
            one.destination for one in await at.enquiries.pauses() if one.kind in {AFTER_RESTORE, TRUST_AFTER_RESTORE}
        ]
    return books, held


def _lists(settings: Settings, party: OdsCode, day: date, theirs: Path | None, *, as_json: bool) -> None:
    rows = read_list(theirs) if theirs is not None else None
    ours, found = asyncio.run(_compare(settings, party, day, rows))
    if rows is None:
        _print_list(ours, as_json=as_json)
        return
    if as_json:
        print(
            json.dumps(
                {"agrees": not found, "digest": ours.digest, "differences": [asdict(one) for one in found]}, indent=1
            )
        )
    else:
        for one in found:
            print(f"{one.fault}: {one.id}{f' epoch {one.epoch}' if one.epoch else ''}{_sides(one)}")
        print(_result(found, day))
    raise typer.Exit(Exit.REFUSED if found else Exit.DONE)


def _result(found: Sequence[Discrepancy], day: date) -> str:
    """Say in one line what a comparison found."""
    if not found:
        return "both lists agree"
    strange = sum(one.fault is Fault.OTHER_DAY for one in found)
    named = f"{len(found) - strange} differences, each with an alert"
    return f"{named}; nothing in their list is of {day} here: is it the list of that day?" if strange else named


def _sides(one: Discrepancy) -> str:
    return f" (ours {one.ours or '-'}, theirs {one.theirs or '-'})" if one.ours or one.theirs else ""


def _print_list(ours: DayList, *, as_json: bool) -> None:
    rows = [{"id": row.id, "epoch": row.epoch, "digest": row.digest, "state": row.state} for row in ours.rows]
    if as_json:
        whole = {"party": ours.party.value, "side": ours.side.value, "day": ours.day.isoformat()}
        print(json.dumps({**whole, "digest": ours.digest, "rows": rows}, indent=1))
        return
    for row in rows:
        print(json.dumps(row))
    print(f"{len(rows)} rows, digest {ours.digest}", file=sys.stderr)


async def _compare(
    settings: Settings, party: OdsCode, day: date, theirs: tuple[Listed, ...] | None
) -> tuple[DayList, tuple[Discrepancy, ...]]:
    async with desk(settings) as at:
        side = _side(party, at)
        ours = await at.enquiries.listed(party, side=side, day=day)
        if theirs is None:
            return ours, ()
        known = await at.enquiries.listed_as(party, side=side, names=[row.id for row in theirs])
        found = compare(ours, theirs, known)
        for one in found:
            if one.fault is not Fault.OTHER_DAY:  # nothing of it is missing or other; the list is not that of the day
                await _alert(at, party, day, one)
    return ours, found


def _side(party: OdsCode, at: Desk) -> Side:
    if party in at.configuration.routing.providers:
        return Side.PROVIDER
    if party in at.configuration.trusts:
        return Side.TRUST
    raise ConfigurationError(f"{party}: is neither a provider nor a trust of the configuration")


async def _alert(at: Desk, party: OdsCode, day: date, one: Discrepancy) -> None:
    await at.store.open_alert(
        kind="lists-differ",
        subject=f"{party} {one.id}{f' {one.epoch}' if one.epoch else ''}",
        line_id=parse_uuid(one.id),
        now=at.clock.now(),
        text=f"The list of {party} for {day} and ours differ: {one.fault}{_sides(one)}.",
    )
