"""The evidence pack: everything that proves what became of one prescription, as facts to print or to keep.

What it says does not depend on when it is made, so that its digest is the same until something new happens.

Source: console.md 6.3, 9 (print), 12 ("prove to a patient's relative that it was sent").
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.console.prescription import detail, sections
from gateway.console.prescription.detail import Behind
from gateway.console.prescription.evidence import Ring, evidence
from gateway.console.prescription.sections import MessageRow, Prescribed
from gateway.console.prescription.timeline import Entry, Seen, timeline
from gateway.console.searching.results import Banner
from gateway.console.words import zone_time
from gateway.ports.attention import WorkNote
from gateway.ports.dossier import LeafFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where one line stands, in words."""

    product: str
    state: str
    cancel: str
    sentence: str
    known: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the history."""

    at: str
    learned: str
    what: str
    about: str
    who: str
    known: str
    moved: str
    said: str
    text: str
    struck: str
    leaf: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """All of it; `received` is when the trust's message came."""

    number: str
    prescription: str
    patient: Banner
    trust: str
    provider: str
    received: str
    lines: tuple[Standing, ...]
    prescribed: tuple[Prescribed, ...]
    whole: tuple[tuple[str, str], ...]
    signature: str
    signature_why: str
    signature_rows: tuple[tuple[str, str], ...]
    steps: tuple[Step, ...]
    chain: tuple[Ring, ...]
    messages: tuple[MessageRow, ...]


def pack(behind: Behind, calls: Sequence[WorkNote], leaves: Mapping[int, LeafFacts | None]) -> Pack:
    """Gather the facts.

    Args:
        behind: the prescription.
        calls: what people were told about it.
        leaves: of the audit, by the number of the event.
    """
    view = behind.view
    seen = Seen(view=view, dossier=behind.dossier, calls=calls, names=behind.names, now=behind.now)
    last = next((one for one in reversed(view.events)), None)
    rests_on = evidence(last, behind, None, None) if last else None
    return Pack(
        number=view.found.number,
        prescription=str(view.found.prescription_id),
        patient=detail.banner(behind),
        trust=behind.trust,
        provider=behind.provider,
        received=zone_time(behind.dossier.submission.received_at),
        lines=tuple(_standing(line) for line in detail.lines(behind)),
        prescribed=sections.prescribed(behind),
        whole=sections.whole(behind),
        signature=rests_on.signature.label if rests_on else "",
        signature_why=rests_on.signature.why if rests_on else "",
        signature_rows=rests_on.signature.rows if rests_on else (),
        steps=tuple(_step(entry, leaves) for one in timeline(seen) for entry in (one.folded or (one,)) if entry.what),
        chain=rests_on.chain if rests_on else (),
        messages=sections.messages(behind),
    )


def _standing(line: detail.LineShown) -> Standing:
    return Standing(
        product=line.product,
        state=line.state.label,
        cancel=line.cancel.label if line.cancel else "",
        sentence=line.sentence,
        known=line.known.words if line.known else "",
    )


def _step(entry: Entry, leaves: Mapping[int, LeafFacts | None]) -> Step:
    leaf = leaves.get(entry.seq)
    return Step(
        at=zone_time(entry.placed),
        learned=entry.learned,
        what=entry.what,
        about=entry.about,
        who=entry.who,
        known=entry.known.words,
        moved=entry.moved,
        said=entry.said,
        text=entry.text,
        struck=entry.struck,
        leaf=f"{leaf.number}, {leaf.hash}" if leaf else "",
    )
