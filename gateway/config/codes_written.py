"""Entries that were approved at the console, written as a trust's file has them: `[[codes]]`, to be kept or moved.

Source: brief D12 (TOML files import and export them; approved entries are audited rows).
"""

import json
from collections.abc import Iterable, Iterator
from zoneinfo import ZoneInfo

from gateway.domain.code_map import ApprovedEntry

_LONDON = ZoneInfo("Europe/London")


def codes_as_toml(entries: Iterable[ApprovedEntry]) -> str:
    """Write entries for a trust's file; read back by `gateway.config.trust_maps` they say the same.

    Args:
        entries: of one trust, in order.
    """
    return "\n".join(line for one in entries for line in _entry(one))


def _entry(one: ApprovedEntry) -> Iterator[str]:
    entry, to = one.entry, one.entry.target
    yield f"# Entry {entry.version}, approved at the console."
    yield "[[codes]]"
    yield f"kind = {_text(entry.kind)}"
    yield f"code = {_text(entry.code)}"
    for name, value in (("text", entry.text), ("system", entry.system)):
        if value:
            yield f"{name} = {_text(value)}"
    target = (("system", to.system), ("code", to.code), ("display", to.display))
    yield f"target = {{ {', '.join(f'{name} = {_text(value)}' for name, value in target)} }}"
    yield f"approved_by = [{', '.join(_text(name) for name in entry.approved_by)}]"
    yield f"valid_from = {one.approved_at.astimezone(_LONDON).date().isoformat()}"
    yield ""


def _text(value: str) -> str:
    """Write a basic string: what JSON escapes, TOML reads back, but for the one character that it may not hold bare."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
