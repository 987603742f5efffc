"""One browser that was let into the console, as the store keeps it: never the secret of its cookie, only its digest.

Source: console.md 1, 7; reliability-security.md 8 (pharmacist).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType


class Why(StrEnum):
    """Why a session ended; its words for people are the console's."""

    REST = "rest"
    AGE = "age"
    POST = "post"
    LEFT = "left"
    ELSEWHERE = "elsewhere"
    ISSUER = "issuer"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSession:
    """One session.

    Attributes:
        digest: SHA-256 of the cookie's secret, in lower-case hex.
        name: short name of whose it is.
        who: the person and the post, as the console writes them down.
        opened_at: when it began, and `seen_at` when its person last asked for something.
        path: where somebody wants to go who has yet to pick a role; empty where there is nothing to pick.
        notice: what the next page says once.
        ended_at: when it was ended, and `why`; None while it was not. One that rested too long is not ended by anybody.
        typed: what its person typed and could not send: each page with its fields, as the console writes them down.
    """

    digest: str = field(repr=False)
    name: str
    who: str = field(repr=False)
    opened_at: datetime
    seen_at: datetime
    path: str = ""
    notice: str = field(default="", repr=False)
    ended_at: datetime | None = None
    why: Why | None = None
    typed: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
