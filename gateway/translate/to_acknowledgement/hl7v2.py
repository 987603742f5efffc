"""What a trust that speaks HL7 v2 is told: the answer, the answer to what cannot be read, and later news.

In original mode (MSH-15 and MSH-16 empty) the answer is the application's. In enhanced mode it is the commit
acknowledgement, and the application's answer follows on a connection of ours.

Source: brief D10; mapping.md 4.1, 9.1 and 9.3.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from gateway.domain.cancel import CancelState
from gateway.domain.hold import HoldState
from gateway.domain.identifiers import derived_id
from gateway.domain.issue import Issue
from gateway.domain.labels import LABELS
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.domain.submission import Action, Answer, Envelope, OrderVerdict, Outcome, Standing, Submission, Verdict
from gateway.ports.work import News
from gateway.translate.to_acknowledgement.hl7v2_parts import (
    Line,
    Request,
    acknowledgement,
    header,
    request_of,
    written,
)

CONTENT_TYPE = "application/hl7-v2+er7"

_RESPONSES = {
    "RDE^O11": ("RRE", "O12", "RRE_O12"),
    "RDE^O01": ("RRE", "O02", "RRE_O02"),
    "RDE^O25": ("RRE", "O26", "RRE_O12"),
    "OMP^O09": ("ORP", "O10", "ORP_O10"),
    "ORM^O01": ("ORR", "O02", "ORR_O02"),
}
_DONE_OR_NOT = {
    "NW": ("OK", "UA"),
    "XO": ("XR", "UX"),
    "RP": ("RQ", "UM"),
    "RO": ("RQ", "UM"),
    "CA": ("CR", "UC"),
    "DC": ("DR", "UD"),
    "HD": ("HR", "UH"),
    "RL": ("OR", "UR"),
    "RF": ("OK", "UA"),
    "SS": ("SR", "UA"),
    "SN": ("NA", "UA"),
    "NA": ("NA", "UA"),
}
"""HL7 table 0119: the answers to each order control code, done and not done. A renewal that is asked for (RF) is
neither approved (AF) nor denied (DF) by being taken."""

_STATUS = {Outcome.TRANSLATED: "SC", Outcome.HELD: "HD", Outcome.DUPLICATE: "SC", Outcome.TASK: "IP"}
"""HL7 table 0038 for ORC-5."""

_CANCEL_STATUS = {
    CancelState.TOMBSTONE: "ER",
    CancelState.ASKED: "IP",
    CancelState.PENDING: "IP",
    CancelState.TOO_LATE: "CM",
}
"""ORC-5 beside UC or UD: why the cancel is not done (mapping.md 9.3)."""

_HOLD_STATUS = {
    (Action.HOLD, HoldState.CONFIRMED): "HD",
    (Action.HOLD, HoldState.ASKED): "IP",
    (Action.RELEASE, HoldState.CONFIRMED): "SC",
    (Action.RELEASE, HoldState.ASKED): "HD",
}
"""ORC-5 beside HR or UH, OR or UR: what a release that is only asked has left is an order on hold."""

_STANDING = {
    LineState.HELD: "HD",
    LineState.ON_HOLD: "HD",
    LineState.QUERIED: "HD",
    LineState.UNDELIVERABLE: "HD",
    LineState.REJECTED: "HD",
    LineState.RETURNED: "HD",
    LineState.SENT: "IP",
    LineState.UNCERTAIN: "IP",
    LineState.WITH_PROVIDER: "IP",
    LineState.IN_SUPPLY: "IP",
    LineState.PART_SUPPLIED: "IP",
    LineState.FULFILLED: "CM",
    LineState.CANCELLED: "CA",
    LineState.SUPERSEDED: "RP",
    LineState.EXPIRED: "DC",
    LineState.CLOSED: "",
    None: "ER",
}
"""ORC-5 beside SR; any other state is SC. What waits for the trust is on hold. CLOSED says nothing of whether it was
supplied, so no code of the table is claimed for it. ORC-25 says every state in our own words."""

_NEWS = {
    LineEvent.ARRIVED: ("SC", "IP"),
    LineEvent.ACCEPTED: ("OK", "SC"),
    LineEvent.VALIDATED: ("SC", "SC"),
    LineEvent.QUERIED: ("SC", "HD"),
    LineEvent.REJECTED: ("UA", ""),
    LineEvent.REFUSED_FORMAT: ("UA", ""),
    LineEvent.RETURNED: ("OC", ""),
    LineEvent.NOT_SUPPLIED: ("UF", ""),
    LineEvent.HOLD_CONFIRMED: ("OH", "HD"),
    LineEvent.HOLD_REFUSED: ("UH", "IP"),
    LineEvent.RELEASE_CONFIRMED: ("OR", "SC"),
    LineEvent.RELEASE_REFUSED: ("UR", "HD"),
    LineEvent.CANCEL_CONFIRMED: ("CR", "CA"),
    LineEvent.CANCEL_TOO_LATE: ("UC", "CM"),
    LineEvent.CANCEL_PENDING: ("UC", "IP"),
    LineEvent.CANCEL_UNKNOWN: ("UC", "ER"),
    LineEvent.DISPENSED: ("RE", "IP"),
    LineEvent.DISPATCHED: ("RE", "IP"),
    LineEvent.DELIVERED: ("RE", "IP"),
    LineEvent.LAST_DELIVERED: ("RE", "CM"),
    LineEvent.SUPPLY_SHORT: ("RE", "IP"),
    LineEvent.BALANCE_SUPPLIED: ("RE", "IP"),
}
"""ORC-1 and ORC-5 for each event; any other event is told as a status, SC."""

_BAD_REQUEST, _CONFLICT, _UNPROCESSABLE, _UNAVAILABLE, _OK = 400, 409, 422, 503, 200


def answer(submission: Submission, envelope: Envelope, verdict: Verdict) -> Answer:
    """Give the answer to a message that could be read.

    Args:
        submission: for its own header, and the time of receipt.
        envelope: says which acknowledgement mode was asked for.
        verdict: what became of it.

    Returns:
        In enhanced mode the commit acknowledgement, empty where MSH-15 wants none, with the application's answer as
        `later` where MSH-16 wants one.
    """
    request = request_of(submission.body)
    if not envelope.enhanced:
        body = _application(submission, request, verdict, ("", ""))
        return Answer(body=body, content_type=CONTENT_TYPE, http_status=_http_status(verdict))
    negative = not verdict.stored
    commit = _commit(submission, request, verdict) if _wanted(envelope.accept_ack, failed=negative) else b""
    failed = verdict.application != "AA"
    later = None
    if verdict.stored and _wanted(envelope.application_ack, failed=failed):
        later = _application(submission, request, verdict, ("AL", "NE"))
    status = _http_status(verdict) if negative else _OK
    return Answer(body=commit, content_type=CONTENT_TYPE, http_status=status, later=later)


def answer_report(submission: Submission, envelope: Envelope, verdict: Verdict) -> Answer:
    """Give the answer to a provider's report of supplies.

    A provider has no listener here to which an application answer could follow. In enhanced mode the one answer is
    therefore CA only where the report was followed, and CR, with the reason, where nothing moved: a positive answer to
    a report that a person must look into would pretend.

    Args:
        submission: for its own header, and the time of receipt.
        envelope: says which acknowledgement mode was asked for.
        verdict: what became of it.
    """
    request = request_of(submission.body)
    if not envelope.enhanced:
        body = _application(submission, request, verdict, ("", ""))
        return Answer(body=body, content_type=CONTENT_TYPE, http_status=_http_status(verdict))
    followed = verdict.outcome is not Outcome.REFUSED
    control_id = _control_id("commit", str(submission.id))
    msh = header(request, at=_time(submission.received_at), type_=_plain(request), control_id=control_id)
    segments = [msh, *acknowledgement(request, "CA" if followed else "CR", verdict.issues)]
    commit = written(segments, request.charset) if _wanted(envelope.accept_ack, failed=not followed) else b""
    return Answer(body=commit, content_type=CONTENT_TYPE, http_status=_http_status(verdict))


def unreadable(body: bytes, issues: Sequence[Issue]) -> Answer:
    """Give the answer to bytes that are no message, with whatever of their MSH is legible."""
    request = request_of(body)
    control_id = _control_id("unreadable", request.control_id, *(issue.code for issue in issues))
    type_ = _plain(request)
    msh = header(request, at=request.sent, type_=type_, control_id=control_id)
    away = any(issue.code == "NOT_STORED" for issue in issues)
    code = ("CE" if away else "CR") if request.enhanced else "AR"
    octets = written([msh, *acknowledgement(request, code, issues)], request.charset)
    return Answer(body=octets, content_type=CONTENT_TYPE, http_status=_BAD_REQUEST)


def status(news: News) -> bytes:
    """Give the message that tells a trust of one event of one line.

    A supply with its amount is an RDS; everything else an OMP. Versions before 2.4 know neither by that name and get
    RDS^O01 and ORM^O01. Which of several supplies is meant an RDS says by RXD-1 and RXD-8, and the note in words;
    the rest of a supply bears its number.

    Source:
        HL7 v2.5.1 chapter 4: RXD-1 (1 the first time that the order is dispensed, and one more with each issuance),
        RXD-8 (refills that remain), RXD-33 with table 0484 (P and Q, a part of the first or of a later fill).
    """
    request = request_of(news.submission.body)
    control, order_status = _codes(news)
    supply = control == "RE" and bool(news.amount)
    msh = header(
        request,
        at=_time(news.at),
        type_=_news_type(request, supply=supply),
        control_id=f"HCG{news.seq:017d}",
        reply=("AL", "NE") if request.enhanced else ("", ""),
    )
    pid: Line = ("PID", "1", "", (news.nhs_number, "", "", "NHS", "NH"))
    placer = (news.order_number, news.order_assigner)
    reason = (news.reason_code, news.reason) if news.reason_code or news.reason else ""
    orc: Line = (
        "ORC",
        control,
        placer,
        "",
        (news.group_number, ""),
        order_status,
        *("", "", ""),
        _time(news.at),
        *("", "", "", "", "", ""),
        reason,
    )
    return written([msh, pid, orc, *_about(news, supply=supply)], request.charset)


def _codes(news: News) -> tuple[str, str]:
    """Give ORC-1 and ORC-5. UF says that the order is not filled: not said of one supply where the order stands."""
    if _is_of_one_supply(news):
        return "SC", _STANDING.get(news.state, "SC")
    return _NEWS.get(news.event, ("SC", ""))


def _is_of_one_supply(news: News) -> bool:
    return news.event is LineEvent.NOT_SUPPLIED and news.state is not LineState.RETURNED


def _about(news: News, *, supply: bool) -> list[Line]:
    product = (news.product_code, news.product_display, "SCT")
    words = "One of its supplies will not be made; the order stands. " if _is_of_one_supply(news) else ""
    which = f"Supply {news.issue} of {news.total}. " if news.issue and news.total > 1 else ""
    note: Line = ("NTE", "1", "", f"{words}{LABELS[news.state]}. {which}Prescription {news.prescription_number}.")
    return [_dispense(news, product) if supply else ("RXO", product), note]


def _dispense(news: News, product: tuple[str, ...]) -> Line:
    """Write the RXD. Of a supply whose number is not known nothing is said but that it is one."""
    issue, unit = str(news.issue or 1), ("", news.unit)
    left = str(max(news.total - news.issue, 0)) if news.issue else ""
    rxd = ("RXD", issue, product, _time(news.at), news.amount, unit, "", news.order_number, left)
    if news.event is not LineEvent.SUPPLY_SHORT or not news.issue:
        return rxd
    return (*rxd, *[""] * 24, "P" if news.issue == 1 else "Q")


def _news_type(request: Request, *, supply: bool) -> tuple[str, ...]:
    if request.version.startswith(("2.1", "2.2", "2.3")):
        return ("RDS", "O01") if supply else ("ORM", "O01")
    return _as_asked(request, ("RDS", "O13", "RDS_O13") if supply else ("OMP", "O09", "OMP_O09"))


def _application(submission: Submission, request: Request, verdict: Verdict, reply: tuple[str, str]) -> bytes:
    kind = _RESPONSES.get("^".join(request.type[:2]))
    type_ = _as_asked(request, kind) if kind else _plain(request)
    control_id = _control_id("application", str(submission.id))
    msh = header(request, at=_time(submission.received_at), type_=type_, control_id=control_id, reply=reply)
    orders = [line for order in verdict.orders for line in _order_lines(order)] if kind else []
    return written([msh, *acknowledgement(request, verdict.application, verdict.issues), *orders], request.charset)


def _plain(request: Request) -> tuple[str, ...]:
    """Give the type of a plain acknowledgement."""
    return _as_asked(request, ("ACK", *request.type[1:2], "ACK")) if request.type[1:2] else ("ACK",)


def _as_asked(request: Request, type_: tuple[str, ...]) -> tuple[str, ...]:
    """State the structure, MSH-9.3, only to a sender that states its own."""
    return type_ if len(request.type) > 2 else type_[:2]  # noqa: PLR2004 - MSH-9.3


def _order_lines(order: OrderVerdict) -> list[Line]:
    """Write one ORC for each order: done or not, and its status. A cancel or hold that is only asked is not done."""
    if order.standings:
        return [_standing(order.action, one) for one in order.standings]
    refused = order.outcome is Outcome.REFUSED
    undone = order.cancel not in {CancelState.NONE, CancelState.CONFIRMED}
    undone = undone or order.hold not in {HoldState.NONE, HoldState.CONFIRMED}
    status = _CANCEL_STATUS.get(order.cancel, "") if undone else _STATUS.get(order.outcome, "")
    status = _HOLD_STATUS.get((order.action, order.hold), status)
    if order.action is Action.CANCEL and order.cancel is CancelState.CONFIRMED:
        status = "CA"
    return [
        (
            "ORC",
            _DONE_OR_NOT.get(number.order_control, ("OK", "UA"))[refused or undone],
            (number.trust_number, number.assigner),
            "",
            "",
            status if not refused or undone else "",
        )
        for number in order.numbers
    ]


def _standing(action: Action, asked: Standing) -> Line:
    """Write the ORC that answers a question: where the order stands (SR), or which number it was given (NA)."""
    number = asked.number
    placer, group = (number.trust_number, number.assigner), (asked.prescription_number, "")
    if action is Action.NUMBER_REQUEST:
        return ("ORC", "NA", placer, "", group)
    state = asked.state
    words = (state.value, LABELS[state], "99HCG") if state else ""
    return ("ORC", "SR", placer, "", group, _STANDING.get(state, "SC"), *[""] * 19, words)


def _commit(submission: Submission, request: Request, verdict: Verdict) -> bytes:
    type_ = _plain(request)
    control_id = _control_id("commit", str(submission.id))
    msh = header(request, at=_time(submission.received_at), type_=type_, control_id=control_id)
    issues = () if verdict.stored else verdict.issues
    return written([msh, *acknowledgement(request, verdict.commit, issues)], request.charset)


def _wanted(condition: str, *, failed: bool) -> bool:
    """HL7 table 0155: always, never, on error, on success. Said nothing of, an answer is always wanted."""
    return {"NE": False, "ER": failed, "SU": not failed}.get(condition, True)


def _http_status(verdict: Verdict) -> int:
    codes = {issue.code for issue in verdict.issues}
    if verdict.application == "AA":
        return _OK
    if "NOT_STORED" in codes:
        return _UNAVAILABLE
    if "CONTROL_ID_REUSED" in codes:
        return _CONFLICT
    return _BAD_REQUEST if not verdict.stored else _UNPROCESSABLE


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%d%H%M%S%z")


def _control_id(*parts: str) -> str:
    """Derive MSH-10, in the 20 characters that 2.3 allows."""
    return derived_id("answer", *parts).hex[:20].upper()
