"""What a list of held prescriptions says of each: how long its medicine lasts, and whose it is; asked once for all.

For the trust whose they are, or for the gateway itself; a provider is told nothing here.

Source: console.md 6.5.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import msgspec

from gateway.domain.cover import Cover
from gateway.domain.identifiers import OdsCode
from gateway.ports.attention import Whose
from gateway.store.sql.listing import numbers
from gateway.store.sql.reckoning import OrderedFor, covers_of, ordered
from gateway.store.sql.transaction import Reader

_ASKED: Final = f"""{numbers(":rows")} AS each JOIN prescription AS asked ON asked.id = each.id
    AND (CAST(:tenant AS TEXT) IS NULL OR asked.tenant = :tenant)
"""
_LINES: Final = f"""
SELECT asked.id, line.uuid, line.id, line.product_display FROM {_ASKED}
JOIN prescription AS same ON same.uuid = asked.uuid AND same.tenant = asked.tenant
JOIN line ON line.prescription = same.id ORDER BY line.id
"""  # noqa: S608 - our own words alone
_PATIENTS: Final = f"""
SELECT asked.id, newest.nhs_number, newest.document FROM {_ASKED} JOIN prescription AS newest ON newest.id = (
    SELECT max(same.id) FROM prescription AS same WHERE same.uuid = asked.uuid AND same.tenant = asked.tenant)
"""  # noqa: S608 - our own words alone


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    patient: OrderedFor


_read: Final = msgspec.json.Decoder(_Order).decode


def covers(reader: Reader, keys: Sequence[int], *, tenant: OdsCode | None) -> dict[int, dict[UUID, Cover]]:
    """Give how long the medicine of each line lasts, by its prescription's row; of a corrected line, the newest."""
    rows = list(reader.execute(_LINES, _values(keys, tenant)))
    lines = list(dict.fromkeys(row[2] for row in rows))
    known = covers_of(reader.execute, ordered(reader.execute, lines), lines)
    found: dict[int, dict[UUID, Cover]] = {}
    for key, uuid, line, _ in rows:
        found.setdefault(key, {})[UUID(bytes=uuid)] = known[line]
    return found


def whose(reader: Reader, keys: Sequence[int], *, tenant: OdsCode | None) -> dict[int, Whose]:
    """Give the patient and the medicines of each, by the row of its prescription."""
    medicines: dict[int, dict[str, None]] = {}
    for key, _, _, medicine in reader.execute(_LINES, _values(keys, tenant)):
        medicines.setdefault(key, {})[medicine] = None
    return {
        key: Whose(patient_name=_name(document), nhs_number=nhs_number, medicines=tuple(medicines.get(key, ())))
        for key, nhs_number, document in reader.execute(_PATIENTS, _values(keys, tenant))
    }


def _values(keys: Sequence[int], tenant: OdsCode | None) -> dict[str, str | None]:
    return {"rows": json.dumps(list(keys)), "tenant": tenant.value if tenant else None}


def _name(document: str | bytes | None) -> str:
    try:
        return str(_read(document).patient.name) if document is not None else ""
    except ValueError:
        return ""  # written by a version that this one cannot read
