"""MSH: what a message says of itself, checked against who sent it and who we are.

Source: mapping.md 3.3; reliability-security.md H10, H11, H15 to H19.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

from gateway.domain.identifiers import OdsCode
from gateway.domain.partner import Environment
from gateway.domain.submission import Envelope, WireFormat
from gateway.translate.from_hl7v2.desk import Desk
from gateway.translate.from_hl7v2.moments import default_zone, moment
from gateway.wire.er7 import Message, Segment

SERVED = {
    ("RDE", "O11"): "RDE_O11",
    ("RDE", "O01"): "RDE_O01",
    ("OMP", "O09"): "OMP_O09",
    ("ORM", "O01"): "ORM_O01",
    ("RDE", "O25"): "RDE_O25",
    ("ADT", "A08"): "ADT_A01",
    ("ADT", "A31"): "ADT_A05",
    ("ADT", "A40"): "ADT_A39",
    ("ADT", "A24"): "ADT_A24",
    ("ADT", "A37"): "ADT_A37",
}
"""Message types served, and the structure each must have where MSH-9.3 states one."""

_ALSO = {("RDE", "O25"): "RDE_O11"}
"""A structure that senders state as well: RDE^O25 has the segments of RDE^O11."""

VERSIONS = frozenset({"2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.7.1", "2.8", "2.8.1", "2.8.2", "2.9"})
_ENVIRONMENTS = {"P": Environment.LIVE, "T": Environment.TEST, "D": Environment.TEST}
_LONGEST_CONTROL_ID = 199
_ORDINARY = frozenset({"U", "L", "M", "N"})
"""MSH-26 of what asks for no more care than every message gets (HL7 v3 Confidentiality)."""


@dataclass(frozen=True, slots=True)
class Header:
    """The envelope, and what reading the rest needs of it."""

    envelope: Envelope
    zone: tzinfo
    served: bool


def read_header(message: Message, desk: Desk, served: Mapping[tuple[str, str], str] = SERVED) -> Header:
    """Read and check MSH; every fault found becomes an issue of the whole message.

    Args:
        message: as parsed.
        desk: of the whole message.
        served: the types this sender may send, with their structure.
    """
    msh = message.header
    if message.line_endings != "CR":
        desk.flag("LINE_ENDINGS_NORMALISED", "", f"Segments ended in {message.line_endings}; HL7 ends them in CR.")
    for fault in message.faults:
        desk.flag(fault.code, fault.location, fault.text)
    sent = moment(desk, desk.leaf(desk.one(msh, 7)), "")
    known = _check_type(msh, desk, served)
    _check_version(msh, desk)
    _check_receiver(msh, desk)
    _check_continuation(msh, desk)
    _check_handling(message, desk)
    return Header(_envelope(msh, desk, sent), default_zone(sent), known)


def _envelope(msh: Segment, desk: Desk, sent: datetime | None) -> Envelope:
    return Envelope(
        format=WireFormat.HL7V2,
        control_id=_control_id(msh, desk),
        sender=_sender(msh, desk),
        system=_system(msh, desk),
        sent_at=sent,
        environment=_environment(msh, desk),
        message_type="^".join(_word(msh, desk, 9, part) for part in (1, 2, 3)).rstrip("^"),
        version=_word(msh, desk, 12),
        accept_ack=_word(msh, desk, 15),
        application_ack=_word(msh, desk, 16),
    )


def _word(msh: Segment, desk: Desk, number: int, component: int = 1) -> str:
    return desk.text(desk.leaf(desk.one(msh, number), component))


def _control_id(msh: Segment, desk: Desk) -> str:
    """MSH-10: without one there is no repeat to recognise (H11)."""
    text = _word(msh, desk, 10)
    if text.strip() and len(text) <= _LONGEST_CONTROL_ID and text.isprintable():
        return text
    wanted = f"Give every message a control id of its own, of 1 to {_LONGEST_CONTROL_ID} printable characters."
    desk.flag("CONTROL_ID_MISSING", msh.at(10), wanted)
    return ""


def _sender(msh: Segment, desk: Desk) -> OdsCode | None:
    text = _word(msh, desk, 4)
    sender = OdsCode.parse(text)
    if sender not in {desk.sender, *desk.context.trust.sites}:
        desk.flag("SENDER_MISMATCH", msh.at(4), "MSH-4 must name the trust whose credential sent the message.")
    return sender


def _system(msh: Segment, desk: Desk) -> str:
    text = _word(msh, desk, 3)
    systems = desk.context.trust.systems
    if systems and text not in systems:
        desk.flag("SENDER_MISMATCH", msh.at(3), "MSH-3 names a system that is not registered for this trust.")
    return text


def _check_receiver(msh: Segment, desk: Desk) -> None:
    names = desk.context.receiver_names
    said = {_word(msh, desk, 5), _word(msh, desk, 6)}
    if names and not said & names:
        desk.flag("RECEIVER_WRONG", msh.at(5), "Neither MSH-5 nor MSH-6 names this gateway.")


def _environment(msh: Segment, desk: Desk) -> Environment | None:
    """MSH-11: production to live, training and debugging to test, and never across (D17)."""
    text = _word(msh, desk, 11)
    environment = _ENVIRONMENTS.get(text)
    if environment is None:
        desk.flag("VALUE_INVALID" if text else "FIELD_MISSING", msh.at(11), "MSH-11 must be P, T or D.")
    elif environment is not desk.context.environment:
        wanted = f"This gateway is {desk.context.environment}; the message is marked {text}."
        desk.flag("ENVIRONMENT_WRONG", msh.at(11), wanted)
    return environment


def _check_type(msh: Segment, desk: Desk, served: Mapping[tuple[str, str], str]) -> bool:
    kind, trigger, structure = (_word(msh, desk, 9, part) for part in (1, 2, 3))
    expected = served.get((kind, trigger))
    if expected is not None and structure not in {"", expected, _ALSO.get((kind, trigger), "")}:
        wanted = f"The structure (MSH-9.3) of {kind}^{trigger} is {expected}, or is left out."
        desk.flag("MESSAGE_TYPE_UNSUPPORTED", msh.at(9), wanted)
        return False
    if expected is None:
        types = ", ".join("^".join(each) for each in served)
        desk.flag("MESSAGE_TYPE_UNSUPPORTED", msh.at(9), f"Served here: {types}.")
        return False
    return True


def _check_version(msh: Segment, desk: Desk) -> None:
    if _word(msh, desk, 12) not in VERSIONS:
        desk.flag("VERSION_UNSUPPORTED", msh.at(12), "Served here: HL7 v2.3 to v2.9.")


def _check_continuation(msh: Segment, desk: Desk) -> None:
    """A message in several parts is not served: half an order must not pass for a whole one."""
    if _word(msh, desk, 14):
        desk.flag("STRUCTURE_INVALID", msh.at(14), "Send the message in one piece; continuation is not served.")


def _check_handling(message: Message, desk: Desk) -> None:
    """Hold what asks for handling that nothing here could keep: 2.9 has security labels in MSH-26 to 28, and ARV."""
    msh, text = (
        message.header,
        "A security label asks for handling that is not served here; agree on it, or leave it out.",
    )
    label = desk.leaf(desk.one(msh, 26))
    if label is not None and desk.text(label) not in _ORDINARY:
        desk.not_understood(msh.at(26), text)
    for number in (27, 28):
        if desk.all(msh, number):
            desk.not_understood(msh.at(number), text)
    for segment in message.named("ARV"):
        desk.not_understood(segment.locator, text)
