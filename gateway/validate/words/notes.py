"""Notes beside the directions: one that restates the dose must state the same one.

A note speaks to the pharmacy of anything: another medicine, the dose of last month, which tablets to use. It is
compared only where it is plainly directions, every word of which is understood; then another dose, frequency, route or
weekday than the line's is said twice and differently, and held. A dose with its frequency among words that are not
understood is only said to be unchecked. Notes about the patient, beside no line, are shown and not read.

Source: mapping.md 0.4, 3.4 (RXE-21, NTE) and 8.3.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from gateway.domain.prescription import Dosage, Line
from gateway.domain.reference import ProductRow
from gateway.validate.amounts import Strength, strength_of
from gateway.validate.words.check import Doubt
from gateway.validate.words.compare import Difference, in_kind, same_dose, same_often
from gateway.validate.words.grammar import read
from gateway.validate.words.said import Often, Said, Spread
from gateway.validate.words.structure import dose_of, is_structured, often_of
from gateway.validate.words.vocabulary import ROUTE_CODES

_SENTENCES = re.compile(r"(?<=[.;!?])\s+|[\r\n]+")
_ORDERS = re.compile(r"\W*(?:please )?(?:take|inject|give|apply|use|administer|inhale|swallow)\b", re.IGNORECASE)
_PLAIN = frozenset(
    (  # noqa: SIM905 - a list to be read
        "take taken give given apply applied use used administer administered inject injected inhale inhaled swallow"
        " please note dose dosage directions the a an of is to be by with food water patient should must"
    ).split()
)
"""Words that change nothing of a dose beside them."""
_OF_A_TOTAL = frozenset({"dose", "frequency"})
"""What differs where a note gives in one what is given in parts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Directions:
    """What the line directs, by its structure or else by its words alone.

    Attributes:
        timed: every dosage has a frequency that is known, so that another one is another.
        totals: dose times frequency of all that apply together, by kind of dose and of period.
    """

    doses: tuple[Spread, ...]
    often: tuple[Often, ...]
    timed: bool
    routes: frozenset[str]
    days: frozenset[str]
    totals: frozenset[tuple[Fraction, str, str]]


def note_doubts(line: Line, row: ProductRow | None) -> Iterator[Doubt]:
    """Compare the notes of a line with its directions.

    Args:
        line: as read.
        row: what is known of its product; its strength lets milligrams be compared with tablets.
    """
    directed = _directed(line.dosages) if line.notes else None
    if directed is None:
        return
    names = _words(f"{line.product.display} {row.display} {row.ingredient}" if row else line.product.display)
    for index, note in enumerate(line.notes):
        for sentence in filter(None, _SENTENCES.split(note)):
            yield from _sentence(sentence, directed, strength_of(row), names, f"notes[{index}]")


def _sentence(
    sentence: str, directed: _Directions, strength: Strength, names: frozenset[str], at: str
) -> Iterator[Doubt]:
    said = read(sentence)
    found = tuple(_restated(said, directed, strength))
    if not found:
        return
    whole = bool(said.doses and said.often)
    plain = not said.unsure and said.unread <= {*_PLAIN, *names}
    in_one = {difference.element for difference in found} <= _OF_A_TOTAL and _is_total(said, directed, strength)
    if plain and (whole or _ORDERS.match(sentence)) and not in_one:
        for difference in found:
            text = f"A note states a different {difference.element} from the directions."
            values = (difference.words.strip(), difference.structure)
            yield Doubt(code="TEXT_STRUCTURE_MISMATCH", at=at, text=text, values=values)
    elif whole:
        text = "A note speaks of a dose and could not be compared with the directions."
        yield Doubt(code="TEXT_NOT_CHECKED", at=at, text=text)


