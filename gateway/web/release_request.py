"""What a provider asks for with `Task/$release`, read strictly from its Parameters.

Source: eps.md 1.6 and 5.6.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway.domain.identifiers import OdsCode, PrescriptionNumber
from gateway.translate.to_acknowledgement.eps_codes import DISPENSING, PRESCRIBING, RULES, EpsError
from gateway.web.eps_errors import Said
from gateway.wire.strict_json import JSON, JsonError, loads

_ODS: Final = "https://fhir.nhs.uk/Id/ods-organization-code"
_NUMBER: Final = "https://fhir.nhs.uk/Id/prescription-order-number"
_NAMES: Final = frozenset({"owner", "status", "agent", "group-identifier"})
Members = dict[str, JSON]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRequest:
    """A release as asked for.

    Attributes:
        owner: the provider it is for.
        number: of the one prescription that is asked for; None for whatever is waiting.
    """

    owner: OdsCode
    number: str | None


def read_release(body: bytes) -> ReleaseRequest | tuple[Said, ...]:
    """Read the Parameters of a release.

    Returns:
        The request, or every reason why it is not one.
    """
    try:
        value = loads(body)
    except JsonError as error:
        return (Said(error=DISPENSING["5888"], text=error.text, expression=error.location),)
    if not isinstance(value, dict) or value.get("resourceType") != "Parameters":
        return (Said(error=DISPENSING["5888"], text="Send a FHIR Parameters.", expression="Parameters"),)
    parts = _objects(value.get("parameter"))
    named = {str(part.get("name")): part for part in parts}
    owner = _identifier(_objects(_object(named, "owner", "resource").get("identifier")), _ODS)
    ods = OdsCode.parse(owner)
    number = _identifier([_object(named, "group-identifier", "valueIdentifier")], _NUMBER)
    said = [*_names(parts, named), *_status(named), *_agent(_object(named, "agent", "resource"))]
    if ods is None and "owner" in named:
        said.append(_wrong("invalid", "The owner needs an ODS code.", "Parameters.parameter('owner').identifier"))
    if "group-identifier" in named and PrescriptionNumber.parse(number) is None:
        said.append(
            Said(error=PRESCRIBING["5009"], expression="Parameters.parameter('group-identifier').valueIdentifier.value")
        )
    if said or ods is None:
        return tuple(said)
    return ReleaseRequest(owner=ods, number=number if "group-identifier" in named else None)


def _names(parts: Sequence[Members], named: dict[str, Members]) -> list[Said]:
    said = [
        _wrong("few", f"Required parameter {name} is missing.", "Parameters.parameter")
        for name in ("owner", "status", "agent")
        if name not in named
    ]
    if len(parts) != len(named):
        said.append(_wrong("many", "A parameter is given more than once.", "Parameters.parameter"))
    if not named.keys() <= _NAMES:
        said.append(_wrong("invalid", "A parameter is not one of a release.", "Parameters.parameter.name"))
    return said


def _status(named: dict[str, Members]) -> list[Said]:
    if "status" not in named or named["status"].get("valueCode") == "accepted":
        return []
    return [_wrong("value", "Send the status accepted.", "Parameters.parameter('status').valueCode")]


def _agent(agent: Members) -> list[Said]:
    if not agent:
        return []
    said = []
    if "reference" in _object(agent, "practitioner"):
        text = "Name the practitioner by identifier and display."
        said.append(_wrong("invalid", text, "Parameters.parameter('agent').resource.practitioner"))
    if not _objects(agent.get("telecom")):
        text = "Required field telecom is missing."
        said.append(_wrong("invalid", text, "Parameters.parameter('agent').resource.telecom"))
    return said


def _wrong(rule: str, text: str, expression: str) -> Said:
    error: EpsError = RULES[rule]
    return Said(error=error, text=text, expression=expression)


def _object(value: dict[str, Members] | Members, *path: str) -> Members:
    member: JSON | Members = dict(value)
    for name in path:
        member = member.get(name) if isinstance(member, dict) else None
    return member if isinstance(member, dict) else {}


def _objects(value: JSON) -> list[Members]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _identifier(identifiers: Sequence[Members], system: str) -> str:
    """Give the one value of a system; "" where there is none, or more than one."""
    values = {str(one.get("value", "")) for one in identifiers if one.get("system") == system}
    return values.pop() if len(values) == 1 else ""
