"""People of the console: who was let in and in which role, and roles that were granted here, until a date.

What an identity provider says holds at each sign-in. A grant is ours: one person proposes it, another agrees, and it
ends by itself. Whoever has a role twice over has it until the later of the two ends.

Source: console.md 6.10.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from gateway.domain.identifiers import OdsCode
from gateway.domain.proposal import same_person

LONGEST: Final = timedelta(days=366)
"""A grant for longer is a role that the identity provider should say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Somebody who was let in.

    Attributes:
        name: short name, as it stands in the audit.
        person: what people call them; never for logs.
        role: the role's own word: `homecare-pharmacist`.
        tenant: whom it was for; None for the gateway as a whole.
        first_at: when it was taken first, and `last_at` when last.
    """

    name: str
    person: str = field(repr=False)
    role: str
    tenant: OdsCode | None
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A role that two people gave a third, until a date.

    Attributes:
        id: of the proposal it came from, so that it is granted once.
        name: short name of whom it is for, and `person` what people call them.
        until: nobody has it from then on.
        by: short name of who proposed it, and `second_by` of who agreed.
    """

    id: UUID
    name: str
    person: str = field(repr=False)
    role: str
    tenant: OdsCode | None
    reason: str
    by: str
    second_by: str
    at: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantView:
    """A grant with what became of it.

    Attributes:
        ended_by: short name of who ended it early; empty where nobody did.
    """

    grant: Grant
    ended_by: str = ""
    ended_at: datetime | None = None

    def in_force(self, now: datetime) -> bool:
        """Tell whether the role can be taken."""
        return self.ended_at is None and self.grant.at <= now < self.grant.until


def why_not_granted(name: str, *, until: datetime, now: datetime, people: Iterable[str]) -> tuple[str, ...]:
    """Say why a role cannot be granted, in words; empty where it can.

    Args:
        name: whom it is for.
        until: when it would end.
        now: when it would begin.
        people: short names of the people who act.
    """
    faults = []
    if any(same_person(name, one) for one in people):
        faults.append("Nobody can give a role to themselves, nor agree to their own. Ask two colleagues.")
    if until <= now:
        faults.append("The last day lies in the past.")
    if until - now > LONGEST:
        faults.append("A role given here lasts a year at most. For longer, ask whoever runs the sign-in.")
    return tuple(faults)
