"""Who is calling: one principal, for a partner the one tenant it may speak for, for a person the one role."""

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.access.roles import ROLES, Role, Serves
from gateway.domain.identifiers import OdsCode


class Kind(StrEnum):
    """What sort of caller a credential belongs to."""

    TRUST = "trust"
    PROVIDER = "provider"
    OPERATOR = "operator"
    PERSON = "person"
    """Who signed in to the console, in one role."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """An authenticated caller.

    Attributes:
        tenant: the trust or provider it speaks for; None for an operator, and for a person whose role is for the
            gateway as a whole.
        name: for people and the audit: `RBA`, `VNE51`, `j.smith`; of a person what stays the same for ever.
        role: of a person, and only of a person.
    """

    kind: Kind
    tenant: OdsCode | None
    name: str
    role: Role | None = None

    def __post_init__(self) -> None:
        """Refuse a caller who would see too much or nothing: one with the wrong tenant, a person without a role."""
        if (self.role is None) is (self.kind is Kind.PERSON):
            raise ValueError(f"a {self.kind} has the wrong role")
        if self.role is not None:
            serves = ROLES[self.role].serves
            fits = Serves.WHOLE in serves if self.tenant is None else bool(serves - {Serves.WHOLE})
        else:
            fits = (self.tenant is None) is (self.kind is Kind.OPERATOR)
        if not fits:
            raise ValueError(f"a {self.role or self.kind} has the wrong tenant")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """One bearer token, known by its digest alone.

    Attributes:
        token_sha256: SHA-256 of the token, in lower-case hex.
    """

    principal: Principal
    token_sha256: str = field(repr=False)


def digest_of(token: str) -> str:
    """Give the form in which a token is kept.

    A plain SHA-256 is enough for tokens of 256 random bits, which nobody can guess; it would not be for passwords.
    """
    return hashlib.sha256(token.encode()).hexdigest()
