"""The R4 invariants on the compiled types, each a closure over one parsed object.

A closure gives True when the rule holds. Rules that need more than the object (references, contained resources) are in
`references`. The FHIRPath of each rule is in the official definitions; it is not repeated here.

Source: FHIR R4 4.0.1, ElementDefinition.constraint of severity error.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

Json = Mapping[str, Any]
Rule = Callable[[Any], bool]

UCUM = "http://unitsofmeasure.org"
_VERIFICATION = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
_MEALS = {"C", "CM", "CD", "CV"}

NOT_CODED: dict[str, str] = {
    "dom-2": "in `references`: contained within contained",
    "dom-3": "in `references`: contained and never referred to",
    "dom-4": "in `references`: version or time on a contained resource",
    "dom-5": "in `references`: security label on a contained resource",
    "ref-1": "in `references`: a local reference to nothing",
    "txt-1": "in `primitives`: the narrative's elements",
    "txt-2": "in `primitives`: the narrative's content",
}
"""Rules that are checked elsewhere, and where."""


def _has(obj: Json, *names: str) -> bool:
    for name in names:  # noqa: SIM110 - a generator here is a tenth of the whole check
        if name in obj:
            return True
    return False


def _choice(obj: Json, stem: str) -> bool:
    return any(name.startswith(stem) and name != stem for name in obj)


def _ordered(low: str, high: str) -> bool:
    """Tell whether `low <= high` for dates of equal precision; unequal precision or zone cannot be told, and passes."""
    if len(low) != len(high) or low[19:] != high[19:]:
        return low[: min(len(low), len(high), 10)] <= high[: min(len(low), len(high), 10)]
    return low <= high


def _dates(low: str, high: str) -> Rule:
    return lambda o: not (isinstance(o.get(low), str) and isinstance(o.get(high), str)) or _ordered(o[low], o[high])


def _number(value: object) -> Decimal | None:
    return Decimal(value) if type(value) in {int, Decimal} else None  # type: ignore[arg-type]


def _at_least(name: str, floor: int) -> Rule:
    return lambda o: (number := _number(o.get(name))) is None or number >= floor


def _needs(name: str, other: str) -> Rule:
    return lambda o: name not in o or other in o


def _not_both(one: str, other: str) -> Rule:
    return lambda o: not (one in o and other in o)


def _items(obj: Json, name: str) -> list[Any]:
    value = obj.get(name)
    return [item for item in value if type(item) is dict] if type(value) is list else []


def _distinct(values: list[Any]) -> bool:
    return len(values) == len(set(values))


def _range_in_order(obj: Json) -> bool:
    low, high = obj.get("low"), obj.get("high")
    if not (isinstance(low, dict) and isinstance(high, dict)):
        return True
    if (low.get("system"), low.get("code"), low.get("unit")) != (
        high.get("system"),
        high.get("code"),
        high.get("unit"),
    ):
        return True
    first, second = _number(low.get("value")), _number(high.get("value"))
    return first is None or second is None or first <= second


def _ucum(obj: Json) -> bool:
    return "system" not in obj or obj["system"] == UCUM


def _entered_in_error(obj: Json) -> bool:
    concept = obj.get("verificationStatus")
    return isinstance(concept, dict) and any(
        coding.get("system") == _VERIFICATION and coding.get("code") == "entered-in-error"
        for coding in _items(concept, "coding")
    )


def _component_codes_differ(obj: Json) -> bool:
    def codes(part: Json) -> set[tuple[Any, Any]]:
        concept = part.get("code")
        codings = _items(concept, "coding") if isinstance(concept, dict) else []
        return {(coding.get("system"), coding.get("code")) for coding in codings}

    return not _choice(obj, "value") or not any(codes(obj) & codes(part) for part in _items(obj, "component"))


def _first_is(obj: Json, bundle_type: str, resource: str) -> bool:
    if obj.get("type") != bundle_type:
        return True
    entries = _items(obj, "entry")
    first = entries[0].get("resource") if entries else None
    return isinstance(first, dict) and first.get("resourceType") == resource


def _entries_have(name: str, *kinds: str) -> Rule:
    def rule(obj: Json) -> bool:
        wanted = obj.get("type") in kinds
        for entry in _items(obj, "entry"):  # noqa: SIM110 - as above
            if (name in entry) != wanted:
                return False
        return True

    return rule


def _full_urls_distinct(obj: Json) -> bool:
    if obj.get("type") == "history":
        return True
    pairs = []
    for entry in _items(obj, "entry"):
        if isinstance(entry.get("fullUrl"), str):
            resource = entry.get("resource")
            meta = resource.get("meta") if isinstance(resource, dict) else None
            version = meta.get("versionId") if isinstance(meta, dict) else None
            pairs.append((entry["fullUrl"], str(version or "")))
    return _distinct(pairs)


def _identified(obj: Json) -> bool:
    identifier = obj.get("identifier")
    return isinstance(identifier, dict) and _has(identifier, "system") and _has(identifier, "value")


def _exactly_one(one: str, other: str) -> Rule:
    return lambda o: (one in o) != (other in o)


def _trigger_complete(obj: Json) -> bool:
    kind = str(obj.get("type", ""))
    if kind == "named-event":
        return "name" in obj
    if kind == "periodic":
        return _choice(obj, "timing")
    return not kind.startswith("data-") or "data" in obj


def _whole(obj: Json) -> bool:
    return not re.search(r"\.", str(obj.get("value", "")))


INVARIANTS: dict[str, Rule] = {
    "qty-3": _needs("code", "system"),
    "inv-1": _dates("authoredOn", "lastModified"),
    "per-1": _dates("start", "end"),
    "rat-1": lambda o: (("numerator" in o) == ("denominator" in o)) and _has(o, "numerator", "extension"),
    "rng-2": _range_in_order,
    "tim-1": _needs("duration", "durationUnit"),
    "tim-2": _needs("period", "periodUnit"),
    "tim-4": _at_least("duration", 0),
    "tim-5": _at_least("period", 0),
    "tim-6": _needs("periodMax", "period"),
    "tim-7": _needs("durationMax", "duration"),
    "tim-8": _needs("countMax", "count"),
    "tim-9": lambda o: "offset" not in o or (bool(o.get("when")) and not _MEALS & set(map(str, o["when"]))),
    "tim-10": _not_both("timeOfDay", "when"),
    "drt-1": lambda o: "code" not in o or (o.get("system") == UCUM and "value" in o),
    "trd-1": lambda o: "data" not in o or not _choice(o, "timing"),
    "trd-2": _needs("condition", "data"),
    "trd-3": _trigger_complete,
    "exp-1": lambda o: _has(o, "expression", "reference"),
    "drq-1": _exactly_one("path", "searchParam"),
    "drq-2": _exactly_one("path", "searchParam"),
    "att-1": _needs("data", "contentType"),
    "cpt-2": _needs("value", "system"),
    "dis-1": lambda o: ("code" in o or "value" not in o) and _ucum(o),
    "cnt-3": lambda o: ("code" in o or "value" not in o) and _ucum(o) and o.get("code", "1") == "1" and _whole(o),
    "age-1": lambda o: (
        ("code" in o or "value" not in o) and _ucum(o) and ((number := _number(o.get("value"))) is None or number > 0)
    ),
    "obs-6": lambda o: not ("dataAbsentReason" in o and _choice(o, "value")),
    "obs-7": _component_codes_differ,
    "obs-3": lambda o: _has(o, "low", "high", "text"),
    "ait-1": lambda o: _entered_in_error(o) or "clinicalStatus" in o,
    "ait-2": lambda o: not (_entered_in_error(o) and "clinicalStatus" in o),
    "sev-1": _not_both("name", "query"),
    "lst-1": _not_both("emptyReason", "entry"),
    "lst-2": lambda o: o.get("mode") == "changes" or not any("deleted" in entry for entry in _items(o, "entry")),
    "lst-3": lambda o: o.get("mode") == "working" or not any("date" in entry for entry in _items(o, "entry")),
    "org-1": lambda o: _has(o, "identifier", "name"),
    "org-2": lambda o: o.get("use") != "home",
    "org-3": lambda o: o.get("use") != "home",
    "pat-1": lambda o: _has(o, "name", "telecom", "address", "organization"),
    "mdd-1": _dates("whenPrepared", "whenHandedOver"),
    "bdl-1": lambda o: "total" not in o or o.get("type") in {"searchset", "history"},
    "bdl-2": lambda o: o.get("type") == "searchset" or not any("search" in entry for entry in _items(o, "entry")),
    "bdl-3": _entries_have("request", "batch", "transaction", "history"),
    "bdl-4": _entries_have("response", "batch-response", "transaction-response", "history"),
    "bdl-5": lambda o: _has(o, "resource", "request", "response"),
    "bdl-7": _full_urls_distinct,
    "bdl-8": lambda o: "/_history/" not in o.get("fullUrl", ""),
    "bdl-9": lambda o: o.get("type") != "document" or _identified(o),
    "bdl-10": lambda o: o.get("type") != "document" or "timestamp" in o,
    "bdl-11": lambda o: _first_is(o, "document", "Composition"),
    "bdl-12": lambda o: _first_is(o, "message", "MessageHeader"),
    "par-1": lambda o: sum((_choice(o, "value"), "resource" in o)) <= 1,
}

ABOUT: dict[str, frozenset[str]] = {
    rule: frozenset(names.split())
    for rule, names in {
        "qty-3": "code",
        "inv-1": "authoredOn",
        "per-1": "start",
        "rng-2": "low",
        "tim-1": "duration",
        "tim-2": "period",
        "tim-4": "duration",
        "tim-5": "period",
        "tim-6": "periodMax",
        "tim-7": "durationMax",
        "tim-8": "countMax",
        "tim-9": "offset",
        "tim-10": "timeOfDay",
        "drt-1": "code",
        "trd-1": "data",
        "trd-2": "condition",
        "att-1": "data",
        "cpt-2": "value",
        "dis-1": "value system",
        "obs-6": "dataAbsentReason",
        "obs-7": "component",
        "sev-1": "name",
        "lst-1": "emptyReason",
        "lst-2": "entry",
        "lst-3": "entry",
        "org-2": "use",
        "org-3": "use",
        "mdd-1": "whenPrepared",
        "bdl-1": "total",
        "bdl-2": "entry",
        "bdl-3": "entry",
        "bdl-4": "entry",
        "bdl-7": "entry",
        "bdl-8": "fullUrl",
    }.items()
}
"""Rules that hold of every object with none of these members, so that nobody need ask them of it."""

OF_NAMES = frozenset(
    {
        "att-1",
        "bdl-5",
        "cpt-2",
        "drq-1",
        "drq-2",
        "exp-1",
        "lst-1",
        "obs-3",
        "obs-6",
        "org-1",
        "par-1",
        "pat-1",
        "qty-3",
        "rat-1",
        "sev-1",
        "tim-1",
        "tim-10",
        "tim-2",
        "tim-6",
        "tim-7",
        "tim-8",
        "trd-1",
        "trd-2",
    }
)
"""Rules that ask only which members an object has, whatever they hold."""
