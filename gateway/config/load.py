"""Reads the configuration folder, the only one to do so, into one frozen `Configuration`.

The folder::

    gateway.toml        who we are, operators, limits
    trusts/*.toml       one trust a file
    providers/*.toml    one provider a file
    routes.toml         which provider a prescription goes to when none is named
    deadlines.toml      how long each state may last
    calendar.toml       which days are worked; the one that ships with the gateway if it is left out
    notices.toml        who is told outside the console; nobody if it is left out
    retention.toml      how long records stay; the proposal that ships with the gateway if it is left out
    console.toml        how people sign in to the console; may be left out
    signatures/         authorities and revocation evidence for prescribers' signatures (`config.signatures`)

Every fault of every file is collected into one `ConfigurationError`, or of every file that is no TOML; nothing runs on
half a configuration.

Source: brief D12; house-style.md 7 (config).
"""

import hashlib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gateway.access.directory import Directory
from gateway.access.principal import Kind, Principal
from gateway.config.configuration import Configuration, RetryLimits
from gateway.config.deadlines import read_deadlines
from gateway.config.fields import Fields
from gateway.config.notices import read_notices
from gateway.config.partners import Credentials, read_provider, read_trust, sites_of
from gateway.config.retention import read_retention
from gateway.config.signatures import SignatureEvidence, certificate_files
from gateway.config.signing_in import organisations_of, read_signing_in
from gateway.domain.errors import ConfigurationError
from gateway.domain.identifiers import OdsCode, SnomedCode
from gateway.domain.partner import Environment, Provider, Trust
from gateway.domain.routing import RouteRow, RoutingTable
from gateway.sign.evidence import FRESH_FOR, Evidence

SCHEMES = frozenset({"", "trust", "manufacturer", "specialised-commissioning", "icb"})
"""Who may pay for a homecare prescription (`Homecare.funding`)."""

_SINGLE = ("gateway.toml", "routes.toml", "deadlines.toml")
_CALENDAR = "calendar.toml"
_RETENTION = "retention.toml"
_NOTICES = "notices.toml"
_CONSOLE = "console.toml"
_FOLDERS = ("trusts", "providers")
_YEAR_HOURS = 366 * 24
_FASTEST = 86_400.0
"""A day in a second: of what runs faster nobody could see anything."""


def load(folder: Path | None, *, environ: Mapping[str, str] = MappingProxyType({})) -> Configuration:
    """Read a configuration folder.

    Args:
        folder: the folder; None for the demonstration partners that ship with the gateway.
        environ: variables that the files may name as the place of a secret.

    Raises:
        ConfigurationError: with every fault found, each with its file and key.
    """
    root: Traversable = files("gateway.config").joinpath("demonstration") if folder is None else folder
    faults: list[str] = []
    contents = _read(root, faults)
    written = _parsed(contents, faults)
    configuration = _Folder(contents, written, faults, Credentials(environ=environ), folder).configuration()
    if faults:
        raise ConfigurationError(*faults)
    return configuration


def _read(root: Traversable, faults: list[str]) -> dict[str, bytes]:
    """Give every TOML file of the folder by its name within it, in order of name."""
    if not root.is_dir():
        raise ConfigurationError(f"{root}: is not a folder")
    found: dict[str, bytes] = {}
    for name in _SINGLE:
        file = root.joinpath(name)
        if file.is_file():
            found[name] = file.read_bytes()
        else:
            faults.append(f"{name}: is missing")
    for name in (_CALENDAR, _RETENTION):
        own = root.joinpath(name)
        found[name] = (own if own.is_file() else files("gateway.config").joinpath(name)).read_bytes()
    for name in (_CONSOLE, _NOTICES):
        if (own := root.joinpath(name)).is_file():
            found[name] = own.read_bytes()
    for name in _FOLDERS:
        partners = _partners(root.joinpath(name))
        found |= {f"{name}/{file}": octets for file, octets in partners.items()}
        if not partners:
            faults.append(f"{name}: holds no partner")
    return found if not isinstance(root, Path) else {**found, **certificate_files(root)}


