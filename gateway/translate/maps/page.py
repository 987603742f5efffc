"""The rules as a page: `docs/mapping-rules.md` is this text.

Source: mapping.md 1 (conclusion): author the maps as data, with a citation each, and publish them.
"""

from collections.abc import Iterable, Iterator

from gateway.translate.maps.rules import FHIR, GATEWAY, HL7V2, XML, Rule, Rules, target_of
from gateway.translate.maps.tables import rows

_OPENING = """# Mapping rules

Made from the tables in `gateway/translate/maps`, which are what the gateway reads by; `gateway rules` prints this page.

Each row is one rule. *From* is the place in the sender's message: it stands for everything below it, in HL7 v2 without
segment ordinals, in XML from the root element on, in FHIR from the resource on. *Becomes* is the canonical value, and
*in FHIR* where the message to the provider carries it. *How* is `copy`, a table, a parser, or a value that is derived
or taken by default. *Weight* is what the loss of the value could do. The trace of each message names its rules by id.

A value that no row covers is never sealed. A place that no row reads or leaves out is kept as *unknown*; where it may
bear on what the patient takes, it holds the order. A trust may carry the facts of `ZHC` in a segment of its own; its
configuration names the fields (`z_fields`), and the rule of the field they stand for counts.
"""
_TITLES = (
    ("HL7 v2", HL7V2),
    ("Trust XML", XML),
    ("FHIR", FHIR),
    ("Of the gateway itself", GATEWAY),
)


def page() -> str:
    """Give the page, in Markdown."""
    return "\n".join([_OPENING, *(part for title, rules in _TITLES for part in _section(title, rules)), *_tables()])


def _tables() -> Iterator[str]:
    yield "## Coded tables\n"
    cells = ((_code(row.table), _code(row.code), row.means or "(nothing)", row.citation) for row in rows())
    yield from _table(("table", "code", "means", "source"), cells)


def _section(title: str, rules: Rules) -> Iterator[str]:
    yield f"## {title}\n"
    read = [rule for rule in rules.rows if not rule.leaves_out]
    yield from _table(("rule", "from", "becomes", "in FHIR", "how", "weight", "source", "note"), map(_read, read))
    left = [rule for rule in rules.rows if rule.leaves_out]
    if left:
        yield f"### {title}: left out\n"
        yield from _table(("rule", "place", "weight", "source", "why"), map(_left, left))


def _read(rule: Rule) -> tuple[str, ...]:
    target = target_of(rule.target)
    carried = " ".join(_code(path) for path in target.fhir) if target else ""
    how = " ".join(_code(one) for one in sorted(rule.transforms))
    source, target_path = _code(rule.source) if rule.source else "-", _code(rule.target)
    return (_code(rule.id), source, target_path, carried or "-", how, rule.weight, rule.citation, rule.reason)


def _left(rule: Rule) -> tuple[str, ...]:
    place = "where the reader finds it" if rule.source == "*" else _code(rule.source)
    return (_code(rule.id), place, rule.weight, rule.citation, rule.reason)


def _table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield _line(columns)
    yield _line(("---",) * len(columns))
    yield from map(_line, rows)
    yield ""


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _code(text: str) -> str:
    """Give text in code marks; a bar would end the cell of a table."""
    return f"`{text.replace('|', chr(92) + '|')}`"
