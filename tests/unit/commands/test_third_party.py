"""Messages that other people wrote: whatever they hold, each ends in one outcome, with every value accounted for.

They are North American, minimal or malformed; none is meant for this gateway. What counts is that nothing is guessed:
none of them becomes a prescription that is sent.
"""

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import hl7
import pytest

from gateway.commands.offline import NOBODY, Offline, sender_of
from gateway.config.load import load
from gateway.domain.issue import CODES
from gateway.domain.submission import Outcome, Submission, WireFormat
from gateway.pipeline.surroundings import Surroundings
from gateway.translate.formats import FORMATS
from gateway.wiring.around import surroundings

SAMPLES = Path(__file__).parents[3] / "../shared/hl7v2-samples"
FILES = sorted((*SAMPLES.glob("thirdparty/*/*.hl7"), *SAMPLES.glob("fragments/*/*.frag")))

pytestmark = pytest.mark.skipif(not SAMPLES.exists(), reason="the samples of others are not beside this checkout")


@cache
def around() -> Surroundings:
    return surroundings(load(None))


def test_there_are_samples_to_read() -> None:
    assert len(FILES) == 49 + 9


@pytest.mark.parametrize("ending", [b"\r", b"\n", b"\r\n"], ids=["CR", "LF", "CRLF"])
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_message_of_others_ends_in_one_outcome_and_orders_nothing(file: Path, ending: bytes) -> None:
    given = Submission(
        tenant=NOBODY,
        format=WireFormat.HL7V2,
        body=ending.join(file.read_bytes().splitlines()),
        received_at=datetime(2026, 10, 6, 12, tzinfo=UTC),
    )
    tenant, known = sender_of(given, around())
    submission = replace(given, tenant=tenant)
    seen = Offline(known).take(submission)
    assert seen.verdict.outcome in {Outcome.HELD, Outcome.REFUSED, Outcome.TASK}
    assert seen.unaccounted == ()
    assert all(order.message is None for order in seen.orders)
    assert all(issue.code in CODES and issue.text for issue in seen.verdict.issues)
    assert seen.verdict.issues or seen.verdict.outcome is Outcome.TASK
    form = FORMATS[WireFormat.HL7V2]
    if seen.envelope.control_id:
        answer = form.answer(submission, seen.envelope, seen.verdict)
    else:
        answer = form.unreadable(submission.body, seen.verdict.issues)
    assert str(hl7.parse(answer.body.decode("latin-1")).segment("MSA")[1]) in {"AA", "AE", "AR", "CA", "CE", "CR"}
