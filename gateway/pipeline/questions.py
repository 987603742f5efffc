"""What a sender asks about orders it sent before: where they stand, and which number they were given. Pure.

A question moves nothing and makes no work: its answer is the whole of it. What is not known here is answered as not
known; another patient's order is not spoken of.

Source: mapping.md 2.3 and 4.1 (SS, SN and NA), 4.2.
"""

from collections.abc import Sequence

from gateway.domain.issue import Issue
from gateway.domain.submission import Action, Order, Standing
from gateway.pipeline.changes import find, is_under
from gateway.ports.acceptance import KnownLine

QUESTIONS = frozenset({Action.STATUS_QUERY, Action.NUMBER_REQUEST})


def answered(order: Order, known: Sequence[KnownLine]) -> tuple[tuple[Standing, ...], tuple[Issue, ...]]:
    """Look up each number that is asked about.

    Args:
        order: a question, with the numbers it names.
        known: every line that is known of what the message names.

    Returns:
        One standing for each number, and why the question is refused. A number cannot be told of an order that has
        not come: it is given when the order is taken.
    """
    found = find(order, known)
    if found.issues:
        return (), found.issues
    standings = tuple(
        Standing(
            number=number,
            state=line.state if line else None,
            prescription_number=str(line.prescription.number) if line and line.prescription else "",
        )
        for number in order.numbers
        for line in [next((line for line in found.lines if is_under(line, number)), None)]
    )
    if order.action is Action.STATUS_QUERY:
        return standings, ()
    text = "No order is known here under this number. A number is given when the order is taken."
    absent = [one.number.location for one in standings if one.number.trust_number and not one.prescription_number]
    return standings, tuple(Issue(code="ORDER_UNKNOWN", location=place, text=text) for place in absent)
