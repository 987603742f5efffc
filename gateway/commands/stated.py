"""Lists that parties give us: JSON lines, or CSV with a heading; read strictly, every fault with its line.

A provider's holdings: `line`, `epoch`, `state`, and if it likes `prescription`. A party's day: `id`, and if it likes
`epoch`, `digest`, `state`. What a trust was told is held: the same, of which `id` and `digest` count. What it was told
of its lines: `line`, `state`. A list that is half understood would hide what it exists to find, so it is refused whole.
"""

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gateway.domain.books import Listed
from gateway.domain.errors import ConfigurationError
from gateway.domain.identifiers import parse_uuid
from gateway.domain.lifecycle import LineState
from gateway.domain.reconciliation import ACTS, STANCES, StatedHolding

_HOLDING: Final = (frozenset({"line", "epoch", "state"}), frozenset({"prescription"}))
_LISTED: Final = (frozenset({"id"}), frozenset({"epoch", "digest", "state"}))
_TOLD: Final = (frozenset({"line", "state"}), frozenset[str]())
_STATES: Final = {state.value: state for state in STANCES}
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_MOST_FAULTS: Final = 20
_EPOCH: Final = re.compile(r"[0-9]{1,9}")

Row = dict[str, str]


def read_holdings(file: Path) -> tuple[StatedHolding, ...]:
    """Read what a provider states that it holds.

    Raises:
        ConfigurationError: the file cannot be read, or is not such a list; every fault with its line.
    """
    faults: list[str] = []
    found: dict[tuple[str, int], StatedHolding] = {}
    for number, row in _rows(file, _HOLDING):
        holding = _holding(row)
        if isinstance(holding, str):
            faults.append(f"{file}:{number}: {holding}")
        elif found.setdefault((str(holding.line_id), holding.epoch), holding) is not holding:
            faults.append(f"{file}:{number}: this line and epoch are stated before")
    _refuse(faults)
    return tuple(found.values())


def read_list(file: Path) -> tuple[Listed, ...]:
    """Read a party's list of one day.

    Raises:
        ConfigurationError: the file cannot be read, or is not such a list; every fault with its line.
    """
    faults: list[str] = []
    found: dict[tuple[str, int], Listed] = {}
    for number, row in _rows(file, _LISTED):
        epoch = row.get("epoch", "") or "0"
        if not row["id"] or not _EPOCH.fullmatch(epoch):
            faults.append(f"{file}:{number}: give an id, and an epoch of at most nine digits where there is one")
            continue
        listed = Listed(id=row["id"], epoch=int(epoch), digest=row.get("digest", ""), state=row.get("state", ""))
        if found.setdefault(listed.key, listed) is not listed:
            faults.append(f"{file}:{number}: this id is listed before")
    _refuse(faults)
    return tuple(found.values())


def read_messages(file: Path) -> dict[str, frozenset[str]]:
    """Read the control ids under which a trust was told that something is held, each with the SHA-256 of what bore it.

    After a restore an id may have been taken twice, before and since, for two messages: a log has both, and both count.

    Raises:
        ConfigurationError: the file cannot be read, or is not such a list; every fault with its line.
    """
    faults: list[str] = []
    found: dict[str, set[str]] = {}
    for number, row in _rows(file, _LISTED):
        digest, before = row.get("digest", "").lower(), found.get(row["id"])
        if not row["id"]:
            faults.append(f"{file}:{number}: give an id")
        elif before is not None and ("" in before | {digest} or digest in before):
            faults.append(f"{file}:{number}: this id is listed before; two messages that bore it have two digests")
        elif digest and not _SHA256.fullmatch(digest):
            faults.append(f"{file}:{number}: digest is a SHA-256, 64 hexadecimal digits")
        else:
            found.setdefault(row["id"], set()).add(digest)
    _refuse(faults)
    return {name: frozenset(digests) - {""} for name, digests in found.items()}


def read_told(file: Path) -> dict[str, LineState]:
    """Read which lines a trust was told are cancelled or on hold, by item id or order number; the last word counts.

    Raises:
        ConfigurationError: the file cannot be read, or is not such a list; every fault with its line.
    """
    faults: list[str] = []
    found: dict[str, LineState] = {}
    for number, row in _rows(file, _TOLD):
        state = _STATES.get(row["state"].upper())
        if not row["line"] or state not in ACTS:
            faults.append(f"{file}:{number}: give a line, and as its state one of {', '.join(sorted(ACTS))}")
        else:
            found[row["line"]] = state
    _refuse(faults)
    return found


def _holding(row: Row) -> StatedHolding | str:
    line, state = parse_uuid(row["line"]), _STATES.get(row["state"].upper())
    prescription = parse_uuid(row["prescription"]) if row.get("prescription") else None
    if line is None or (row.get("prescription") and prescription is None):
        return "line and prescription are UUIDs"
    if not _EPOCH.fullmatch(row["epoch"]) or int(row["epoch"]) < 1:
        return "epoch is a whole number above nought, of at most nine digits"
    if state is None:
        return f"state is one of {', '.join(sorted(_STATES))}"
    return StatedHolding(line_id=line, epoch=int(row["epoch"]), state=state, prescription_id=prescription)


def _rows(file: Path, fields: tuple[frozenset[str], frozenset[str]]) -> Iterator[tuple[int, Row]]:
    try:
        text = file.read_text("utf-8-sig")
    except OSError as error:
        raise ConfigurationError(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{file}: is not UTF-8 text") from error
    needed, allowed = fields
    rows = _json_lines(file, text) if text.lstrip().startswith("{") else _csv(file, text, needed, needed | allowed)
    for number, row in rows:
        if not needed <= row.keys() <= needed | allowed:
            named = ", ".join(sorted(needed))
            raise ConfigurationError(f"{file}:{number}: give {named}; besides only {', '.join(sorted(allowed))}")
        yield number, row


def _json_lines(file: Path, text: str) -> Iterator[tuple[int, Row]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line, object_pairs_hook=_once)
        except ValueError as error:
            raise ConfigurationError(f"{file}:{number}: is not one JSON object") from error
        if not isinstance(value, dict) or not all(isinstance(each, str | int) for each in value.values()):
            raise ConfigurationError(f"{file}:{number}: is not one JSON object of texts and numbers")
        yield number, {name: str(each).strip() for name, each in value.items()}


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    named = dict(pairs)
    if len(named) != len(pairs):
        raise ValueError("a name comes twice")
    return named


def _csv(file: Path, text: str, needed: frozenset[str], named: frozenset[str]) -> Iterator[tuple[int, Row]]:
    reader = csv.DictReader(text.splitlines(), strict=True)
    try:
        heading = [name.strip() for name in reader.fieldnames or ()]
        # of a file without rows the heading alone says that it is a list, of nothing, and no other file or none
        if not needed <= set(heading) <= named or len(set(heading)) != len(heading):
            raise ConfigurationError(
                f"{file}: is no such list. A list begins with a heading, {','.join(sorted(needed))}; one of nothing is"
                " its heading alone"
            )
        for row in reader:
            if None in row or None in row.values():
                raise ConfigurationError(f"{file}:{reader.line_num}: has not as many fields as its heading")
            yield reader.line_num, {name.strip(): value.strip() for name, value in row.items()}
    except csv.Error as error:
        raise ConfigurationError(f"{file}:{reader.line_num}: is not CSV") from error


def _refuse(faults: list[str]) -> None:
    if faults:
        more = [f"and {len(faults) - _MOST_FAULTS} more"] if len(faults) > _MOST_FAULTS else []
        raise ConfigurationError(*faults[:_MOST_FAULTS], *more)
