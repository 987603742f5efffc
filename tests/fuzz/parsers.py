"""Parsers alone: each may raise its own error and nothing else, and what it reads must be what another reader reads."""

import json
from contextlib import suppress

from adapters.fhir_push.outcomes import refusal_codes
from adapters.fhir_push.payload import read_answer as read_fhir_answer
from adapters.sandbox.payload import read_answer as read_sandbox_answer
from gateway.config.fhir_xml import fhir_xml
from gateway.config.profiles import fhir_checker
from gateway.domain.errors import Refusal
from gateway.domain.issue import CODES
from gateway.translate.dose_words import words
from gateway.translate.from_fhir.dosage_list import dosages
from gateway.translate.from_xml.document import parse as parse_xml
from gateway.validate.fhir.checker import check_body
from gateway.validate.words import grammar
from gateway.wire import er7
from gateway.wire.fhir_xml import FhirXmlError
from gateway.wire.mllp import FrameDecoder, FrameViolation
from gateway.wire.strict_json import JsonError, dumps, loads

LIMIT = 1 << 16


def read_er7(body: bytes) -> None:
    with suppress(er7.Er7Error):
        message = er7.parse(body)
        assert all(leaf.locator for segment in message.segments for leaf in segment.leaves())


def read_frames(body: bytes) -> None:
    """Cut anywhere, the same messages and the same breach; and no message holds a frame's own bytes.

    Only the last message before a breach may be missing from the whole: what breaks the frame was seen with its end.
    """
    whole, breach = _frames([body])
    pieces, same = _frames([body[index : index + 1] for index in range(len(body))])
    assert same == breach
    assert pieces == whole or (breach and pieces[:-1] == whole)
    assert all(b"\x0b" not in message and b"\x1c" not in message for message in pieces)


def _frames(chunks: list[bytes]) -> tuple[list[bytes], str]:
    decoder = FrameDecoder(LIMIT)
    found: list[bytes] = []
    try:
        for chunk in [*chunks, b""]:
            found += decoder.feed(chunk)
    except FrameViolation as breach:
        return found, breach.code
    return found, ""


def read_json(body: bytes) -> None:
    """What is read says what the standard library reads, and is written with its lexemes."""
    try:
        value = loads(body)
    except JsonError as error:
        if error.code not in CODES:
            raise AssertionError(error.code) from error
        return
    written = dumps(value)
    assert dumps(loads(written)) == written
    assert json.loads(body) == json.loads(written)


def read_fhir_xml(body: bytes) -> None:
    """What is read is written and read again the same."""
    try:
        value = fhir_xml().to_json(body)
    except FhirXmlError:
        return
    assert fhir_xml().to_json(fhir_xml().to_xml(value)) == value


def read_trust_xml(body: bytes) -> None:
    with suppress(Refusal):
        assert parse_xml(body)


def read_directions(body: bytes) -> None:
    assert grammar.read(body.decode("utf-8", "replace"))


def read_dosages(body: bytes) -> None:
    with suppress(Refusal, JsonError):
        assert words(dosages(loads(body)))


def check_fhir(body: bytes) -> None:
    assert all(finding.text for finding in check_body(fhir_checker(), body))


def read_sandbox(body: bytes) -> None:
    assert read_sandbox_answer(body)


def read_fhir_push(body: bytes) -> None:
    assert read_fhir_answer(body)
    refusal_codes(body)
