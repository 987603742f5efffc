"""How a fact is known, beside every fact: proved, reported, stated, derived, or not at all (console.md 4)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.domain.lifecycle import Actor, LineEvent
from gateway.enquiries import EventView
from gateway.ports.dossier import Dossier, EventFacts


class Grade(StrEnum):
    """The five grades, and no other."""

    PROVED = "proved"
    """Signed, bound to our message by an answer that quotes it, or our own bytes and time."""
    REPORTED = "reported"
    """A system said so, unsigned."""
    STATED = "stated"
    """A named person told us, or a trust's system for them."""
    DERIVED = "derived"
    """We worked it out."""
    NONE = "not known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """A grade with what it rests on, in words that follow a colon."""

    grade: Grade
    by: str

    @property
    def words(self) -> str:
        """Both, as `proved: their answer quotes our message`."""
        return f"{self.grade}: {self.by}" if self.by else str(self.grade)


_PROVIDERS: Final = frozenset({Actor.PROVIDER_SYSTEM, Actor.PROVIDER_PHARMACIST})
_OWN: Final = {
    "received": "the bytes as received, their digest and time",
    LineEvent.CLEAR.value: "every value traced to its place in the message, and sealed",
    LineEvent.ON_WIRE.value: "the sealed bytes, and the time before the first one left",
    LineEvent.VERBATIM_RETRY.value: "the same sealed bytes, and the time",
}
_BY_ACTOR: Final[dict[Actor, tuple[Grade, str]]] = {
    Actor.PRESCRIBER: (Grade.STATED, "the trust's system, for the prescriber"),
    Actor.TRUST_PHARMACIST: (Grade.STATED, "a person at the trust"),
    Actor.GATEWAY: (Grade.PROVED, "our own record"),
    Actor.MAP_APPROVERS: (Grade.STATED, "two people who approved a code"),
    Actor.OPERATOR: (Grade.STATED, "an operator"),
    Actor.TWO_PEOPLE: (Grade.STATED, "two people"),
    Actor.CLOCK: (Grade.DERIVED, "from the time alone"),
}


class Grading:
    """Says how events of one prescription are known; made once for a long history."""

    def __init__(self, dossier: Dossier) -> None:
        self._events = dossier.events
        self._answers = {one.row: one for one in dossier.answers}
        self._messages = frozenset(message.id for message in dossier.messages)

    def of(self, event: EventView) -> Graded:
        """Say how one event is known."""
        if event.actor not in set(Actor):
            return Graded(grade=Grade.NONE, by="")
        actor = Actor(event.actor)
        if actor in _PROVIDERS:
            return self._from_provider(self._events.get(event.seq))
        if event.event == LineEvent.ARRIVED.value:
            return Graded(grade=Grade.REPORTED, by="receipt of the provider's system, unsigned")
        if event.event in _OWN and actor is not Actor.TRUST_PHARMACIST:  # a person's word is not a proof of the bytes
            return Graded(grade=Grade.PROVED, by=_OWN[event.event])
        grade, by = _BY_ACTOR[actor]
        return Graded(grade=grade, by=by)

    def _from_provider(self, facts: EventFacts | None) -> Graded:
        answer = self._answers.get(facts.answer) if facts is not None and facts.answer is not None else None
        if answer is None:
            return Graded(grade=Grade.REPORTED, by="response of the provider's system, unsigned")
        if answer.correlation in self._messages:
            return Graded(grade=Grade.PROVED, by="their answer quotes our message")
        return Graded(grade=Grade.REPORTED, by="the provider's system; the answer does not quote our message")


def graded(event: EventView, dossier: Dossier) -> Graded:
    """Say how an event of the history is known."""
    return Grading(dossier).of(event)
