"""Reads `console.toml`: how people sign in to the console, and what the identity provider's words mean here.

The file may be left out: then nobody signs in by an identity provider, and only the development link lets anyone in.

Source: reliability-security.md 8; console.md 3.
"""

from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from gateway.access.posts import Organisation, Organisations, RoleClaim, RoleRule, fits
from gateway.access.roles import ROLES, Role, Serves
from gateway.access.signing_in import ABSOLUTE, IDLE, IssuerSettings, SigningIn
from gateway.config.fields import Fields
from gateway.config.partners import Credentials, sites_of
from gateway.domain.host import is_loopback
from gateway.domain.identifiers import OdsCode
from gateway.domain.partner import Environment, Provider, Trust

_STATED: Final = "stated"
_WHOLE: Final = "whole"
_MONTH_MINUTES: Final = 31 * 24 * 60
_SAFE_ALGORITHMS: Final = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"})
"""Signatures with a public key; neither `none` nor a shared secret (RFC 8725 3.1, 3.2)."""


def organisations_of(trusts: dict[OdsCode, Trust], providers: dict[OdsCode, Provider]) -> Organisations:
    """Give what every known ODS code stands for: trusts, their sites, and providers."""
    known = {
        code: Organisation(tenant=trust.ods, serves=Serves.TRUST)
        for trust in trusts.values()
        for code in sites_of(trust)
    }
    return known | {code: Organisation(tenant=code, serves=Serves.PROVIDER) for code in providers}


def read_signing_in(
    fields: Fields, *, environment: Environment, credentials: Credentials, organisations: Organisations
) -> SigningIn:
    """Read the file; faults are noted in `fields`."""
    sessions = fields.table("sessions")
    minute, hour = timedelta(minutes=1), timedelta(hours=1)
    idle = minute * sessions.number("idle_minutes", IDLE / minute, least=3, most=ABSOLUTE / minute)
    absolute = hour * sessions.number("absolute_hours", ABSOLUTE / hour, least=0.1, most=ABSOLUTE / hour)
    sessions.done()
    if idle > absolute:
        fields.fault("sessions", "idle_minutes is longer than absolute_hours")
    issuer = _issuer(fields.table("issuer"), environment, credentials) if fields.has("issuer") else None
    rules = tuple(_rule(one, organisations) for one in fields.tables("roles"))
    if issuer is not None and not rules:
        fields.fault("roles", "is missing: nobody who signs in would have a role")
    if issuer is None and rules:
        fields.fault("roles", "has no meaning without an issuer")
    fields.done()
    return SigningIn(issuer=issuer, rules=rules, idle=idle, absolute=absolute)


def _issuer(fields: Fields, environment: Environment, credentials: Credentials) -> IssuerSettings:
    claim = fields.table("claims")
    settings = IssuerSettings(
        url=_address(fields, "url", environment),
        client_id=fields.text("client_id"),
        secret=credentials.secret(fields, "client_secret_env"),
        key=credentials.secret(fields, "client_key_env"),
        back=_address(fields, "public_url", environment).rstrip("/"),
        scopes=fields.texts("scopes") or ("openid", "profile"),
        algorithms=fields.texts("algorithms") or ("RS256", "PS256", "ES256"),
        levels=fields.texts("levels"),
        oldest=timedelta(minutes=minutes)
        if (minutes := fields.whole("oldest_minutes", 0, most=_MONTH_MINUTES))
        else None,
        userinfo=fields.flag("userinfo", default=False),
        name_claim=claim.text("name", "name"),
        claim=RoleClaim(
            name=claim.text("roles", "roles"),
            role_key=claim.text("role_key", "role_code"),
            organisation_key=claim.text("organisation_key", "org_code"),
        ),
        words=fields.text("words", "your organisation's sign-in"),
    )
    claim.done()
    if fields.has("client_secret_env") is fields.has("client_key_env"):
        fields.fault("client_secret_env", "state either this or client_key_env")
    if "openid" not in settings.scopes:
        fields.fault("scopes", "must hold openid")
    for name in sorted(set(settings.algorithms) - _SAFE_ALGORITHMS):
        fields.fault("algorithms", f"{name!r} is not one of {', '.join(sorted(_SAFE_ALGORITHMS))}")
    fields.done()
    return settings


def _address(fields: Fields, key: str, environment: Environment) -> str:
    """Read an address people or secrets go to: https, but for this machine itself in a test environment."""
    url = fields.text(key)
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        fields.fault(key, "is not an https address")
    elif parts.scheme != "https" and (environment is Environment.LIVE or not is_loopback(parts.hostname)):
        fields.fault(key, "must be https")
    return url


def _rule(fields: Fields, organisations: Organisations) -> RoleRule:
    role = fields.choice("role", Role)
    value, words = fields.text("value"), fields.text("organisation")
    fields.done()
    if words in {_STATED, _WHOLE}:
        if words == _WHOLE and Serves.WHOLE not in ROLES[role].serves:
            fields.fault("organisation", f"a {role} is of one organisation")
        if words == _STATED and ROLES[role].serves == {Serves.WHOLE}:
            fields.fault("organisation", f"a {role} is of no organisation: write {_WHOLE!r}")
        return RoleRule(value=value, role=role, stated=words == _STATED)
    code = OdsCode.parse(words)
    known = organisations.get(code) if code else None
    if known is None:
        fields.fault("organisation", f"{words!r} is no trust or provider of this gateway, {_STATED!r} or {_WHOLE!r}")
    elif not fits(role, known):
        fields.fault("organisation", f"a {role} cannot be of {words}")
    return RoleRule(value=value, role=role, organisation=known.tenant if known else None)
