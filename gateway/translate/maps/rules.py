"""The rules of translation, one row a rule: the tables beside this file.

`hl7v2.csv`, `xml.csv` and `fhir.csv` say for each input format which place becomes which canonical value and how, and
which places are left out and why; `gateway.csv` has the rules that no sender's value stands behind; `targets.csv` says
for each canonical value where it stands in the FHIR message and how much harm its loss could do.

A row covers its source and everything below, and its target and everything below; of several that fit, the longest
source and then the longest target counts. A value that is read without a row has no rule, and a message with such a
value is never sealed (`Tracer.unaccounted`).

Source: mapping.md 1 (conclusion), 2.2; brief D1.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

IGNORE: Final = "ignore"
"""Transform of a place that is left out."""

_ORDINALS = re.compile(r"\[\d+\]")
_FRAME = re.compile(r"(?:Bundle\.entry\.resource\.|MedicationRequest\.|/PrescriptionMessage/)?(?:contained\.)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row.

    Attributes:
        id: stable; the trace of a message names it.
        source: the place in the sender's notation, without ordinals; of a place that is left out, a pattern; empty
            where no sender's value stands behind it.
        target: canonical path, without indexes; empty where the place is left out.
        transforms: what may be done: `copy`, `table:<name>`, `parse:<name>`, `derive:<name>`, `default:<name>`.
        weight: what its loss could do: high, medium or low.
        citation: where the rule is laid down.
        reason: why a place is left out, or what must be known of the rule.
        shown: the id with the reason, as leftovers show it.
    """

    id: str
    source: str
    target: str
    transforms: frozenset[str]
    weight: str
    citation: str
    reason: str
    shown: str

    @property
    def leaves_out(self) -> bool:
        """Whether the row says what is left out."""
        return IGNORE in self.transforms

    def __str__(self) -> str:
        """Give the id with the reason."""
        return self.shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One canonical value: its place in the FHIR message, and its clinical weight.

    Attributes:
        path: canonical path, without indexes.
        fhir: FHIRPaths from the resource on; empty where the message does not carry it.
    """

    path: str
    fhir: tuple[str, ...]
    weight: str
    citation: str


class Rules:
    """The rules of one format.

    Args:
        rows: in the order in which the patterns of what is left out are asked.

    Raises:
        ValueError: two rows have one id.
    """

    def __init__(self, rows: Iterable[Rule]) -> None:
        self.rows = tuple(rows)
        self._by_id = {rule.id: rule for rule in self.rows}
        if len(self._by_id) != len(self.rows):
            raise ValueError("two rules have one id")
        self._by_source: dict[str, list[Rule]] = {}
        for rule in self.rows:
            if not rule.leaves_out:
                self._by_source.setdefault(rule.source, []).append(rule)
        self._patterns = [
            (re.compile(rule.source), rule) for rule in self.rows if rule.leaves_out and rule.source != "*"
        ]

    def named(self, rule_id: str) -> Rule:
        """Give the row of an id.

        Raises:
            KeyError: there is none; modules ask while they are imported, so that such a module cannot be.
        """
        return self._by_id[rule_id]

    def find(self, rule_id: str) -> Rule | None:
        """Give the row of an id, if there is one."""
        return self._by_id.get(rule_id)

    def of(self, target: str, place: str, transform: str) -> Rule | None:
        """Give the row that a value is read by.

        Args:
            target: canonical path, without indexes.
            place: as `place_of` gives it.
            transform: without the version of its table.
        """
        for source in _upwards(place):
            rules = self._by_source.get(source, ())
            fitting = [rule for rule in rules if transform in rule.transforms and covers(rule.target, target)]
            if fitting:
                return max(fitting, key=lambda rule: len(rule.target))
        return None

    def leaving_out(self, place: str) -> Rule | None:
        """Give the first row that leaves a place out."""
        return next((rule for pattern, rule in self._patterns if pattern.fullmatch(place)), None)


def covers(above: str, path: str) -> bool:
    """Tell whether a path is another or stands below it."""
    return path == above or path.startswith(f"{above}.")


def _upwards(place: str) -> Iterator[str]:
    """Give a place and every place above it, the lowest first."""
    while place:
        yield place
        place = place[: max(place.rfind("."), place.rfind("/"), 0)]
    yield ""


@lru_cache(maxsize=8192)
def plain(path: str) -> str:
    """Give a path without its indexes and ordinals."""
    return _ORDINALS.sub("", path)


@lru_cache(maxsize=8192)
def place_of(locator: str) -> str:
    """Give the place a locator names: without ordinals, and from the resource or the root element on."""
    return _FRAME.sub("", plain(locator), count=1)


@lru_cache(maxsize=4096)
def leaving_out(rules: Rules, place: str) -> Rule | None:
    """Give the first row that leaves a place out: `Rules.leaving_out`, remembered."""
    return rules.leaving_out(place)


@lru_cache(maxsize=16384)
def left_out_by(rules: Rules, locator: str) -> str:
    """Give the row that leaves out what stands at a locator, as leftovers show it; empty where none does."""
    rule = leaving_out(rules, place_of(locator))
    return rule.shown if rule is not None else ""


@lru_cache(maxsize=8192)
def rule_of(rules: Rules, target: str, place: str, transform: str) -> Rule | None:
    """Give the row that a value is read by: `Rules.of`, remembered."""
    return rules.of(plain(target), place, transform.partition("@")[0])


@lru_cache(maxsize=16384)
def rule_id_of(rules: Rules, target: str, locator: str, transform: str) -> str:
    """Give the id of the row that the value of a locator is read by; empty where there is none."""
    rule = rule_of(rules, target, place_of(locator), transform)
    return rule.id if rule is not None else ""


def _rows(name: str) -> Iterator[Mapping[str, str]]:
    text = files("gateway.translate.maps").joinpath(name).read_text(encoding="utf-8")
    yield from csv.DictReader(text.splitlines())


@cache
def targets() -> Mapping[str, Target]:
    """Give every canonical value by its path."""
    found = (
        Target(path=row["target"], fhir=tuple(row["fhir"].split()), weight=row["weight"], citation=row["citation"])
        for row in _rows("targets.csv")
    )
    return {target.path: target for target in found}


@lru_cache(maxsize=4096)
def target_of(path: str) -> Target | None:
    """Give the row that a canonical path, with or without indexes, belongs to."""
    known = targets()
    return next((known[above] for above in _upwards(plain(path)) if above in known), None)


def _read(name: str) -> Rules:
    return Rules(map(_rule, _rows(name)))


def _rule(row: Mapping[str, str]) -> Rule:
    target = target_of(row["target"])
    return Rule(
        id=row["id"],
        source=row["source"],
        target=row["target"],
        transforms=frozenset(row["transform"].split()),
        weight=row["weight"] or (target.weight if target else ""),
        citation=row["citation"],
        reason=row["reason"],
        shown=f"{row['id']}: {row['reason']}",
    )


HL7V2: Final = _read("hl7v2.csv")
XML: Final = _read("xml.csv")
FHIR: Final = _read("fhir.csv")
GATEWAY: Final = _read("gateway.csv")


@cache
def movable() -> Mapping[str, str]:
    """Give the facts of the homecare segment that a trust's own Z-segment may carry, each with its field there."""
    return {rule.target: rule.source for rule in HL7V2.rows if rule.source.startswith("ZHC-")}


def weight_of_rule(shown: str) -> str:
    """Give the clinical weight of what a rule leaves out.

    Args:
        shown: as a leftover names the rule: its id, or its id and reason; nothing, or an id of before, gives nothing.
    """
    rule_id = shown.partition(": ")[0]
    found = (rules.find(rule_id) for rules in (HL7V2, XML, FHIR, GATEWAY))
    return next((rule.weight for rule in found if rule), "")


def weight_of(path: str) -> str:
    """Give the clinical weight of a canonical path; low where no row names it."""
    target = target_of(path)
    return target.weight if target else "low"
