"""People who do not exist, for trying the console in development (D15): one of each role, two where two are needed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from gateway.access.posts import Organisations, Post
from gateway.access.roles import Role, Serves
from gateway.domain.identifiers import OdsCode

_CAST: Final[Mapping[Serves, tuple[tuple[str, str, Role], ...]]] = {
    Serves.TRUST: (
        ("Perry", "Pharmacist", Role.HOMECARE_PHARMACIST),
        ("Robin", "Pharmacist", Role.HOMECARE_PHARMACIST),
        ("Terry", "Technician", Role.PHARMACY_TECHNICIAN),
        ("Chris", "Prescriber", Role.PRESCRIBER),
        ("Indira", "Engineer", Role.INTEGRATION_ENGINEER),
        ("Morgan", "Approver", Role.MAP_APPROVER),
        ("Noor", "Approver", Role.MAP_APPROVER),
        ("Charlie", "Chief", Role.CHIEF_PHARMACIST),
    ),
    Serves.PROVIDER: (
        ("Val", "Pharmacist", Role.PROVIDER_PHARMACIST),
        ("Sam", "Operator", Role.PROVIDER_OPERATOR),
    ),
    Serves.WHOLE: (
        ("Olu", "Operator", Role.OPERATOR),
        ("Pat", "Operator", Role.OPERATOR),
        ("Avery", "Auditor", Role.AUDITOR),
        ("Casey", "Commissioner", Role.COMMISSIONER),
        ("Ana", "Analyst", Role.ANALYST),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Invented:
    """One person who does not exist.

    Attributes:
        name: short name, unlike any other's: `perry.rba`.
    """

    name: str
    person: str
    post: Post


def invent(organisations: Organisations) -> tuple[Invented, ...]:
    """Give the invented people: of the gateway as a whole, of every trust, of every provider."""
    return (
        *_people(Serves.WHOLE, (None,)),
        *_people(Serves.TRUST, _tenants(organisations, Serves.TRUST)),
        *_people(Serves.PROVIDER, _tenants(organisations, Serves.PROVIDER)),
    )


def _tenants(organisations: Organisations, serves: Serves) -> tuple[OdsCode, ...]:
    found = {one.tenant.value: one.tenant for one in organisations.values() if one.serves is serves}
    return tuple(found[code] for code in sorted(found))


def _people(serves: Serves, tenants: Iterable[OdsCode | None]) -> tuple[Invented, ...]:
    return tuple(
        Invented(
            name=f"{first.lower()}.{str(tenant).lower() if tenant else 'gateway'}",
            person=f"{first} {last}",
            post=Post(role=role, tenant=tenant),
        )
        for tenant in tenants
        for first, last, role in _CAST[serves]
    )