def _partners(folder: Traversable) -> dict[str, bytes]:
    """Give every TOML file of one folder, in order of name."""
    files_in = sorted(folder.iterdir(), key=lambda file: file.name) if folder.is_dir() else ()
    return {file.name: file.read_bytes() for file in files_in if file.name.endswith(".toml")}


def _parsed(contents: Mapping[str, bytes], faults: list[str]) -> dict[str, dict[str, Any]]:
    """Give what every TOML file says, by its name.

    Raises:
        ConfigurationError: some are no TOML. What the others lack for want of them would be no fault of theirs.
    """
    found: dict[str, dict[str, Any]] = {}
    unread: list[str] = []
    for name in (name for name in contents if name.endswith(".toml")):
        try:
            found[name] = tomllib.loads(contents[name].decode())
        except ValueError as error:  # no UTF-8, no TOML, or a number of more digits than Python reads
            unread.append(f"{name}: is not TOML: {error}")
    if unread:
        raise ConfigurationError(*faults, *unread)
    return found


def _digest(contents: Mapping[str, bytes]) -> str:
    """Give the SHA-256 of every file's name, length and bytes, in order of name."""
    total = hashlib.sha256()
    for name, octets in sorted(contents.items()):
        total.update(f"{name}\0{len(octets)}\0".encode() + octets)
    return total.hexdigest()


