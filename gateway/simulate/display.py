"""What a person watches while the demonstration runs: one row a trust, one row a provider, and the books below."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from gateway.simulate.journal import Arrived, Said, Supplied
from gateway.simulate.promises import standings
from gateway.simulate.run import Progress
from gateway.simulate.standing import Standing
from gateway.simulate.world import NAMES, World

_DOORS: Final = {
    "RBA": "HL7 v2, MLLP",
    "RZA": "HL7 v2, HTTP",
    "RZB": "trust XML",
    "RZC": "FHIR",
    "RZD": "HL7 v2, unchecked",
    "RZE": "HL7 v2, signed",
}


class Display:
    """The live picture of a run.

    Args:
        world: the parties, whose journals are counted.
        total: how many prescriptions are to be settled.
        console_link: gives the newest link to the pharmacist's console, for the heading; empty if there is none.
    """

    def __init__(self, world: World, *, total: int, console_link: Callable[[], str]) -> None:
        self._world = world
        self._console_link = console_link
        self._progress = Bar(
            TextColumn("{task.description}"), BarColumn(bar_width=None), MofNCompleteColumn(), TimeElapsedColumn()
        )
        self._task = self._progress.add_task("Settled", total=total)

    def draw(self, progress: Progress) -> RenderableType:
        """Draw the picture as things stand; it fits a terminal of 24 lines, and the least needed is at the bottom."""
        self._progress.update(self._task, completed=progress.settled, total=progress.total)
        happened = [Text(in_words(progress.tally), style="yellow")] if progress.tally else []
        tables = (Text(), _books(progress.books), Text(), self._trusts(), Text(), self._providers())
        return Group(self._heading(), self._progress, *happened, *tables)

    def _heading(self) -> Text:
        text = Text("Homecare gateway, demonstration", style="bold")
        text.append(": everybody is invented, an hour is a second", style="not bold")
        if link := self._console_link():
            text.append("\nConsole, to open once in a browser: ", style="not bold")
            text.append(link)
        return text

    def _trusts(self) -> Table:
        table = _table("Trust", "Door", "Sent", "Accepted", "Held", "Refused", "Waiting", words=2)
        for ods, trust in self._world.trusts.items():
            count = Counter(standings(trust.journal).values())
            accepted = count[Standing.ACCEPTED] + count[Standing.COMMITTED]
            waiting = len(trust.written) - sum(count.values())
            row = (len(trust.written), accepted, count[Standing.HELD], count[Standing.REFUSED], waiting)
            table.add_row(f"{ods} {NAMES[ods]}", _DOORS[ods], *map(str, row))
        return table

    def _providers(self) -> Table:
        table = _table("Provider", "Temper", "Got", "Said", "Supplied", "Busy", words=2)
        for ods, provider in self._world.providers.items():
            counts = [sum(1 for _ in provider.journal.all(kind)) for kind in (Arrived, Said, Supplied)]
            table.add_row(f"{ods} {NAMES[ods]}", provider.behaviour.name, *map(str, (*counts, provider.busy)))
        return table


def in_words(tally: Mapping[str, int]) -> str:
    """Say what went wrong on the way, and what was done about it, on one line."""
    return " \u00b7 ".join(f"{what} {count}" for what, count in tally.items() if count)


def _table(*columns: str, words: int = 0) -> Table:
    """Make a table without lines; the first `words` columns are text, the others numbers."""
    table = Table(expand=True, box=None, padding=(0, 1, 0, 0), header_style="bold")
    for place, column in enumerate(columns):
        table.add_column(column, justify="left" if place < words else "right", no_wrap=True, overflow="ellipsis")
    return table


def _books(books: Mapping[str, int]) -> Table:
    """Show the counts, in rows short enough for 80 columns."""
    table = Table(expand=True, box=None, padding=(0, 1, 0, 0))
    cells = [f"[bold]{name}[/bold] {count}" for name, count in books.items()]
    half = (len(cells) + 1) // 2
    for row in (cells[:half], cells[half:]):
        table.add_row(*row)
    return table


def tell_result(console: Console, result: Mapping[str, object], faults: tuple[str, ...]) -> None:
    """Say how it ended, for people."""
    table = Table("Count", "Prescriptions")
    for name, value in result.items():
        table.add_row(name.replace("_", " "), str(value))
    console.print(table)
    if faults:
        console.print("The books do not balance:", style="bold red")
        for fault in faults:
            console.print(f"  {fault}")
    else:
        console.print("The books balance; nothing was lost and nothing was supplied twice.", style="bold green")
