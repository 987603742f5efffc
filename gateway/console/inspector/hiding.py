"""What of a message may be seen before a person has unmasked it with a reason: what cannot tell who the patient is.

Rules:

1. A value is shown only where its place is known to hold no patient data: a canonical path (`_OPEN`) that its trace
   row names, or in HL7 v2 a segment and field that the standard gives to the order and not to the person.
2. Everything else is masked: unknown segments, free text, what no rule has read, and the whole of a message that could
   not be read into fields.
3. What is shown is looked through once more for the patient's own words as they stand elsewhere in the message, and
   for anything that is written like an NHS number or a telephone number.

Source: console.md 3, 6.7; reliability-security.md I8.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from gateway.console.bytes_shown import visible
from gateway.domain.prescription import Patient
from gateway.translate.maps.rules import plain

MASK: Final = "•••"
MOST: Final = 300
"""Characters shown of one value; a message is a page, and one value may be as long as all of it."""

_OPEN: Final = (
    "id",
    "number",
    "group_number",
    "authored",
    "type_code",
    "course",
    "valid_from",
    "valid_to",
    "replaces",
    "lines",
    "prescriber",
    "responsible_consultant",
    "clinical_check",
    "allergy_status",
    "change.orders",
    "change.items",
    "change.prescription_id",
    "change.reason",
    "homecare.provider",
    "homecare.provider_name",
    "homecare.backups",
    "homecare.tier",
    "homecare.funding",
    "homecare.purchase_order",
    "homecare.kind",
    "homecare.consent_given",
    "homecare.nurse_service",
    "homecare.stock_held_days",
    "homecare.stock_as_at",
    "homecare.delivery.cold_chain",
    "homecare.delivery.first_required_by",
    "homecare.delivery.frequency",
    "homecare.delivery.total",
    "homecare.ancillaries",
)
_CLOSED: Final = ("lines.notes", "lines.dosages.patient_instruction", "lines.reasons", "change.reason_text")
_OPEN_SEGMENTS: Final = frozenset(
    {"MSH", "MSA", "ERR", "SFT", "ORC", "RXO", "RXE", "RXR", "RXC", "RXD", "RXG", "TQ1", "TQ2"}
)
_CLOSED_FIELDS: Final = frozenset(
    {
        *("ERR-6", "ERR-7", "ERR-8", "MSA-3"),
        *("ORC-30", "RXO-6", "RXO-7", "RXO-8", "RXO-20", "RXO-32", "RXO-33", "RXO-34", "RXO-35"),
        *("RXE-8", "RXE-21", "RXE-27", "RXE-42", "RXE-43", "RXD-9", "RXD-13", "RXD-15", "RXD-21", "TQ1-10"),
    }
)
_STRUCTURE: Final = frozenset(
    {"resourceType", "use", "system", "url", "type", "status", "intent", "reference", "fullUrl"}
)
"""Members of JSON that say what kind of thing stands beside them."""
_NUMBERS: Final = re.compile(r"(?<!\d)(?:\d{3}[ -]?\d{3}[ -]?\d{4}|0\d{9,10})(?!\d)", re.ASCII)
_LEAST: Final = 3
_PLACE: Final = re.compile(r"(\w{3})\[\d+\]-(\d+)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A value as it is shown."""

    text: str
    masked: bool = False

    @property
    def words(self) -> str:
        """Give it for a person who hears it."""
        return "masked" if self.masked else self.text


@dataclass(frozen=True, slots=True)
class Hiding:
    """Masks the values of one message.

    Attributes:
        off: a person has unmasked it.
        words: of the patient, as they stand in the message.
    """

    off: bool = False
    words: tuple[str, ...] = field(default=(), repr=False)

    def of(self, text: str, *, shown: bool, most: int = MOST) -> Value:
        """Give a value as it may be seen.

        Args:
            text: as received.
            shown: whether its place holds no patient data.
            most: characters, beyond which it says how long it is.
        """
        if not self.off and not shown and text:
            return Value(text=MASK, masked=True)
        # what is looked through reaches further than what is shown, so that no word of the patient's is cut in two
        seen = visible(self.through(text[: most * 4]))
        return Value(text=seen if len(text) <= most else f"{seen[:most]}… ({len(text):,} characters)")

    def through(self, text: str) -> str:
        """Give words of ours or of a place that is shown, without the patient's own."""
        if self.off or not text:
            return text
        for word in self.words:
            text = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", MASK, text, flags=re.IGNORECASE)
        return _NUMBERS.sub(MASK, text)


def hiding(patients: Iterable[Patient | None], numbers: Iterable[str], found: Iterable[str], *, off: bool) -> Hiding:
    """Make what masks one message.

    Args:
        patients: as they were understood.
        numbers: NHS numbers beside them.
        found: further values of places that are the patient's, as received.
        off: a person has unmasked it.
    """
    words = {word for patient in patients if patient is not None for word in _words(patient)}
    words.update(numbers)
    words.update(found)
    kept = {word for word in words if len(word) >= _LEAST}
    return Hiding(off, tuple(sorted(kept, key=lambda word: (-len(word), word))))


def _words(patient: Patient) -> Iterable[str]:
    name, address = patient.name, patient.address
    yield str(patient.nhs_number)
    yield from (name.family, *name.given)
    yield from (*address.lines, address.city, address.postcode, address.postcode.replace(" ", ""))
    yield from (one.value for one in patient.contacts)
    yield from (one.value for one in patient.local_ids)
    yield from (patient.birth_date.isoformat(), patient.birth_date.strftime("%Y%m%d"))


def target_shown(target: str) -> bool:
    """Tell whether a canonical path, with or without indexes, holds no patient data."""
    path = plain(target)
    return _within(path, _OPEN) and not _within(path, _CLOSED)


def field_shown(locator: str) -> bool:
    """Tell whether a place of HL7 v2 is the order's, by the standard, and not the person's."""
    found = _PLACE.match(locator)
    if found is None:
        return False
    return found[1] in _OPEN_SEGMENTS and f"{found[1]}-{found[2]}" not in _CLOSED_FIELDS


def member_shown(path: str) -> bool:
    """Tell whether a member of JSON only says what kind of thing stands beside it."""
    return plain(path).rpartition(".")[2] in _STRUCTURE


def _within(path: str, above: Iterable[str]) -> bool:
    return any(path == one or path.startswith(f"{one}.") for one in above)
