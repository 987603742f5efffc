"""Reads retention.toml: how long records stay. A folder without one of its own has the proposal that ships."""

from typing import Final

from gateway.config.fields import Fields
from gateway.domain.identifiers import OdsCode
from gateway.domain.retention import ADULT, Retention, RetentionTerm

_MOST_YEARS: Final = 200
"""Longer than any record of a person is kept, and a day that the calendar of the store still has."""


def read_retention(fields: Fields) -> Retention:
    """Read the terms, noting every fault: two for one day and trust, or one that keeps less than it archives."""
    terms = [_term(table) for table in fields.tables("terms")]
    seen: set[tuple[OdsCode | None, str]] = set()
    for index, term in enumerate(terms):
        entry = (term.trust, term.since.isoformat())
        if entry in seen:
            fields.fault(f"terms[{index}]", f"is stated twice for {term.trust or 'every trust'} from {term.since}")
        seen.add(entry)
    fields.done()
    return Retention(terms=tuple(terms))


def _term(table: Fields) -> RetentionTerm:
    term = RetentionTerm(
        since=table.day("from"),
        trust=table.optional_ods("trust"),
        archive_after_days=table.whole("archive_after_days", 400, least=1, most=_MOST_YEARS * 365),
        keep_years=table.whole("keep_years", 8, least=1, most=_MOST_YEARS),
        keep_until_age=table.whole("keep_until_age", 25, least=ADULT, most=_MOST_YEARS),
        decided_by=table.text("decided_by"),
    )
    table.done()
    if term.archive_after_days > term.keep_years * 365:
        table.fault("archive_after_days", "is longer than the records are kept")
    return term
