"""The judge: what the parties themselves know, kept as plain sets of what happened, and compared with the tables.

It is told by the trusts what they were answered, and by the providers what they received and handed over; it asks the
product nothing but where a line stands. Its words are those of the proofs' table: lost, doubled, silent.

Source: reliability-security.md I2, I3, I6, I7, I10, I11, I13; 3.4 (physical count).
"""

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import apsw

from gateway.domain.deadline import ALWAYS, Urgency
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineState
from gateway.store.sql import books, ledger
from gateway.store.sql.instants import instant, stored
from tests.faults.invariants import broken
from tests.sim.loop import LATE

_STANDS = """
SELECT line.state, line.epoch, held.provider FROM line
LEFT JOIN allocation AS held ON held.line = line.id AND held.ended_at IS NULL
WHERE line.uuid = ? ORDER BY line.id DESC LIMIT 1
"""
_STORED = (
    "SELECT body, answer_body, (SELECT count(*) FROM prescription WHERE submission = submission.id) FROM submission"
)
_UNHEARD = """
SELECT line.id FROM line WHERE state NOT IN ('REFUSED', 'CANCELLED', 'SUPERSEDED', 'EXPIRED', 'CLOSED', 'FULFILLED')
    AND NOT EXISTS (SELECT 1 FROM alert WHERE alert.line = line.id AND closed_at IS NULL)
    AND NOT (entered_at > :now - 3600000000 AND act_by > :now)
"""
"""What a person moved in the last hour of the world has a deadline that is still to come."""
_SKEW: Final = timedelta(minutes=5)
_BEAT = "SELECT at FROM heartbeat WHERE name = 'watch'"
_WAITS_LONG = """
SELECT id FROM outbox WHERE state = 'due' AND due_at > :day
    OR state IN ('claimed', 'on_wire') AND lease_until > :day
"""
_ENDED_EARLY = "SELECT id FROM line WHERE state = 'EXPIRED' AND valid_until > :now"
_FROM_AHEAD = "SELECT id, state, urgency, act_by FROM line WHERE entered_at > :now AND act_by IS NOT NULL"
_FORGED = """
SELECT callback.answer_id FROM callback JOIN event ON event.callback = callback.id
WHERE callback.answer_id LIKE 'forged-%' AND event.moved = 1
"""
_FORGED_UNSEEN = """
SELECT 1 FROM callback WHERE answer_id LIKE 'forged-%' AND NOT EXISTS (SELECT 1 FROM alert
    WHERE alert.subject = callback.destination || ':' || substr(callback.digest, 1, 16))
"""
_HAS_OPEN = """
SELECT 1 FROM line WHERE provider = ? AND state NOT IN ('REFUSED', 'CANCELLED', 'SUPERSEDED', 'EXPIRED', 'CLOSED',
    'FULFILLED') LIMIT 1
"""
_UNTOLD = """
SELECT 1 FROM alert JOIN line ON line.id = alert.line WHERE alert.kind = 'answer-not-told' AND line.uuid = ?
"""
_NOTHING_LEFT = frozenset(
    {"CANCELLED", "SUPERSEDED", "REFUSED", "HELD", "AWAITING_SCREENING", "READY", "UNDELIVERABLE"}
    | {"REJECTED", "RETURNED", "CLOSED"}
)
"""States in which the gateway says that no provider has the line, or may have it."""

_ENDED = frozenset({"CANCELLED", "SUPERSEDED", "REFUSED", "EXPIRED", "CLOSED"})
_FOLLOWED = """
SELECT 1 FROM event JOIN line ON line.id = event.line
WHERE line.uuid = ? AND event.epoch = ? AND event.callback IS NOT NULL AND event.moved = 1
"""
_CONTRADICTED = """
SELECT 1 FROM alert JOIN line ON line.id = alert.line
WHERE line.uuid = ? AND alert.kind IN ('answer-unexpected', 'answer-unbound', 'safety-incident')
"""


Named = tuple[OdsCode, str, bytes]
"""A message as its trust knows it: the trust, its control id, and its bytes."""


