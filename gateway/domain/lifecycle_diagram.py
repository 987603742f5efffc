"""The lifecycle table drawn as a Mermaid state diagram, so that law, code and picture cannot disagree."""

from collections import defaultdict

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
