"""The published tables: whole, versioned, and changed whenever a table is."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from gateway.config.load import load
from gateway.domain.cancel import CANCEL_TABLE
from gateway.domain.custody import CUSTODY
from gateway.domain.delivery import DELIVERY_TABLE
from gateway.domain.lifecycle import BEFORE, LINE_TABLE, Actor, LineState
from gateway.domain.renewal import RENEWAL_TABLE
from gateway.web.lifecycle import published
from gateway.wire.strict_json import dumps

DOCUMENT: Any = published()
MACHINES = {machine["machine"]: machine for machine in DOCUMENT["machines"]}


@pytest.mark.parametrize(
    ("name", "rows"),
    [("line", LINE_TABLE), ("cancel", CANCEL_TABLE), ("delivery", DELIVERY_TABLE), ("renewal", RENEWAL_TABLE)],
)
def test_every_row_of_every_table_is_published(name: str, rows: tuple[object, ...]) -> None:
    machine = MACHINES[name]
    assert len(machine["arrows"]) == len(rows)
    states = {state["state"] for state in machine["states"]}
    assert machine["start"] in states
    for arrow in machine["arrows"]:
        assert set(arrow["from"]) <= states
        assert arrow["to"] in states | {BEFORE}
        assert arrow["actors"]
        assert set(arrow["actors"]) <= {actor.value for actor in Actor}


def test_no_arrow_leaves_a_final_state() -> None:
    for machine in DOCUMENT["machines"]:
        final = {state["state"] for state in machine["states"] if state["terminal"]}
        assert final
        assert not any(final & set(arrow["from"]) for arrow in machine["arrows"]), machine["machine"]


def test_the_digest_is_of_what_is_published_and_changes_with_it() -> None:
    rest = {name: value for name, value in DOCUMENT.items() if name not in {"version", "digest"}}
    assert DOCUMENT["digest"] == hashlib.sha256(dumps(rest)).hexdigest()
    other = {**CUSTODY, LineState.SENT: replace(CUSTODY[LineState.SENT], limit_seconds=1)}
    assert published(other)["digest"] != DOCUMENT["digest"]
    assert published()["digest"] == DOCUMENT["digest"]


def test_limits_from_a_day_on_are_published_by_class() -> None:
    deadlines = load(None).deadlines
    assert all(state["limits"] == [] for state in MACHINES["line"]["states"])
    document: dict[str, Any] = published(deadlines.custody, deadlines.terms)
    (line,) = (each for each in document["machines"] if each["machine"] == "line")
    limits = {state["state"]: state["limits"] for state in line["states"]}
    assert limits["WITH_PROVIDER"] == [
        {"from": "2026-01-01", "class": "routine", "workingDays": 1},
        {"from": "2026-01-01", "class": "urgent", "seconds": 7200},
    ]
    assert limits["CLOSED"] == []
    assert document["digest"] != DOCUMENT["digest"]
