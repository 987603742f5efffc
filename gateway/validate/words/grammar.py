"""A small grammar that finds doses, frequencies, weekdays and routes in a prescriber's words.

It reads from left to right; at each place the first pattern that fits takes its words, and a word that fits none is
passed over. What it finds is only ever compared, never sent (mapping.md 8.3). It prefers not to read: a number nobody
took, or a word such as "increase", makes the whole unsure.

Source: mapping.md 8.3; the British National Formulary's abbreviations for directions.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache

from gateway.validate.amounts import Amount, measured
from gateway.validate.words import vocabulary as v
from gateway.validate.words.moments import PARTS, Moment, clauses, clock_moments, part_moments
from gateway.validate.words.phrases import (
    ADVERB,
    BETWEEN,
    CLOCK,
    COUNT,
    DONE_BESIDE,
    DOSE_NEXT,
    EVENT,
    FILL,
    FOLLOWS,
    GIVEN,
    HEAD,
    HOW_OFTEN,
    MEASURE,
    PER,
    THING,
    TIME_OF_DAY,
    TIMES,
    TO,
    UP,
    WEEKDAY,
    N,
    any_of,
)
from gateway.validate.words.said import DAY, NO_UNIT, Lasting, Often, Said, Spread, Timed, on_days

_PARTS_OF = {"7": "days", "52": "weeks", "12": "months"}
_IN_PARTS = re.compile(r"\b(every|for) (\d\d?)/(7|52|12)\b(?!/)")
"""British shorthand: 5/7 is five days of the week, 2/52 two weeks of the year, 3/12 three months."""
_TELEPHONE = re.compile(r"(?:\d{4,}|\b0\d+|\d \d+)$")


LONGEST = 2000
"""Characters of directions that are read; longer ones are a leaflet, and a person reads them."""
_LONGEST_REMEMBERED = 120
"""Short directions are the same for many patients; longer ones may speak of one, and are not kept in memory."""


@dataclass(slots=True)
class _Found:
    doses: list[Spread] = field(default_factory=list)
    often: list[Often] = field(default_factory=list)
    days: set[str] = field(default_factory=set)
    routes: set[str] = field(default_factory=set)
    lasting: list[Lasting] = field(default_factory=list)
    moments: int = 0
    parts: list[Spread | Moment] = field(default_factory=list)
    """Doses and times of day, in the order written."""
    after_dose: int = -1
    """Where the last dose ended."""
    after_moment: int = -1
    """Where the last time of day ended."""
    either: bool = False
    """One of two things is said to be enough."""
    steps: bool = False
    """One thing is said to follow another."""
    injected: bool = False
    once_only: bool = False
    unread: set[str] = field(default_factory=set)
    unsure: bool = False


def read(text: str) -> Said:
    """Find what directions say.

    Args:
        text: as the prescriber wrote it.

    Returns:
        What was found; nothing is guessed, and what is not found is not there.

    Raises:
        Nothing.
    """
    if len(text) > LONGEST:
        return Said(unsure=True)
    return _remembered(text) if len(text) <= _LONGEST_REMEMBERED else _read(text)


def _read(text: str) -> Said:
    plain = _plain(text)
    found, at = _Found(), 0
    while at < len(plain):
        at = _step(found, plain, at)
    said = tuple(on_days(one, len(found.days)) for one in found.often)
    return Said(
        doses=tuple(found.doses),
        often=said or _implied(found),
        days=frozenset(found.days),
        routes=frozenset(found.routes),
        lasting=tuple(found.lasting),
        timed=_timed(found),
        moments=found.moments,
        one_moment=not said and found.moments <= 1 and len(found.days) <= 1,
        injected=found.injected,
        once_only=found.once_only,
        unread=frozenset(found.unread),
        unsure=found.unsure,
    )


_remembered = lru_cache(maxsize=2048)(_read)


def _plain(text: str) -> str:
    """Fold case, fractions, dashes and dotted abbreviations."""
    folded = re.sub(r"(?<=\d)([¼½¾⅓⅔])", r" \1", text)
    folded = unicodedata.normalize("NFKC", folded).lower().replace("\N{FRACTION SLASH}", "/")
    folded = re.sub(r"[\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}]", "-", folded)
    folded = folded.replace("\N{GREEK SMALL LETTER MU}g", "ug").replace("\N{MULTIPLICATION SIGN}", "x")
    folded = re.sub(r"\b([a-z])\.(?=[a-z]\b)", r"\1", folded)
    folded = re.sub(r"\bpre ?filled\b", "pre-filled", folded)
    folded = _IN_PARTS.sub(lambda found: f"{found[1]} {found[2]} {_PARTS_OF[found[3]]}", folded)
    return " ".join(folded.split())


def _step(found: _Found, text: str, at: int) -> int:
    for pattern, take in _PATTERNS:
        match = pattern.match(text, at)
        if match:
            take(found, match)
            return max(match.end(), at + 1)
    word = re.compile(r"[a-z][a-z'-]*|\d[\d.,/:]*|.", re.DOTALL).match(text, at)
    if word is None:
        return at + 1
    if word[0][0].isdigit() or word[0] in v.UNCLEAR:
        found.unsure = True
    found.either = found.either or word[0] == "or"
    found.steps = found.steps or word[0] == "then"
    if word[0][0].isalpha():
        found.unread.add(word[0])
    return word.end()


def _timed(found: _Found) -> tuple[Timed, ...]:
    """Pair doses with times of day, where the order of the words leaves no doubt."""
    if found.unsure or found.either or found.days:
        return ()
    paired = clauses(["d" if isinstance(part, Spread) else "m" for part in found.parts])
    return tuple(
        Timed(
            doses=tuple(part for part in (found.parts[at] for at in doses) if isinstance(part, Spread)), moment=moment
        )
        for doses, moments in paired or ()
        for moment in (found.parts[at] for at in moments)
        if isinstance(moment, Moment)
    )


def _number(text: str) -> Fraction:
    text = text.strip().replace(",", "")
    if text.startswith("half"):
        return Fraction(1, 2)
    if text.endswith(" and a half"):
        return v.NUMBERS[text.removesuffix(" and a half")] + Fraction(1, 2)
    if text in {"a", "an"}:
        return Fraction(1)
    if text in v.NUMBERS:
        return v.NUMBERS[text]
    whole, _, part = text.rpartition(" ")
    return Fraction(part) + (Fraction(whole) if whole else 0)


def _kind(unit: str) -> tuple[str, Fraction]:
    """Give the kind of a unit word and what one of it is."""
    word = unit.strip()
    if word in v.UNIT_CODES:
        amount = measured(Fraction(1), v.UNIT_CODES[word])
        if amount:
            return amount.kind, amount.value
    for candidate in (word, word.removesuffix("s")):
        if candidate in v.PRESENTED:
            return v.PRESENTED[candidate], Fraction(1)
    return NO_UNIT, Fraction(1)


def _spread(match: "re.Match[str]", unit: str) -> Spread:
    kind, of = _kind(unit)
    first = _number(match["n"]) * of
    last = _number(match["to"]) * of if match["to"] else first
    low = None if match["up"] and not match["to"] else first
    if match["least"]:
        return Spread(low=first, high=None, kind=kind, words=match[0])
    return Spread(low=low, high=last, kind=kind, words=match[0])


def _dose(found: _Found, match: "re.Match[str]", dose: Spread) -> None:
    found.doses.append(dose)
    found.parts.append(dose)
    found.after_dose = match.end()


def _measured(found: _Found, match: "re.Match[str]") -> None:
    _dose(found, match, _spread(match, match["unit"]))


def _from_to(found: _Found, match: "re.Match[str]") -> None:
    """Take "10 mg to 15 mg", one unit said twice."""
    kind, of = _kind(match["unit"])
    low, high = _number(match["n"]) * of, _number(match["to"]) * of
    _dose(found, match, Spread(low=low, high=high, kind=kind, words=match[0]))


def _with_strength(found: _Found, match: "re.Match[str]") -> None:
    kind, of = _kind(match["strength"])
    each = Amount(value=_number(match["each"]) * of, kind=kind)
    said = _spread(match, match["unit"])
    _dose(found, match, replace(said, each=each))


def _multiplied(found: _Found, match: "re.Match[str]") -> None:
    """Take "2 x 150 mg", which is one dose of 300 mg."""
    kind, of = _kind(match["strength"])
    dose = _number(match["n"]) * _number(match["each"]) * of
    _dose(found, match, Spread(low=dose, high=dose, kind=kind, words=match[0]))


def _bare(found: _Found, match: "re.Match[str]") -> None:
    """Take a number of what is not said; one as long as a telephone number's is not a dose."""
    if _TELEPHONE.search(match.string[: match.end("n")]):
        found.unsure = True
        return
    _dose(found, match, _spread(match, ""))


