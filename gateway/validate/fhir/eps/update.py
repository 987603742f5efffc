"""Rules of a cancellation: eps.md 5.4."""

from collections.abc import Iterator

from gateway.validate.fhir.eps.message import Message, wrong
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
