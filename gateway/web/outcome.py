"""An OperationOutcome in plain words, for answers that are not about a submission."""

from gateway.wire.strict_json import JSON


def outcome(severity: str, code: str, *texts: str) -> dict[str, JSON]:
    """Give an OperationOutcome with one issue for each text.

    Args:
        severity: FHIR R4 `issue-severity`.
        code: FHIR R4 `issue-type`.
        texts: what is said; never patient data.
    """
    return {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": severity, "code": code, "diagnostics": text} for text in texts],
    }
