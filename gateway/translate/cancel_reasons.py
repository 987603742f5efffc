"""Why a line is cancelled: the nine codes of EPS.

Source: eps.md 6.6; mapping.md 4.3. No code is ever assumed for words that are not mapped.
"""

from gateway.domain.coding import Coding
from gateway.translate.maps.tables import table

SYSTEM = "https://fhir.nhs.uk/CodeSystem/medicationrequest-status-reason"

CHANGED = "0003"
"""A change is by its nature a change of treatment regime, where the sender gives no other reason."""

PRESCRIBING_ERROR = "0001"
"""What an order means that was entered in error (mapping.md 6.2)."""

REASONS = table("cancel-reason")


def reason_of(code: str) -> Coding | None:
    """Give the coding of a cancel reason, 0001 to 0009; None for anything else."""
    display = REASONS.get(code)
    return Coding(system=SYSTEM, code=code, display=display) if display else None
