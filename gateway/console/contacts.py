"""Whom a person rings when something is stuck, as the configuration states it."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Contacts:
    """Telephone numbers by ODS code; a provider without one has none configured."""

    phones: Mapping[str, str] = field(default_factory=dict)
