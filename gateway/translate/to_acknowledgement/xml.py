"""Answers to a trust that speaks XML: a Receipt, and later receipts with news of one item.

The Receipt is our own small document; its schema stands beside this file. The bytes depend on the submission and the
verdict alone, so that an answer made again is the same answer.

Source: mapping.md 9.2 and 9.3; trust-receipt-1.0.xsd.
"""

import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime

from lxml import etree

from gateway.domain.cancel import CancelState
from gateway.domain.hold import HoldState
from gateway.domain.identifiers import derived_id
from gateway.domain.issue import Issue
from gateway.domain.submission import Answer, Envelope, OrderVerdict, Outcome, Submission, Verdict
from gateway.ports.work import News
from gateway.translate.to_acknowledgement import http_status

NAMESPACE = "urn:x-homecare-gateway:trust-receipt:1"
CONTENT_TYPE = "application/xml"
MOST_ISSUES = 100

_STATUS = {
    Outcome.TRANSLATED: "accepted",
    Outcome.TASK: "accepted",
    Outcome.DUPLICATE: "accepted",
    Outcome.HELD: "held",
    Outcome.REFUSED: "refused",
}
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def answer(submission: Submission, envelope: Envelope, verdict: Verdict) -> Answer:
    """Write the receipt for a message that could be read."""
    conflict = any(issue.code == "CONTROL_ID_REUSED" for issue in verdict.issues)
    root = _receipt(
        str(derived_id("receipt", str(submission.id))),
        "conflict" if conflict else _STATUS[verdict.outcome],
        at=_moment(submission.received_at),
        inReplyTo=envelope.control_id,
    )
    for order in verdict.orders:
        _prescription(root, order)
    told = {issue for order in verdict.orders for issue in order.issues}
    _issues(root, [issue for issue in verdict.issues if issue not in told])
    return _answer(root, http_status.of_verdict(verdict))


def unreadable(body: bytes, issues: Sequence[Issue]) -> Answer:
    """Write the fault for a body of which not even the messageId could be read."""
    root = _receipt(str(derived_id("fault", hashlib.sha256(body).hexdigest())), "fault")
    _issues(root, issues)
    return _answer(root, http_status.of_unread(issues))


def status(news: News) -> bytes:
    """Write the receipt that tells of one event of one item."""
    root = _receipt(
        str(derived_id("news", str(news.line_id), str(news.seq))),
        "news",
        at=_moment(news.at),
        inReplyTo=news.control_id,
    )
    prescription = _element(
        root,
        "Prescription",
        id=str(news.prescription_id),
        shortId=news.prescription_number,
        groupNumber=news.group_number,
    )
    item = _element(
        prescription, "Item", id=str(news.line_id), orderNumber=news.order_number, assigner=news.order_assigner
    )
    _element(item, "Product", news.product_display, dmd=news.product_code)
    event = _element(
        item,
        "Event",
        name=news.event.value,
        state=news.state.value,
        at=_moment(news.at),
        provider=str(news.destination),
        reasonCode=news.reason_code,
    )
    if news.reason:
        _element(event, "Reason", news.reason)
    if news.amount:
        _element(event, "Supplied", value=news.amount, unit=news.unit)
    return _octets(root)


def _receipt(identity: str, outcome: str, **attributes: str) -> etree._Element:
    root = etree.Element(f"{{{NAMESPACE}}}Receipt", nsmap={None: NAMESPACE})  # type: ignore[dict-item]
    _set(root, schemaVersion="1.0", id=identity, status=outcome, **attributes)
    return root


def _prescription(root: etree._Element, order: OrderVerdict) -> None:
    node = _element(
        root,
        "Prescription",
        action=order.action.value,
        outcome=order.outcome.value,
        id=str(order.prescription_id or ""),
        shortId=order.prescription_number,
        cancel=order.cancel.value.lower() if order.cancel is not CancelState.NONE else "",
        hold=order.hold.value.lower() if order.hold is not HoldState.NONE else "",
    )
    for number in order.numbers:
        _element(node, "Item", orderNumber=number.trust_number, assigner=number.assigner)
    _issues(node, order.issues)


def _issues(parent: etree._Element, issues: Sequence[Issue]) -> None:
    for issue in issues[:MOST_ISSUES]:
        node = _element(parent, "Issue", code=issue.code, effect=issue.effect.value, location=issue.location)
        _set(node, page=f"/issues/{issue.code}")
        _element(node, "Text", issue.text)
        _element(node, "Advice", issue.row.advice)


def _element(parent: etree._Element, tag: str, text: str = "", /, **attributes: str) -> etree._Element:
    node = etree.SubElement(parent, f"{{{NAMESPACE}}}{tag}")
    node.text = _legal(text) or None
    _set(node, **attributes)
    return node


def _set(node: etree._Element, **attributes: str) -> None:
    for name, value in attributes.items():
        if value:
            node.set(name, _legal(value))


def _legal(text: str) -> str:
    """Replace what XML cannot carry at all; a provider's words may hold anything."""
    return _NOT_XML.sub("\ufffd", text)


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _octets(root: etree._Element) -> bytes:
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def _answer(root: etree._Element, code: int) -> Answer:
    return Answer(body=_octets(root), content_type=CONTENT_TYPE, http_status=code)
