"""The one search box: what was typed, recognised by its form (console.md 6.2).

Ten digits may be an NHS number or a trust's own order number; where both readings are possible both are tried, and a
number with a wrong check digit is said to be one, not silently not found.
"""

import re
from dataclasses import dataclass
from typing import Final

from gateway.domain.identifiers import NhsNumber, OdsCode, PrescriptionNumber
from gateway.enquiries import Enquiries, Found

LONGEST: Final = 100

_BARE_NUMBER = re.compile(r"([0-9A-F]{6})-?([0-9A-Z]{6})-?([0-9A-F]{5}[0-9A-Z+])")
_TEN_DIGITS = re.compile(r"\d{10}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What was found, and what the words on the page should say.

    Attributes:
        kind: NHS number, prescription ID, or order number.
        shown: what was searched for, as it is read out.
        fault: why nothing could be found, when the number itself is wrong.
    """

    kind: str
    shown: str
    found: tuple[Found, ...] = ()
    fault: str = ""


async def seek(text: str, enquiries: Enquiries, *, tenant: OdsCode | None = None) -> Sought:
    """Look for what was typed, in what a tenant may see; None for all.

    Raises:
        Unavailable: the store is away.
    """
    compact = re.sub(r"[\s-]", "", text)
    if _TEN_DIGITS.fullmatch(compact):
        return await _ten_digits(compact, text, enquiries, tenant)
    if parts := _BARE_NUMBER.fullmatch(text.strip().upper()):
        return await _prescription_number("-".join(parts.groups()), text, enquiries, tenant)
    return await _order_number(text, enquiries, tenant)


async def _ten_digits(digits: str, text: str, enquiries: Enquiries, tenant: OdsCode | None) -> Sought:
    shown = f"{digits[:3]} {digits[3:6]} {digits[6:]}"
    number = NhsNumber.parse(digits)
    if number is not None:
        found = await enquiries.search(tenant=tenant, nhs_number=number.value)
        if found:
            return Sought(kind="NHS number", shown=shown, found=found)
    orders = await enquiries.search(tenant=tenant, order_number=text.strip())
    if orders:
        return Sought(kind="order number", shown=text.strip(), found=orders)
    if number is None:
        return Sought(
            kind="NHS number", shown=shown, fault="This NHS number is not valid. Check for swapped or missing digits."
        )
    return Sought(kind="NHS number", shown=shown)


async def _prescription_number(number: str, text: str, enquiries: Enquiries, tenant: OdsCode | None) -> Sought:
    if PrescriptionNumber.parse(number) is not None:
        return Sought(kind="prescription ID", shown=number, found=await enquiries.search(tenant=tenant, number=number))
    orders = await enquiries.search(tenant=tenant, order_number=text.strip())
    if orders:
        return Sought(kind="order number", shown=text.strip(), found=orders)
    fault = "This prescription ID is not valid: its last character does not agree with the others."
    return Sought(kind="prescription ID", shown=number, fault=fault)


async def _order_number(text: str, enquiries: Enquiries, tenant: OdsCode | None) -> Sought:
    shown = text.strip()
    return Sought(kind="order number", shown=shown, found=await enquiries.search(tenant=tenant, order_number=shown))
