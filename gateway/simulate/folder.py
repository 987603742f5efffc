"""A configuration folder for one run: the demonstration's, with free ports, fresh tokens and compressed deadlines.

The gateway is given the digests of the tokens, as any configuration would be; the tokens themselves stay with the
parties.
"""

import hashlib
import re
import secrets
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

TIME_SCALE = 3600
"""An hour passes in a second."""

DEADLINES = {
    "RECEIVED": 60,
    "READY": 40,
    "SENT": 6,
    "WITH_PROVIDER": 6,
    "ACCEPTED": 12,
    "VALIDATED": 12,
    "QUERIED": 10,
    "IN_SUPPLY": 15,
    "PART_SUPPLIED": 15,
    "ON_HOLD": 15,
}
"""How long a line may stay in each state before a person is told, in seconds of the run."""
WATCHED_DEADLINES = DEADLINES | {"READY": 12, "IN_SUPPLY": 30}
"""The same while a person looks on: soon where nothing leaves, late enough to see that a delivery failed."""
WATCHED_TERMS = """
[[limits]]
class = "routine"
from = 2026-01-01
PAPER_ORIGINAL = "30 hours"
"""
"""Of what is no state: a paper original is missed within half a minute."""

WATCHED_GIVES_UP_SECONDS = 90
"""After which an order to a provider that cannot be reached is given up while a person looks on."""

ANSWERS_WITHIN_SECONDS = 4.0
"""How long a provider's system may take over one message; the simulated ones take half a second at most."""
LEASE_SECONDS = 5.0
"""How long work that a killed gateway had begun waits for the next one to take it up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where everybody listens, on loopback, and who has which token.

    Attributes:
        listeners: a trust's ODS code to the port it is told things on.
        providers: a provider's ODS code to its port.
        tokens: an ODS code, or `operator`, to the token it shows the gateway.
        shown: a provider's ODS code to the token the gateway shows it.
    """

    host: str = "127.0.0.1"
    http: int
    mllp: int
    listeners: dict[str, int]
    providers: dict[str, int]
    tokens: dict[str, str] = field(repr=False)
    shown: dict[str, str] = field(repr=False)

    @property
    def base(self) -> str:
        """The gateway's HTTP address."""
        return f"http://{self.host}:{self.http}"

    def variables(self) -> dict[str, str]:
        """Give the environment variables that hold the secrets the folder names."""
        return {f"GATEWAY_SECRET_{ods}": token for ods, token in self.shown.items()}


def choose_addresses(trusts: Iterable[str], providers: Iterable[str], *, http: int = 0, mllp: int = 0) -> Addresses:
    """Choose free ports and random tokens.

    Args:
        trusts: their ODS codes.
        providers: theirs.
        http: the port of its HTTP door, or 0 for any free one.
        mllp: the same of its MLLP door.
    """
    trusts, providers = tuple(trusts), tuple(providers)
    ports = _free_ports(len(trusts) + len(providers) + 2)
    return Addresses(
        http=http or ports.pop(),
        mllp=mllp or ports.pop(),
        listeners={ods: ports.pop() for ods in trusts},
        providers={ods: ports.pop() for ods in providers},
        tokens={name: secrets.token_urlsafe(32) for name in (*trusts, *providers, "operator")},
        shown={ods: secrets.token_urlsafe(32) for ods in providers},
    )


