"""What a trust does with an order that it has sent: cancels, holds, releases or changes it, or tells of its patient.

The messages come from the committed templates in `golden/`, as orders do. Nothing here knows how the gateway reads
them.

Source: HL7 table 0119; mapping.md 4.1, 6.2 and 7.2.
"""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from string import Template
from typing import Final

from gateway.simulate.messages import V2, Style, compose, fill, gaps, template
from gateway.simulate.written import Written


class Deed(StrEnum):
    """What is done with an order; where the trust XML has it, in its word."""

    CANCEL = "cancel"
    HOLD = "hold"
    RELEASE = "release"
    CHANGE = "replace"
    MOVE = "move"
    """The patient has moved house, which HL7 v2 alone tells: ADT^A08."""


_ORDER_CONTROL: Final = {Deed.CANCEL: "CA", Deed.HOLD: "HD", Deed.RELEASE: "RL"}
_STATUS: Final = {Deed.CANCEL: "cancelled", Deed.HOLD: "on-hold", Deed.RELEASE: "active"}
_OF_V2: Final = frozenset({Deed.CHANGE, Deed.MOVE})
_NEW_HOUSE: Final = "2 New Close"
_REASON_CODE: Final = "0003"
_REASON: Final = "Change to medication treatment regime"
_CANCEL_REASONS: Final = "https://fhir.nhs.uk/CodeSystem/medicationrequest-status-reason"
_EPS_WHY: Final = "https://fhir.nhs.uk/CodeSystem/message-reason-prescription"
_OUR_WHY: Final = "urn:x-homecare-gateway:CodeSystem:message-reason"


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """One thing done with one order, under a control id of its own; equal ones have equal ids."""

    deed: Deed
    written: Written

    @property
    def message(self) -> uuid.UUID:
        """Its control id."""
        return uuid.uuid5(self.written.message, self.deed.value)


def compose_follow_up(
    one: FollowUp, style: Style, *, system: str, site: str, names: Mapping[str, str], at: datetime
) -> bytes:
    """Write the message.

    Args:
        one: what is done.
        style: the dialect in which the order was sent.
        system: the sending system's name.
        site: ODS code of the prescribing site.
        names: ODS code to name, for trusts and providers.
        at: aware; when it is sent.

    Raises:
        ValueError: a change or a new address in another format than HL7 v2, which no simulated trust sends.
    """
    written = replace(one.written, message=one.message)
    if one.deed in _OF_V2 and style not in V2:
        raise ValueError(f"only HL7 v2 says {one.deed}")
    if one.deed is Deed.CHANGE:
        body = compose(written, style, system=system, site=site, names=names)
        return body.replace(b"ORC|NW|", b"ORC|XO|").replace(b"|NEW\r", b"|CHANGE\r")
    written = replace(written, authored=at.replace(microsecond=0))
    values = gaps(written, style, system=system, site=site, names=names)
    if one.deed is Deed.MOVE:
        return fill(template("moved.hl7"), values | {"house": _NEW_HOUSE}, style).encode()
    values |= _asked(one.deed)
    return fill(_template(style), values, style).encode()


def _template(style: Style) -> Template:
    return template("follow-up.hl7" if style in V2 else f"follow-up.{style.value.rpartition('.')[2]}")


def _asked(deed: Deed) -> dict[str, str]:
    reason: dict[str, object] = {"text": _REASON}
    if deed is Deed.CANCEL:
        reason["coding"] = [{"system": _CANCEL_REASONS, "code": _REASON_CODE}]
    return {
        "action": deed.value,
        "order_control": _ORDER_CONTROL[deed],
        "status": _STATUS[deed],
        "reason_code": _REASON_CODE,
        "reason": _REASON,
        "status_reason_raw": json.dumps(reason),
        "why_system": _EPS_WHY if deed is Deed.CANCEL else _OUR_WHY,
    }
