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
from gateway.console.prescription.timeline import event_words, happened_at, moved
from gateway.console.words import inert, zone_time
from gateway.domain.submission import WireFormat
from gateway.enquiries import EventView
from gateway.ports.dossier import AnswerFacts, LeafFacts, MessageFacts

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


def evidence(event: EventView, behind: Behind, leaf: LeafFacts | None, answer: bytes | None) -> EvidenceShown:
    """Give what an event rests on.

    Args:
        event: of the prescription's history.
        behind: the prescription.
        leaf: of the audit, found by the event's number.
        answer: the provider's answer that said so, as received; None where there is none, or it is not ours to show.
    """
    facts = behind.dossier.events.get(event.seq)
    kept = next((one for one in behind.dossier.answers if facts and one.row == facts.answer), None)
    happened = happened_at(event, facts)
    message = message_of(event, behind)
    return EvidenceShown(
        seq=event.seq,
        what=event_words(event.event, event.actor),
        at=zone_time(event.at),
        happened=zone_time(happened) if happened != event.at else "",
        known=graded(event, behind.dossier),
        moved=moved(event),
        said=inert(event.text),
        signature=signature(
            behind.dossier.document, behind.view.message, behind.dossier.submission.received_at, behind.now
        ),
        seal=_seal(behind.view.message, message),
        chain=tuple(_chain(behind, message, kept, answer)),
        leaf=_leaf(leaf),
        octets=tuple(_octets(behind, kept, answer)),
    )


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
        ("What it covers", f"{_count(said.get('lines'))}, the message, the trust's own bytes and the signature"),
        ("Maps and reference data", ", ".join(str(one) for one in _mapping(said.get("map")).values())),
        ("May be acted on until", zone_time(message.not_valid_after)),
    )


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
    quotes = kept.correlation == message.id
    digest_too = answer is not None and message.digest.encode() in answer.lower()
    more = ", and the digest of our message" if digest_too else ""
    return Ring(
        words=f"Answer of {named(kept.destination, behind.names)}",
        digest=kept.digest,
        holds=_tied(
            same=quotes, yes=f"It quotes the id of our message{more}", no="It does not quote the message above"
        ),
    )


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
