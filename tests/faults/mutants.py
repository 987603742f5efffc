"""Twenty mistakes that a gateway like this one is known to make, each planted in the production code for a moment.

A proof that nothing is lost or doubled is worth as much as what it would notice. Each mutant is a mistake by name, the
change that makes it, and the suite that must notice it within a minute. A mutant lives in a process of its own.

Source: reliability-security.md 3.4 (mutation canaries).
"""

import json
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from time import monotonic
from typing import Any, Final
from uuid import UUID

import pytest

from gateway.destination import Taken
from gateway.domain import fence, lifecycle, transition
from gateway.domain.acknowledgement import Acknowledgement, LineReport
from gateway.domain.errors import Unavailable
from gateway.domain.fence import Ground
from gateway.domain.identifiers import derived_id
from gateway.domain.lifecycle import Actor, LineEvent, LineState
from gateway.pipeline import reroute as planning
from gateway.pipeline.story import Pipeline
from gateway.ports.acceptance import StoredAnswer
from gateway.sign import verify as verifier
from gateway.store.sql import accept as accepting
from gateway.store.sql import acknowledge as acknowledging
from gateway.store.sql import binding, finding, history, leaves, rerouting, results, watching
from gateway.store.sqlite import connection as sqlite_connection
from gateway.store.sqlite import store as sqlite_store
from gateway.store.sqlite.store import SqliteStore
from gateway.translate.from_hl7v2 import dose
from gateway.worker import Worker
from tests.faults import suites
from tests.faults.suites import worlds
from tests.faults.table import Row
from tests.sim import memory

PATIENCE_SECONDS: Final = 60
_PLANTED_WRONGLY: Final = ("TypeError", "AttributeError", "NameError")

Planted = pytest.MonkeyPatch
"""Changes that are taken back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One mistake.

    Attributes:
        plant: makes the change.
        suite: looks for it, and gives the first thing it noticed; empty if nothing.
    """

    name: str
    plant: Callable[[Planted], None]
    suite: Callable[[], str]


