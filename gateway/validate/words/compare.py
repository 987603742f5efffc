"""Words against structure: what contradicts, and whether enough was read to say that nothing does.

Words richer than the structure pass; a contradiction on any element found holds the line. Amounts in different kinds
are compared only through the product's strength.

Source: mapping.md 8.3.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from gateway.domain.prescription import Dosage
from gateway.validate.amounts import Amount, Strength, is_counted
from gateway.validate.words.moments import in_order, stated_moments
from gateway.validate.words.said import DAY, NO_UNIT, Lasting, Often, Said, Spread, Timed
from gateway.validate.words.structure import coded_often, dose_of, length_of, often_of
from gateway.validate.words.vocabulary import NEVER_INJECTED, ROUTE_CODES


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One contradiction.

    Attributes:
        element: what differs: dose, time of day, frequency, weekday, route or duration.
        words: as the prescriber wrote it.
        structure: as the structure states it.
    """

    element: str
    words: str
    structure: str


def differences(said: Said, dosages: Sequence[Dosage], strength: Strength) -> tuple[Difference, ...]:
    """Give every contradiction between words and the dosages they are the words of."""
    return (
        *_doses(said, dosages, strength),
        *_exchanged(said, dosages, strength),
        *_frequencies(said, dosages),
        *_weekdays(said, dosages),
        *_routes(said, dosages),
        *_durations(said, dosages),
    )


def differing_words(first: Said, second: Said, strength: Strength) -> tuple[Difference, ...]:
    """Give what directions that stand beside other directions contradict, where there is no structure to ask."""
    doses = [
        Difference(element="dose", words=found.words, structure="; ".join(dose.words for dose in comparable))
        for found in second.doses
        if (comparable := [dose for dose in first.doses if in_kind(found, dose.kind, strength)])
        and not any(same_dose(same, dose) for dose in comparable if (same := in_kind(found, dose.kind, strength)))
    ]
    often = [
        Difference(element="frequency", words=found.words, structure="; ".join(one.words for one in first.often))
        for found in second.often
        if first.often and not any(same_often(found, one) for one in first.often)
    ]
    return (*doses, *often)


def speaks_of_dose(said: Said, dosages: Sequence[Dosage], other: Said, strength: Strength) -> bool:
    """Tell whether further words give this medicine's dose, and are not advice: "wait 30 minutes", "drink 2 litres"."""
    kinds = {dose.kind for dosage in dosages if (dose := dose_of(dosage))} or {dose.kind for dose in other.doses}
    return any(in_kind(found, kind, strength) for found in said.doses for kind in kinds)


def compared(said: Said, dosages: Sequence[Dosage], strength: Strength) -> bool:
    """Tell whether every dose and every frequency of the structure could be compared with the words."""
    if said.unsure or (said.often and together(said, dosages) and _matched(said, dosages, strength) is None):
        return False
    for dosage in dosages:
        dose, often = dose_of(dosage), often_of(dosage.timing)
        if dosage.dose is not None and (
            dose is None or not any(in_kind(one, dose.kind, strength) for one in said.doses)
        ):
            return False
        if often is not None and not said.often:
            return False
        if often is None and dosage.timing is not None and dosage.timing.code is not None:
            return False
    return True


def _doses(said: Said, dosages: Sequence[Dosage], strength: Strength) -> Iterator[Difference]:
    stated = [dose for dosage in dosages if (dose := dose_of(dosage))]
    if len(stated) < len([dosage for dosage in dosages if dosage.dose is not None]):
        return  # one of them cannot be compared, and any of the words may be about that one
    for found in said.doses:
        pairs = [(same, dose) for dose in stated if (same := in_kind(found, dose.kind, strength))]
        if pairs and not any(same_dose(same, dose) for same, dose in pairs):
            yield Difference(element="dose", words=found.words, structure="; ".join(dose.words for _, dose in pairs))
    for dose in stated:
        pairs = [(same, dose) for found in said.doses if (same := in_kind(found, dose.kind, strength))]
        if len(stated) > 1 and pairs and not any(same_dose(same, dose) for same, _ in pairs):
            words = "; ".join(same.words for same, _ in pairs)
            yield Difference(element="dose", words=words, structure=dose.words)


