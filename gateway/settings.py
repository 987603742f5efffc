"""The environment, read once, as one frozen value. Nothing else in the gateway reads it.

Every variable has the prefix `GATEWAY_`. A wrong or misspelt one stops the process, with all faults listed. Variables
beginning `GATEWAY_TOKEN_` or `GATEWAY_SECRET_` are left to the configuration folder, which may name them;
`GATEWAY_OPERATOR_SECRET` and `GATEWAY_OPERATOR_SECOND_SECRET` are no settings, but say who acts.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from gateway.domain.errors import ConfigurationError
from gateway.domain.host import is_loopback
from gateway.domain.partner import Environment

PREFIX: Final = "GATEWAY_"
MIB: Final = 1 << 20
LEFT_TO_THE_FOLDER: Final = (f"{PREFIX}TOKEN_", f"{PREFIX}SECRET_")
OPERATOR_SECRETS: Final = (f"{PREFIX}OPERATOR_SECRET", f"{PREFIX}OPERATOR_SECOND_SECRET")

Port = Annotated[int, Field(ge=0, le=65535)]
"""0 lets the system choose."""
Bytes = Annotated[int, Field(ge=1024, le=64 * MIB)]
Count = Annotated[int, Field(ge=1, le=10_000)]
Seconds = Annotated[float, Field(gt=0, le=3600)]


class Settings(BaseSettings):
    """What an operator may set."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    data: Path = Path("data")
    """Folder of the store, the keys and the development tokens; made if absent, closed to other users."""
    database_url: SecretStr | None = None
    """Of a PostgreSQL database that holds the store in place of a file of the data folder: postgresql://user@host/name.
    Another machine is reached over TLS alone: with `?sslmode=verify-full`. Behind a pooler in transaction mode, with
    `?statement_cache_size=0` as well."""
    config: Path | None = None
    """Configuration folder; the packaged demonstration if not set."""
    reference: Path | None = None
    """Folder that `gateway reference load` writes; `reference` of the data folder if not set."""
    redis_url: SecretStr | None = None
    """Of a Redis or Valkey that joins the nodes on one database: unix:///run/valkey/valkey.sock, rediss://host, or
    redis:// on loopback. It holds nothing that may not be lost; without it nodes find work by asking the database."""
    host: str = "127.0.0.1"
    port: Port = 8080
    mllp_host: str = "127.0.0.1"
    mllp_port: Port = 2575
    mllp_certificate: Path | None = None
    """Our certificate for MLLP over TLS (PEM, with intermediates); needed outside development, with the next two."""
    mllp_key: Path | None = None
    mllp_client_authorities: Path | None = None
    """Who may vouch for a trust's client certificate (PEM)."""
    development: bool | None = None
    """Throw-away certificates and random tokens (D15). Not set: on if every door is on loopback."""
    host_names: str = ""
    """Names a Host header may carry, separated by commas. Empty: loopback's own in development, any otherwise, where a
    proxy has checked them."""
    http_body_bytes: Bytes = 5 * MIB
    """A prescription message is some 15 kB; 5 MiB leaves room for a scanned attachment and no more."""
    mllp_body_bytes: Bytes = MIB
    """HL7 v2 order messages stay far below; an unframed stream must not fill the memory."""
    mllp_connections: Count = 64
    """One or two an EPR; each holds at most one message in memory."""
    mllp_connections_of_one: Count = 16
    """The same for one client certificate, so that no sender can take every connection."""
    mllp_idle_seconds: Seconds = 300
    """EPRs keep connections open between messages; a dead one should not be kept for long."""
    tenant_requests: Count = 64
    """Requests of one tenant under way at once, so that none can crowd out the others."""
    http_connections: Count = 1024
    """Connections to the HTTP door at once; one more is answered 503."""
    disk_floor_bytes: Annotated[int, Field(ge=0)] = 256 * MIB
    """Below so much free room on the data folder's disk new prescriptions are refused, so that what was taken can be
    finished. 0 for never."""
    disk_floor_files: Annotated[int, Field(ge=0)] = 1000
    """The same for the number of files that can still be made."""
    reserve_bytes: Annotated[int, Field(ge=0, le=1024 * MIB)] = 16 * MIB
    """Room held in a file of the data folder and given up below the floor; some ten thousand events need it."""
    most_waiting: Annotated[int, Field(ge=1)] = 100_000
    """Messages that may wait to be sent before new prescriptions are refused: weeks of the whole country's."""
    most_waiting_of_one: Annotated[int, Field(ge=1)] = 20_000
    """The same for one trust, so that none fills the queue alone."""
    poll_seconds: Seconds = 0.5
    """How long the worker waits when nothing wakes it; also how late a retry may be."""
    watch_seconds: Seconds = 5
    """How often deadlines are looked at; a fraction of the shortest of them."""
    watch_silence_seconds: Seconds = 60
    """How long ago deadlines may have been looked at before a person is told that the watch has stopped."""
    drain_seconds: Seconds = 10
    """How long a stop waits for what is under way; shorter than what supervisors allow before they kill."""
    log_level: Annotated[str, Field(pattern="^(debug|info|warning|error)$")] = "info"

    @model_validator(mode="after")
    def _development_is_loopback_only(self) -> Self:
        if self.development and not self.on_loopback:
            raise ValueError("GATEWAY_DEVELOPMENT is only for loopback addresses; host or mllp_host is not one")
        return self

    @property
    def on_loopback(self) -> bool:
        """Whether every door is closed to other machines."""
        return is_loopback(self.host) and is_loopback(self.mllp_host)

    @property
    def in_development(self) -> bool:
        """Whether development stand-ins are made (D15)."""
        return self.on_loopback if self.development is None else self.development

    @property
    def watch_allowed_seconds(self) -> float:
        """How old the watch's heartbeat may be: never less than a few of its own intervals."""
        return max(self.watch_silence_seconds, 4 * self.watch_seconds)

    @property
    def reference_folder(self) -> Path:
        """Where the reference tables of a release are, if one was loaded."""
        return self.reference or self.data / "reference"

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """Names a Host header may carry; empty for any. In development a foreign page must not reach us by its name."""
        stated = frozenset(name.strip().lower() for name in self.host_names.split(",") if name.strip())
        return stated or (frozenset({"localhost", "127.0.0.1", "[::1]"}) if self.in_development else frozenset())

    def refuse_unsafe(self, environment: Environment) -> None:
        """Refuse development stand-ins in a live environment (D15).

        Raises:
            ConfigurationError: this is development mode, and the configuration is live.
        """
        if self.in_development and environment is Environment.LIVE:
            raise ConfigurationError(
                "the configuration is live, but this is development mode: set GATEWAY_DEVELOPMENT=false"
            )