class _Folder:
    """The files of one folder, on their way to a configuration."""

    def __init__(
        self,
        contents: Mapping[str, bytes],
        written: Mapping[str, dict[str, Any]],
        faults: list[str],
        credentials: Credentials,
        folder: Path | None,
    ) -> None:
        self._contents = contents
        self._written = written
        self._folder = folder
        self._faults = faults
        self._credentials = credentials

    def configuration(self) -> Configuration:
        """Give the configuration, noting every fault on the way."""
        own = self._fields("gateway.toml")
        environment = own.choice("environment", Environment)
        time_scale = self._time_scale(own, environment)
        for operator in own.tables("operators"):
            name = operator.text("name")
            self._credentials.read(operator, Principal(kind=Kind.OPERATOR, tenant=None, name=name))
            operator.done()
        trusts = self._trusts(environment)
        providers = self._providers(environment)
        retry = self._retry(own.table("retry"), providers)
        organisations = organisations_of(trusts, providers)
        deadlines = read_deadlines(self._fields("deadlines.toml"), self._fields(_CALENDAR), time_scale=time_scale)
        configuration = Configuration(
            version=own.text("version"),
            digest=_digest(self._contents),
            organisation=own.ods("organisation"),
            environment=environment,
            receiver_names=frozenset(own.texts("receiver_names")),
            trusts=MappingProxyType(trusts),
            routing=RoutingTable(rows=self._routes(trusts, providers), providers=MappingProxyType(providers)),
            deadlines=deadlines,
            time_scale=time_scale,
            retry=retry,
            credentials=tuple(self._credentials.found),
            without_token=tuple(self._credentials.missing),
            certificates=MappingProxyType(self._credentials.certificates),
            reference_days=_reference_days(own.table("reference")),
            retention=read_retention(self._fields(_RETENTION)),
            notices=read_notices(
                self._fields(_NOTICES),
                trusts=trusts,
                calendar=deadlines.calendar,
                secret=self._credentials.secret,
                time_scale=time_scale,
            ),
            evidence=self._evidence(own.table("signatures")),
            organisations=organisations,
            signing_in=read_signing_in(
                self._fields(_CONSOLE),
                environment=environment,
                credentials=self._credentials,
                organisations=organisations,
            ),
        )
        own.done()
        self._distinct_tokens()
        return configuration

    def _evidence(self, stated: Fields) -> Callable[[], Evidence]:
        hours = stated.number("evidence_hours", FRESH_FOR / timedelta(hours=1), least=1.0, most=_YEAR_HOURS)
        stated.done()
        fixed = Evidence(fresh_for=timedelta(hours=hours))
        if self._folder is None:
            return Evidence
        return SignatureEvidence(self._folder, self._contents, self._faults, fixed)

    def _fields(self, name: str) -> Fields:
        return Fields(self._written.get(name, {}), name, self._faults)

    def _within(self, folder: str) -> list[Fields]:
        return [self._fields(name) for name in self._contents if name.startswith(f"{folder}/")]

    def _trusts(self, environment: Environment) -> dict[OdsCode, Trust]:
        trusts: dict[OdsCode, Trust] = {}
        owners: dict[OdsCode, OdsCode] = {}
        for fields in self._within("trusts"):
            trust = read_trust(fields, environment, self._credentials)
            for ods in sites_of(trust):
                if owners.setdefault(ods, trust.ods) != trust.ods or trust.ods in trusts:
                    fields.fault("ods", f"{ods} is already a code of trust {owners[ods]}")
            trusts[trust.ods] = trust
        return trusts

    def _providers(self, environment: Environment) -> dict[OdsCode, Provider]:
        providers: dict[OdsCode, Provider] = {}
        for fields in self._within("providers"):
            provider = read_provider(fields, environment, self._credentials)
            if provider.ods in providers:
                fields.fault("ods", f"{provider.ods} is already a provider")
            providers[provider.ods] = provider
        return providers

    def _routes(self, trusts: Mapping[OdsCode, Trust], providers: Mapping[OdsCode, Provider]) -> tuple[RouteRow, ...]:
        fields = self._fields("routes.toml")
        rows: list[RouteRow] = []
        for route in fields.tables("routes"):
            row = _route(route, trusts, providers)
            if any(replace(row, provider=known.provider) == known for known in rows):
                route.fault("provider", "the same conditions lead elsewhere in a row above, or stand there twice")
            rows.append(row)
        fields.done()
        return tuple(rows)

    def _time_scale(self, own: Fields, environment: Environment) -> float:
        time_scale = own.number("time_scale", 1.0, least=1.0, most=_FASTEST)
        if time_scale != 1.0 and environment is Environment.LIVE:
            own.fault("time_scale", "must be 1: this gateway is live")
        return time_scale

    def _retry(self, fields: Fields, providers: Mapping[OdsCode, Provider]) -> RetryLimits:
        default = RetryLimits()
        retry = RetryLimits(
            attempts=fields.whole("attempts", default.attempts, least=1, most=1_000_000),
            age_seconds=fields.number("age_seconds", default.age_seconds, least=1.0, most=_YEAR_HOURS * 3600),
            lease_seconds=fields.number("lease_seconds", default.lease_seconds, least=1.0, most=3600.0),
        )
        slowest = max((provider.answers_within_seconds for provider in providers.values()), default=0.0)
        if retry.lease_seconds <= slowest:
            fields.fault("lease_seconds", f"must be longer than the slowest provider's time limit, {slowest:g}")
        fields.done()
        return retry

    def _distinct_tokens(self) -> None:
        try:
            Directory(self._credentials.found)
        except ValueError as error:
            self._faults.append(str(error))


def _reference_days(stated: Fields) -> int:
    days = stated.whole("oldest_days", 42, least=1, most=3660)
    stated.done()
    return days


def _route(fields: Fields, trusts: Mapping[OdsCode, Trust], providers: Mapping[OdsCode, Provider]) -> RouteRow:
    row = RouteRow(
        provider=fields.ods("provider"),
        trust=fields.optional_ods("trust"),
        scheme=fields.text("scheme", ""),
        product=fields.text("product", ""),
        registration_prefix=fields.text("registration_prefix", ""),
    )
    if row.provider not in providers:
        fields.fault("provider", f"{row.provider} is not a provider")
    if row.trust is not None and row.trust not in trusts:
        fields.fault("trust", f"{row.trust} is not a trust")
    if row.scheme not in SCHEMES:
        fields.fault("scheme", f"is not one of {', '.join(sorted(SCHEMES - {''}))}")
    if row.product and SnomedCode.parse(row.product) is None:
        fields.fault("product", "is not a dm+d code")
    fields.done()
    return row
