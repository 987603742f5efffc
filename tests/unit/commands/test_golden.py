"""The twelve authored messages, each after those it refers to: outcome, answer, issues and messages as expected."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.commands.offline import NOBODY, Offline, Seen, sender_of
from gateway.config.load import load
from gateway.domain.submission import Outcome, Submission, WireFormat
from gateway.wire.strict_json import loads
from gateway.wiring.around import surroundings
from tests.hl7v2_orders import GOLDEN

AFTER = {"S12": ["S01"], "S05": ["S02"], "S06": ["S01"], "S11": ["S01"]}
SERVED = sorted({path.name[:3] for path in GOLDEN.glob("S*.hl7")} - {"S11"})
"""S11 is a provider's report; it comes in at the provider's own door."""


def take(offline: Offline, path: Path) -> Seen:
    submission = Submission(
        tenant=NOBODY,
        format=WireFormat.HL7V2,
        body=path.read_bytes(),
        content_type="application/hl7-v2+er7",
        received_at=datetime(2026, 10, 6, 12, tzinfo=UTC),
    )
    tenant, offline.around = sender_of(submission, offline.around)
    return offline.take(
        Submission(
            tenant=tenant,
            format=submission.format,
            body=submission.body,
            content_type=submission.content_type,
            received_at=submission.received_at,
        )
    )


@pytest.mark.parametrize("name", SERVED)
def test_an_authored_message_gives_what_is_expected_of_it(name: str) -> None:
    expected = json.loads((GOLDEN / f"{name}.expected.json").read_text())
    offline = Offline(surroundings(load(None)))
    for earlier in AFTER.get(name, []):
        take(offline, GOLDEN / f"{earlier}.hl7")
    seen = take(offline, GOLDEN / f"{name}.hl7")
    verdict = seen.verdict
    outcome = Outcome.DUPLICATE if seen.repeated else verdict.outcome
    assert (outcome, verdict.application) == (expected["outcome"], expected["application"])
    assert (verdict.commit if seen.envelope.enhanced else None) == expected["commit"]
    assert {issue.code for issue in verdict.issues} >= set(expected["issues"])
    assert seen.unaccounted == ()
    messages = [message for order in seen.orders for message in order.messages]
    assert [message.unexplained for message in messages] == [()] * len(messages)
    events = [loads(message.body)["entry"][0]["resource"]["eventCoding"]["code"] for message in messages]  # type: ignore[call-overload,index]
    assert events == EVENTS.get(name, ["prescription-order"] * (outcome == "translated"))


EVENTS = {
    "S05": ["prescription-order-update"],
    "S06": ["prescription-order-update", "prescription-order"],
}
