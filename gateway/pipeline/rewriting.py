"""An accepted order, written again for another provider: only the lines meant, and only what was not supplied. Pure.

The prescriber's words stay as they are. What was the earlier provider's own (its order numbers) is left out, and a
provider that the sender named stays visible as named. Every check is made anew, at the time it is written.

Source: mapping.md 10.2 (only the unsupplied issues; a new signature if the named provider was signed).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from gateway.destination import Rendered
from gateway.domain.issue import Effect
from gateway.domain.message import FhirMessage
from gateway.domain.partner import Provider
from gateway.domain.prescription import Line, Prescription
from gateway.domain.reroute import WrittenOrder
from gateway.domain.signature import PrescriberVerdict
from gateway.domain.submission import Action, Order
from gateway.domain.trace import TraceRow
from gateway.domain.validity import endings
from gateway.pipeline.signature import judge
from gateway.pipeline.surroundings import Surroundings
from gateway.translate.maps.rules import GATEWAY
from gateway.translate.to_fhir.message import write
from gateway.validate.check import check

_LINE: Final = re.compile(r"lines\[(\d+)\](.*)")
_UNSUPPLIED: Final = GATEWAY.named("REROUTE.unsupplied")
_DELIVERIES: Final = GATEWAY.named("REROUTE.deliveries")
_EPS_FORM: Final = "xmldsig-eps"
"""The one form of signature that covers named elements of an order rather than all the bytes that were sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewritten:
    """A message for another provider that may be sealed."""

    prescription: Prescription = field(repr=False)
    message: FhirMessage
    epoch: int
    rendered: Rendered | None = None
    signature: PrescriberVerdict | None = None


def rewrite(
    written: WrittenOrder,
    *,
    left: Mapping[UUID, int],
    provider: Provider,
    epoch: int,
    now: datetime,
    around: Surroundings,
) -> Rewritten | tuple[str, ...]:
    """Write an accepted order again.

    Args:
        written: the order as it was accepted.
        left: the lines meant, each with how many of its supplies were not made; at least one each.
        provider: the one that is to have them.
        epoch: of the new allocation.
        now: aware; the order must still be valid.
        around: configuration, tables and adapters in force.

    Returns:
        What may be sealed; or every reason why a person must see to it.
    """
    original = written.prescription
    if original is None or not left.keys() <= {line.id for line in original.lines}:
        return ("the order was never completed",)
    prescription, trace = remainder(original, written.trace, left)
    reasons = _of_signature(original, prescription, left, provider)
    # supply of what is sent begins anew, so that the time in which one may begin must still run
    over = [ending.text for ending in endings(prescription, around.reference.products) if ending.moment < now]
    reasons = (*reasons, *(f"{text} A new one is needed." for text in over))
    if reasons:
        return reasons
    return _checked(replace(written, prescription=prescription, trace=trace), provider, epoch, now, around)


def remainder(
    original: Prescription, trace: tuple[TraceRow, ...], left: Mapping[UUID, int]
) -> tuple[Prescription, tuple[TraceRow, ...]]:
    """Give what is left of an order, with the trace that explains it."""
    kept = [(index, line) for index, line in enumerate(original.lines) if line.id in left]
    lines = tuple(_left_of(line, left[line.id]) for _, line in kept)
    places = {old: new for new, (old, _) in enumerate(kept)}
    rows = [moved for row in trace if (moved := _moved(row, places)) is not None]
    for new, (_, line) in enumerate(kept):
        if left[line.id] < line.total_supplies:
            target = f"lines[{new}].total_supplies"
            rows = [row for row in rows if row.target != target]
            rows.append(_derived(target, _UNSUPPLIED.id, line.total_supplies, left[line.id]))
    prescription = replace(original, lines=lines)
    return _fewer_deliveries(prescription, [line for _, line in kept], rows)


def _left_of(line: Line, supplies: int) -> Line:
    """Give a line with the supplies that are left; a first supply that differs from the rest was the first."""
    first = line.first_supply if supplies == line.total_supplies else None
    return replace(line, total_supplies=supplies, first_supply=first, provider_order_number="")


def _fewer_deliveries(
    prescription: Prescription, before: list[Line], rows: list[TraceRow]
) -> tuple[Prescription, tuple[TraceRow, ...]]:
    """Lower the stated number of deliveries where it went with the supplies; else it stays as the sender said it."""
    delivery = prescription.homecare.delivery
    stated = delivery.total if delivery is not None else None
    made = {old.total_supplies - new.total_supplies for old, new in zip(before, prescription.lines, strict=True)}
    if delivery is None or stated is None or made == {0} or {old.total_supplies for old in before} != {stated}:
        return prescription, tuple(rows)
    if len(made) > 1:
        return prescription, tuple(rows)
    total = stated - made.pop()
    target = "homecare.delivery.total"
    rows = [row for row in rows if row.target != target]
    homecare = replace(prescription.homecare, delivery=replace(delivery, total=total))
    return replace(prescription, homecare=homecare), (*rows, _derived(target, _DELIVERIES.id, stated, total))


def _moved(row: TraceRow, places: Mapping[int, int]) -> TraceRow | None:
    """Give a trace row with the new place of its line; None where the line stays behind."""
    found = _LINE.fullmatch(row.target)
    if found is None:
        return row
    new = places.get(int(found[1]))
    return replace(row, target=f"lines[{new}]{found[2]}") if new is not None else None


def _derived(target: str, rule: str, before: int, after: int) -> TraceRow:
    return TraceRow(
        target=target, source="", rule=rule, transform="derive:unsupplied", raw=str(before), result=str(after)
    )


def _of_signature(
    original: Prescription, prescription: Prescription, left: Mapping[UUID, int], provider: Provider
) -> tuple[str, ...]:
    """Say whether the prescriber must sign anew."""
    signature = original.signature
    if signature is None:
        return ()
    if signature.format != _EPS_FORM:
        named = original.homecare.provider not in {None, provider.ods}
        return ("the prescriber signed for the named provider: a new signature is needed",) if named else ()
    less = len(prescription.lines) < len(original.lines) or any(
        left[line.id] < line.total_supplies for line in original.lines if line.id in left
    )
    return ("the prescriber signed the whole order: what is left of it needs a new signature",) if less else ()


def _checked(
    written: WrittenOrder, provider: Provider, epoch: int, now: datetime, around: Surroundings
) -> Rewritten | tuple[str, ...]:
    prescription, submission = written.prescription, written.submission
    if prescription is None:
        raise ValueError("there is nothing to write")
    order = Order(action=Action.NEW, numbers=(), prescription=prescription, trace=written.trace)
    message = write(
        prescription,
        submission=submission,
        envelope=written.envelope,
        trace=written.trace,
        provider=provider,
        environment=around.environment,
        organisation=around.organisation,
        reference_release=around.reference.release,
        epoch=epoch,
    )
    signature = judge(submission, prescription, message, around.evidence(), around.fhir_xml)
    destination = around.destinations[provider.ods]
    found = (
        *destination.cannot_carry(prescription),
        *check(
            order,
            prescription,
            message,
            trust=around.trusts[submission.tenant],
            reference=around.reference,
            now=now,
            fhir=around.fhir,
            signature=signature,
        ),
    )
    stops = dict.fromkeys(issue.code for issue in found if issue.effect is not Effect.WARN)
    if stops:
        return (f"it cannot be written for {provider.ods}: {', '.join(stops)}",)
    return Rewritten(
        prescription=prescription,
        message=message,
        epoch=epoch,
        rendered=destination.render(prescription, message.body),
        signature=signature,
    )
