"""Named people who may act on prescriptions from the command line, kept in the data folder as digests alone.

Secrets are made, not chosen, so that a plain digest is enough to keep them by (`principal.digest_of`). The file belongs
to the account that runs the gateway: whoever may write it is trusted with everything, and is nobody we could check.
Records are never removed: a name in the audit must mean the same person for ever.

Source: reliability-security.md 8, I3 and I10 (acts of named people).
"""

import fcntl
import hmac
import json
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from gateway.access.directory import MOST_CHARACTERS
from gateway.access.principal import Kind, Principal, digest_of
from gateway.domain.errors import ConfigurationError, GatewayError

FILE: Final = "operators.json"
_LOCK: Final = "operators.lock"
_BYTES: Final = 32
_NAME: Final = re.compile(r"[a-z][a-z0-9.-]{1,31}")
_NOBODY: Final = digest_of("")
_SHARED: Final = 0o077


class NotRecognisedError(GatewayError):
    """The name or the secret is wrong, or the operator was removed; which of them is not told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """One person.

    Attributes:
        name: short name, as it stands in the audit.
        person: the human being's own name; for people who look after this list, never for logs.
        added_by: short name of the operator who added this one; empty for the first.
        removed_at: ISO 8601; empty while the credential is in force.
    """

    name: str
    person: str = field(repr=False)
    secret_sha256: str = field(repr=False)
    added_at: str
    added_by: str = ""
    removed_at: str = ""
    removed_by: str = ""

    @property
    def in_force(self) -> bool:
        """Whether this person may act."""
        return not self.removed_at


class Operators:
    """The operators of one data folder.

    Args:
        data: the data folder; it exists.
    """

    def __init__(self, data: Path) -> None:
        self._file = data / FILE

    def everyone(self) -> tuple[Operator, ...]:
        """Give every operator there ever was, by name.

        Raises:
            ConfigurationError: the file is damaged, or open to other users.
        """
        return tuple(sorted(self._read().values(), key=lambda one: one.name))

    def operator(self, name: str, secret: str) -> Principal:
        """Give the principal of a named person who knows the secret.

        The time taken tells neither whether the name exists nor how much of the secret was right.

        Raises:
            NotRecognisedError: for whatever reason it is not.
            ConfigurationError: the file is damaged, or open to other users.
        """
        known = self._read().get(name)
        wanted = known.secret_sha256 if known is not None and known.in_force else _NOBODY
        given = digest_of(secret[:MOST_CHARACTERS])
        if not hmac.compare_digest(wanted, given) or not secret or known is None:
            raise NotRecognisedError("the operator's name or secret is wrong")
        return Principal(kind=Kind.OPERATOR, tenant=None, name=known.name)

    def add(self, name: str, *, person: str, by: Principal | None, now: datetime) -> str:
        """Add a person.

        Args:
            name: 2 to 32 small letters, digits, points and hyphens; never used before.
            person: the human being's own name; one person has one credential.
            by: the operator who adds; None for the first alone.
            now: when.

        Returns:
            The secret, which is kept nowhere.

        Raises:
            ConfigurationError: the name or the person cannot be added, with the reason.
        """
        with self._changing() as kept:
            faults = _faults(kept, name, person, by)
            if faults:
                raise ConfigurationError(*faults)
            secret = secrets.token_urlsafe(_BYTES)
            kept[name] = Operator(
                name=name,
                person=" ".join(person.split()),
                secret_sha256=digest_of(secret),
                added_at=now.isoformat(),
                added_by=by.name if by else "",
            )
        return secret

    def remove(self, name: str, *, by: Principal, now: datetime) -> None:
        """Take a person's credential out of force. The record stays.

        Raises:
            ConfigurationError: there is no such operator in force, or it is the last one.
        """
        with self._changing() as kept:
            if name not in kept or not kept[name].in_force:
                raise ConfigurationError(f"{name}: is not an operator in force")
            if sum(one.in_force for one in kept.values()) == 1:
                raise ConfigurationError(f"{name}: is the last operator; add another first")
            kept[name] = replace(kept[name], removed_at=now.isoformat(), removed_by=by.name)

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Operator]]:
        """Give the records to change, one process at a time, and write them when nothing was raised."""
        lock = os.open(self._file.with_name(_LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            kept = dict(self._read())
            yield kept
            self._write(kept)
        finally:
            os.close(lock)

    def _read(self) -> Mapping[str, Operator]:
        try:
            octets = self._file.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise ConfigurationError(f"{FILE}: cannot be read: {error.strerror}") from error
        if self._file.stat().st_mode & _SHARED:
            raise ConfigurationError(f"{FILE}: may be read by others; its mode must be 0600")
        try:
            return {name: Operator(**{**values, "name": name}) for name, values in json.loads(octets).items()}
        except (ValueError, TypeError, AttributeError) as error:
            raise ConfigurationError(f"{FILE}: is damaged") from error

    def _write(self, kept: Mapping[str, Operator]) -> None:
        """Write in one step, durable and readable by this user alone."""
        draft = self._file.with_suffix(".new")
        rows = {name: {key: value for key, value in asdict(one).items() if key != "name"} for name, one in kept.items()}
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
            json.dump(rows, out, indent=1, sort_keys=True)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(self._file)


def _faults(kept: Mapping[str, Operator], name: str, person: str, by: Principal | None) -> list[str]:
    """Give every reason why a person cannot be added."""
    faults = []
    if not _NAME.fullmatch(name):
        faults.append(f"{name}: is not 2 to 32 small letters, digits, points and hyphens, beginning with a letter")
    if name in kept:
        faults.append(f"{name}: is or was an operator; a name is never given to another")
    if not person.strip():
        faults.append(f"{name}: say whose credential it is")
    elif not person.isprintable():
        faults.append(f"{name}: the person's name has a character that is not seen, or a new line; write it plainly")
    if any(one.in_force and _same(one.person, person) for one in kept.values()):
        faults.append(f"{name}: this person is an operator already; one person has one credential")
    if by is None and any(one.in_force for one in kept.values()):
        faults.append(f"{name}: an operator in force must add it")
    return faults


def _same(one: str, other: str) -> bool:
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()
