"""What an answer of the gateway says to the trust that gets it, read with the trust's own means.

Source: mapping.md 9.1 and 9.2.
"""

import json
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gateway.simulate.er7 import Segment, split


class Standing(StrEnum):
    """Where the trust believes its prescription stands."""

    COMMITTED = "committed"
    """The gateway holds the message (commit CA); its application answer is still to come."""
    ACCEPTED = "accepted"
    HELD = "held"
    REFUSED = "refused"
    AGAIN = "again"
    """Not taken for a reason outside the content: send the same bytes again."""
    UNREAD = "unread"
    """The trust cannot make sense of the answer."""


POSITIVE = frozenset({Standing.COMMITTED, Standing.ACCEPTED, Standing.HELD})
"""Answers after which the gateway may not lose the prescription."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer as read.

    Attributes:
        about: the control id it answers.
        codes: the gateway's issue codes.
    """

    standing: Standing
    about: str = ""
    codes: tuple[str, ...] = ()


UNREAD = Reply(standing=Standing.UNREAD)


def read_v2(body: bytes) -> Reply:
    """Read an HL7 acknowledgement or application answer."""
    try:
        segments = split(body)
    except ValueError:
        return UNREAD
    named = {name: [segment for segment in segments if segment.name == name] for name in ("MSA", "ERR", "ORC")}
    if not named["MSA"]:
        return UNREAD
    acknowledgement = named["MSA"][0]
    codes = tuple(code for error in named["ERR"] for code in _issue_codes(error))
    standing = _standing(acknowledgement.get(1), [order.get(5) for order in named["ORC"]], codes)
    return Reply(standing=standing, about=acknowledgement.get(2), codes=codes)


def _issue_codes(error: Segment) -> tuple[str, ...]:
    # ERR-5 is the application's own code from version 2.5 on; before, each ELD of ERR-1 has it among its words
    codes = (error.get(5),) if error.get(5) else error.all(1, 4, 2)
    return tuple(code for code in codes if code)


def _standing(code: str, states: list[str], codes: tuple[str, ...]) -> Standing:
    if code == "CA":
        return Standing.COMMITTED
    if code == "AA":
        return Standing.HELD if "HD" in states else Standing.ACCEPTED
    if code == "CE" or (code == "AR" and "NOT_STORED" in codes):
        return Standing.AGAIN
    return Standing.REFUSED if code in {"AE", "AR", "CR"} else Standing.UNREAD


_RECEIPT_WORDS = {
    "accepted": Standing.ACCEPTED,
    "held": Standing.HELD,
    "refused": Standing.REFUSED,
    "conflict": Standing.REFUSED,
    "fault": Standing.REFUSED,
}


def read_xml(body: bytes) -> Reply:
    """Read a Receipt."""
    try:
        root = ET.fromstring(body)  # noqa: S314 - the gateway's own answer, on loopback
    except ET.ParseError:
        return UNREAD
    status = root.get("status", "")
    codes = tuple(code for element in root.iter() if (code := element.get("code")) and code.isupper())
    about = root.get("messageId") or root.get("inReplyTo") or ""
    return Reply(standing=_RECEIPT_WORDS.get(status, Standing.UNREAD), about=about, codes=codes)


def read_fhir(body: bytes, status: int) -> Reply:
    """Read a response message or an OperationOutcome; the HTTP status tells held (202) from accepted (200)."""
    try:
        document = json.loads(body, parse_float=str)
    except ValueError:
        return UNREAD
    resources = _resources(document)
    header = next((r for r in resources if r.get("resourceType") == "MessageHeader"), {})
    response = header.get("response", {})
    codes = tuple(
        coding["code"]
        for resource in resources
        if resource.get("resourceType") == "OperationOutcome"
        for issue in resource.get("issue", [])
        for coding in issue.get("details", {}).get("coding", [])
        if "code" in coding
    )
    return Reply(
        standing=_fhir_standing(response.get("code", ""), status), about=response.get("identifier", ""), codes=codes
    )


def _resources(document: Any) -> list[dict[str, Any]]:
    if not isinstance(document, dict):
        return []
    if document.get("resourceType") != "Bundle":
        return [document]
    return [entry["resource"] for entry in document.get("entry", []) if "resource" in entry]


def _fhir_standing(code: str, status: int) -> Standing:
    if code == "transient-error":
        return Standing.AGAIN
    if code == "ok":
        return Standing.HELD if status == 202 else Standing.ACCEPTED  # noqa: PLR2004 - HTTP Accepted
    return Standing.REFUSED if code == "fatal-error" or 400 <= status < 500 else Standing.UNREAD  # noqa: PLR2004
