"""What a provider says in HL7 v2, tied to the lines it speaks of. Pure.

A report names the trust's order number. It is tied to a line only where exactly one line under that number was sent to
this very provider, for this patient, this product and in this unit; the store then binds it as any other answer, by
message, provider and epoch (I11). An answer names its message itself, so that only its lines have to be found. What
cannot be tied is kept, shown and alerted, and moves nothing.

Source: mapping.md 9.3; reliability-security.md I11.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from gateway.domain.acknowledgement import Acknowledgement, LineReport
from gateway.domain.coding import dmd_unit
from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import Issue, held, of_the_envelope, refused
from gateway.domain.lifecycle import TERMINAL, LineEvent, LineState
from gateway.domain.partner import SignaturePolicy, Trust
from gateway.domain.prescription import Line
from gateway.domain.submission import Action, OrderNumber, OrderVerdict, Outcome, Submission, Verdict
from gateway.pipeline.surroundings import Surroundings
from gateway.ports.acceptance import KnownLine
from gateway.translate.context import ReadingContext
from gateway.translate.from_hl7v2.replies import Replied
from gateway.translate.from_hl7v2.report import Report, Supplied, read_report

_NOT_ONE = "No line that was sent to you, or more than one, has this order number."
_WITHOUT_AMOUNT = frozenset({LineEvent.NOT_SUPPLIED, LineEvent.SUPPLY_WITHDRAWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Tied:
    """One thing that was said, with the line it speaks of.

    Attributes:
        line: None where it could not be tied; `issues` then say why.
        answer: what the store is given; without a correlation where it could not be tied.
    """

    supplied: Supplied | Replied
    answer: Acknowledgement
    line: KnownLine | None = None
    issues: tuple[Issue, ...] = ()


def is_provider(ods: OdsCode, around: Surroundings) -> bool:
    """Tell whether a sender is a provider, who reports, and not a trust, which orders."""
    return ods in around.routing.providers and ods not in around.trusts


def read(submission: Submission, around: Surroundings) -> Report:
    """Read a report.

    Raises:
        Refusal: not even the envelope can be read.
    """
    provider = around.routing.providers[submission.tenant]
    # The reader knows its sender as the partner that MSH-4 must name.
    sender = Trust(
        ods=provider.ods,
        name=provider.name,
        environment=provider.environment,
        signature_policy=SignaturePolicy.TRUST_ATTESTED,
    )
    context = ReadingContext(
        trust=sender,
        reference=around.reference,
        environment=around.environment,
        receiver_names=around.receiver_names,
    )
    return read_report(submission, context)


def faulty(report: Report) -> bool:
    """Tell whether the report is refused whole: half a report is not followed, and nothing of it is held."""
    return refused(report.issues) or held(report.issues) or not report.said


def tie(report: Report, supplied: Supplied | Replied, known: Sequence[KnownLine]) -> Tied:
    """Tie one thing that a report or an answer says to a line.

    Args:
        report: as read, without a fault.
        supplied: one of its supplies, or of what it replies.
        known: the lines under its order number that are or were the provider's, as they stand after the supplies before
            it: of two for one line the second may be the balance of the first.
    """
    if isinstance(supplied, Replied):
        return _tie_reply(supplied, known)
    return _tie(supplied, known, report.envelope.control_id)


def verdict(report: Report, orders: Sequence[tuple[Tied, tuple[Issue, ...]]]) -> Verdict:
    """Give what the provider is told.

    Args:
        report: as read.
        orders: each supply with what kept it from moving its line, if anything did.
    """
    issues = (*report.issues, *(issue for _, found in orders for issue in found))
    told = tuple(
        OrderVerdict(
            outcome=Outcome.REFUSED if found else Outcome.TRANSLATED,
            action=Action.NEW,
            numbers=(tied.supplied.number,),
            issues=found,
        )
        for tied, found in orders
    )
    wrong = refused(issues) or held(issues) or not orders
    return Verdict(
        outcome=Outcome.REFUSED if wrong else Outcome.TRANSLATED,
        issues=tuple(dict.fromkeys(issues)),
        orders=told,
        stored=not of_the_envelope(report.issues),
    )


def unbound(supplied: Supplied | Replied, text: str) -> Issue:
    """Give the issue of a supply that moved nothing."""
    return Issue(code="REPORT_UNBOUND", location=supplied.location, text=text)


def _tie(supplied: Supplied, known: Sequence[KnownLine], control_id: str) -> Tied:
    known_line = _named(supplied.number, known)
    line = _line(known_line) if known_line else None
    wrong = _contradiction(supplied, known_line, line) if known_line and line else _NOT_ONE
    if wrong or known_line is None or line is None:
        return _untied(supplied, control_id, wrong)
    event = _event(supplied, known_line, line)
    if event is None:
        return _untied(supplied, control_id, "RXD-33 says a part, and RXD-4 is all that was ordered or more.")
    if event is LineEvent.SUPPLY_WITHDRAWN:
        return Tied(supplied=supplied, answer=_taking_back(supplied), line=known_line)
    answer = Acknowledgement(
        id=supplied.id,
        correlation=known_line.message_id,
        reports=(_report(supplied, known_line, line, event),),
        at=supplied.at,
    )
    return Tied(supplied=supplied, answer=answer, line=known_line)


def _tie_reply(replied: Replied, known: Sequence[KnownLine]) -> Tied:
    """Tie what an answer says to the line of its order number; of a whole message it says it of every line."""
    of_all = not replied.number.trust_number
    line = None if of_all else _named(replied.number, known)
    wrong = _NOT_ONE if line is None and not of_all else ""
    if line is not None and replied.nhs_number not in {"", line.nhs_number}:
        wrong = "The order is for another patient."
    report = LineReport(
        line_id=line.line_id if line else None,
        event=replied.event,
        reason_code=replied.reason_code,
        reason=replied.reason,
        supplied_at=replied.day,
    )
    correlation = replied.correlation or (line.message_id if line else None)
    answer = Acknowledgement(
        id=replied.id if not wrong else f"{replied.id}/untied",
        correlation=correlation if not wrong else None,
        reports=(report,),
        nhs_number=replied.nhs_number if not wrong else "",
    )
    return Tied(
        supplied=replied,
        answer=answer,
        line=line if not wrong else None,
        issues=(unbound(replied, wrong),) if wrong else (),
    )


def _taking_back(supplied: Supplied) -> Acknowledgement:
    """Give what takes the report of the same name back; what that one did our own history says."""
    report = LineReport(line_id=None, event=LineEvent.SUPPLY_WITHDRAWN, reason=supplied.note)
    return Acknowledgement(
        id=f"{supplied.id}/back",
        correlation=None,
        reports=(report,),
        at=supplied.at,
        replaces=supplied.id,
        nhs_number=supplied.nhs_number,
    )


def _untied(supplied: Supplied, control_id: str, why: str) -> Tied:
    # Not under the supply's own name, which the corrected report must be free to bear.
    name = f"RDS/untied/{control_id}/{supplied.location}"
    report = LineReport(line_id=None, event=supplied.event, amount=supplied.amount, unit=supplied.unit)
    answer = Acknowledgement(id=name, correlation=None, reports=(report,), at=supplied.at)
    return Tied(supplied=supplied, answer=answer, issues=(unbound(supplied, why),))


def _named(number: OrderNumber, known: Sequence[KnownLine]) -> KnownLine | None:
    """Give the one line under an order number; one that is at its end only where no other bears it."""
    same = [line for line in known if _is_named(number, line)]
    chosen = [line for line in same if line.state not in TERMINAL] or same
    return chosen[0] if len(chosen) == 1 else None


def _is_named(number: OrderNumber, line: KnownLine) -> bool:
    stated = _line(line)
    assigners = {"", number.assigner} if number.assigner else {stated.order_assigner if stated else ""}
    return line.order_number == number.trust_number and stated is not None and stated.order_assigner in assigners


def _line(known: KnownLine) -> Line | None:
    lines = known.prescription.lines if known.prescription else ()
    return next((line for line in lines if line.id == known.line_id), None)


def _contradiction(supplied: Supplied, known: KnownLine, line: Line) -> str:
    """Say what in the report is not the line's, in words; empty where all of it is."""
    if supplied.nhs_number != known.nhs_number:
        return "The order is for another patient."
    if supplied.ordered_code and supplied.ordered_code != line.product.code.value:
        return "RXE-2 is not the product that was ordered."
    if supplied.event not in _WITHOUT_AMOUNT and dmd_unit(supplied.unit_code) != dmd_unit(line.quantity.unit.code):
        return "RXD-5 is not the unit of the order, so the amounts cannot be compared."
    return ""