def _unsure(found: _Found, _: "re.Match[str]") -> None:
    found.unsure = True


def _nothing(_: _Found, __: "re.Match[str]") -> None:
    """Take words that say nothing to be compared."""


def _times(found: _Found, match: "re.Match[str]") -> None:
    low, high = _how_many(match["times"])
    of, length = v.PERIODS[match["period"].strip()]
    length *= _number(match["n"]) if match.groupdict().get("n") else 1
    if not length:
        found.unsure = True
        return
    up = match.groupdict().get("up")
    found.often.append(Often(low=None if up else low / length, high=high / length, of=of, words=match[0]))


def _how_many(text: str) -> tuple[Fraction, Fraction]:
    if text == "once or twice":
        return Fraction(1), Fraction(2)
    known = {"once": 1, "twice": 2, "thrice": 3}
    if text in known:
        return Fraction(known[text]), Fraction(known[text])
    numbers = [_number(part) for part in re.findall(N, text)]
    return numbers[0], numbers[-1]


def _every(found: _Found, match: "re.Match[str]") -> None:
    of, length = v.PERIODS[match["period"].strip()]
    first = _number(match["n"]) if match["n"] else Fraction(1)
    last = _number(match["to"]) if match["to"] else first
    if first and last:
        found.often.append(Often(low=1 / (length * last), high=1 / (length * first), of=of, words=match[0]))