def in_kind(found: Spread, kind: str, strength: Strength) -> Spread | None:
    """Give a dose of the words in the kind of the structure; None where they cannot be compared."""
    if found.kind == kind or (found.kind == NO_UNIT and is_counted(kind)):
        return found
    if found.each is not None and found.each.kind == kind:
        return _times(found, found.each.value)
    if found.kind == NO_UNIT:
        return None
    if found.kind == "dose" or kind == "dose":
        return None
    one = strength.convert(Amount(value=Fraction(1), kind=found.kind), kind)
    if one is not None:
        return _times(found, one.value)
    counted = is_counted(found.kind) and is_counted(kind)
    return found if counted and _rigid(found.kind) and _rigid(kind) else None


def _rigid(kind: str) -> bool:
    """Tell whether a unit of presentation is never another's name: a tablet is no capsule, yet an injection may be."""
    return kind in {"tablet", "capsule", "patch", "suppository", "pessary", "sachet", "puff", "drop"}


def _times(found: Spread, factor: Fraction) -> Spread:
    low = found.low * factor if found.low is not None else None
    high = found.high * factor if found.high is not None else None
    return Spread(low=low, high=high, kind=NO_UNIT, words=found.words)


def same_dose(words: Spread, structure: Spread) -> bool:
    """Tell whether a dose of the words, in the kind of the structure, is the one stated."""
    if words.kind not in {NO_UNIT, structure.kind}:
        return False
    return _ends_agree((words.low, words.high), (structure.low, structure.high))


def _ends_agree(
    words: tuple[Fraction | None, Fraction | None], structure: tuple[Fraction | None, Fraction | None]
) -> bool:
    """Compare ends; "up to 3" says nothing of the least, and so agrees with any least."""
    if words[0] is None:
        return words[1] == structure[1]
    if words[1] is None:
        return words[0] == structure[0]
    return words == structure


def _entries(dosages: Sequence[Dosage]) -> tuple[Timed, ...]:
    """Give which dose the structure states for which time of day; empty unless it does so for all of them together."""
    found: list[Timed] = []
    for dosage in dosages:
        timing, dose = dosage.timing, dose_of(dosage)
        moments = stated_moments(timing.time_of_day, timing.when) if timing and not timing.day_of_week else None
        if not moments or dose is None or timing is None or timing.frequency not in {None, len(moments)}:
            return ()
        found += [Timed(doses=(dose,), moment=moment) for moment in moments]
    return tuple(found) if len({dosage.sequence for dosage in dosages}) == 1 else ()


def _matched(said: Said, dosages: Sequence[Dosage], strength: Strength) -> list[tuple[Timed, Timed]] | None:
    """Match words with structure in the order of the day; None where the two cannot be compared one by one."""
    stated = _entries(dosages)
    if not stated or len(said.timed) != len(stated):
        return None
    ours, theirs = in_order([one.moment for one in said.timed]), in_order([one.moment for one in stated])
    if ours is None or theirs is None:
        return None
    pairs = [(said.timed[one], stated[other]) for one, other in zip(ours, theirs, strict=True)]
    comparable = all(in_kind(dose, two.doses[0].kind, strength) for one, two in pairs for dose in one.doses)
    return pairs if comparable else None


def _exchanged(said: Said, dosages: Sequence[Dosage], strength: Strength) -> Iterator[Difference]:
    for one, two in _matched(said, dosages, strength) or ():
        (dose,) = two.doses
        named = [same for each in one.doses if (same := in_kind(each, dose.kind, strength))]
        words, structure = (f"{timed.doses[0].words} {timed.moment.words}" for timed in (one, two))
        if not any(same_dose(same, dose) for same in named):
            yield Difference(element="dose", words=words, structure=structure)
        elif not one.moment.may_be(two.moment):
            yield Difference(element="time of day", words=words, structure=structure)


