"""Which rows of what needs attention are wanted, as an address says it: no word of it is about a patient (D16)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import urlencode

from gateway.console.site import HOME, Looker
from gateway.console.whole_number import page_number, whole_number
from gateway.domain.identifiers import OdsCode
from gateway.domain.work_item import Reason
from gateway.ports.attention import DEEPEST, PAGE, AttentionQuery

_MOST_DAYS: Final = 366
REASON_NAMES: Final = {reason.name.lower().replace("_", "-"): reason for reason in Reason}
"""Reasons as addresses name them."""


def read(values: Mapping[str, str], looker: Looker) -> AttentionQuery:
    """Read what an address asks for; what it cannot mean is left out."""
    days = whole_number(values.get("days", ""))
    page = page_number(values.get("page", ""), last=DEEPEST // PAGE)
    return AttentionQuery(
        taken_by=looker.name if values.get("whose") == "mine" else "",
        provider=_ods(values.get("provider", "")),
        reason=REASON_NAMES.get(values.get("reason", "")),
        days_under=None if days is None else min(days, _MOST_DAYS),
        silent_of=_ods(values.get("silent", "")),
        first=(page - 1) * PAGE,
    )


def address(query: AttentionQuery, *, page: int | None = None, path: str = HOME) -> str:
    """Give the address of a page of the list."""
    number = query.first // PAGE + 1 if page is None else page
    reasons = {reason: name for name, reason in REASON_NAMES.items()}
    said = {
        "whose": "mine" if query.taken_by else "",
        "provider": str(query.provider or ""),
        "reason": reasons[query.reason] if query.reason else "",
        "days": "" if query.days_under is None else str(query.days_under),
        "silent": str(query.silent_of or ""),
        "page": str(number) if number > 1 else "",
    }
    asked = urlencode({name: value for name, value in said.items() if value})
    return f"{path}?{asked}" if asked else path


def from_start(query: AttentionQuery) -> AttentionQuery:
    """Give the same list from its beginning."""
    return replace(query, first=0)


def _ods(text: str) -> OdsCode | None:
    return OdsCode.parse(text) if text else None
