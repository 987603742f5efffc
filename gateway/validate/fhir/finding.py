"""Findings of the FHIR check, each with its FHIRPath."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Level(StrEnum):
    """FHIR `issue-severity` as used here."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One fault of a resource.

    Attributes:
        code: FHIR `issue-type`.
        expression: FHIRPath of the element.
        text: what is wrong. Names of elements, never their values: they may be a patient's.
        rule: the definition's own name for the rule, `bdl-7`, `required`, `cardinality`, …
    """

    code: str
    expression: str
    text: str
    rule: str
    level: Level = Level.ERROR


Path = tuple[Any, str, int | None]
"""A place, as (parent, element, index); rendered only when something is found there."""


def render(path: Path | None) -> str:
    """Give the FHIRPath of a place."""
    parts: list[str] = []
    while path is not None:
        parent, name, index = path
        parts.append(name if index is None else f"{name}[{index}]")
        path = parent
    return ".".join(reversed(parts))


def operation_outcome(findings: tuple[Finding, ...]) -> dict[str, Any]:
    """Give the findings as a FHIR R4 OperationOutcome; one informational issue when there are none."""
    if not findings:
        return {
            "resourceType": "OperationOutcome",
            "issue": [{"severity": "information", "code": "informational", "diagnostics": "No issue was found."}],
        }
    return {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": finding.level.value,
                "code": finding.code,
                "details": {"text": finding.rule},
                "diagnostics": finding.text,
                **({"expression": [finding.expression]} if finding.expression else {}),
            }
            for finding in findings
        ],
    }
