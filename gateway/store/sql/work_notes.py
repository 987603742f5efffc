"""What people wrote down about what needs attention, and how long the medicine of a prescription lasts.

What a trust's people wrote down of a call is the trust's: a provider is not shown what the patient, or another
provider, told them.
"""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from gateway.domain.cover import Cover
from gateway.domain.identifiers import OdsCode
from gateway.ports.attention import WorkNote
from gateway.store.sql.finding import visible
from gateway.store.sql.instants import instant
from gateway.store.sql.reckoning import covers_of, ordered
from gateway.store.sql.seeing import provider_of, sights
from gateway.store.sql.transaction import Reader

_NOTE: Final = """
work_note.id, work_note.at, work_note.by, work_note.kind, work_note.person, work_note.words, line.uuid,
    work_note.spoken_at, work_note.until, work_note.days_at_home
"""
_OF_ALERT: Final = f"""
SELECT {_NOTE} FROM alert JOIN work_note ON work_note.alert = alert.id OR work_note.line = alert.line
LEFT JOIN line ON line.id = work_note.line
WHERE alert.id = :alert AND (CAST(:tenant AS TEXT) IS NULL OR alert.tenant = :tenant)
ORDER BY work_note.id DESC LIMIT 200
"""  # noqa: S608 - our own words alone
_CALLS: Final = f"""
SELECT {_NOTE} FROM prescription JOIN line ON line.prescription = prescription.id
JOIN work_note ON work_note.line = line.id AND work_note.kind IN ('call', 'reminded')
WHERE prescription.uuid = ? AND prescription.tenant = ? ORDER BY work_note.id
"""  # noqa: S608 - our own words alone
_COLLEAGUES: Final = """
SELECT DISTINCT work_note.by FROM work_note JOIN alert ON alert.id = work_note.alert
WHERE CAST(:tenant AS TEXT) IS NULL OR alert.tenant = :tenant ORDER BY work_note.by LIMIT 50
"""
_LINES: Final = """
SELECT line.uuid, line.id FROM prescription JOIN line ON line.prescription = prescription.id
WHERE prescription.uuid = ? AND prescription.tenant = ? ORDER BY line.id
"""


def colleagues(reader: Reader, *, tenant: OdsCode | None) -> tuple[str, ...]:
    """Give the short names of those who have worked on items before."""
    return tuple(name for (name,) in reader.execute(_COLLEAGUES, {"tenant": tenant.value if tenant else None}))


def of_alert(reader: Reader, alert: int, *, tenant: OdsCode | None) -> tuple[WorkNote, ...]:
    """Give what was done about an alert and its line, newest first."""
    values = {"alert": alert, "tenant": tenant.value if tenant else None}
    return tuple(_note(row) for row in reader.execute(_OF_ALERT, values))


def stated(reader: Reader, prescription: UUID, *, tenant: OdsCode | None) -> tuple[WorkNote, ...]:
    """Give the calls about a prescription, oldest first."""
    found = visible(reader, prescription, tenant)
    if found is None or (tenant is not None and found[1] != tenant.value):
        return ()
    return tuple(_note(row) for row in reader.execute(_CALLS, (prescription.bytes, found[1])))


def covers(reader: Reader, prescription: UUID, *, tenant: OdsCode | None) -> Mapping[UUID, Cover]:
    """Give how long the medicine of each line lasts; of a line that was corrected, the newest.

    To a provider, of the lines that it has.
    """
    found = visible(reader, prescription, tenant)
    if found is None:
        return {}
    provider = provider_of(tenant, found[1])
    rows = list(reader.execute(_LINES, (prescription.bytes, found[1])))
    if provider is not None:
        seen = sights(reader, [found[0]], provider)
        rows = [(uuid, line) for uuid, line in rows if line in seen and seen[line].ended is None]
    lines = [line for _, line in rows]
    known = covers_of(reader.execute, ordered(reader.execute, lines), lines, provider=str(provider or ""))
    return {UUID(bytes=uuid): known[line] for uuid, line in rows}


def _note(row: tuple[Any, ...]) -> WorkNote:
    return WorkNote(
        number=row[0],
        at=instant(row[1]),
        by=row[2],
        kind=row[3],
        person=row[4],
        words=row[5],
        line_id=UUID(bytes=row[6]) if row[6] is not None else None,
        spoken_at=instant(row[7]) if row[7] is not None else None,
        until=instant(row[8]) if row[8] is not None else None,
        days_at_home=row[9],
    )
