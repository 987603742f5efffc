"""The roles people have in the console, what each is called, and whose data each looks at.

Source: console.md 3.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Role(StrEnum):
    """What a person is here for. One at a time; a person with several picks one."""

    HOMECARE_PHARMACIST = "homecare-pharmacist"
    PHARMACY_TECHNICIAN = "pharmacy-technician"
    PRESCRIBER = "prescriber"
    INTEGRATION_ENGINEER = "integration-engineer"
    MAP_APPROVER = "map-approver"
    PROVIDER_PHARMACIST = "provider-pharmacist"
    PROVIDER_OPERATOR = "provider-operator"
    CHIEF_PHARMACIST = "chief-pharmacist"
    COMMISSIONER = "commissioner"
    ANALYST = "analyst"
    OPERATOR = "operator"
    AUDITOR = "auditor"


class Serves(StrEnum):
    """Whose data a role looks at."""

    TRUST = "trust"
    PROVIDER = "provider"
    WHOLE = "whole"
    """The gateway as a whole; such a person has no organisation of its own here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleRow:
    """One role.

    Attributes:
        words: what it is called on every page.
        serves: what its organisation may be.
        sees: what a person with it sees, in words.
        does: what such a person may do, in words.
    """

    words: str
    serves: frozenset[Serves]
    sees: str
    does: str


def _row(words: str, *serves: Serves, sees: str, does: str) -> RoleRow:
    return RoleRow(words=words, serves=frozenset(serves), sees=sees, does=does)


ROLES: Final[Mapping[Role, RoleRow]] = MappingProxyType(
    {
        Role.HOMECARE_PHARMACIST: _row(
            "Homecare pharmacist",
            Serves.TRUST,
            sees="The trust's own patients, every state, the evidence",
            does="Check, answer, cancel, hold, release, close with a reason, propose a re-route",
        ),
        Role.PHARMACY_TECHNICIAN: _row(
            "Pharmacy technician",
            Serves.TRUST,
            sees="The trust's own patients, every state, the evidence",
            does="Order numbers, paper originals and deliveries; take work and log calls. Not check and not cancel",
        ),
        Role.PRESCRIBER: _row(
            "Prescriber",
            Serves.TRUST,
            sees="The trust's own patients, with what was refused and why",
            does="Decide a renewal, cancel",
        ),
        Role.INTEGRATION_ENGINEER: _row(
            "Integration engineer",
            Serves.TRUST,
            Serves.WHOLE,
            sees="Messages, with patient data masked unless a reason is given",
            does="Read a message again without storing anything, propose the meaning of a code",
        ),
        Role.MAP_APPROVER: _row(
            "Map approver",
            Serves.TRUST,
            sees="Codes the gateway does not know, and what waits for them",
            does="Propose the meaning of a code, approve or reject what another person proposed",
        ),
        Role.PROVIDER_PHARMACIST: _row(
            "Provider pharmacist",
            Serves.PROVIDER,
            sees="Prescriptions allocated to this provider, and no others",
            does="Look",
        ),
        Role.PROVIDER_OPERATOR: _row(
            "Provider operator",
            Serves.PROVIDER,
            sees="Prescriptions allocated to this provider, and no others",
            does="Look",
        ),
        Role.CHIEF_PHARMACIST: _row(
            "Chief pharmacist",
            Serves.TRUST,
            sees="The trust's own patients, providers, performance and settings",
            does="Propose or confirm a re-route, close an alert, change settings with a second person",
        ),
        Role.COMMISSIONER: _row(
            "Commissioner",
            Serves.WHOLE,
            sees="Providers and performance; no patients",
            does="Look",
        ),
        Role.ANALYST: _row(
            "Regulator or analyst",
            Serves.WHOLE,
            sees="Performance; no patients",
            does="Look and download",
        ),
        Role.OPERATOR: _row(
            "Gateway operator",
            Serves.WHOLE,
            sees="What waits for the gateway by opaque ids, providers, counts, messages with patient data masked, and "
            "settings; no patients",
            does="Take and close what waits for the gateway, pause a provider, change settings with a second person",
        ),
        Role.AUDITOR: _row(
            "Auditor",
            Serves.WHOLE,
            sees="Who looked at what and did what",
            does="Read, download, verify the chain",
        ),
    }
)