def _directed(dosages: Sequence[Dosage]) -> _Directions | None:
    """Gather what the dosages direct; None where they are several sets of words, or words that cannot be read."""
    structured = [dosage for dosage in dosages if is_structured(dosage)]
    if not structured:
        texts = [dosage.text for dosage in dosages if dosage.text]
        said = read(texts[0]) if len(texts) == 1 else Said(unsure=True)
        return None if said.unsure else _of_words(said)
    doses = [dose_of(dosage) for dosage in structured]
    often = [often_of(dosage.timing) for dosage in structured]
    if None in doses and any(dosage.dose is not None for dosage in structured):
        doses = []  # one of them cannot be compared, and the note may be about that one
    routes = [ROUTE_CODES.get(dosage.route.code, "") if dosage.route else "" for dosage in structured]
    pairs = [(dose, each) for dose, each in zip(doses, often, strict=False) if dose and each]
    return _Directions(
        doses=tuple(filter(None, doses)),
        often=tuple(filter(None, often)),
        timed=None not in often,
        routes=frozenset(routes) if all(routes) else frozenset(),
        days=frozenset(day for dosage in structured if dosage.timing for day in dosage.timing.day_of_week),
        totals=_totals(pairs),
    )


def _of_words(said: Said) -> _Directions:
    pairs = [(said.doses[0], said.often[0])] if len(said.doses) == len(said.often) == 1 else []
    return _Directions(
        doses=said.doses,
        often=said.often,
        timed=bool(said.often),
        routes=said.routes,
        days=said.days,
        totals=_totals(pairs),
    )


def _totals(pairs: Sequence[tuple[Spread, Often]]) -> frozenset[tuple[Fraction, str, str]]:
    """Give each amount over time, and that of all together."""
    each = [
        (dose.high * often.high, dose.kind, often.of)
        for dose, often in pairs
        if dose.high is not None and often.high is not None
    ]
    alike = len({(kind, of) for _, kind, of in each}) == 1
    whole = [(sum((amount for amount, _, _ in each), Fraction(0)), *each[0][1:])] if alike else []
    return frozenset((*each, *whole))


def _restated(said: Said, directed: _Directions, strength: Strength) -> Iterator[Difference]:
    """Give what a note says otherwise; what it leaves out is no difference."""
    for found in said.doses:
        pairs = [(same, dose) for dose in directed.doses if (same := in_kind(found, dose.kind, strength))]
        if pairs and not any(same_dose(same, dose) for same, dose in pairs):
            yield Difference(element="dose", words=found.words, structure=_listed(dose.words for _, dose in pairs))
    for often in said.often if directed.timed else ():
        if not any(same_often(often, one) or (said.one_moment and _rarer(one, often)) for one in directed.often):
            words = _listed(one.words for one in directed.often)
            yield Difference(element="frequency", words=often.words, structure=words)
    for element, told, stated in (("route", said.routes, directed.routes), ("weekday", said.days, directed.days)):
        if stated and told - stated:
            yield Difference(element=element, words=_listed(sorted(told)), structure=_listed(sorted(stated)))


def _rarer(directed: Often, often: Often) -> bool:
    """Tell whether a medicine is given less often than on one day, or at one time of day, alone would mean.

    Then a note of that day says on which it is given: "inject in the evening", of a weekly one.
    """
    return directed.of != often.of or (directed.high or Fraction(0)) <= (often.high or Fraction(0))


def _listed(words: Iterable[str]) -> str:
    return "; ".join(words)


def _is_total(said: Said, directed: _Directions, strength: Strength) -> bool:
    """Tell whether a note may give in one what is given in parts: 40 mg daily beside 20 mg twice a day."""
    pairs = zip(said.doses, said.often, strict=False)
    sums = {
        (dose.high * often.high, kind, often.of)
        for found, often in pairs
        for kind in {dose.kind for dose in directed.doses}
        if (dose := in_kind(found, kind, strength)) and dose.high is not None and often.high is not None
    }
    return not sums.isdisjoint(directed.totals)


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z][a-z'-]*", text.lower()))