def _alternate(found: _Found, match: "re.Match[str]") -> None:
    of, length = v.PERIODS[match["period"].strip()]
    nth = {"third": 3, "fourth": 4}.get(match.groupdict().get("nth") or "", 2)
    found.often.append(Often(low=1 / (length * nth), high=1 / (length * nth), of=of, words=match[0]))


def _alternate_day(found: _Found, match: "re.Match[str]") -> None:
    """Take "every other Tuesday"; "every second Tuesday of the month" is another thing."""
    if match["of"]:
        found.unsure = True
        return
    weeks = {"third": 3, "fourth": 4}.get(match["nth"] or "", 2)
    times = Fraction(1, 7 * weeks)
    found.often.append(Often(low=times, high=times, of=DAY, words=match[0]))
    _weekdays(found, match)


def _adverb(found: _Found, match: "re.Match[str]") -> None:
    of, length = v.PERIODS[match[0]]
    found.often.append(Often(low=1 / length, high=1 / length, of=of, words=match[0]))


def _latin(found: _Found, match: "re.Match[str]") -> None:
    times = v.LATIN[match[0]]
    if match[0] in {"om", "mane", "nocte"}:
        _moment(found, match, part_moments(match[0]))
        return
    found.often.append(Often(low=times, high=times, of=DAY, words=match[0]))


def _moment(found: _Found, match: "re.Match[str]", moments: Iterable[Moment]) -> None:
    """Take times of day; one that only says another more closely is no second one: "at night before bed"."""
    named = list(moments)
    last = found.parts[-1] if found.parts else None
    straight = found.after_moment >= 0 and not match.string[found.after_moment : match.start()].strip(" (")
    if straight and isinstance(last, Moment) and named and last.may_be(named[0]):
        found.parts[-1] = last.within(named.pop(0))
    found.moments += len(named)
    found.parts += named
    found.after_moment = match.end()


def _clock(found: _Found, match: "re.Match[str]") -> None:
    _moment(found, match, clock_moments(match[0]))


def _moments(found: _Found, match: "re.Match[str]") -> None:
    _moment(found, match, part_moments(match[0]))


