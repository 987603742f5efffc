"""What is inside a message: its source, its FHIR and the trace between, with what is chosen in them marked.

Source: console.md 6.7.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.console import bytes_shown
from gateway.console.inspector.fields import name_of
from gateway.console.inspector.hiding import Hiding
from gateway.console.inspector.links import Links, counted
from gateway.console.inspector.source import SourceShown, of_hl7v2, of_values
from gateway.console.inspector.tracing import Filter, TraceShown, table, within
from gateway.console.inspector.tree import TreeShown, of_json
from gateway.domain.issue import Issue
from gateway.domain.message import FhirMessage
from gateway.domain.submission import WireFormat
from gateway.domain.trace import Leftover
from gateway.ports.inspection import (
    KeptApart,
    Received,
)
from gateway.wire.er7 import Er7Error, offset_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the address asks of the page.

    Attributes:
        at: a place of the source that is chosen; `to` a place of FHIR.
        order: which order's FHIR and trace are shown, from 0.
        source: the first value shown of the source; `line` the first line of FHIR.
    """

    at: str = ""
    to: str = ""
    only: Filter = Filter.ALL
    order: int = 0
    source: int = 0
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """What is inside a message: source, FHIR and trace, with what is chosen in them."""

    source: SourceShown | None
    tree: TreeShown | None
    trace: TraceShown | None
    chosen: str

    @property
    def goes(self) -> dict[str, bool]:
        """Tell in which parts something is marked, so that a link may lead to it."""
        cells = (cell for segment in self.source.segments for cell in segment.cells) if self.source else ()
        return {
            "source": any(cell.marked for cell in cells),
            "fhir": any(line.marked for line in self.tree.lines) if self.tree else False,
            "trace": any(row.marked for row in self.trace.rows) if self.trace else False,
        }


def received(
    view: Received, asked: Asked, hide: Hiding, written: Sequence[FhirMessage], issues: Sequence[Issue] = ()
) -> Inside:
    """Give the inside of a trust's message.

    Args:
        view: as stored.
        asked: what is chosen.
        hide: masks what must be.
        written: what the order's messages are when written anew: it says what comes from where.
        issues: found in it, each at its place.
    """
    order = view.orders[asked.order] if asked.order < len(view.orders) else None
    explained = [pair for message in written for pair in message.explained]
    links = Links.of(order.trace if order else (), explained)
    rows = frozenset(links.rows_at(asked.at) if asked.at else links.rows_to(asked.to) if asked.to else ())
    places = frozenset({links.rows[number].source for number in rows} | ({asked.at} if asked.at else set()))
    paths = frozenset({path for number in rows for path in links.fhir(number)} | ({asked.to} if asked.to else set()))
    form = WireFormat(view.row.form)
    if form is WireFormat.HL7V2:
        source = of_hl7v2(view.body, links, hide, places, start=asked.source)
    else:
        source = of_values(view.body, form, links, view.leftovers, hide=hide, marked=places)
    sealed = order.sealed[0] if order and order.sealed else None
    return Inside(
        source=source,
        tree=of_json(sealed.body, links, hide, paths, start=asked.line) if sealed else None,
        trace=table(
            links,
            view.leftovers,
            hide,
            rows,
            chosen=asked.only,
            at=asked.at,
            issues=issues,
            unexplained=[path for message in written for path in message.unexplained],
        ),
        chosen=hide.through(_chosen(asked, links, rows, view.leftovers))
        + _found_at(asked.at, issues)
        + (_byte_of(view.body, asked.at) if form is WireFormat.HL7V2 and asked.at else ""),
    )


def _chosen(asked: Asked, links: Links, rows: frozenset[int], left: Sequence[Leftover]) -> str:
    """Say in a sentence what is chosen and where it goes."""
    if asked.at:
        what = f"{name_of(asked.at) or 'This value'} ({asked.at})"
        targets = ", ".join(dict.fromkeys(links.rows[number].target for number in sorted(rows)))
        paths = {path for number in rows for path in links.fhir(number)}
        if not rows:
            why = next((one.rule.partition(": ")[2] for one in left if one.source == asked.at and one.rule), "")
            if not links.rows and not why:
                return f"{what} is of a message that became no prescription here: no trace says where it goes."
            return f"{what} goes nowhere" + (f": {why}." if why else ".")
        where = f" and goes to {counted(len(paths))} of FHIR" if paths else ""
        return f"{what} becomes {targets}{where}. All are marked."
    if asked.to:
        origin = links.origin(asked.to)
        if not rows:
            return f"{asked.to} comes from no place of the source: {origin or 'nothing explains it'}."
        sources = ", ".join(links.rows[number].source or "a default" for number in sorted(rows))
        return f"{asked.to} comes from {sources}. All are marked."
    return ""


def _byte_of(body: bytes, at: str) -> str:
    """Say at which byte a chosen value begins; nothing where no value is meant."""
    try:
        return f" It begins at byte {offset_of(body, at):,}."
    except (ValueError, Er7Error):
        return ""


def _found_at(at: str, issues: Sequence[Issue]) -> str:
    """Name the issues that were found at a chosen place."""
    codes = [issue.code for issue in issues if at and within(issue.location, at)]
    return f" It is where {', '.join(dict.fromkeys(codes))} was found." if codes else ""


def apart(view: KeptApart, asked: Asked, hide: Hiding) -> Inside:
    """Give the inside of what was kept apart, as far as it can be read into fields."""
    body = view.body or b""
    if view.row.form == WireFormat.HL7V2.value:
        marked = frozenset({asked.at} if asked.at else ())
        source = of_hl7v2(body, Links.of(()), hide, marked, start=asked.source)
    else:
        source = SourceShown(
            facts=f"{len(body)} bytes",
            fault="It was not read into values.",
            text=bytes_shown.text(body) if hide.off else "",
        )
    return Inside(source=source, tree=None, trace=None, chosen="")


def body_shown(octets: bytes, content_type: str, hide: Hiding, *, start: int = 0) -> tuple[TreeShown | None, str]:
    """Give a body that is no submission: a tree where it is JSON, else its text; masked, nothing of the text."""
    if "json" in content_type or octets[:1] in {b"{", b"["}:
        tree = of_json(octets, Links.of(()), hide, frozenset(), start=start)
        if not tree.fault:
            return tree, ""
    return None, bytes_shown.text(octets) if hide.off else ""
