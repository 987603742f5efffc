"""Addresses of a message's page: what they ask of it, and what they name; opaque names and places, no values (D16)."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from gateway.console.inspector.inside import Asked
from gateway.console.inspector.tracing import Filter
from gateway.console.whole_number import whole_number
from gateway.ports.inspection import Answered, KeptApart, MessageId, MessageView, Received, Sent

_FURTHEST: Final = 999_999
"""Beyond any message."""


def asked_by(query: Mapping[str, str]) -> Asked:
    """Read what the address asks of the page; what it cannot mean is left out."""
    only = query.get("only", "")
    return Asked(
        at=query.get("at", "")[:200],
        to=query.get("to", "")[:300],
        only=Filter(only) if only in set(Filter) else Filter.ALL,
        order=_place(query.get("order", "")),
        source=_place(query.get("source", "")),
        line=_place(query.get("line", "")),
    )


def _place(text: str) -> int:
    return whole_number(text, most=_FURTHEST) or 0


def link(view: MessageView, asked: Asked, **change: object) -> str:
    """Give the address of the same page with something else chosen, short: a page has a thousand of them."""
    now: dict[str, object] = {
        "at": asked.at,
        "to": asked.to,
        "only": asked.only.value,
        "order": asked.order,
        "source": asked.source,
        "line": asked.line,
    }
    if "at" in change:
        now["to"] = ""
    elif "to" in change:
        now["at"] = ""
    values = {**now, **change}
    if values["only"] == Filter.ALL.value:
        values["only"] = ""
    part = str(values.pop("part", ""))
    query = urlencode({name: value for name, value in values.items() if value}, safe="[]/@:")
    return (f"?{query}" if query else address(view)) + (f"#{part}" if part else "")


def name_of(view: MessageView) -> MessageId:
    """Give the name of a message."""
    return view.transmitted.row.id if isinstance(view, Sent) else view.row.id


def address(view: MessageView) -> str:
    """Give the address of a message's page."""
    return f"/console/messages/{name_of(view)}"


def subject(view: MessageView) -> str:
    """Give what a view is about, for the audit: the message and the prescriptions it carries."""
    match view:
        case Received():
            ids = [str(order.prescription_id) for order in view.orders]
        case Sent():
            ids = [str(view.prescription_id)] if view.prescription_id else []
        case Answered():
            ids = [str(one.prescription_id) for one in view.happened]
        case KeptApart():
            ids = []
    return " ".join(dict.fromkeys((str(name_of(view)), *ids)))


def octets(view: MessageView) -> bytes:
    """Give the bytes of a message; none where only their length is kept."""
    match view:
        case Received() | Answered():
            return view.body
        case KeptApart():
            return view.body or b""
        case Sent():
            return view.octets or b""
