"""What the settings page shows of the gateway, handed in by wiring: nothing secret is among it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from gateway.config.configuration import Configuration
from gateway.domain.orphans import Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """A key or certificate.

    Attributes:
        what: it is for, in words.
        whose: subject of the certificate, or the file that cannot be read.
        ends_at: None where it cannot be told.
    """

    what: str
    whose: str
    ends_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsBook:
    """The settings in force.

    Attributes:
        reach: what a configuration lets the gateway reach, for the question what a change would do.
        certificates: reads every one that the gateway works with, as it is now.
        reference: release of the reference tables.
        version: of the program.
    """

    configuration: Configuration
    reach: Callable[[Configuration], Reach]
    certificates: Callable[[], tuple[Dated, ...]]
    reference: str
    version: str
