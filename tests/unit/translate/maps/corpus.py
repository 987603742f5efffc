"""How the messages of the corpus are read."""

from datetime import UTC, datetime

from gateway.config.reference import load_reference
from gateway.domain.partner import Environment
from gateway.domain.submission import Reading, Submission, WireFormat
from gateway.translate.context import ReadingContext
from gateway.translate.formats import FORMATS
from tests import factories

CONTEXT = ReadingContext(trust=factories.trust(), reference=load_reference(), environment=Environment.TEST)


def read(wire: WireFormat, body: bytes, context: ReadingContext = CONTEXT) -> Reading:
    """Read one message as the trust of the tests sends it."""
    submission = Submission(
        tenant=context.trust.ods,
        format=wire,
        body=body,
        received_at=datetime(2026, 10, 5, 9, tzinfo=UTC),
        idempotency_key="corpus-1",
    )
    return FORMATS[wire].read(submission, context)
