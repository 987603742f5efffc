"""Who is calling: one principal, and for a partner the one tenant it may speak for."""

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.domain.identifiers import OdsCode


class Kind(StrEnum):
    """What sort of caller a credential belongs to."""

    TRUST = "trust"
    PROVIDER = "provider"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """An authenticated caller.

    Attributes:
        tenant: the trust or provider it speaks for; None for an operator, and only for an operator.
        name: for people and the audit: `RBA`, `VNE51`, `j.smith`.
    """

    kind: Kind
    tenant: OdsCode | None
    name: str

    def __post_init__(self) -> None:
        """Refuse a partner without a tenant, or an operator with one: such a caller would see too much or nothing."""
        if (self.tenant is None) is not (self.kind is Kind.OPERATOR):
            raise ValueError(f"a {self.kind} has the wrong tenant")


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
