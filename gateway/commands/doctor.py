"""`gateway doctor`: what is wrong, and what to do."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from gateway.commands.exits import Exit
from gateway.commands.person import Config, Data
from gateway.domain.errors import ConfigurationError
from gateway.settings import read_settings
from gateway.wiring.build import SystemClock
from gateway.wiring.doctor.examine import examine
from gateway.wiring.doctor.finding import Finding, Grade, wrong

_WORST_FIRST = (Grade.WRONG, Grade.LOOK, Grade.GOOD)


def doctor(
    *,
    data: Data = None,
    config: Config = None,
    backups: Annotated[
        Path | None, typer.Option(help="Folder in which the nightly backups are made: look how old the newest is.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say what is wrong with this gateway and what to do, the worst first; exit 1 if anything is.

    Nothing is changed, and it works whether the gateway runs or not. `wrong` is to be seen to at once, `look` in
    working hours.
    """
    found = sorted(_findings(data, config, backups), key=lambda one: _WORST_FIRST.index(one.grade))
    counts = Counter(one.grade for one in found)
    if as_json:
        rows = [asdict(one) for one in found]
        print(json.dumps({**{grade.value: counts[grade] for grade in _WORST_FIRST}, "findings": rows}, indent=1))
    else:
        for one in found:
            _show(one)
        print(f"{counts[Grade.WRONG]} wrong, {counts[Grade.LOOK]} to look at, {counts[Grade.GOOD]} good")
    raise typer.Exit(Exit.FAULT if counts[Grade.WRONG] else Exit.DONE)


def _findings(data: Path | None, config: Path | None, backups: Path | None) -> Sequence[Finding]:
    try:
        settings = read_settings(data=data, config=config)
    except ConfigurationError as error:
        return [
            wrong("settings", fault, "Correct the environment; gateway/settings.py lists all.")
            for fault in error.faults
        ]
    return tuple(examine(settings, now=SystemClock().now(), backups=backups))


def _show(one: Finding) -> None:
    print(f"{one.grade:5}  {one.check:14} {one.says}")
    if one.do:
        print(f"{'':22}{one.do}")
