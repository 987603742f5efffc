"""From a credential to a principal."""

import hmac
from collections.abc import Iterable

from gateway.access.principal import Credential, Principal, digest_of

MOST_CHARACTERS = 512
"""Longer than any token we make; a header beyond it is not hashed."""


class Directory:
    """The credentials in force.

    Args:
        credentials: several may belong to one principal, so that a token can be changed without a gap.

    Raises:
        ValueError: one token belongs to two principals.
    """

    def __init__(self, credentials: Iterable[Credential]) -> None:
        self._by_digest: dict[str, Principal] = {}
        for credential in credentials:
            known = self._by_digest.setdefault(credential.token_sha256, credential.principal)
            if known != credential.principal:
                raise ValueError(f"{known.name} and {credential.principal.name} have the same token")

    def authenticate(self, header: str | None) -> Principal | None:
        """Give the principal of an `Authorization` header, or None.

        Args:
            header: its value, `Bearer …`; the scheme in any case (RFC 9110 11.1).
        """
        scheme, _, token = (header or "").partition(" ")
        return self.identify(token.strip()) if scheme.lower() == "bearer" else None

    def identify(self, token: str) -> Principal | None:
        """Give the principal of a token, or None.

        The token is hashed before it is compared, so that the time taken says nothing of how much of it was right.
        """
        if not token or len(token) > MOST_CHARACTERS:
            return None
        digest = digest_of(token)
        found = None
        for known, principal in self._by_digest.items():  # to the end, whichever it is
            if hmac.compare_digest(known, digest):
                found = principal
        return found