@dataclass(slots=True)
class Job:
    """One order of one line at one provider.

    Attributes:
        given_up: the provider has said, or is about to say, that it will not supply, and keeps to it.
        packs: handed over so far.
        cancelled: the provider has confirmed a cancel of it.
        answered: a person has told the provider the answer to its question.
        asked_to_hold: the provider has taken a hold of it; only then may it be said to be on hold.
        unknown: its system said *busy* and took it all the same, and the gateway has heard nothing else since.
        late: the gateway had ended the line or given it to another before it could know better.
    """

    line: UUID
    provider: OdsCode
    message: UUID
    epoch: int
    total: int
    given_up: bool = False
    busy: bool = False
    held: bool = False
    packs: int = 0
    cancelled: bool = False
    answered: bool = False
    asked_to_hold: bool = False
    unknown: bool = False
    late: bool = False


@dataclass
class Oracle:
    """What happened, as those say to whom it happened.

    Attributes:
        faults: what is wrong, in the order in which it was found.
        answered: what each trust was answered, by control id and the bytes that bore it.
        refused: control ids with bytes that were refused for good; not those that a restore may have lost.
        since: when each positive answer was first read.
        forgotten: lines of which a restore lost something: where they stand is not compared with who supplied them.
        reopened: what a restore lost the answer to: whoever sends it again may get another answer, for what came
            meanwhile counts too (a correction may have been first, or another message under its control id).
        stopped: lines of which a person read "cancelled", at once: nobody may supply them.
        agreements: proposals that were carried out, in each life.
        unseen: whether the clock went back without the watch having looked while it was ahead.
        misled: whether a person called a clock right that was wrong: what then ended by it is theirs.
    """

    connection: Callable[[], apsw.Connection]
    faults: list[str] = field(default_factory=list)
    answered: dict[Named, bytes] = field(default_factory=dict)
    ordered: dict[UUID, int] = field(default_factory=dict)
    jobs: dict[UUID, list[Job]] = field(default_factory=dict)
    totals: dict[UUID, int] = field(default_factory=dict)
    handed: Counter[UUID] = field(default_factory=Counter)
    refused: set[Named] = field(default_factory=set)
    since: dict[Named, float] = field(default_factory=dict)
    forgotten: set[UUID] = field(default_factory=set)
    reopened: set[Named] = field(default_factory=set)
    stopped: set[UUID] = field(default_factory=set)
    agreements: set[tuple[UUID, int]] = field(default_factory=set)
    seen: Counter[str] = field(default_factory=Counter)
    unseen: bool = False
    misled: bool = False

    def fault(self, text: str) -> None:
        """Note a fault."""
        self.faults.append(text)

    def was_answered(
        self, trust: OdsCode, control: str, body: bytes, answer: bytes, lines: tuple[UUID, ...], *, at: float
    ) -> None:
        """A trust read "stop sending" for these bytes under this control id."""
        name = (trust, control, body)
        self.since.setdefault(name, at)
        self.seen["answered"] += 1
        if any(one[:2] == name[:2] and one != name and one not in self.reopened for one in self.answered):
            self.fault(f"doubled: two messages were taken under the control id {control}")
        first = self.answered.setdefault(name, answer)
        if first != answer and name in self.reopened:
            self.reopened.remove(name)
            self.answered[name] = answer
        elif first != answer or name in self.refused:
            self.fault(f"lost: {control} was answered in two ways")
        for line in lines:
            self.ordered[line] = self.ordered.get(line, 0)

    def was_refused(self, trust: OdsCode, control: str, body: bytes) -> None:
        """A trust read "no, for good" for these bytes under this control id."""
        name = (trust, control, body)
        self.refused.add(name)
        if name in self.answered and name not in self.reopened:
            self.fault(f"lost: {control} was answered in two ways")

    def forget(self, trust: OdsCode, control: str, body: bytes, lines: tuple[UUID, ...], *, before: float) -> None:
        """A restore lost what was answered: the trust knows, and sends it again. Not so what the backup should have."""
        self.seen["sent again after a restore"] += 1
        if self.since.pop((trust, control, body), LATE) <= before:
            self.fault(f"lost: {control} was answered before the backup and is not in it")
        self.answered.pop((trust, control, body), None)
        for line in lines:  # promised again when it is answered again
            self.ordered.pop(line, None)

    def restored(self, made_at: float) -> None:
        """A backup was put back that was made then: what was answered since is not in it."""
        self.seen["restored"] += 1
        self.refused.clear()
        self.reopened |= {key for key, at in self.since.items() if at > made_at}

    def arrived(self, job: Job) -> None:
        """A provider began an order that it takes to be new."""
        self.seen["arrived"] += 1
        others = self.jobs.setdefault(job.line, [])
        for other in others:
            if not other.given_up and not other.unknown and not other.late:
                self.fault(f"doubled: {job.provider} may supply {job.line}, and so may {other.provider}")
        others.append(job)
        self.totals.setdefault(job.line, job.total)

    def handed_over(self, job: Job) -> None:
        """A pack left a provider: the count that matters."""
        self.seen["handed over"] += 1
        if job.unknown or job.late:
            return  # nobody at the gateway could know, and what went by then is not counted against it
        self.handed[job.line] += 1
        if self.handed[job.line] > self.totals[job.line]:
            self.fault(
                f"doubled: {self.handed[job.line]} packs of {job.line}, of which {self.totals[job.line]} were ordered"
            )
        if job.line in self.stopped:
            self.fault(f"doubled: {job.line} was supplied, and a person was told that it is cancelled")
        if job.line in self.forgotten:
            return
        row = next(iter(self.connection().execute(_STANDS, (job.line.bytes,))), None)
        if row is None:
            self.fault(f"lost: {job.line} was supplied and is not known")
        elif row[0] in _NOTHING_LEFT and not (row[0] == "UNDELIVERABLE" and self._contradicted(job)):
            self.fault(f"doubled: {job.line} was supplied and is {row[0]} here")
        elif row[0] == "ON_HOLD" and not job.asked_to_hold:
            self.fault(f"doubled: {job.line} was supplied, is ON_HOLD here, and its provider was never asked")
        elif row[2] is not None and (row[2] != job.provider.value or row[1] != job.epoch):
            self.fault(f"doubled: {job.line} was supplied by {job.provider} and is {row[2]}'s")

    def heard(self, message: UUID, lines: Collection[UUID] | None = None) -> None:
        """The gateway was told what only a provider that has the order could say: from now on it must act on it.

        Of the lines that were spoken of, or of all of the message: what else it holds, nobody said.
        """
        about = [job for jobs in self.jobs.values() for job in jobs if job.message == message and job.unknown]
        for job in [job for job in about if lines is None or job.line in lines]:
            row = next(iter(self.connection().execute(_STANDS, (job.line.bytes,))), None)
            if row is None:
                continue  # a restore lost it: its trust sends it again, and its provider states it
            job.unknown = False
            job.asked_to_hold |= row[0] == "ON_HOLD"  # it was put on hold while nobody could know whom to ask
            job.late = row[0] in _ENDED or (row[2], row[1]) != (job.provider.value, job.epoch)
            self.seen["known too late" if job.late else "known after all"] += 1

    def _contradicted(self, job: Job) -> bool:
        return next(iter(self.connection().execute(_CONTRADICTED, (job.line.bytes,))), None) is not None

    def _followed(self, job: Job) -> bool:
        """Tell whether its provider's word moved the line, of which the provider read later that it was taken."""
        return next(iter(self.connection().execute(_FOLLOWED, (job.line.bytes, job.epoch))), None) is not None

    def agreed(self, proposal: UUID, first: str, second: str) -> None:
        """A second person was let agree to what a first proposed, and it is carried out."""
        if first == second:
            self.fault(f"doubled: {first} alone was two people")
        life = (proposal, self.seen["restored"])
        if life in self.agreements:
            self.fault(f"doubled: the proposal {proposal} was agreed to twice")
        self.agreements.add(life)

    def answered_query(self, line: UUID, *, told: bool) -> None:
        """A person answered a provider's question: it knows the answer, or somebody is alerted that it does not."""
        for job in self.jobs.get(line, []):
            job.answered = job.answered or told
        if not told and next(iter(self.connection().execute(_UNTOLD, (line.bytes,))), None) is None:
            self.fault(f"silent: a question about {line} was answered, and nobody rings its provider")

    def look(self) -> None:
        """Ask the tables what must be true at every moment."""
        self.faults += [f"silent: {fault}" for fault in broken(self.connection(), hashes=False)]

    def went_back(self, now: datetime) -> None:
        """The clock went back. What the watch had not seen ahead, nobody can know of."""
        row = next(iter(self.connection().execute(_BEAT)), None)
        if row is None or instant(row[0]) - now <= _SKEW:
            self.unseen = True
        else:
            self.seen["clock seen to go back"] += 1

    def on_time(self, now: datetime) -> None:
        """Nothing has ended, waits or runs by a clock that was ahead and has long gone back."""
        if not self.misled:
            for (line,) in self.connection().execute(_ENDED_EARLY, {"now": stored(now)}):
                self.fault(f"lost: line {line} is valid and has expired by a clock that was ahead")
        if self.unseen:
            return
        for (row,) in self.connection().execute(_WAITS_LONG, {"day": stored(now + timedelta(days=1))}):
            self.fault(f"silent: row {row} of the queue waits for a clock that was ahead")
        for line, state, urgency, act_by in self.connection().execute(_FROM_AHEAD, {"now": stored(now)}):
            limit = ALWAYS.act_by(LineState(state), Urgency(urgency), now)
            if limit is not None and instant(act_by) > max(limit, now):
                self.fault(f"silent: the limit of line {line} runs by a clock that was ahead")

    def may_go(self, provider: OdsCode, *, refused: bool) -> None:
        """A configuration without a provider was judged: it may be in force only where nothing open is its own."""
        has = next(iter(self.connection().execute(_HAS_OPEN, (provider.value,))), None) is not None
        if has and not refused:
            self.fault(f"lost: {provider} was removed with open lines")
        elif refused and not has:
            self.fault(f"silent: {provider} could not be removed, and has nothing that is open")

    def end(self, now: datetime) -> None:
        """Compare the books, after everything has come to rest and every deadline has passed."""
        self.look()
        connection = self.connection()
        stored = {bytes(body): (bytes(answer), orders) for body, answer, orders in connection.execute(_STORED)}
        for (trust, control, body), answer in self.answered.items():
            if body not in stored:
                self.fault(f"lost: {control} was answered and is not stored")
            elif stored[body][0] != answer and (trust, control, body) not in self.reopened:
                self.fault(f"lost: {control} has another answer than its sender got")
        known = {UUID(bytes=uuid) for (uuid,) in connection.execute("SELECT uuid FROM line")}
        self.faults += [f"lost: line {line} was promised and is not there" for line in self.ordered.keys() - known]
        unheard = connection.execute(_UNHEARD, {"now": int(now.timestamp() * 1_000_000)}).fetchall()
        if unheard:
            self.fault(f"silent: {len(unheard)} open lines past every deadline without an alert (row {unheard[0][0]})")
        self._books(now)
        late = [job for jobs in self.jobs.values() for job in jobs if job.late]
        untold = [job for job in late if not self._contradicted(job) and not self._followed(job)]
        if untold and not self.seen["restored"]:
            self.fault(f"silent: {untold[0].line} was taken behind a busy, and nobody was told when it was known")
        forged = connection.execute(_FORGED).fetchall()
        if forged:
            self.fault(f"doubled: the forged answer {forged[0][0]} moved a line")
        unseen = connection.execute(_FORGED_UNSEEN).fetchall()
        if unseen:
            self.fault(f"silent: {len(unseen)} forged answers were kept without an alert")

    def _books(self, now: datetime) -> None:
        """The books balance, for every party and day, and all of what was promised is in them (I20)."""
        found = ledger.ledger(self.connection(), day=None, now=now)
        self.faults += [f"silent: the books: {one.what}: {one.id}" for one in found.faults]
        self.faults += [
            f"lost: the books of {account.party} on {account.day} do not balance: {account.told} told, "
            f"{account.accepted} accepted, {account.terminal} at their end, {account.open} open"
            for account in found.accounts
            if not account.balances
        ]
        figures = books.count(self.connection())
        if figures["accepted"] != figures["delivered"] + figures["closed"] + figures["open"]:
            self.fault(f"lost: {figures['accepted']} prescriptions were accepted, and the books have others")