def write_folder(
    folder: Path,
    addresses: Addresses,
    *,
    over_mllp: Iterable[str],
    deadlines: Mapping[str, int] = DEADLINES,
    terms: str = "",
    certificates: Mapping[str, date] | None = None,
    gives_up_seconds: int = 0,
) -> None:
    """Write the configuration folder of a run.

    Args:
        folder: made if absent.
        addresses: ports and tokens.
        over_mllp: trusts that are told things over MLLP; the others over HTTP.
        deadlines: seconds of the run, by state.
        terms: more of the same file.
        certificates: a provider's ODS code to the day on which the certificate of its system ends.
        gives_up_seconds: how long an order is tried; as in the demonstration if nought.
    """
    source = resources.files("gateway.config").joinpath("demonstration")
    _copy(source, folder)
    _edit(folder / "gateway.toml", r"(?m)^time_scale = .*$", f"time_scale = {TIME_SCALE}")
    _edit(folder / "gateway.toml", r"(?m)^lease_seconds = .*$", f"lease_seconds = {LEASE_SECONDS}")
    _edit(folder / "gateway.toml", r'(?m)^name = "operator"$', _with_digest('name = "operator"', addresses, "operator"))
    if gives_up_seconds:
        _edit(folder / "gateway.toml", r"(?m)^age_seconds = \d+", f"age_seconds = {gives_up_seconds}")
    # ceil(limit / time_scale) is what the gateway makes of it
    limits = "\n".join(f"{state} = {seconds * TIME_SCALE}" for state, seconds in deadlines.items())
    (folder / "deadlines.toml").write_text(f"[seconds]\n{limits}\n{terms}", encoding="utf-8")
    for ods, port in addresses.providers.items():
        file = folder / "providers" / f"{ods}.toml"
        _edit(file, r"(?m)^endpoint = .*$", f'endpoint = "http://{addresses.host}:{port}/messages"')
        _edit(file, r"(?m)^answers_within_seconds = .*\n", "", times=(0, 1))
        more = f'send_token_env = "GATEWAY_SECRET_{ods}"\nanswers_within_seconds = {ANSWERS_WITHIN_SECONDS}'
        if certificates and ods in certificates:
            more += f"\ncertificate_ends = {certificates[ods]}"
        _edit(file, rf'(?m)^ods = "{ods}"$', _with_digest(f'ods = "{ods}"', addresses, ods) + "\n" + more)
    for ods, port in addresses.listeners.items():
        file = folder / "trusts" / f"{ods}.toml"
        _edit(file, rf'(?m)^ods = "{ods}"$', _with_digest(f'ods = "{ods}"', addresses, ods))
        channel = (
            f'kind = "mllp"\nhost = "{addresses.host}"\nport = {port}'
            if ods in set(over_mllp)
            else f'kind = "http"\nurl = "http://{addresses.host}:{port}/news"'
        )
        with file.open("a", encoding="utf-8") as text:
            text.write(f"\n[tells]\n{channel}\n")


def write_handout(file: Path, addresses: Addresses) -> None:
    """Write what a person needs to post a prescription of their own: addresses and one trust's token, to be sourced.

    The names do not begin with GATEWAY_, which the gateway would take for settings.
    """
    lines = {"TRY_URL": addresses.base, "TRY_MLLP_PORT": str(addresses.mllp), "TRY_TOKEN": addresses.tokens["RBA"]}
    file.touch(mode=0o600)
    file.write_text("".join(f"export {name}={value}\n" for name, value in lines.items()), encoding="utf-8")


def _copy(source: Traversable, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for entry in source.iterdir():
        if entry.is_dir():
            _copy(entry, target / entry.name)
        elif entry.name.endswith(".toml"):
            (target / entry.name).write_bytes(entry.read_bytes())


def _edit(file: Path, pattern: str, replacement: str, *, times: tuple[int, ...] = (1,)) -> None:
    text, found = re.subn(pattern, lambda _: replacement, file.read_text(encoding="utf-8"))
    if found not in times:
        raise ValueError(f"{file.name}: {pattern} is there {found} times")
    file.write_text(text, encoding="utf-8")


def _with_digest(line: str, addresses: Addresses, name: str) -> str:
    digest = hashlib.sha256(addresses.tokens[name].encode()).hexdigest()
    return f'{line}\ntoken_sha256 = "{digest}"'


def _free_ports(count: int) -> list[int]:
    """Find ports nobody listens on. Held together while they are chosen, so that they differ."""
    held = [socket.socket() for _ in range(count)]
    try:
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in held]
    finally:
        for one in held:
            one.close()
