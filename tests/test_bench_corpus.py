"""The messages that are measured with: each goes all the way, and none is another with other numbers."""

import re
from datetime import UTC, datetime
from itertools import islice

import pytest

from bench.corpus import Door, Message, messages, senders
from gateway.config.load import load
from gateway.domain.identifiers import OdsCode
from gateway.domain.submission import Outcome, Submission, WireFormat
from gateway.pipeline.surroundings import Surroundings
from gateway.pipeline.translate import read, translate
from gateway.wiring.around import surroundings

_NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
_FORMATS = {
    Door.MLLP: WireFormat.HL7V2,
    Door.HL7V2: WireFormat.HL7V2,
    Door.XML: WireFormat.XML,
    Door.FHIR: WireFormat.FHIR,
}


@pytest.fixture(scope="module")
def around() -> Surroundings:
    return surroundings(load(None))


def _some(door: Door, count: int, *, tag: str = "01", seed: int = 3) -> list[Message]:
    return list(islice(messages(door, seed=seed, tag=tag, providers=("VNE51", "VDEM1"), now=_NOW), count))


@pytest.mark.parametrize("door", Door)
def test_every_message_is_translated_as_it_stands(door: Door, around: Surroundings) -> None:
    first = senders(door)[0].trust  # the only trust at this door that the packaged configuration knows
    for message in [one for one in _some(door, 120) if one.trust == first]:
        sent = Submission(tenant=OdsCode(first), format=_FORMATS[door], body=message.octets, received_at=_NOW)
        done = translate(sent, read(sent, around), (), around)
        assert [order.verdict.outcome for order in done.orders] == [Outcome.TRANSLATED], done.verdict.issues


@pytest.mark.parametrize("door", Door)
def test_no_message_is_another_but_for_its_numbers(door: Door) -> None:
    some = _some(door, 200)
    assert len({one.key for one in some}) == len(some)
    assert len({re.sub(rb"[0-9A-Fa-f]{8}-[0-9A-Fa-f-]{27}|[0-9]", b"", one.octets) for one in some}) == len(some)


def test_equal_seeds_write_equal_messages_and_another_round_others() -> None:
    assert _some(Door.XML, 20) == _some(Door.XML, 20)
    assert {one.key for one in _some(Door.XML, 20)}.isdisjoint(one.key for one in _some(Door.XML, 20, tag="02"))
    assert _some(Door.XML, 1)[0].octets != _some(Door.XML, 1, seed=4)[0].octets