def _event(supplied: Supplied, known: KnownLine, line: Line) -> LineEvent | None:
    """Tell full, part and balance apart by the amount ordered; None where type and amount contradict each other."""
    ordered = _ordered(line, known)
    part = supplied.event is LineEvent.SUPPLY_SHORT
    if supplied.event in _WITHOUT_AMOUNT:
        return supplied.event
    if part and supplied.amount >= ordered:
        return None
    another = supplied.supplies_left is not None and supplied.amount >= ordered  # whole and numbered: no rest
    if known.state is LineState.PART_SUPPLIED and not (part or another) and supplied.event is not LineEvent.DISPATCHED:
        return LineEvent.BALANCE_SUPPLIED
    return LineEvent.SUPPLY_SHORT if part or supplied.amount < ordered else supplied.event


def _ordered(line: Line, known: KnownLine) -> Decimal:
    """Give what one supply should be: the first may differ, and while nothing is supplied either may come."""
    first = line.first_supply.quantity if line.first_supply else None
    same_unit = first is not None and first.unit.code == line.quantity.unit.code
    starting = known.state not in {LineState.IN_SUPPLY, LineState.PART_SUPPLIED}
    return first.value if first and same_unit and starting else line.quantity.value


def _report(supplied: Supplied, known: KnownLine, line: Line, event: LineEvent) -> LineReport:
    other = supplied.product_code not in {"", line.product.code.value}
    product = f"supplied as {supplied.product_code} {supplied.product_display}".strip() if other else ""
    return LineReport(
        line_id=known.line_id,
        event=event,
        reason="; ".join(filter(None, (supplied.note, product))),
        amount=supplied.amount or None,
        unit=line.quantity.unit.display or supplied.unit,
        batch=supplied.batch,
        expiry=supplied.expiry,
        supplied_at=supplied.at,
        supplies_left=supplied.supplies_left if supplied.number.order_control != "UF" else None,
    )
