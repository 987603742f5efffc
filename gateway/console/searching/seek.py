"""The one search box: what was typed, recognised by its form (console.md 6.2).

Ten digits may be an NHS number or a trust's own order number, and many numbers have no form at all: whatever a value
may be, it is looked for as, and the page says as what it was found. A number with a wrong check digit is said to be
one, not silently not found.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from gateway.domain.identifiers import NhsNumber, OdsCode, PrescriptionNumber, parse_uuid
from gateway.ports.looking_up import Hits, Key, LookingUp, RefusedMessage

LONGEST: Final = 100

_BARE_NUMBER: Final = re.compile(r"([0-9A-F]{6})-?([0-9A-Z]{6})-?([0-9A-F]{5}[0-9A-Z+])")
_TEN_DIGITS: Final = re.compile(r"\d{10}", re.ASCII)
_DIGEST: Final = re.compile(r"[0-9a-fA-F]{64}")
_FREE: Final = (Key.ORDER_NUMBER, Key.OTHER_NUMBER, Key.CONTROL_ID)
"""What has no form of its own to be known by, in the order it is looked for as."""

BAD_NHS_NUMBER: Final = "This NHS number is not valid. Check for swapped digits."
BAD_NUMBER: Final = "This prescription ID is not valid. Check for swapped or missing characters."


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What was found, and what the words on the page should say.

    Attributes:
        kinds: as what it was looked for, or found.
        shown: what was searched for, as it is read out.
        fault: why nothing could be found, when the number itself is wrong.
        checked: its check digit was tested, and is right.
        refused: messages that were refused, under this control id or order number.
    """

    kinds: tuple[Key, ...]
    shown: str
    hits: Hits = field(default_factory=Hits)
    fault: str = ""
    checked: bool = False
    refused: tuple[RefusedMessage, ...] = ()


async def seek(text: str, enquiries: LookingUp, *, tenant: OdsCode | None) -> Sought:
    """Look for what was typed, over what the looker may see.

    Raises:
        Unavailable: the store is away.
    """
    text = text.strip()
    compact = re.sub(r"[\s-]", "", text)
    if _TEN_DIGITS.fullmatch(compact):
        return await _ten_digits(compact, text, enquiries, tenant)
    if parts := _BARE_NUMBER.fullmatch(text.upper()):
        return await _prescription_number("-".join(parts.groups()), text, enquiries, tenant)
    if parse_uuid(text) is not None:
        found = await _first((Key.ID, *_FREE), text, enquiries, tenant)
        return found or Sought(kinds=(Key.ID,), shown=text)
    if _DIGEST.fullmatch(text):
        return Sought(kinds=(Key.DIGEST,), shown=text, hits=await enquiries.look_up(Key.DIGEST, text, tenant=tenant))
    found = await _first(_FREE, text, enquiries, tenant)
    return found or Sought(kinds=_FREE, shown=text)


async def _first(keys: tuple[Key, ...], text: str, enquiries: LookingUp, tenant: OdsCode | None) -> Sought | None:
    """Give what is found as the first of these that finds anything, with the refused messages of the same name."""
    refused = await enquiries.refused(text, tenant=tenant)
    archived = 0
    for key in keys:
        hits = await enquiries.look_up(key, text, tenant=tenant)
        if hits.hits:
            return Sought(kinds=(key,), shown=text, hits=hits, refused=refused)
        archived = max(archived, hits.archived)
    if refused or archived:
        return Sought(kinds=keys, shown=text, hits=Hits(archived=archived), refused=refused)
    return None


async def _ten_digits(digits: str, text: str, enquiries: LookingUp, tenant: OdsCode | None) -> Sought:
    shown = f"{digits[:3]} {digits[3:6]} {digits[6:]}"
    number = NhsNumber.parse(digits)
    if number is not None:
        hits = await enquiries.look_up(Key.NHS_NUMBER, number.value, tenant=tenant)
        if hits.hits:
            return Sought(kinds=(Key.NHS_NUMBER,), shown=shown, hits=hits, checked=True)
    if found := await _first(_FREE, text, enquiries, tenant):
        return found
    if number is None:
        return Sought(kinds=(Key.NHS_NUMBER,), shown=shown, fault=BAD_NHS_NUMBER)
    return Sought(kinds=(Key.NHS_NUMBER,), shown=shown, checked=True)


async def _prescription_number(number: str, text: str, enquiries: LookingUp, tenant: OdsCode | None) -> Sought:
    if PrescriptionNumber.parse(number) is not None:
        hits = await enquiries.look_up(Key.NUMBER, number, tenant=tenant)
        return Sought(kinds=(Key.NUMBER,), shown=number, hits=hits, checked=True)
    found = await _first(_FREE, text, enquiries, tenant)
    return found or Sought(kinds=(Key.NUMBER,), shown=number, fault=BAD_NUMBER)
