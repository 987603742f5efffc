"""The whole rule table on one screen: which rules hold for which message.

Source: eps.md 5. Permissions and switches (5.1), headers, and what only Spine can know (that an id is in use, that a
patient has died) are not the content's and are checked elsewhere or not at all.
"""

from collections.abc import Callable, Mapping, Sequence

from gateway.validate.fhir.eps import every_message, limits, notification, operations, order, signatures, update
from gateway.validate.fhir.eps.message import Json, Message, codes, wrong
from gateway.validate.fhir.finding import Finding

HOLD = "prescription-order-update hold"
"""An update that asks for a hold or a release, which EPS does not know; its reason is of a code system of ours."""
HOLD_REASON = "urn:x-homecare-gateway:CodeSystem:message-reason"
EVENTS = "https://fhir.nhs.uk/CodeSystem/message-event"
Rule = Callable[[Message], None]

_EVERY: tuple[Rule, ...] = (
    every_message.intents,
    every_message.medicines,
    every_message.telecoms,
    every_message.roles,
)
RULES: Mapping[str, tuple[Rule, ...]] = {
    "prescription-order": (
        *_EVERY,
        every_message.professional_codes,
        order.shared,
        order.statuses,
        order.item_numbers,
        order.dosages,
        order.primary_care,
        order.requesters,
        order.general_practitioner_numbers,
        order.courses,
        order.repeat_dispensing,
        order.durations,
        signatures.signatures,
        order.addresses,
        limits.items,
        limits.notes,
        limits.names,
        limits.prescriber_codes,
        limits.windows,
    ),
    "prescription-order-update": (*_EVERY, update.one_line, order.courses, order.requesters),
    HOLD: (*_EVERY, update.one_line_held, order.courses, order.requesters),
    "prescription-order-response": (),
    "dispense-notification": (
        every_message.medicines,
        notification.shared,
        notification.performers,
        notification.authorities,
    ),
}
"""Rules by `MessageHeader.eventCoding`. Answers are EPS's own and have none; their profile says what they hold."""


def event_of(bundle: Json) -> str:
    """Give the event of a message of the dialect, `HOLD` for its own kind of update; empty for any other Bundle."""
    entries = bundle.get("entry")
    entry = entries[0] if isinstance(entries, list) and entries else None
    header = entry.get("resource") if isinstance(entry, dict) else None
    coding = header.get("eventCoding") if isinstance(header, dict) else None
    if not isinstance(header, dict) or bundle.get("type") != "message":
        return ""
    if not isinstance(coding, dict) or coding.get("system") != EVENTS:
        return ""
    event = str(coding.get("code"))
    return HOLD if event == "prescription-order-update" and codes(header.get("reason"), HOLD_REASON) else event


def check_rules(resource: Json, event: str | None = None) -> Sequence[Finding]:
    """Give what a resource breaks of the rules of its message or operation.

    Args:
        resource: parsed JSON.
        event: as `event_of` gives it, where the caller has asked.
    """
    match resource.get("resourceType"):
        case "Bundle":
            return _of_message(resource, event_of(resource) if event is None else event)
        case "Task" if (
            "for" in resource and "focus" in resource and resource.get("status") in ("rejected", "in-progress")
        ):
            return [*operations.task(resource)]
        case "Parameters" if operations.is_release(resource):
            return [*operations.release(resource)]
        case "Claim":
            return [*operations.claim(resource)]
    return ()


def _of_message(bundle: Json, event: str) -> Sequence[Finding]:
    if event and event not in RULES:
        text = "must be prescription-order, prescription-order-update, -response or dispense-notification"
        return [wrong("5.1 event", "value", "Bundle.entry[0].resource.eventCoding.code", text)]
    message = Message(bundle)
    for rule in RULES.get(event, ()):
        rule(message)
    return message.findings
