"""Random tokens for callers who have none, in development only (D15).

They are made once for a data folder, shown once, and kept there as digests alone: what was shown cannot be shown again.
Removing the file makes new ones.
"""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from gateway.access.principal import Credential, Principal, digest_of
from gateway.config.configuration import Configuration
from gateway.domain.errors import ConfigurationError

FILE = "development-tokens.json"
_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipped:
    """A configuration in which everybody has a token.

    Attributes:
        fresh: tokens made just now, by kind and name (`trust RBA`); to be shown once and forgotten.
    """

    configuration: Configuration
    fresh: Mapping[str, str] = field(repr=False)


def equip(configuration: Configuration, data: Path, *, development: bool) -> Equipped:
    """Give every caller a token, or refuse.

    Args:
        configuration: as loaded.
        data: the data folder; it exists.
        development: whether tokens may be made.

    Raises:
        ConfigurationError: outside development, naming everybody who has no token; or the file is damaged.
    """
    if not development:
        if configuration.without_token:
            raise ConfigurationError(
                *(f"{_name(who)}: has no token_sha256 or token_env" for who in configuration.without_token)
            )
        return Equipped(configuration=configuration, fresh={})
    file = data / FILE
    kept = _read(file)
    fresh = {_name(who): secrets.token_urlsafe(_BYTES) for who in configuration.without_token if _name(who) not in kept}
    if fresh:
        kept |= {name: digest_of(token) for name, token in fresh.items()}
        _write(file, kept)
    made = tuple(Credential(principal=who, token_sha256=kept[_name(who)]) for who in configuration.without_token)
    complete = replace(configuration, credentials=(*configuration.credentials, *made), without_token=())
    return Equipped(configuration=complete, fresh=fresh)


def _name(who: Principal) -> str:
    return f"{who.kind} {who.name}"


def _read(file: Path) -> dict[str, str]:
    if not file.exists():
        return {}
    try:
        kept = json.loads(file.read_bytes())
    except ValueError:
        kept = None
    if not isinstance(kept, dict) or not all(isinstance(value, str) for value in kept.values()):
        raise ConfigurationError(f"{FILE}: is damaged; remove it to make new tokens")
    return kept


def _write(file: Path, kept: Mapping[str, str]) -> None:
    """Write in one step, readable by this user alone, so that a crash leaves the old file or the new one."""
    draft = file.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        json.dump(kept, out, indent=1, sort_keys=True)
    draft.replace(file)
