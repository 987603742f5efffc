"""Reads one trust or one provider from its file."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from gateway.access.principal import Credential, Kind, Principal, digest_of
from gateway.config.fields import LAST_PORT, Fields
from gateway.config.trust_maps import read_codes, read_z_fields
from gateway.domain.identifiers import OdsCode
from gateway.domain.partner import Environment, OnConflict, Provider, ReplyChannel, SignaturePolicy, Trust
from gateway.domain.renewal import LEAD_TIME

MOST_LEAD_DAYS: Final = 28
"""As long as a usual supply lasts."""
MOST_LEAD_WEEKS: Final = 52
"""No prescription is valid for longer than twelve months (mapping.md 8.5)."""
MOST_ANSWER_SECONDS: Final = 1800.0
"""Of one attempt. Whoever waits longer has the message kept from every other worker as long."""


class ConsultantField(StrEnum):
    """Where a trust names the responsible consultant (mapping.md 3.3)."""

    ATTENDING = "PV1-7"
    REFERRING = "PV1-8"
    CONSULTING = "PV1-9"


class ChannelKind(StrEnum):
    """How a trust is told things later."""

    MLLP = "mllp"
    HTTP = "http"


@dataclass(slots=True, kw_only=True)
class Credentials:
    """Who has a token and who has none yet, gathered while the files are read.

    Attributes:
        environ: variables that `…_env` keys may name.
        found: the tokens; `missing`: callers without one.
    """

    environ: Mapping[str, str]
    found: list[Credential] = field(default_factory=list)
    missing: list[Principal] = field(default_factory=list)
    certificates: dict[str, OdsCode] = field(default_factory=dict)
    """SHA-256 of a client certificate in DER, in hex, to the trust or provider that shows it over MLLP."""

    def read(self, fields: Fields, principal: Principal) -> None:
        """Read the token a caller shows us: `token_sha256`, or `token_env` naming the variable that holds it."""
        if fields.has("token_sha256"):
            digest = _checked(fields, "token_sha256", fields.text("token_sha256"))
            self.found.append(Credential(principal=principal, token_sha256=digest))
        elif fields.has("token_env"):
            token = self.secret(fields, "token_env")
            self.found.append(Credential(principal=principal, token_sha256=digest_of(token)))
        else:
            self.missing.append(principal)

    def read_certificates(self, fields: Fields, partner: OdsCode) -> None:
        """Read `mllp_certificates_sha256`: a partner may have two while it changes from one to the next."""
        for text in fields.texts("mllp_certificates_sha256"):
            digest = _checked(fields, "mllp_certificates_sha256", text)
            if self.certificates.setdefault(digest, partner) != partner:
                fields.fault("mllp_certificates_sha256", f"is also a certificate of {self.certificates[digest]}")

    def secret(self, fields: Fields, key: str) -> str:
        """Read a secret from the variable that `key` names; the secret itself never stands in a file."""
        if not fields.has(key):
            return ""
        name = fields.text(key)
        if not self.environ.get(name):
            fields.fault(key, f"the variable {name} is not set")
        return self.environ.get(name, "")


def _checked(fields: Fields, key: str, digest: str) -> str:
    if re.fullmatch(r"[0-9a-f]{64}", digest) is None:
        fields.fault(key, "is not a SHA-256 in lower-case hex")
    return digest


def read_trust(fields: Fields, environment: Environment, credentials: Credentials) -> Trust:
    """Read a trust; faults are noted in `fields`."""
    ods = fields.ods("ods")
    credentials.read(fields, Principal(kind=Kind.TRUST, tenant=ods, name=ods.value))
    credentials.read_certificates(fields, ods)
    trust = Trust(
        ods=ods,
        name=fields.text("name"),
        environment=_same(fields, environment),
        systems=fields.texts("systems"),
        sites=fields.ods_list("sites"),
        signature_policy=fields.choice("signature_policy", SignaturePolicy),
        on_conflict=fields.choice("on_conflict", OnConflict, OnConflict.HOLD),
        codes=read_codes(fields),
        z_fields=read_z_fields(fields),
        dosing_comment_types=fields.texts("dosing_comment_types"),
        local_id_systems=fields.words("local_id_systems"),
        tells=_channel(fields.table("tells"), environment, credentials) if fields.has("tells") else None,
        screening=fields.flag("screening", default=False),
        renewal_lead=timedelta(
            weeks=fields.whole("renewal_lead_weeks", LEAD_TIME.days // 7, least=1, most=MOST_LEAD_WEEKS)
        ),
        consultant_field=fields.choice("consultant_field", ConsultantField, ConsultantField.ATTENDING),
    )
    fields.done()
    return trust


def read_provider(fields: Fields, environment: Environment, credentials: Credentials) -> Provider:
    """Read a provider; faults are noted in `fields`."""
    ods = fields.ods("ods")
    credentials.read(fields, Principal(kind=Kind.PROVIDER, tenant=ods, name=ods.value))
    credentials.read_certificates(fields, ods)
    provider = Provider(
        ods=ods,
        name=fields.text("name"),
        environment=_same(fields, environment),
        adapter=fields.text("adapter"),
        endpoint=_address(fields, "endpoint", environment),
        active=fields.flag("active", default=True),
        token=credentials.secret(fields, "send_token_env"),
        recognises_repeats=fields.flag("recognises_repeats", default=False),
        max_in_flight=fields.whole("max_in_flight", 8, least=1, most=10_000),
        answers_within_seconds=fields.number("answers_within_seconds", 10.0, least=0.1, most=MOST_ANSWER_SECONDS),
        phone=fields.text("phone", ""),
        out_of_hours=fields.text("out_of_hours", ""),
        lead_time=_lead_time(fields),
        certificate_ends=fields.day("certificate_ends") if fields.has("certificate_ends") else None,
        options=fields.words("options"),
    )
    fields.done()
    return provider


def _lead_time(fields: Fields) -> timedelta | None:
    if not fields.has("lead_time_days"):
        return None
    why = "nothing could be acted on early enough"
    return timedelta(days=fields.whole("lead_time_days", 1, least=1, most=MOST_LEAD_DAYS, because=why))


def _same(fields: Fields, environment: Environment) -> Environment:
    """One gateway serves one environment (D17)."""
    stated = fields.choice("environment", Environment)
    if stated is not environment:
        fields.fault("environment", f"is {stated}, but this gateway is {environment}")
    return stated


def _address(fields: Fields, key: str, environment: Environment) -> str:
    url = fields.text(key)
    scheme, host = urlsplit(url)[:2]
    if scheme not in {"http", "https"} or not host:
        fields.fault(key, "is not an http or https address")
    if environment is Environment.LIVE and scheme != "https":
        fields.fault(key, "must be https: this gateway is live")
    return url


def _channel(fields: Fields, environment: Environment, credentials: Credentials) -> ReplyChannel:
    kind = fields.choice("kind", ChannelKind)
    if kind is ChannelKind.HTTP:
        token = credentials.secret(fields, "token_env")
        channel = ReplyChannel(kind=kind, url=_address(fields, "url", environment), token=token)
    else:
        channel = ReplyChannel(
            kind=kind, host=fields.text("host"), port=fields.whole("port", 0, least=1, most=LAST_PORT)
        )
    fields.done()
    return channel


def sites_of(trust: Trust) -> tuple[OdsCode, ...]:
    """Give every ODS code a trust may send under."""
    return (trust.ods, *trust.sites)
