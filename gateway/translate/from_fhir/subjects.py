"""Whose a resource is: the one patient of the message, by reference, by NHS number, or by both where they agree.

Source: mapping.md 6.2 (subject, CommunicationRequest and Provenance agree on one patient); FHIR R4 references.html.
"""

from gateway.translate.from_fhir.bundle import Entries
from gateway.translate.from_fhir.nodes import Node
from gateway.translate.to_fhir import systems


def is_of(entries: Entries, item: Node, member: str, patient: Node | None) -> bool:
    """Tell whether a member that names a patient names this one.

    A reference must lead to it. An NHS number beside the reference must be its own, and one alone is enough.
    """
    reference = item.one(member)
    if reference is None or patient is None:
        return False
    named = reference.one("identifier")
    stated = _digits(named.raw("value")) if named and named.raw("system") == systems.NHS_NUMBER else ""
    own = {_digits(each.raw("value")) for each in patient.many("identifier") if _is_nhs(each)}
    if stated and stated not in own:
        return False
    return entries.find(reference, item) is patient if reference.leaf("reference") else bool(stated)


def _is_nhs(identifier: Node) -> bool:
    return identifier.raw("system") == systems.NHS_NUMBER


def _digits(number: str) -> str:
    return "".join(number.split())