def caught(mutant: Mutant) -> str:
    """Give what the mutant's suite noticed; empty where it noticed nothing in time."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(PATIENCE_SECONDS)
        os.close(reading)
        code = 1
        try:
            with Planted.context() as planted:
                mutant.plant(planted)
                os.write(writing, mutant.suite().encode()[:2000])
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, "rb") as told:
        words = told.read().decode(errors="replace")
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return words if ended == 0 else ""


def noticed(words: str) -> bool:
    """Tell whether what a suite says is of the mistake, and not of a mutant that does not fit the code any more."""
    return bool(words) and not [name for name in _PLANTED_WRONGLY if name in words]


# The mistakes


def _answers_before_commit(planted: Planted) -> None:
    real = SqliteStore.accept

    async def accept(self: SqliteStore, acceptance: Any) -> StoredAnswer:
        try:
            return await real(self, acceptance)
        except Unavailable:
            return StoredAnswer(digest=acceptance.submission.digest, answer=acceptance.answer)

    planted.setattr(SqliteStore, "accept", accept)


def _synchronises_lazily(planted: Planted) -> None:
    planted.setitem(sqlite_connection._SETTINGS, "synchronous", 1)


def _forgets_after_a_day(planted: Planted) -> None:
    day = 24 * 3600 * 1_000_000
    young = " AND received_at > (SELECT max(received_at) FROM submission) - "
    planted.setattr(accepting, "_ANSWERED", f"{accepting._ANSWERED}{young}{day}")


def _looks_before_it_writes(planted: Planted) -> None:
    """The question comes before the write, and nothing stands between two who ask at once."""
    real, template = accepting.accept, memory.template()

    def unique() -> bytes:
        connection = memory.connected(template)
        connection.execute("PRAGMA writable_schema = 1")
        connection.execute(
            "UPDATE sqlite_schema SET sql = replace(sql, 'UNIQUE (tenant, control_id)', 'CHECK (tenant <> '''')'),"
            " name = name WHERE name = 'submission'"
        )
        connection.execute("DELETE FROM sqlite_schema WHERE name LIKE 'sqlite_autoindex_submission%'")
        return bytes(connection.serialize("main"))

    altered = unique()

    def accept(transaction: Any, acceptance: Any, **rest: Any) -> StoredAnswer:
        with Planted.context() as blind:
            blind.setattr(accepting, "_ANSWERED", accepting._ANSWERED + " AND 0")
            for taken in ("_TAKEN_ORDER_NUMBER", "_USED_ORDER_NUMBER", "_TAKEN_ITEM", "_USED_ITEM", "_TAKEN_NUMBER"):
                blind.setattr(accepting, taken, "SELECT 1 WHERE 0")
            return real(transaction, acceptance, **rest)

    planted.setattr(memory, "template", lambda: altered)
    planted.setattr(accepting, "accept", accept)


def _binds_to_the_connection(planted: Planted) -> None:
    """An answer is taken for the last message that its sender was sent."""
    last = "SELECT id FROM message WHERE destination = ? ORDER BY rowid DESC LIMIT 1"

    def bind(transaction: Any, destination: Any, answer: Any, answers: Any) -> Any:
        row = transaction.row(last, (destination.value,))
        if answer is not None and row is not None:
            answer = replace(answer, correlation=UUID(bytes=row[0]))
        return binding.bind(transaction, destination, answer, answers)

    planted.setattr(acknowledging, "bind", bind)


def _ignores_the_epoch(planted: Planted) -> None:
    def bind(transaction: Any, destination: Any, answer: Any, answers: Any) -> Any:
        blind = replace(answer, epoch=None) if answer is not None else None
        return binding.bind(transaction, destination, blind, answers)

    planted.setattr(acknowledging, "bind", bind)
    planted.setattr(binding, "_of_an_earlier_holder", lambda *_, **__: None)


def _moves_on_a_timeout(planted: Planted) -> None:
    real = fence.decide

    def decide(holding: Any, **rest: Any) -> Any:
        silent = holding.state in {LineState.SENT, LineState.UNCERTAIN, LineState.WITH_PROVIDER}
        return Ground.EXPIRED if silent and holding.provider != rest["to"] else real(holding, **rest)

    for module in (rerouting, planning):
        planted.setattr(module, "decide", decide)


def _outlet(planted: Planted, change: Callable[[Worker, Any, Any, bytes], tuple[Any, Any, bytes]]) -> None:
    """Change what a transmission is, where it goes, or its octets."""
    real = Worker._transmit

    async def transmit(self: Worker, claim: Any, lane: Any, octets: bytes, content_type: str) -> Any:
        claim, lane, octets = change(self, claim, lane, octets)
        return await real(self, claim, lane, octets, content_type)

    planted.setattr(Worker, "_transmit", transmit)


def _renames_what_is_in_doubt(planted: Planted) -> None:
    def change(_: Worker, claim: Any, lane: Any, octets: bytes) -> tuple[Any, Any, bytes]:
        if claim.possible_duplicate:
            claim = replace(claim, message_id=derived_id("again", str(claim.message_id)))
        return claim, lane, octets

    _outlet(planted, change)


def _sends_doubts_elsewhere(planted: Planted) -> None:
    def change(worker: Worker, claim: Any, lane: Any, octets: bytes) -> tuple[Any, Any, bytes]:
        others = [one for ods, one in worker._lanes.items() if ods != claim.destination]
        return claim, others[0] if claim.possible_duplicate and others else lane, octets

    _outlet(planted, change)


def _takes_asking_for_confirming(planted: Planted) -> None:
    real = results._Result._cancel_delivered

    def delivered(self: Any, outcome: Any) -> None:
        if isinstance(outcome, Taken):
            report = LineReport(line_id=None, event=LineEvent.CANCEL_CONFIRMED)
            name = f"sent-{self.claim.id}"
            answer = Acknowledgement(id=name, correlation=self.claim.message_id, reports=(report,))
            outcome = Taken(evidence=name.encode(), acknowledgement=answer)
        real(self, outcome)

    planted.setattr(results._Result, "_cancel_delivered", delivered)


def _writes_after_the_send(planted: Planted) -> None:
    async def send(self: Worker, claim: Any, lane: Any, *, until: float) -> bool:
        del until
        octets, content_type = await self._octets(claim)
        outcome = await self._transmit(claim, lane, octets, content_type)
        fixed = octets if claim.octets is None else None
        if await self._around.store.on_wire(claim, now=self._around.clock.now(), octets=fixed):
            await self._record(claim, outcome, lane)
        return True

    planted.setattr(Worker, "_send", send)


def _audits_afterwards(planted: Planted) -> None:
    """Leaves of events are written in the transaction after the one they belong to."""
    late: list[Callable[[], object]] = []
    real = leaves.append_leaf

    def append(transaction: Any, kind: str, **facts: Any) -> int:
        waiting, late[:] = list(late), [lambda: real(transaction, kind, **facts)]
        for write in waiting:
            write()
        return 0

    planted.setattr(history, "append_leaf", append)


def _watches_the_queue(planted: Planted) -> None:
    queued = (
        "WHERE EXISTS (SELECT 1 FROM allocation JOIN outbox ON outbox.message_id = allocation.message"
        " WHERE allocation.line = line.id AND outbox.state = 'due') AND line.act_by"
    )
    assert "WHERE line.act_by" in watching._OVERDUE
    planted.setattr(watching, "_OVERDUE", watching._OVERDUE.replace("WHERE line.act_by", queued, 1))


def _keeps_the_generation(planted: Planted) -> None:
    planted.setattr(sqlite_store, "_RAISE_GENERATION", "SELECT 1")


def _overwrites_on_conflict(planted: Planted) -> None:
    async def accept_any(self: Pipeline, submission: Any, envelope: Any, digest: str, answer: Any) -> Any:
        del self, submission, envelope, digest
        return answer

    planted.setattr(Pipeline, "_repeat_or_clash", accept_any)


def _raises_the_dead(planted: Planted) -> None:
    row = lifecycle._row(
        (LineState.CANCELLED,), LineEvent.DELIVERED, LineState.IN_SUPPLY, (Actor.PROVIDER_SYSTEM,), "a late answer"
    )
    for event in (LineEvent.ACCEPTED, LineEvent.VALIDATED, LineEvent.DISPENSED, LineEvent.DELIVERED):
        planted.setitem(transition._BY_STATE_AND_EVENT, (LineState.CANCELLED, event), replace(row, event=event))


def _believes_what_it_cannot_verify(planted: Planted) -> None:
    real = verifier._run

    def run(number: int, name: str, step: Callable[[], str]) -> Any:
        check = real(number, name, step)
        return verifier.Check(number=number, name=name, result=verifier.Result.PASS) if number == 8 else check

    planted.setattr(verifier, "_run", run)


def _shows_everybody_everything(planted: Planted) -> None:
    real = finding.latest
    planted.setattr(finding, "latest", lambda reader, **asked: real(reader, **{**asked, "tenant": None}))


def _writes_it_again(planted: Planted) -> None:
    def change(_: Worker, claim: Any, lane: Any, octets: bytes) -> tuple[Any, Any, bytes]:
        return claim, lane, json.dumps(json.loads(octets)).encode() if octets.startswith(b"{") else octets

    _outlet(planted, change)


def _drops_the_end(planted: Planted) -> None:
    real = dose._worded

    def worded(desk: Any, dosages: Any, words: Any, target: str) -> Any:
        first, *others = real(desk, dosages, words, target)
        return (replace(first, text=first.text.rpartition(" ")[0]), *others)

    planted.setattr(dose, "_worded", worded)


MUTANTS: Final = (
    Mutant(name="the answer comes before the commit", plant=_answers_before_commit, suite=partial(worlds, 10)),
    Mutant(name="commits are synchronised lazily", plant=_synchronises_lazily, suite=suites.power),
    Mutant(name="a control id is forgotten after a day", plant=_forgets_after_a_day, suite=worlds),
    Mutant(
        name="repeats are told by a question, not a constraint",
        plant=_looks_before_it_writes,
        suite=partial(worlds, 14),
    ),
    Mutant(name="an answer is bound to its connection", plant=_binds_to_the_connection, suite=partial(worlds, 2)),
    Mutant(name="the epoch of an answer is not looked at", plant=_ignores_the_epoch, suite=partial(worlds, 5)),
    Mutant(name="a line is given to another on a time-out", plant=_moves_on_a_timeout, suite=partial(worlds, 33)),
    Mutant(name="what is in doubt is sent under a new id", plant=_renames_what_is_in_doubt, suite=partial(worlds, 3)),
    Mutant(
        name="what is in doubt is sent to another provider",
        plant=_sends_doubts_elsewhere,
        suite=partial(worlds, 18),
    ),
    Mutant(
        name="a cancel is confirmed when it was sent",
        plant=_takes_asking_for_confirming,
        suite=partial(worlds, 2),
    ),
    Mutant(name="on the wire is written after the send", plant=_writes_after_the_send, suite=partial(worlds, 12)),
    Mutant(name="the audit is written outside the transaction", plant=_audits_afterwards, suite=worlds),
    Mutant(name="the watch reads the queue", plant=_watches_the_queue, suite=worlds),
    Mutant(name="a restore begins no new generation", plant=_keeps_the_generation, suite=suites.restored),
    Mutant(name="a reused control id overwrites", plant=_overwrites_on_conflict, suite=partial(worlds, 2)),
    Mutant(name="a late answer revives a cancelled line", plant=_raises_the_dead, suite=partial(worlds, 192)),
    Mutant(
        name="a signature that fails counts as good",
        plant=_believes_what_it_cannot_verify,
        suite=suites.tests("tests/unit/sign/test_seal.py"),
    ),
    Mutant(
        name="one list shows every tenant's rows",
        plant=_shows_everybody_everything,
        suite=suites.tests("tests/contract/test_store.py"),
    ),
    Mutant(name="a message is written anew before it is sent", plant=_writes_it_again, suite=worlds),
    Mutant(
        name="the end of a field's text is dropped",
        plant=_drops_the_end,
        suite=suites.tests("tests/unit/translate/from_hl7v2/test_golden.py"),
    ),
)
"""In the order of reliability-security.md 3.4."""


def run(seeds: range) -> Row:
    """Plant the mutants of these numbers, from 1; one that nobody notices is counted as silent."""
    begun = monotonic()
    chosen = [MUTANTS[seed - 1] for seed in seeds]
    missed = [mutant.name for mutant in chosen if not noticed(caught(mutant))]
    return Row(
        case="planted mistakes",
        tried=len(chosen),
        silent=len(missed),
        seconds=monotonic() - begun,
        seeds=f"{seeds.start}-{seeds.stop - 1}",
        faults=tuple(f"nobody noticed that {name}" for name in missed),
    )
