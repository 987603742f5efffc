"""The prescriber's signature in an OBX of type ED, coded HCSIG: over the message with that OBX removed.

OBX-5 is `^application^pkcs7-signature^Base64^…`, `^application^jose^A^…`, or `^application^signature+xml^Base64^…` for
the EPS form, which covers the FHIR message that `$prepare` was asked about; OBX-14 is then its signing time.

Source: mapping.md 3.4 (HCSIG); HL7 v2 chapter 2A, ED.
"""

import base64
import binascii
from collections.abc import Iterable
from datetime import tzinfo
from typing import Final

from gateway.domain.prescription import PrescriberSignature
from gateway.translate.from_hl7v2.desk import Desk
from gateway.translate.from_hl7v2.moments import moment
from gateway.wire.er7 import Repetition, Segment

CODE: Final = "HCSIG"
_FORMATS: Final = {"pkcs7-signature": "cades", "jose": "jws", "signature+xml": "xmldsig-eps"}


def holds_signature(segment: Segment) -> bool:
    """Tell whether an OBX holds a prescriber's signature."""
    return any(leaf.text == CODE for part in segment.repetitions(3) if (leaf := part.leaf(1)))


def read_signature(desk: Desk, segments: Iterable[Segment], zone: tzinfo) -> PrescriberSignature | None:
    """Read the one signature; several, or one in a form that is not known, are refused."""
    found = [segment for segment in segments if holds_signature(segment)]
    for segment in found:
        for number in segment.fields:
            desk.mark(*segment.repetitions(number))
    if len(found) > 1:
        desk.flag("SIGNATURE_INVALID", found[1].at(5), "Several signatures of the prescriber stand here; send one.")
    if len(found) != 1:
        return None
    data = desk.one(found[0], 5)
    form = _FORMATS.get(_text(desk, data, 3).lower())
    octets = _octets(_text(desk, data, 4), _text(desk, data, 5))
    if form is None or octets is None:
        text = "The signature is not of type pkcs7-signature, jose or signature+xml, or not in the encoding it states."
        desk.flag("SIGNATURE_INVALID", found[0].at(5), text)
        return None
    if (leaf := desk.leaf(data, 5)) is not None:
        desk.trace("signature", leaf, "parse:ed", form)
    when = moment(desk, desk.leaf(desk.one(found[0], 14)), "signature.when", zone)
    return PrescriberSignature(format=form, data=octets, when=when)


def _text(desk: Desk, data: Repetition | None, component: int) -> str:
    leaf = desk.leaf(data, component)
    return leaf.raw if leaf else ""


def _octets(encoding: str, text: str) -> bytes | None:
    if encoding.upper() == "A":
        return text.encode() or None
    if encoding.lower() != "base64":
        return None
    try:
        return base64.b64decode("".join(text.split()), validate=True) or None
    except (binascii.Error, ValueError):
        return None
