"""What a person watches while the demonstration runs: one row a trust, one row a provider, and the books below."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from gateway.simulate.books import standings
from gateway.simulate.journal import Arrived, Said, Supplied
from gateway.simulate.standing import Standing
from gateway.simulate.world import NAMES, World

_DOORS: Final = {"RBA": "HL7 v2, MLLP", "RZA": "HL7 v2, HTTP", "RZB": "trust XML", "RZC": "FHIR"}


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
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(bar_width=None), MofNCompleteColumn(), TimeElapsedColumn()
        )
        self._task = self._progress.add_task("Settled", total=total)

    def draw(self, *, settled: int, total: int, books: Mapping[str, int]) -> RenderableType:
        """Draw the picture as things stand."""
        self._progress.update(self._task, completed=settled, total=total)
        return Group(self._heading(), self._trusts(), self._providers(), _books(books), self._progress)

    def _heading(self) -> RenderableType:
        text = Text("Every patient, prescriber and prescription here is invented. An hour passes in a second.")
        if link := self._console_link():
            text.append("\nConsole, to open once in a browser: ")
            text.append(link, style="bold")
        return Panel(text, title="Homecare gateway: demonstration")

    def _trusts(self) -> Table:
        table = _table("Trust", "Door", "Prescribed", "Accepted", "Held", "Refused", "Not yet answered")
        for ods, trust in self._world.trusts.items():
            count = Counter(standings(trust.journal).values())
            accepted = count[Standing.ACCEPTED] + count[Standing.COMMITTED]
            waiting = len(trust.written) - sum(count.values())
            row = (len(trust.written), accepted, count[Standing.HELD], count[Standing.REFUSED], waiting)
            table.add_row(f"{ods} {NAMES[ods]}", _DOORS[ods], *map(str, row))
        return table

    def _providers(self) -> Table:
        table = _table("Provider", "Temper", "Received", "Answers sent", "Supplies made", "At work on")
        for ods, provider in self._world.providers.items():
            journal = provider.journal
            counts = [sum(1 for _ in journal.all(kind)) for kind in (Arrived, Said, Supplied)]
            table.add_row(f"{ods} {NAMES[ods]}", provider.behaviour.name, *map(str, (*counts, provider.busy)))
        return table


def _table(*columns: str) -> Table:
    table = Table(expand=True)
    for place, column in enumerate(columns):
        table.add_column(column, justify="left" if place < 2 else "right")  # noqa: PLR2004 - two columns of words
    return table


def _books(books: Mapping[str, int]) -> Table:
    table = _table(*(name.capitalize() for name in books)) if books else Table(expand=True)
    if books:
        table.add_row(*map(str, books.values()))
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
