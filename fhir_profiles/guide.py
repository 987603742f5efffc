"""Writes the implementation guide from what is in this package: `python -m fhir_profiles.guide` writes `docs/fhir.md`.

One section for each profile with what it asks beyond FHIR R4, then extensions and value sets. A test compares the page
with the definitions, so that it cannot say anything else than the checker does.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
TARGET = FOLDER.parent / "docs" / "fhir.md"
R4 = "http://hl7.org/fhir/StructureDefinition/"
MESSAGES = ("order", "update", "hold", "response", "notification")

HEAD = """# FHIR implementation guide

Written by `python -m fhir_profiles.guide` from the definitions in `fhir_profiles/`; do not edit it here.

All messages are FHIR R4 (4.0.1) Bundles of type `message` in the NHS EPS dialect for homecare, read and written as JSON
(FHIR XML is read too). Every message is checked against these profiles, the base definitions of R4 and the rules of the
EPS dialect; `POST /FHIR/R4/$validate` and `gateway check FILE` run the same check, of JSON and of XML, and name every
fault by its FHIRPath.

Where a table says nothing of an element, FHIR R4 alone applies. An unknown `modifierExtension` is always refused.
Decimals keep the digits they are sent with: `5.00` stays `5.00`.

## How messages flow

| From | To | Message | Profile of the Bundle | What it is for |
|---|---|---|---|---|
| trust | gateway, provider | `prescription-order` | [order](#order) | a new prescription of one to four lines |
| trust | gateway, provider | `prescription-order-update` | [update](#update) | the cancel of one line |
| trust | gateway, provider | the same, reason `hold` or `release` | [hold](#hold) | a hold or release of one line |
| provider | gateway, trust | `prescription-order-response` | [response](#response) | what became of it |
| provider | gateway, trust | `dispense-notification` | [notification](#notification) | what was supplied |

1. A trust posts an order to `POST /FHIR/R4/$process-message`, and is answered when the gateway holds it durably, with a
   `prescription-order-response` or an `OperationOutcome`. It may send HL7 v2 or XML instead; the provider gets the same
   message.
2. The gateway seals the message and sends it to one provider. The seal is the last entry, a `Provenance`.
3. The provider answers on the same connection or later, to `POST /callbacks/{destination}`. Its answer names the
   message it answers, by `MessageHeader.response.identifier`, and each line by its `prescription-order-item-number`.
4. A cancel is an `update` to the same provider. It is cancelled only when the provider's response says so.
5. Each supply is a notification, which names the line and the quantity supplied.
"""


def text() -> str:
    """Give the whole page."""
    profiles = {one["id"]: one for one in _definitions("profiles")}
    order = [*MESSAGES, *(name for name in profiles if name not in MESSAGES)]
    lines = [HEAD, "## Profiles\n"]
    for name in order:
        lines += _profile(profiles[name])
    lines.append("## Extensions\n")
    for one in sorted(_definitions("extensions"), key=lambda definition: str(definition["id"])):
        lines += _extension(one)
    lines.append("## Value sets\n")
    for one in _definitions("value-sets"):
        lines += _value_set(one)
    return "\n".join(lines).rstrip("\n") + "\n"


def _definitions(folder: str) -> list[dict[str, Any]]:
    return [json.loads(file.read_text(encoding="utf-8")) for file in sorted((FOLDER / folder).glob("*.json"))]


def _profile(one: Mapping[str, Any]) -> Iterator[str]:
    yield f"### {one['id']}\n"
    yield f"{one['title']}. A profile of {_link(one['baseDefinition'])}, version {one['version']}.\n"
    yield f"`{one['url']}`\n"
    yield from _elements(one)


def _extension(one: Mapping[str, Any]) -> Iterator[str]:
    places = ", ".join(f"`{place['expression']}`" for place in one.get("context", ()))
    yield f"### Extension {one['id']}\n"
    yield f"{one['title']}. Version {one['version']}; may stand in {places}.\n"
    yield f"`{one['url']}`\n"
    yield from _elements(one)


def _elements(one: Mapping[str, Any]) -> Iterator[str]:
    yield "| Element | Cardinality | Type | Value |"
    yield "|---|---|---|---|"
    for element in one["differential"]["element"]:
        yield f"| `{element['id']}` | {_cardinality(element)} | {_types(element)} | {_values(element)} |"
    yield ""


def _cardinality(element: Mapping[str, Any]) -> str:
    """Give what is narrowed; a side that is not stated is as in the base."""
    least, most = element.get("min"), element.get("max")
    if most == "0":
        return "not allowed"
    if least is None and most is None:
        return ""
    return f"{'' if least is None else least}..{most or ''}"


def _types(element: Mapping[str, Any]) -> str:
    found = []
    for kind in element.get("type", ()):
        targets = [*kind.get("profile", ()), *kind.get("targetProfile", ())]
        found.append(f"{kind['code']}{' of ' if targets else ''}{' or '.join(map(_link, targets))}")
    return ", ".join(found)


def _values(element: Mapping[str, Any]) -> str:
    said = []
    for key, value in element.items():
        if key.startswith(("fixed", "pattern")):
            shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            said.append(f"{'always' if key.startswith('fixed') else 'at least'} `{shown}`")
    if "binding" in element:
        said.append(f"{element['binding']['strength']}: {_link(element['binding']['valueSet'])}")
    if "slicing" in element:
        by = ", ".join(f"`{one['path']}`" for one in element["slicing"].get("discriminator", ()))
        said.append(f"slices told apart by {by}; {element['slicing']['rules']}")
    said += [f"`{rule['key']}` {rule['human']}" for rule in element.get("constraint", ())]
    return "; ".join(said).replace("|", "\\|")


def _value_set(one: Mapping[str, Any]) -> Iterator[str]:
    yield f"### Value set {one['id']}\n"
    yield f"{one['title']}. Version {one['version']}.\n"
    yield f"`{one['url']}`\n"
    yield "| System | Code | Display |"
    yield "|---|---|---|"
    for part in one["compose"]["include"]:
        for concept in part.get("concept", ()) or ({"code": "(every code of it)"},):
            yield f"| `{part['system']}` | `{concept['code']}` | {concept.get('display', '')} |"
    yield ""


def _link(url: str) -> str:
    """Name a definition; one of ours links to its section."""
    if url.startswith(R4):
        return f"R4 {url.removeprefix(R4)}"
    sections = _sections()
    return (
        f"[{sections[url].split(' ')[-1]}](#{sections[url].lower().replace(' ', '-')})"
        if url in sections
        else f"`{url}`"
    )


def _sections() -> dict[str, str]:
    kinds = {"profiles": "", "extensions": "Extension ", "value-sets": "Value set "}
    return {one["url"]: kind + one["id"] for folder, kind in kinds.items() for one in _definitions(folder)}


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
