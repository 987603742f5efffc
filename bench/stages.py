"""What one prescription costs, stage by stage, beside bare ceilings measured in the same run.

Figures are CPU microseconds of one core (best of several rounds, so that a busy machine disturbs least) and the ratio
to one bare ES256 signature.
"""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from bench.story import story_rows
from gateway.config.load import load
from gateway.domain.identifiers import OdsCode
from gateway.domain.submission import Submission, WireFormat
from gateway.pipeline.translate import read, translate
from gateway.wire import strict_json
from gateway.wiring.around import surroundings

GOLDEN = Path(__file__).parents[1] / "tests/golden"
MOMENT = datetime(2026, 10, 5, 9, 16, tzinfo=UTC)
ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Row:
    """One stage: its name and its CPU microseconds."""

    stage: str
    microseconds: float


def measure(work: Callable[[], object], *, times: int) -> float:
    """Give the CPU microseconds of one call: the best of several rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.process_time()
        for _ in range(times):
            work()
        best = min(best, (time.process_time() - started) / times)
    return best * 1e6


def rows() -> tuple[list[Row], dict[str, float]]:
    """Measure every stage; and give what the store writes for one prescription, in bytes."""
    configuration = load(None)
    around = surroundings(configuration)
    gc.collect()
    gc.freeze()  # as the gateway does
    messages = {
        WireFormat.HL7V2: (GOLDEN / "hl7v2/S01.hl7").read_bytes(),
        WireFormat.XML: (GOLDEN / "xml/example-new.xml").read_bytes(),
    }
    key = ec.generate_private_key(ec.SECP256R1())
    algorithm = ec.ECDSA(hashes.SHA256())
    out = [Row("bare ES256 signature of 13 KB", measure(lambda: key.sign(b"x" * 13000, algorithm), times=500))]
    for form, body in messages.items():
        submission = Submission(tenant=OdsCode("RBA"), format=form, body=body, received_at=MOMENT)
        reading = read(submission, around)
        translation = translate(submission, reading, (), around)
        out.append(Row(f"{form}: read", measure(partial(read, submission, around), times=50)))
        carry = partial(translate, submission, reading, (), around)
        out.append(Row(f"{form}: choose, write, check", measure(carry, times=50)))
        message = translation.orders[0].message
        if message is not None and form is WireFormat.HL7V2:
            parse = partial(strict_json.loads, message.body)
            out.append(Row("FHIR message: strict parse", measure(parse, times=200)))
            sent = replace(submission, format=WireFormat.FHIR, body=message.body)
            out.append(Row("fhir: read", measure(partial(read, sent, around), times=50)))
            out.append(Row("FHIR message: serialise", measure(partial(strict_json.dumps, parse()), times=200)))
    stages, written = story_rows(messages[WireFormat.HL7V2], around)
    return out + [Row(stage, microseconds) for stage, microseconds in stages], written


def table(measured: list[Row]) -> str:
    """Give the table as Markdown."""
    unit = measured[0].microseconds
    lines = ["| Stage | CPU µs | in signatures |", "|---|---:|---:|"]
    lines += [f"| {row.stage} | {row.microseconds:,.0f} | {row.microseconds / unit:,.1f} |" for row in measured]
    return "\n".join(lines)
