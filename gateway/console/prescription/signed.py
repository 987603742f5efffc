"""The prescriber's signature in words: one of six states that are never merged; our own seal is another thing.

Source: console.md 6.3 (evidence), 11 (4); brief D8.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from gateway.console.prescription.signature import signature_words
from gateway.console.prescription.timeline import person_words
from gateway.console.words import clock_time, day, inert, zone_time
from gateway.domain.prescription import PrescriberSignature, Prescription
from gateway.sign.signer import Signer, signer_of

_FORMATS: Final = {
    "xmldsig-eps": "XML Signature, EPS form",
    "xmldsig": "XML Signature in the message",
    "jws": "JSON Web Signature beside the message",
    "cades": "CMS (CAdES)",
}
_UNVERIFIED: Final = "carried, could not be verified: "
_INVALID: Final = "invalid: "


class SignatureState(StrEnum):
    """What is known of the prescriber's signature."""

    GOOD = "Good"
    EXPIRED_SINCE = "Good when signed, certificate has since expired"
    NOT_CHECKED = "Not checked yet"
    UNKNOWN = "Could not be checked"
    BAD = "Bad"
    PAPER = "None: paper original follows"
    ATTESTED = "None: the trust states that the prescriber authorised it"
    NONE = "None"


_COLOURS: Final = {
    SignatureState.GOOD: ("green", "●"),
    SignatureState.EXPIRED_SINCE: ("green", "●"),
    SignatureState.NOT_CHECKED: ("grey", "○"),
    SignatureState.UNKNOWN: ("orange", "▲"),
    SignatureState.BAD: ("red", "■"),
    SignatureState.PAPER: ("yellow", "◐"),
    SignatureState.ATTESTED: ("yellow", "◐"),
    SignatureState.NONE: ("grey", "○"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureShown:
    """The signature line.

    Attributes:
        why: what is wrong or not known; empty where nothing is.
        rows: what else is known: term and words.
        label, colour, mark: as a tag.
    """

    state: SignatureState
    why: str = ""
    signer: str = ""
    signed_at: str = ""
    rows: tuple[tuple[str, str], ...] = ()

    @property
    def label(self) -> str:
        """The word on the tag."""
        return self.state.value

    @property
    def colour(self) -> str:
        """Of the tag."""
        return _COLOURS[self.state][0]

    @property
    def mark(self) -> str:
        """The shape on the tag."""
        return _COLOURS[self.state][1]


def signature(
    document: Prescription | None, message: bytes | None, received: datetime, now: datetime
) -> SignatureShown:
    """Give what is known of the prescriber's signature.

    Args:
        document: as read; None where the order could not be completed.
        message: as sealed; None where none was written.
        received: when the trust's message came, and the signature was looked at.
        now: to tell whether the certificate has expired since.
    """
    if document is None:
        return SignatureShown(state=SignatureState.NOT_CHECKED, why="the order could not be read to its end")
    if document.signature is None:
        return _without(signature_words(message))
    value = document.signature
    signer = signer_of(value)
    state, why = _state(value, signer, now)
    return SignatureShown(
        state=state,
        why=why,
        signer=person_words(document.prescriber),
        signed_at=zone_time(value.when) if value.when else "",
        rows=tuple(_rows(value, signer, document, state, received)),
    )


def _without(words: str) -> SignatureShown:
    if words == "paper follows":
        return SignatureShown(state=SignatureState.PAPER)
    if words == "stated by trust":
        return SignatureShown(state=SignatureState.ATTESTED)
    return SignatureShown(state=SignatureState.NONE, why="the message carries none")


def _state(value: PrescriberSignature, signer: Signer | None, now: datetime) -> tuple[SignatureState, str]:
    if not value.verdict:
        return SignatureState.NOT_CHECKED, "it was not looked at when the message came"
    if value.verdict == "valid":
        expired = signer is not None and signer.not_after < now
        return (SignatureState.EXPIRED_SINCE, "") if expired else (SignatureState.GOOD, "")
    if value.verdict.startswith(_INVALID):
        return SignatureState.BAD, inert(value.verdict.removeprefix(_INVALID))
    return SignatureState.UNKNOWN, inert(value.verdict.removeprefix(_UNVERIFIED))


def _rows(
    value: PrescriberSignature,
    signer: Signer | None,
    document: Prescription,
    state: SignatureState,
    received: datetime,
) -> list[tuple[str, str]]:
    count = len(document.lines)
    good = state in {SignatureState.GOOD, SignatureState.EXPIRED_SINCE}
    rows = [
        ("Prescriber as the message states", person_words(document.prescriber)),
        ("Signing time", zone_time(value.when) if value.when else "Not stated"),
        ("Form", _FORMATS.get(value.format, inert(value.format))),
        ("What was covered", _covered(count, good=good)),
        ("Checked", clock_time(received)),
        ("Digest of the signature", f"SHA-256 {value.digest}"),
    ]
    if signer is None:
        return [*rows, ("Certificate", "Could not be read")]
    rows += [
        ("Certificate of", inert(signer.subject)),
        ("Certificate serial number", signer.serial),
        ("Issued by", inert(signer.issuer)),
        ("Certificate valid", f"{day(signer.not_before.date())} to {day(signer.not_after.date())}"),
        ("Algorithm", signer.method or "Not stated"),
    ]
    revoked = (
        f"Not revoked, by a list or an answer that was fresh on {clock_time(received)}"
        if good
        else "No clean answer is on record: see why above"
    )
    return [*rows, ("Revocation", revoked)]


def _covered(count: int, *, good: bool) -> str:
    lines = "the one line" if count == 1 else f"all {count} lines"
    return f"{lines[0].upper()}{lines[1:]} of the message as received" if good else f"Not proved for {lines}"