def _beside_dose(found: _Found, match: "re.Match[str]") -> None:
    """Take a part of the day without its preposition, "20 mg morning" or "am: 20 mg", only right beside a dose."""
    text = match.string
    behind = found.after_dose >= 0 and not text[found.after_dose : match.start()].strip(BETWEEN)
    if behind or DOSE_NEXT.match(text, match.end()):
        _moment(found, match, part_moments(match[0]))


def _weekdays(found: _Found, match: "re.Match[str]") -> None:
    for word in re.findall(WEEKDAY, match[0]):
        name = word if word in v.WEEKDAYS else word.removesuffix("s")
        found.days.add(v.WEEKDAYS[name])


def _routed(found: _Found, match: "re.Match[str]") -> None:
    found.routes.add(v.ROUTES[match[0]])


def _injected(found: _Found, _: "re.Match[str]") -> None:
    found.injected = True


def _once(found: _Found, _: "re.Match[str]") -> None:
    found.once_only = True


def _lasting(found: _Found, match: "re.Match[str]") -> None:
    of, length = v.PERIODS[match["period"].strip()]
    found.lasting.append(Lasting(value=_number(match["n"]) * length, of=of, words=match[0]))


def _implied(found: _Found) -> tuple[Often, ...]:
    """Count times of day, or weekdays, where no frequency is said: "on Mondays" is once a week."""
    if found.steps and found.moments > 1:
        return ()  # each step may have its own, as a course that is reduced has
    if found.moments and not found.days:
        times = Fraction(found.moments)
        words = "at one time of day" if found.moments == 1 else f"at {found.moments} times of day"
        return (Often(low=times, high=times, of=DAY, words=words),)
    if found.days:
        times = Fraction(len(found.days) * max(found.moments, 1), 7)
        return (Often(low=times, high=times, of=DAY, words=" ".join(sorted(found.days))),)
    return ()


