"""What one event of a history rests on: signature, seal, digests from source to answer, and its leaf of the audit.

Source: console.md 6.3 (evidence), 11 (3, 4); reliability-security.md 6, 7.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.console import bytes_shown
from gateway.console.pages import named
from gateway.console.prescription.detail import Behind
from gateway.console.prescription.grade import Graded, graded
from gateway.console.prescription.signed import SignatureShown, signature
from gateway.console.prescription.timeline import event_words, happened_at, in_london, moved
from gateway.console.words import inert, zone_time
from gateway.domain.lifecycle import LineEvent
from gateway.domain.submission import WireFormat
from gateway.enquiries import EventView
from gateway.ports.dossier import AnswerFacts, LeafFacts, MessageFacts

_NO_ANSWER: Final = (
    "No answer of theirs is kept with it here: their system said so while the message was being sent, a person stated"
    " it, or it is in an archive. See the event."
)
_UNTIED: Final = {True: "The seal names another source", False: "No seal of ours can be read in it"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """One ring of the chain of digests.

    Attributes:
        holds: how it is tied to the ring before, in words; whether it is, where that can be told.
    """

    words: str
    digest: str
    holds: str
    broken: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Octets:
    """Bytes as they may be looked at, inert."""

    words: str
    name: str
    digest: str
    length: int
    shown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceShown:
    """What one event rests on."""

    seq: int
    what: str
    at: str
    happened: str
    known: Graded
    moved: str
    said: str
    signature: SignatureShown
    seal: tuple[tuple[str, str], ...]
    chain: tuple[Ring, ...]
    leaf: tuple[tuple[str, str], ...]
    octets: tuple[Octets, ...]
    rests_on: "RestsOn | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RestsOn:
    """The word of a provider on which a re-route rests: that it gave the line up.

    Attributes:
        href: of the evidence of that event; `words`: what it was, and when.
        kept: whether its answer stands among the bytes below, in words.
    """

    href: str
    words: str
    kept: str


_TO_ANOTHER: Final = frozenset({LineEvent.REROUTE.value, LineEvent.REVOKED_FOR_REROUTE.value})
_GIVES_UP: Final = frozenset(
    {
        LineEvent.REJECTED.value,
        LineEvent.REFUSED_FORMAT.value,
        LineEvent.RETURNED.value,
        LineEvent.NOT_SUPPLIED.value,
        LineEvent.CANCEL_CONFIRMED.value,
    }
)


def given_up(event: EventView, behind: Behind) -> EventView | None:
    """Give the event by which the holder before gave a line up, which let a re-route through.

    Returns:
        None where the event is no re-route, or where it rests on no word of a provider: it never left, or ran out.
    """
    if event.event not in _TO_ANOTHER:
        return None
    facts = behind.dossier.events
    epoch = facts[event.seq].epoch if event.seq in facts else None
    said = (
        one
        for one in reversed(behind.view.events)
        if one.seq < event.seq and one.line_id == event.line_id and one.event in _GIVES_UP and one.seq in facts
    )
    return next((one for one in said if facts[one.seq].epoch == epoch), None)


def evidence(event: EventView, behind: Behind, leaf: LeafFacts | None, answer: bytes | None) -> EvidenceShown:
    """Give what an event rests on; a re-route rests on the answer by which the holder before gave the line up.

    Args:
        event: of the prescription's history.
        behind: the prescription.
        leaf: of the audit, found by the event's number.
        answer: the provider's answer that said so, as received; None where there is none, or it is not ours to show.
    """
    facts = behind.dossier.events.get(event.seq)
    word = given_up(event, behind)
    said = behind.dossier.events.get(word.seq) if word is not None else facts
    kept = next((one for one in behind.dossier.answers if said and one.row == said.answer), None)
    happened = happened_at(event, facts)
    message = message_of(word or event, behind)
    return EvidenceShown(
        seq=event.seq,
        what=event_words(event.event, event.actor),
        at=zone_time(event.at),
        happened=zone_time(happened) if happened != event.at else "",
        known=graded(event, behind.dossier),
        moved=moved(event),
        said=inert(in_london(event.text)),
        signature=signature(
            behind.dossier.document, behind.view.message, behind.dossier.submission.received_at, behind.now
        ),
        seal=_seal(behind.view.message, message),
        chain=tuple(_chain(behind, message, kept, answer)),
        leaf=_leaf(leaf),
        octets=tuple(_octets(behind, kept, answer)),
        rests_on=_rests_on(word, behind, answer) if word is not None else None,
    )


def _rests_on(word: EventView, behind: Behind, answer: bytes | None) -> RestsOn:
    kept = "Their answer is among the bytes below, as it came." if answer is not None else _NO_ANSWER
    what = event_words(word.event, word.actor)
    return RestsOn(href=behind.evidence(word.seq), words=f"{what}, {zone_time(word.at)}", kept=kept)


def message_of(event: EventView, behind: Behind) -> MessageFacts | None:
    """Give the order message that was in force at an event: the last one made by then, else the first."""
    orders = [one for one in behind.dossier.messages if one.event == "prescription-order"]
    facts = behind.dossier.events.get(event.seq)
    same = [one for one in orders if facts is None or facts.provider in {None, one.destination}] or orders
    return next((one for one in reversed(same) if one.made_at <= event.at), same[0] if same else None)


def manifest(message: bytes | None) -> Mapping[str, object]:
    """Read the manifest of a seal; empty where there is none. The seal itself is verified by `gateway verify`."""
    try:
        data = json.loads(message or b"")["entry"][-1]["resource"]["signature"][0]["data"]
        payload = base64.b64decode(data).split(b".")[1]
        found = json.loads(base64.urlsafe_b64decode(payload + b"=" * (-len(payload) % 4)))
    except (ValueError, LookupError, TypeError, binascii.Error):
        return {}
    return found if isinstance(found, dict) else {}


def _seal(octets: bytes | None, message: MessageFacts | None) -> tuple[tuple[str, str], ...]:
    said = manifest(octets)
    if not said or message is None:
        return ()
    return (
        ("Sealed by", f"This gateway, {said.get('iss', '')}. Our seal is not the prescriber's signature"),
        ("Sealed at", zone_time(message.made_at)),
        ("Key", message.key_id),
        ("For", str(said.get("aud", ""))),
        ("What it covers", f"{_count(said.get('lines'))}, the message, the trust's own bytes{_signed_too(said)}"),
        ("Maps and reference data", ", ".join(str(one) for one in _mapping(said.get("map")).values())),
        ("May be acted on until", zone_time(message.not_valid_after)),
    )


def _signed_too(said: Mapping[str, object]) -> str:
    present = _mapping(said.get("aes")).get("present")
    return " and the prescriber's signature" if present else ". There was no prescriber's signature to cover"


def _count(lines: object) -> str:
    count = len(lines) if isinstance(lines, list) else 0
    return "1 line" if count == 1 else f"{count} lines"


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _chain(behind: Behind, message: MessageFacts | None, kept: AnswerFacts | None, answer: bytes | None) -> list[Ring]:
    """Give the digests from what the trust sent to what the provider answered, each tied to the one before."""
    source, octets = behind.dossier.submission, behind.view.message
    stated = manifest(octets)
    rings = [
        Ring(words=f"Received from {behind.trust}", digest=source.digest, holds="SHA-256 of the bytes as received")
    ]
    if message is None:
        return [*rings, Ring(words="No message was sealed", digest="", holds="Nothing has gone to a provider")]
    named_source = str(_mapping(stated.get("src")).get("sha256", ""))
    same = named_source == source.digest
    rings.append(
        Ring(
            words="FHIR message as written",
            digest=str(_mapping(stated.get("fhir")).get("sha256", "")),
            holds=_tied(same=same, yes="The seal names the digest above", no=_UNTIED[bool(stated)]),
            broken=bool(stated) and not same,
        )
    )
    sealed = hashlib.sha256(octets).hexdigest() if octets else ""
    ours = sealed == message.digest
    rings.append(
        Ring(
            words=f"Sealed for {named(message.destination, behind.names)}, message {message.id}",
            digest=message.digest,
            holds=_tied(same=ours, yes="Worked out anew just now, and the same", no="Of an earlier or later message"),
        )
    )
    if kept is not None:
        rings.append(_answered(behind, kept, message, answer))
    return rings


def _answered(behind: Behind, kept: AnswerFacts, message: MessageFacts, answer: bytes | None) -> Ring:
    other = next((one for one in behind.dossier.messages if one.id == kept.correlation != message.id), None)
    digest_too = answer is not None and message.digest.encode() in answer.lower()
    more = ", and the digest of our message" if digest_too else ""
    return Ring(
        words=f"Answer of {named(kept.destination, behind.names)}",
        digest=kept.digest,
        holds=_quoted(kept, message, other) + more,
    )


def _quoted(kept: AnswerFacts, message: MessageFacts, other: MessageFacts | None) -> str:
    """Say which message of ours an answer quotes: to a cancel or a hold it is the one that asked for it."""
    if kept.correlation == message.id:
        return "It quotes the id of our message"
    if other is not None:
        return f"It quotes the id of another message of ours, {other.id}"
    return "It does not quote the message above"


def _tied(*, same: bool, yes: str, no: str) -> str:
    return yes if same else no


def _leaf(leaf: LeafFacts | None) -> tuple[tuple[str, str], ...]:
    if leaf is None:
        return ()
    return (
        ("Leaf of the audit", f"{leaf.number:,} of {leaf.of:,}"),
        ("Written", zone_time(leaf.at)),
        ("Hash of the leaf", f"SHA-256 {leaf.hash}"),
    )


def _octets(behind: Behind, kept: AnswerFacts | None, answer: bytes | None) -> list[Octets]:
    view, source = behind.view, behind.dossier.submission
    as_json = source.format == WireFormat.FHIR.value
    received = Octets(
        words=f"Received from {behind.trust}",
        name="source",
        digest=source.digest,
        length=len(view.source),
        shown=bytes_shown.json_text(view.source) if as_json else bytes_shown.text(view.source),
    )
    found = [received] if view.source else []  # a provider is not shown the trust's own bytes
    if view.message is not None:
        found.append(
            Octets(
                words="Sealed for the provider",
                name="sealed",
                digest=hashlib.sha256(view.message).hexdigest(),
                length=len(view.message),
                shown=bytes_shown.json_text(view.message),
            )
        )
    if answer is not None and kept is not None:
        looks_json = answer.lstrip()[:1] in {b"{", b"["}
        found.append(
            Octets(
                words=f"Answer of {named(kept.destination, behind.names)}",
                name="answer",
                digest=kept.digest,
                length=len(answer),
                shown=bytes_shown.json_text(answer) if looks_json else bytes_shown.text(answer),
            )
        )
    return found
