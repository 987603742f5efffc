"""Rules of the requester's signature: eps.md 5.7."""

import binascii
from collections.abc import Iterator

from gateway.validate.fhir.eps.message import Json, Message, at, listed, wrong
from gateway.validate.fhir.finding import Level
from gateway.validate.fhir.narrow import found_at

_HEAD = 256  # characters of base64 that tell whether a document begins as XML does


def signatures(message: Message) -> None:
    """Want at most one signature of the requester, and tell of one that is not XML.

    EPS knows no other, although this gateway does.
    """
    signed = list(_of_requester(message))
    if len(signed) > 1:
        where, text = at(signed[1][0], "signature"), "expected at most one requester signature"
        message.tell(wrong("5.7 signature", "invalid", where, text))
    for index, signature in signed:
        if not _is_xml(signature):
            text = "EPS needs a signature in XML (INVALID_VALUE)"
            message.tell(wrong("5.7 signature data", "invalid", at(index, "signature.data"), text, Level.WARNING))


def _of_requester(message: Message) -> Iterator[tuple[int, Json]]:
    lines = message.of["MedicationRequest"]
    signer = found_at(lines[0][1], ("requester", "reference")) if lines else []
    for index, provenance in message.of["Provenance"]:
        for one in listed(provenance, "signature"):
            if type(one) is dict and found_at(one, ("who", "reference")) == signer:
                yield index, one


def _is_xml(signature: Json) -> bool:
    data = signature.get("data")
    if type(data) is not str:
        return True  # a signature that is missing is another matter
    try:
        return binascii.a2b_base64(data[:_HEAD], strict_mode=True).lstrip().startswith(b"<")
    except ValueError:
        return False