def read_settings(**stated: object) -> Settings:
    """Read the environment.

    Args:
        stated: settings given on the command line; they win.

    Raises:
        ConfigurationError: with every fault.
    """
    unknown = [
        f"{name}: is not a setting"
        for name in os.environ
        if name.startswith(PREFIX)
        and not name.startswith(LEFT_TO_THE_FOLDER)
        and name not in OPERATOR_SECRETS
        and name.removeprefix(PREFIX).lower() not in Settings.model_fields
    ]
    try:
        settings = Settings.model_validate({key: value for key, value in stated.items() if value is not None})
    except ValidationError as error:
        raise ConfigurationError(*unknown, *(_told(fault) for fault in error.errors())) from None
    if unknown:
        raise ConfigurationError(*unknown)
    return settings


def variables() -> Mapping[str, str]:
    """Give the variables that the configuration folder may name as the place of a secret."""
    return {name: value for name, value in os.environ.items() if name.startswith(LEFT_TO_THE_FOLDER)}


def operator_secret(*, second: bool = False) -> str | None:
    """Give the secret of the person who acts, or of the second of two; None if it was not stated."""
    return os.environ.get(OPERATOR_SECRETS[second])


def _told(fault: Mapping[str, object]) -> str:
    location = fault["loc"]
    name = "_".join(str(part) for part in location) if isinstance(location, tuple) else ""
    return f"{PREFIX}{name.upper()}: {fault['msg']}" if name else str(fault["msg"]).removeprefix("Value error, ")
