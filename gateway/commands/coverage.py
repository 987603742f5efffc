"""`gateway coverage`."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from gateway.commands.offline import Offline
from gateway.commands.trace_table import wide_console
from gateway.commands.translate import known_trust, submission_of
from gateway.config.load import load
from gateway.domain.identifiers import OdsCode
from gateway.domain.submission import Envelope
from gateway.domain.trace import Leftover, TraceRow
from gateway.settings import read_settings, variables
from gateway.store.sql.accounts import Account
from gateway.store.sqlite.accounts import accounts
from gateway.translate.maps.rules import plain, weight_of, weight_of_rule
from gateway.wire.strict_json import JSON, dumps
from gateway.wiring.around import surroundings
from gateway.wiring.build import DATABASE
from gateway.wiring.storing import refuse_on_server

_RANK = {"high": 0, "medium": 1, "low": 2, "": 3}
_ORDER = ("mapped", "defaulted", "carried as note", "ignored by rule", "unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One field of one message type.

    Attributes:
        field: the sender's locator without indexes; of a default, the canonical path.
        became: mapped, defaulted, carried as note, ignored by rule, unknown.
        weight: high, medium or low; empty where nothing tells.
        seen: in how many messages it was populated.
    """

    field: str
    became: str
    weight: str
    rule: str
    seen: int


def coverage(
    files: Annotated[
        list[Path] | None, typer.Argument(exists=True, dir_okay=False, help="Submissions; else the data folder's.")
    ] = None,
    *,
    trust: Annotated[str, typer.Option(help="ODS code of the sender.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say what became of every field a trust populates, by message type. No value is printed."""
    settings = read_settings()
    offline = Offline(surroundings(load(settings.config, environ=variables()), settings.reference_folder))
    tenant = known_trust(offline, trust)
    if not files:
        refuse_on_server(settings, "coverage is of files that are given, or of a store of one file")
    found = _of_files(offline, tenant, files) if files else accounts(settings.data / DATABASE, tenant)
    report = {kind: (messages, rows(all_of)) for kind, (messages, all_of) in _by_type(found).items()}
    if as_json:
        print(dumps(_written(report)).decode())
        return
    for kind, (messages, lines) in report.items():
        wide_console(stderr=False).print(_table(f"{kind}: {messages} messages", lines))


def _of_files(offline: Offline, tenant: OdsCode, files: Iterable[Path]) -> Iterator[Account]:
    for file in files:
        seen = offline.take(submission_of(file, None, tenant, datetime.now(UTC)))
        traced = tuple(row for order in seen.orders for row in order.trace)
        left = seen.translation.leftovers if seen.translation else ()
        yield Account(envelope=seen.envelope, rows=traced, leftovers=left)


def _by_type(found: Iterable[Account]) -> dict[str, tuple[int, list[Account]]]:
    kinds: dict[str, list[Account]] = defaultdict(list)
    for one in found:
        kinds[_kind(one.envelope)].append(one)
    return {kind: (len(all_of), all_of) for kind, all_of in sorted(kinds.items())}


def _kind(envelope: Envelope) -> str:
    return f"{envelope.format.value} {envelope.message_type or '(none)'}"


def rows(found: Iterable[Account]) -> list[Row]:
    """Give what became of every field, the gravest first.

    Args:
        found: accounts of one message type.
    """
    seen: Counter[tuple[str, str, str, str]] = Counter()
    for one in found:
        seen.update(set(_fields(one.rows, one.leftovers)))
    told = [Row(field=f, became=b, weight=w, rule=r, seen=number) for (f, b, w, r), number in seen.items()]
    return sorted(told, key=lambda row: (_ORDER.index(row.became), _RANK[row.weight], row.field))


def _fields(traced: Iterable[TraceRow], left: Iterable[Leftover]) -> Iterator[tuple[str, str, str, str]]:
    for row in traced:
        weight = weight_of(row.target)
        if row.source:
            yield plain(row.source), "mapped", weight, row.rule
        else:
            yield plain(row.target), "defaulted", weight, row.transform
    for one in left:
        yield plain(one.source), one.disposition.value, weight_of_rule(one.rule), one.rule


def _table(title: str, lines: Iterable[Row]) -> Table:
    table = Table(title=title, title_justify="left")
    for column in ("field", "what became of it", "weight", "rule", "messages"):
        table.add_column(column, overflow="fold")
    for row in lines:
        table.add_row(*(Text(cell) for cell in (row.field, row.became, row.weight, row.rule, str(row.seen))))
    return table


def _written(report: dict[str, tuple[int, list[Row]]]) -> dict[str, JSON]:
    return {
        kind: {
            "messages": messages,
            "fields": [
                {"field": row.field, "became": row.became, "weight": row.weight, "rule": row.rule, "messages": row.seen}
                for row in lines
            ],
        }
        for kind, (messages, lines) in report.items()
    }
