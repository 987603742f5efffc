"""The lifecycle tables drawn as Mermaid state diagrams, so that law, code and picture cannot disagree."""

from collections import defaultdict

from gateway.domain.delivery import DELIVERY_TABLE, ENDED, DeliveryEvent, DeliveryState
from gateway.domain.lifecycle import BEFORE, LINE_TABLE, TERMINAL, LineEvent, LineState

_FROM_ANY = {LineEvent.REPLACED, LineEvent.VALIDITY_OVER, LineEvent.CANCEL_CONFIRMED}
"""Rows that start in nearly every state; drawn as a note, or the picture would be all arrows."""


def diagram() -> str:
    """Give the Mermaid source of the line's lifecycle."""
    arrows: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in LINE_TABLE:
        if row.event in _FROM_ANY:
            continue
        target = "before" if row.to == BEFORE else str(row.to)
        for state in LineState:
            if state in row.states and str(state) != target:
                arrows[state.value, target].append(row.event.value)
    lines = ["stateDiagram-v2", "    [*] --> RECEIVED: durable commit of bytes"]
    for (source, target), events in arrows.items():
        if target != "before":
            lines.append(f"    {source} --> {target}: {', '.join(dict.fromkeys(events))}")
    lines += [f"    {state} --> [*]" for state in LineState if state in TERMINAL]
    return "\n".join(lines) + "\n"


_ENDS_EARLY = {DeliveryEvent.LINE_ENDED, DeliveryEvent.RESCUED}
"""Rows that start in every state before the medicine has left, or in nearly every state."""


def delivery_diagram() -> str:
    """Give the Mermaid source of a delivery's lifecycle."""
    arrows: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in DELIVERY_TABLE:
        if row.event in _ENDS_EARLY or row.to == BEFORE:
            continue
        for state in DeliveryState:
            if state in row.states and state != row.to:
                arrows[state.value, str(row.to)].append(row.event.value)
    lines = ["stateDiagram-v2", "    [*] --> PLANNED: accepted"]
    lines += [f"    {source} --> {target}: {', '.join(events)}" for (source, target), events in arrows.items()]
    lines += [f"    {state} --> [*]" for state in DeliveryState if state in ENDED | {DeliveryState.DELIVERED}]
    return "\n".join(lines) + "\n"
