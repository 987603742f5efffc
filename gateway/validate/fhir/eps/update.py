"""Rules of an update: a cancellation (eps.md 5.4), and a hold or a release (mapping.md 4.1)."""

from collections.abc import Iterator

from gateway.validate.fhir.eps.message import Message, codes, wrong
from gateway.validate.fhir.finding import Finding


def one_line(message: Message) -> Iterator[Finding]:
    """Want exactly one line, cancelled, with its reason."""
    lines = message.of("MedicationRequest")
    if len(lines) != 1:
        text = f"must contain exactly one MedicationRequest, and has {len(lines)}"
        yield wrong("5.4 line", "value", "MedicationRequest", text)
    for place, line in lines:
        if line.get("status") != "cancelled":
            yield wrong("5.4 status", "value", f"{place}.status", "status must be cancelled")
        if "statusReason" not in line:
            yield wrong("5.4 statusReason", "value", f"{place}.statusReason", "expected a value")


_STATUS = {"hold": "on-hold", "release": "active"}


def one_line_held(message: Message) -> Iterator[Finding]:
    """Want exactly one line, whose status is what the reason of the message asks for."""
    lines = message.of("MedicationRequest")
    if len(lines) != 1:
        text = f"must contain exactly one MedicationRequest, and has {len(lines)}"
        yield wrong("hold line", "value", "MedicationRequest", text)
    asked = [code for _, header in message.of("MessageHeader") for code in codes(header.get("reason"))]
    for place, line in lines:
        if line.get("status") not in {_STATUS.get(code) for code in asked}:
            yield wrong("hold status", "value", f"{place}.status", "must be on-hold for hold, active for release")
