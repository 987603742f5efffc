"""Evaluates the `assertions` of a sample's `.expected.json`: a path, and the value that must be there.

A path is one of three kinds:

- a path of FHIR elements, `dispenseRequest.quantity.value`, through the message that was written (or, where none may
  be, through what was read). It begins with a type of resource, `new` for the last of two messages, or with an element
  of the MedicationRequest; `[0]` is a place in a list, `[nhs]` the identifier of that kind, and `count()` a number of
  elements. `generatedText` is what the structured dosages say in words, whatever the prescriber wrote.
- a field of the answer, `ERR-2`.
- a phrase, of the table `PHRASES`.

A value is compared as text, with its lexeme; complex elements have a short form (`4 wk`, `1..2 tablet`).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.commands.offline import Seen
from gateway.translate.dose_words import words
from gateway.translate.to_fhir.dispense import write_dispenses
from gateway.wire.strict_json import loads

NHS_NUMBER: Final = "https://fhir.nhs.uk/Id/nhs-number"
STEP: Final = re.compile(r"(?P<name>\w+)(?:\[(?P<index>\w+)\])?")


@dataclass(frozen=True, kw_only=True)
class Told:
    """What became of a sample.

    Attributes:
        answer: the application answer's bytes.
        earlier: what became of each sample before it, by name.
    """

    seen: Seen
    answer: bytes
    earlier: Mapping[str, Seen]

    @property
    def bundles(self) -> list[Any]:
        return [loads(one.body) for order in self.seen.orders for one in order.messages]

    @property
    def resources(self) -> list[Any]:
        written = [entry["resource"] for bundle in self.bundles[-1:] for entry in bundle["entry"]]
        return written or [*self._dispenses(), self._patient()]

    def _dispenses(self) -> list[Any]:
        bundle: Any = write_dispenses(self.seen.dispenses)
        return [entry["resource"] for entry in bundle["entry"]]

    def _patient(self) -> dict[str, Any]:
        """Give what was read of the patient of an order that is not written."""
        read = {row.target: row.result for order in self.seen.orders for row in order.trace}
        number = {"system": NHS_NUMBER, "value": read.get("patient.nhs_number")}
        return {"resourceType": "Patient", "gender": read.get("patient.gender"), "identifier": [number]}


def holds(told: Told, path: str, value: str) -> bool:
    """Tell whether an assertion is true of a sample."""
    if path in PHRASES:
        return PHRASES[path](told, value)
    if re.fullmatch(r"ERR-\d", path):
        return value in error_fields(told.answer, int(path[4:]))
    if path.endswith("generatedText"):
        return value == generated(told, path)
    if value in RELATIONS:
        return RELATIONS[value](told, path)
    return ",".join(texts(told, path)) == value


def found(told: Told, path: str) -> list[Any]:
    """Give the elements a path leads to."""
    steps = path.removeprefix("new ").split(".")
    if steps[0] == "Bundle":
        return walked(told.bundles[-1:], steps[1:])
    root = STEP.fullmatch(steps[0])
    assert root is not None
    kind = root["name"] if root["name"][0].isupper() else "MedicationRequest"
    resources = [one for one in told.resources if one["resourceType"] == kind]
    if steps[-1] == "count()":
        return [len(walked(resources, inner(steps, kind)[:-1]))]
    chosen = resources[int(root["index"]) :][:1] if root["index"] and kind == root["name"] else resources
    return walked(chosen, inner(steps, kind))


def inner(steps: list[str], kind: str) -> list[str]:
    return steps[1:] if steps[0].startswith(kind) else steps


def walked(values: list[Any], steps: list[str]) -> list[Any]:
    for step in steps:
        matched = STEP.fullmatch(step)
        assert matched is not None, step
        values = [one[matched["name"]] for one in values if matched["name"] in one]
        values = [each for one in values for each in (one if isinstance(one, list) else [one])]
        index = matched["index"]
        if index == "nhs":
            values = [one for one in values if one["system"] == NHS_NUMBER]
        elif index is not None:
            values = values[int(index) :][:1]
    return values


def texts(told: Told, path: str) -> list[str]:
    return [text(one) for one in found(told, path)]


def text(value: Any) -> str:
    """Put an element into the short form of the expectations."""
    if not isinstance(value, dict):
        return str(value)
    if "low" in value:
        return f"{value['low']['value']}..{value['high']['value']} {value['high']['unit']}"
    if "frequency" in value:
        bounds = value["boundsPeriod"]
        said = [f"{name}={value[name]}" for name in ("frequency", "period", "periodUnit")]
        return " ".join([*said, f"boundsPeriod {bounds['start']}/{bounds.get('end', '')}"])
    return f"{value['value']} {value['code']}"


def generated(told: Told, path: str) -> str:
    prescriptions = [order.prescription for order in told.seen.orders if order.prescription is not None]
    index = re.match(r"MedicationRequest\[(\d)\]", path)
    made = words(prescriptions[-1].lines[int(index[1]) if index else 0].dosages)
    assert isinstance(made, str)
    return made


def cancelled_items(told: Told) -> list[str]:
    [update] = [entry["resource"] for entry in told.bundles[0]["entry"] if is_order(entry["resource"])]
    return [one["value"] for one in update["identifier"] if one.get("system", "").endswith("item-number")]


def is_order(resource: Any) -> bool:
    return bool(resource["resourceType"] == "MedicationRequest")


def error_fields(answer: bytes, number: int) -> list[str]:
    lines = [line.split("|") for line in answer.decode().split("\r") if line.startswith("ERR|")]
    return [line[number].partition("^")[0] if number != 2 else line[number] for line in lines]


def are_identical(told: Told, path: str) -> bool:
    first, second = found(told, path)
    return bool(first == second)


def replaces(told: Told, value: str) -> bool:
    name = value.removeprefix("Bundle.identifier of ")
    if name not in told.earlier:
        return False
    earlier: Any
    [earlier] = [loads(one.body) for order in told.earlier[name].orders for one in order.messages]
    urls = {one["url"].rpartition("-")[2]: one for one in found(told, "MessageHeader.extension")}
    return bool(urls["replacementOf"]["valueIdentifier"] == earlier["identifier"])


def emits(told: Told, value: str) -> bool:
    said = []
    for bundle in told.bundles:
        header = bundle["entry"][0]["resource"]
        reason = "".join(f"({one['code']})" for one in header.get("reason", {}).get("coding", []))
        said.append(header["eventCoding"]["code"] + reason)
    return f"{len(said)}: {' then '.join(said)}" == value


def nothing_is_written(told: Told, value: str) -> bool:
    return value == "nothing" and told.bundles == []


def is_loaded(told: Told, value: str) -> bool:
    """Every sample that must be there first was taken first; offline, what was sent counts as accepted."""
    return value in {f"{name} {how}" for name in told.earlier for how in ("loaded", "accepted by VNE51")}


PHRASES: Final[dict[str, Callable[[Told, str], bool]]] = {
    "replacementOf": replaces,
    "messages emitted": emits,
    "sent": nothing_is_written,
    "precondition": is_loaded,
    "state": lambda told, value: [state.value for state in told.seen.states] == [value],
}

RELATIONS: Final[dict[str, Callable[[Told, str], bool]]] = {
    "= generatedText": lambda told, path: texts(told, path) == [generated(told, path)],
    "identical on both": are_identical,
    "identifier of cancelled item": lambda told, path: (
        [one["identifier"]["value"] for one in found(told, path)] == cancelled_items(told)
    ),
}
"""Values that are relations; every other value is a text."""
