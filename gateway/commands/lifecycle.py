"""`gateway lifecycle`: the tables, and any party's history tested against them."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from gateway.commands.exits import Exit
from gateway.domain.delivery import DeliveryState
from gateway.domain.errors import ConfigurationError
from gateway.domain.event_log import Entry, violations
from gateway.domain.lifecycle import LineState
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
    or `renewal` (true). A line that cannot be read ends the test, after what was found before it; so does nothing.
    """
    read = _Read(log)
    found = 0
    for one in violations(read.entries()):
        print(f"{log.name}:{one.number}: line {one.line}: {one.text}")
        found += 1
    if not read.count:
        raise ConfigurationError(f"{log.name} has no entries: nothing was tested")
    lines, entries = f"{len(read.lines)} line{_s(len(read.lines))}", "entry" if read.count == 1 else "entries"
    print(f"{found} violation{_s(found)} in {read.count} {entries} of {lines}")
    raise typer.Exit(Exit.REFUSED if found else Exit.DONE)


class _Read:
    """A log as it is read: how many entries so far, and of which lines."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self.count = 0
        self.lines: set[str] = set()

    def entries(self) -> Iterator[Entry]:
        """Give each entry.

        Raises:
            ConfigurationError: one cannot be read; its place, its member and what is wrong with it are named.
        """
        with self._log.open("rb") as file:
            for number, text in enumerate(file, start=1):
                if text.strip():
                    try:
                        entry = _entry(number, text)
                    except ValueError as error:
                        where = f"{self._log.name}:{number}"
                        raise ConfigurationError(f"{where}: {error}; what comes after it was not tested") from error
                    self.count += 1
                    self.lines.add(entry.line)
                    yield entry


_MEMBERS: Final = ("line", "event", "actor", "at", "state", "delivery", "renewal")


def _entry(number: int, text: bytes) -> Entry:
    try:
        value = loads(text)
    except ValueError as error:
        raise ValueError("it is no JSON") from error
    if not isinstance(value, dict):
        raise ValueError("it is no JSON object")  # noqa: TRY004 - a fault of the file, as all others are
    unknown = [name for name in value if name not in _MEMBERS]
    if unknown:
        raise ValueError(f"the member {unknown[0]!r} is none of {', '.join(_MEMBERS)}")
    delivery = _issue(value.get("delivery"))
    return Entry(
        number=number,
        line=_text(value, "line"),
        event=_text(value, "event"),
        actor=_text(value, "actor"),
        at=_instant(_text(value, "at")),
        state=_state(value, tuple(DeliveryState if delivery else LineState)) if "state" in value else "",
        delivery=delivery,
        renewal=_flag(value.get("renewal")),
    )


def _text(value: dict[str, JSON], name: str) -> str:
    found = value.get(name)
    if not isinstance(found, str) or not found:
        raise ValueError(f"the member {name!r} is {'no text' if name in value else 'not there'}")
    return found


def _instant(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError("the member 'at' is no ISO 8601 time with its offset from UTC: 2026-11-22T09:00:00+00:00")
    return moment


def _state(value: dict[str, JSON], known: tuple[str, ...]) -> str:
    text = _text(value, "state")
    if text not in known:
        raise ValueError(f"the member 'state' is none of {', '.join(known)}")
    return text


def _issue(value: JSON) -> int | None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
        raise ValueError("the member 'delivery' is no number of an issue, from 1")
    return value


def _flag(value: JSON) -> bool:
    if value is not None and not isinstance(value, bool):
        raise ValueError("the member 'renewal' is neither true nor false")
    return value is True


def _s(count: int) -> str:
    return "" if count == 1 else "s"