def _frequencies(said: Said, dosages: Sequence[Dosage]) -> Iterator[Difference]:
    for dosage in dosages:
        coded, often = coded_often(dosage.timing), often_of(dosage.timing)
        if coded and often and not same_often(coded, often):
            yield Difference(element="frequency", words=coded.words, structure=often.words)
    stated = [often for dosage in dosages if (often := often_of(dosage.timing))]
    if said.often and together(said, dosages):
        return
    untimed = any(dosage.timing is None or often_of(dosage.timing) is None for dosage in dosages)
    if not stated:
        return
    for found in said.often:
        if not untimed and not any(same_often(found, often) for often in stated):
            structure = "; ".join(often.words for often in stated)
            yield Difference(element="frequency", words=found.words, structure=structure)
    if len(stated) == 1:
        return
    # "10 units TDS and 20 units at bedtime" says how often in two ways
    named = Often(low=Fraction(said.moments), high=Fraction(said.moments), of=DAY)
    for often in stated:
        if said.often and not any(same_often(found, often) for found in (*said.often, named)):
            words = "; ".join(found.words for found in said.often)
            yield Difference(element="frequency", words=words, structure=often.words)


def together(said: Said, dosages: Sequence[Dosage]) -> bool:
    """Tell whether the words count the times of dosages that apply together: 10 mg at morning and 5 mg at night, twice.

    Which of the doses is for which time is a question of its own (`_matched`).
    """
    stated = [often_of(dosage.timing) for dosage in dosages]
    if len(stated) <= 1 or len({dosage.sequence for dosage in dosages}) > 1 or not all(stated):
        return False
    known = [often for often in stated if often]
    exact = all(often.low is not None and often.low == often.high and often.of == known[0].of for often in known)
    total = sum((often.low or Fraction(0) for often in known), Fraction(0))
    return exact and all((found.low, found.high, found.of) == (total, total, known[0].of) for found in said.often)


def same_often(words: Often, structure: Often) -> bool:
    """Tell whether a frequency of the words is the one stated; days and months are never converted."""
    return words.of == structure.of and _ends_agree((words.low, words.high), (structure.low, structure.high))


def _weekdays(said: Said, dosages: Sequence[Dosage]) -> Iterator[Difference]:
    stated = frozenset(day for dosage in dosages if dosage.timing for day in dosage.timing.day_of_week)
    if said.days and stated and said.days != stated:
        yield Difference(element="weekday", words=" ".join(sorted(said.days)), structure=" ".join(sorted(stated)))


def _routes(said: Said, dosages: Sequence[Dosage]) -> Iterator[Difference]:
    stated = {ROUTE_CODES[dosage.route.code] for dosage in dosages if dosage.route and dosage.route.code in ROUTE_CODES}
    if not stated or any(dosage.route is None or dosage.route.code not in ROUTE_CODES for dosage in dosages):
        return
    if said.routes and said.routes != stated:
        yield Difference(element="route", words=", ".join(sorted(said.routes)), structure=", ".join(sorted(stated)))
    elif said.injected and stated <= NEVER_INJECTED:
        yield Difference(element="route", words="inject", structure=", ".join(sorted(stated)))


def _durations(said: Said, dosages: Sequence[Dosage]) -> Iterator[Difference]:
    bounds = [dosage.timing.bounds for dosage in dosages if dosage.timing and dosage.timing.bounds]
    if len(bounds) < len(dosages) or len(said.lasting) != 1 or len(dosages) > 1:
        return
    found = said.lasting[0]
    yield from _dates(found, dosages[0])
    stated = [length for bound in bounds if (length := length_of(bound.duration)) and not bound.duration_high]
    for length in stated:
        if (found.value, found.of) != (length.value, length.of):
            yield Difference(element="duration", words=found.words, structure=length.words)


def _dates(found: Lasting, dosage: Dosage) -> Iterator[Difference]:
    """Compare days in words with a first and a last day.

    Whether the last day counts, and whether it is that of the last dose, people write either way: up to one period
    more or less is no contradiction.
    """
    timing = dosage.timing
    bounds = timing.bounds if timing else None
    if timing is None or bounds is None or not bounds.start or not bounds.end or found.of != DAY:
        return
    between = (bounds.end - bounds.start).days
    often = often_of(timing)
    period = 1 / often.low if often and often.low and often.of == DAY else Fraction(1)
    if abs(between - found.value) > max(period, Fraction(1)):
        yield Difference(element="duration", words=found.words, structure=f"{between + 1} days")


def more_than_weekly(often: Often | None) -> bool:
    """Tell whether a frequency is more often than once a week."""
    return often is not None and often.of == DAY and (often.high or Fraction(0)) > Fraction(1, 7)
