"""`gateway lifecycle`: the tables, and any party's history tested against them."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from gateway.commands.exits import Exit
from gateway.domain.errors import ConfigurationError
from gateway.domain.event_log import Entry, violations
from gateway.web.lifecycle import published
from gateway.wire.strict_json import JSON, dumps, loads

app = typer.Typer(no_args_is_help=True, help="The lifecycle tables, and logs tested against them.")


@app.command()
def show() -> None:
    """Print every table as JSON, as it is published at /lifecycle.json with the default limits."""
    print(dumps(published()).decode())


@app.command()
def check(
    log: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="A log: JSON, one a line.")],
) -> None:
    """Test a log of events against the tables and print each violation; exit 2 if there are any.

    Each line of the log is one JSON object in the order in which things happened. Members: `line` (any name),
    `event` and `actor` (names of the published tables), `at` (ISO 8601 with its offset from UTC); and where needed
    `state` (where the line stood before its first entry, unless that is `received`), `delivery` (the issue, from 1)
    or `renewal` (true).
    """
    found = list(violations(_entries(log)))
    for one in found:
        print(f"{log.name}:{one.number}: line {one.line}: {one.text}")
    print(f"{len(found)} violation{'' if len(found) == 1 else 's'}")
    raise typer.Exit(Exit.REFUSED if found else Exit.DONE)


def _entries(log: Path) -> Iterator[Entry]:
    with log.open("rb") as file:
        for number, text in enumerate(file, start=1):
            if text.strip():
                yield _entry(number, text, log.name)


def _entry(number: int, text: bytes, name: str) -> Entry:
    try:
        value = _members(loads(text))
        return Entry(
            number=number,
            line=_text(value, "line"),
            event=_text(value, "event"),
            actor=_text(value, "actor"),
            at=_instant(_text(value, "at")),
            state=_text(value, "state") if "state" in value else "",
            delivery=_issue(value.get("delivery")),
            renewal=value.get("renewal") is True,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigurationError(
            f"{name}:{number}: not an entry of a log; see gateway lifecycle check --help"
        ) from error


def _members(value: JSON) -> dict[str, JSON]:
    if not isinstance(value, dict):
        raise TypeError("entry")
    return value


def _text(value: dict[str, JSON], name: str) -> str:
    found = value[name]
    if not isinstance(found, str):
        raise TypeError(name)
    return found


def _instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment


def _issue(value: JSON) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise TypeError("delivery")
    return value
