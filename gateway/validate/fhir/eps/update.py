"""Rules of an update: a cancellation (eps.md 5.4), and a hold or a release (mapping.md 4.1)."""

from gateway.validate.fhir.eps.message import Message, at, codes, wrong


def one_line(message: Message) -> None:
    """Want exactly one line, cancelled, with its reason."""
    lines = message.of["MedicationRequest"]
    if len(lines) != 1:
        text = f"must contain exactly one MedicationRequest, and has {len(lines)}"
        message.tell(wrong("5.4 line", "value", "MedicationRequest", text))
    for index, line in lines:
        if line.get("status") != "cancelled":
            message.tell(wrong("5.4 status", "value", at(index, "status"), "status must be cancelled"))
        if "statusReason" not in line:
            message.tell(wrong("5.4 statusReason", "value", at(index, "statusReason"), "expected a value"))


_STATUS = {"hold": "on-hold", "release": "active"}


def one_line_held(message: Message) -> None:
    """Want exactly one line, whose status is what the reason of the message asks for."""
    lines = message.of["MedicationRequest"]
    if len(lines) != 1:
        text = f"must contain exactly one MedicationRequest, and has {len(lines)}"
        message.tell(wrong("hold line", "value", "MedicationRequest", text))
    asked = [code for _, header in message.of["MessageHeader"] for code in codes(header.get("reason"))]
    for index, line in lines:
        if line.get("status") not in {_STATUS.get(code) for code in asked}:
            message.tell(
                wrong("hold status", "value", at(index, "status"), "must be on-hold for hold, active for release")
            )