_GRAMMAR: tuple[tuple[str, Callable[[_Found, "re.Match[str]"], None]], ...] = (
    # a limit, which is not a dose: "maximum 4 tablets in 24 hours"
    (
        (
            rf"(?:up to a maximum(?: of)?|max(?:imum)?(?: dose)?(?: of)?:?|no more than|not more than|do not exceed)"
            rf" {N} ?(?:{MEASURE}|{THING}|doses?\b)?"
            rf"(?: (?:(?:in|per|every|within|a|each)(?: any| a)?(?: {N})? ?-? ?{PER}(?: period)?|{ADVERB}|per dose"
            r"|for the lifetime of the patient))?"
        ),
        _nothing,
    ),
    (rf"(?:at least|minimum(?: of)?|leave|allow) {N} (?:hours?|days?|minutes?) (?:apart|between)\b", _nothing),
    (rf"over {N}(?:{TO}{N})? ?(?:seconds?|minutes?|mins?|hours?)\b", _nothing),
    (
        (
            rf"{N}(?:{TO}{N})? ?(?:minutes?|mins?|hours?|days?) (?:before|after|prior to)\b"
            r"(?: (?:food|an?|the|meals?|breakfast|lunch|dinner|sleep|bed))*"
        ),
        _nothing,
    ),
    # how often something else is done, or that this is not: "bloods every 4 weeks", "once a week, NOT daily"
    (rf"{DONE_BESIDE}:? {HOW_OFTEN}(?:,? (?:and )?then {HOW_OFTEN})?", _nothing),
    (rf"(?:do not|never|not)(?: to be| be)?(?: {GIVEN})?(?: it| this| them)? (?:{ADVERB}|every day\b)", _nothing),
    # by how much a dose changes, and the strength to supply: neither is a dose
    (
        (
            rf"(?:increas|reduc|decreas|taper|titrat)(?:e|ed|ing)? (?:(?:the )?dose )?by {N} ?(?:{MEASURE}|{THING})"
            rf"(?: {HOW_OFTEN})?"
        ),
        _unsure,
    ),
    (rf"(?:using|as|supply|dispense) {N} ?{MEASURE} {THING}|{N} ?{MEASURE} {THING} only\b", _nothing),
    # a concentration, which is not a dose
    (rf"{N} ?{MEASURE} ?(?:/|in|per) ?(?:{N} ?)?(?:ml|mls|millilitres?|dose|actuation)\b", _nothing),
    (rf"{N} ?{MEASURE} ?(?:/|per) ?(?:kg|kilogram|m2|hour|hr|h|min)\b", _unsure),
    # doses
    (
        rf"{HEAD}(?: ?x ?| )(?P<each>{N}) ?(?P<strength>{MEASURE}) (?P<unit>{THING})",
        _with_strength,
    ),
    (rf"(?P<n>{N}) ?x ?(?P<each>{N}) ?(?P<strength>{MEASURE})(?! ?(?:/|per\b))", _multiplied),
    (
        rf"(?P<n>{N}) ?(?P<unit>{MEASURE}|{THING}){TO}(?P<to>{N}) ?(?P=unit)s?\b",
        _from_to,
    ),
    (rf"{HEAD} ?(?P<unit>{MEASURE}|{THING})", _measured),
    (rf"{FILL}(?P<up>)(?P<least>)(?P<n>an?|one|1)(?P<to>) (?P<unit>{THING})", _measured),
    # frequencies
    (rf"{UP}(?P<times>{TIMES}) (?:an?|per|each|in an?|/) ?(?P<period>{PER})", _times),
    (rf"{UP}(?P<times>{TIMES}) ?(?:every|in) (?:(?P<n>{N}) ?)?(?P<period>{PER})", _times),
    (rf"{UP}(?P<times>{TIMES}) (?P<period>{ADVERB})", _times),
    (
        r"(?:every other|every second|(?:on |each )?alternate) (?P<period>days?|nights?|weeks?|months?)\b",
        _alternate,
    ),
    (r"every (?P<nth>third|fourth) (?P<period>day|week|month)\b", _alternate),
    (rf"every (?:other|(?P<nth>second|third|fourth)) (?P<day>{WEEKDAY})(?P<of> of\b)?", _alternate_day),
    (rf"(?:every|each) (?:(?P<n>{N})(?:{TO}(?P<to>{N}))? ?-? ?)(?P<period>{PER})", _every),
    (r"(?:every|each) (?P<n>)(?P<to>)(?P<period>hour|day|week|fortnight|month|year)\b", _every),
    (r"q(?P<n>\d+)(?P<to>)(?P<period>h|d|w)\b", _every),
    # "take four daily" is four in the day, all at once or not: neither a dose nor how often
    (rf"{N}(?:{TO}{N})?(?:-| )?daily\b", _unsure),
    (rf"(?P<n>{N})(?:{TO}(?P<to>{N}))?(?:-| )?(?P<period>hourly|weekly|monthly)\b", _every),
    (ADVERB, _adverb),
    (rf"for(?: up to)? (?P<n>{N}) ?(?P<period>(?:days?|weeks?|months?|years?)\b)", _lasting),
    (rf"for {N} (?:doses?|injections?|applications?)\b", _nothing),
    (rf"(?:at )?{CLOCK}(?:(?:,| and|, and)? ?(?:at )?{CLOCK})*", _clock),
    (rf"{EVENT}(?:(?:,| and) (?:{EVENT}|{TIME_OF_DAY})\b)*", _moments),
    (rf"(?:on |every |each )?(?:an? |the )?{WEEKDAY}(?:(?:,| and|, and|/| ?&) ?(?:on |an? )?{WEEKDAY})*", _weekdays),
    (r"(?:on|from|until|to|starting) \d\d?/\d\d?/\d{4}(?:(?:,| and| to) \d\d?/\d\d?/\d{4})*", _nothing),
    (rf"(?:{any_of(v.LATIN)})\b", _latin),
    (rf"(?:{any_of(PARTS)})\b(?:(?: and | ?[,/&] ?)(?:{any_of(PARTS)})\b)*", _beside_dose),
    # how
    (rf"(?:{any_of(v.ROUTES)})(?![\w-])", _routed),
    (r"inject(?:ed|ing)?\b", _injected),
    (rf"(?:{TIMES})(?: only)?", _once),
    (rf"{HEAD.replace(COUNT, N)}(?= (?:{FOLLOWS})\b|[,.;]? *$|,)", _bare),
)
_PATTERNS = tuple((re.compile(rf"(?<![\w.]){pattern}"), take) for pattern, take in _GRAMMAR)
