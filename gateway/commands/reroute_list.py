"""What `gateway reroute` prints: each line with what would happen or did, and how many patients of whom that concerns.

No patient is named here. Each trust's own people see them in the console, and the list says where (DECISIONS 0071).
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from gateway.console.board.trouble import MOST, place
from gateway.console.pages import address
from gateway.domain.identifiers import OdsCode
from gateway.enquiries import Enquiries
from gateway.pipeline.reroute import LinePlan, Plan

_COLUMNS: Final = ("prescription", "line", "state", "from", "to", "what", "why")
_ANY: Final = "/console/prescriptions/PRESCRIPTION"
_PART: Final = 500
"""Prescriptions whose patients are in memory at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Concerned:
    """How many patients of one trust are concerned.

    Attributes:
        trust: its ODS code.
        patients: distinct NHS numbers; each of `unnumbered` counts as one more.
        unnumbered: prescriptions without an NHS number.
    """

    trust: str
    patients: int
    unnumbered: int
    prescriptions: int


async def concerned(enquiries: Enquiries, plans: Sequence[Plan]) -> tuple[Concerned, ...]:
    """Count the patients, trust by trust.

    Raises:
        Unavailable: the store cannot be read.
    """
    numbers: dict[OdsCode, list[str]] = {}
    for first in range(0, len(plans), _PART):
        held = [plan.held for plan in plans[first : first + _PART]]
        whose = await enquiries.whose([one.key for one in held], tenant=None)
        for one in held:
            numbers.setdefault(one.tenant, []).append(whose[one.key].nhs_number if one.key in whose else "")
    return tuple(_of_trust(trust, numbers[trust]) for trust in sorted(numbers, key=str))


def _of_trust(trust: OdsCode, numbers: Sequence[str]) -> Concerned:
    without = numbers.count("")
    distinct = len(set(numbers) - {""})
    return Concerned(trust=trust.value, patients=distinct + without, unnumbered=without, prescriptions=len(numbers))


def lines_as_json(plans: Sequence[Plan]) -> dict[str, object]:
    """Give what a plan says, or what came of it, as JSON has it."""
    return {"prescriptions": len(plans), "counts": _counts(plans), "lines": _rows(plans)}


def lines_as_text(plans: Sequence[Plan]) -> Iterator[str]:
    """Give a table, a row for each line, and the sum beneath it."""
    table = [_COLUMNS, *(tuple(str(row[name]) for name in _COLUMNS) for row in _rows(plans))]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for cells in table:
        yield "  ".join(f"{cell:{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()
    told = ", ".join(f"{number} {what}" for what, number in sorted(_counts(plans).items()))
    yield f"{_of(len(plans), 'prescription')}: {told}"


def affected_as_json(found: Sequence[Concerned], provider: OdsCode | None) -> dict[str, object]:
    """Give who is affected by what a dry run found, and where their own trusts see who they are."""
    names = {"provider": place(provider), "file": f"{place(provider)}.csv"} if provider is not None else {}
    return {"patients": [asdict(one) for one in found], "named_at": names | {"prescription": _ANY}}


def affected_as_text(found: Sequence[Concerned], provider: OdsCode | None) -> Iterator[str]:
    """Give the same in words.

    Args:
        found: of every trust that has lines among them.
        provider: that had all of them, where the console has a page of it; None otherwise.
    """
    for one in found:
        without = f" ({one.unnumbered} without an NHS number, each counted as one)" if one.unnumbered else ""
        yield f"{one.trust}: {_of(one.patients, 'patient')}{without}, {_of(one.prescriptions, 'prescription')}"
    yield "No patient is named here. The homecare and chief pharmacists of a trust see in the console who its own are:"
    if provider is not None:
        yield f"  {place(provider)}  the oldest {MOST} prescriptions that may go to another provider"
        yield f"  {place(provider)}.csv  every one that is open with it, as a file"
    yield f"  {_ANY}  any one of them"


def _of(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"


def _counts(plans: Sequence[Plan]) -> Counter[str]:
    return Counter(line.act.value for plan in plans for line in plan.lines)


def _rows(plans: Sequence[Plan]) -> list[dict[str, str | int]]:
    return [_row(plan, line) for plan in plans for line in plan.lines]


def _row(plan: Plan, one: LinePlan) -> dict[str, str | int]:
    holding, under_way = one.line.holding, one.line.reroute
    to = plan.to if under_way is None else under_way.wanted.to
    return {
        "prescription": str(plan.held.prescription_id),
        "page": address(plan.held.prescription_id),
        "number": plan.held.number,
        "trust": plan.held.tenant.value,
        "line": str(one.line.line_id),
        "order": one.line.order_number,
        "state": holding.state.value,
        "epoch": holding.epoch,
        "left": holding.left,
        "from": holding.provider.value if holding.provider else "",
        "to": to.value if to else "",
        "what": one.act.value,
        "why": one.why,
    }
