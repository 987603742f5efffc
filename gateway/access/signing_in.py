"""How people get into the console, as the configuration says it: values, nothing that acts.

Source: reliability-security.md 8 (pharmacist); console.md 1, 3.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from gateway.access.posts import RoleClaim, RoleRule

IDLE: Final = timedelta(minutes=15)
ABSOLUTE: Final = timedelta(hours=12)


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerSettings:
    """One OpenID Connect identity provider, and what this gateway is to it.

    Attributes:
        url: its issuer identifier, exactly as its tokens say it.
        client_id: what this gateway is called there.
        secret: what this gateway shows; empty where it signs with `key`.
        key: private key in PEM with which the gateway signs what it shows (private_key_jwt).
        back: where the identity provider sends people back to: our public address, without a slash at the end.
        scopes: what is asked for.
        algorithms: with which its tokens may be signed.
        levels: acceptable values of `acr`; empty for any.
        oldest: how long ago the person may have authenticated there; None for any time.
        userinfo: whether roles and name are also looked up at its userinfo address.
        name_claim: where it says what a person is called.
        claim: where it says what a person may do.
        words: what people call it, for the button.
    """

    url: str
    client_id: str
    secret: str = field(default="", repr=False)
    key: str = field(default="", repr=False)
    back: str
    scopes: tuple[str, ...] = ("openid", "profile")
    algorithms: tuple[str, ...] = ("RS256", "PS256", "ES256")
    levels: tuple[str, ...] = ()
    oldest: timedelta | None = None
    userinfo: bool = False
    name_claim: str = "name"
    claim: RoleClaim = field(default_factory=RoleClaim)
    words: str = "your organisation's sign-in"


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningIn:
    """Everything the configuration says of signing in.

    Attributes:
        issuer: None where nobody can sign in by an identity provider.
        rules: what its words mean here.
        idle: how long a session may rest.
        absolute: how long it may last.
    """

    issuer: IssuerSettings | None = None
    rules: tuple[RoleRule, ...] = ()
    idle: timedelta = IDLE
    absolute: timedelta = ABSOLUTE
