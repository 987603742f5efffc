"""Lead times of providers, as their files state them: by them what is open stands in the order of harm.

The day on which acting is early enough stands in the tables, so that the list is read by an index; it is worked out
with the lead time of the provider that has the line, and moves with it when the configuration changes.

Source: console.md 6.1.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final, TypeVar

from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineState
from gateway.domain.work_item import KINDS, LEAD_TIME, OF_STATE, Reason, measures_slack
from gateway.store.sql.leaves import append_leaf
from gateway.store.sql.transaction import Reader, Transaction

T = TypeVar("T")

_STATED: Final = "SELECT provider, days FROM lead_time"
_STATE: Final = """
INSERT INTO lead_time (provider, days) VALUES (:provider, :days) ON CONFLICT (provider) DO UPDATE SET days = :days
"""
_FORGET: Final = "DELETE FROM lead_time WHERE provider = :provider"
_ALERT_DAYS: Final = """
SELECT DISTINCT last_day FROM alert WHERE closed_at IS NULL AND provider = :provider AND last_day IS NOT NULL
    AND coalesce(line_state, kind) NOT IN (SELECT value FROM json_each(:unmeasured))
"""
_MOVE_ALERTS: Final = """
UPDATE alert SET last_day = :to WHERE closed_at IS NULL AND provider = :provider AND last_day = :day
    AND coalesce(line_state, kind) NOT IN (SELECT value FROM json_each(:unmeasured))
"""
_LINE_DAYS: Final = """
SELECT DISTINCT last_day FROM line WHERE provider = :provider AND last_day IS NOT NULL
    AND state IN ('AWAITING_SCREENING', 'QUERIED')
"""
_MOVE_LINES: Final = """
UPDATE line SET last_day = :to WHERE provider = :provider AND last_day = :day
    AND state IN ('AWAITING_SCREENING', 'QUERIED')
"""
_UNMEASURED: Final = json.dumps(
    sorted(
        {
            *(kind for kind, why in KINDS.items() if not measures_slack(why)),
            *(state.value for state in LineState if not measures_slack(OF_STATE.get(state, Reason.ENDED))),
        }
    )
)
"""Kinds of alert, and states of an overdue line, that stand by their usual limit and not by the medicine left."""


@dataclass(frozen=True, slots=True)
class Leads:
    """The lead times that are stated, in days."""

    stated: Mapping[str, int]

    def of(self, provider: str | None) -> timedelta:
        """Give what is counted with for a provider: what is stated, or what is assumed of all."""
        return self.named(provider) or LEAD_TIME

    def named(self, provider: str | None) -> timedelta | None:
        """Give what is stated of a provider; None where nothing is."""
        days = self.stated.get(provider or "")
        return timedelta(days=days) if days is not None else None

    @property
    def each(self) -> tuple[timedelta, ...]:
        """Every lead time that is counted with, the shortest first."""
        return tuple(timedelta(days=days) for days in sorted({*self.stated.values(), LEAD_TIME.days}))


def leads(reader: Reader) -> Leads:
    """Read them all: there are as many as providers."""
    return Leads(dict(reader.execute(_STATED)))


def keep(transaction: Transaction, stated: Mapping[OdsCode, timedelta], *, now: datetime) -> None:
    """See `gateway.ports.lead_times.LeadTimeWrites`."""
    before = Leads(dict(transaction.rows(_STATED)))
    after = Leads({ods.value: lead.days for ods, lead in stated.items()})
    for provider in sorted({*before.stated, *after.stated}):
        if before.named(provider) != after.named(provider):
            _change(transaction, provider, after.named(provider), now)
            _move(transaction, provider, before.of(provider) - after.of(provider))


def _change(transaction: Transaction, provider: str, lead: timedelta | None, now: datetime) -> None:
    if lead is None:
        transaction.run(_FORGET, {"provider": provider})
    else:
        transaction.run(_STATE, {"provider": provider, "days": lead.days})
    append_leaf(transaction, "lead-time", at=now, provider=provider, days=lead.days if lead is not None else 0)


def _move(transaction: Transaction, provider: str, by: timedelta) -> None:
    """Move the days of what is open, so that none lands on one that has yet to move."""
    for days, move in ((_ALERT_DAYS, _MOVE_ALERTS), (_LINE_DAYS, _MOVE_LINES)):
        whose = {"provider": provider, "unmeasured": _UNMEASURED}
        for (day,) in sorted(transaction.rows(days, whose), reverse=by > timedelta()):
            to = (date.fromisoformat(day) + by).isoformat()
            transaction.run(move, {**whose, "day": day, "to": to})


class LeadTimeActs(ABC):
    """The write."""

    _transaction: Transaction

    @abstractmethod
    async def _run(self, write: Callable[[], T]) -> T:
        """Run a write."""

    async def keep_lead_times(self, stated: Mapping[OdsCode, timedelta], *, now: datetime) -> None:
        """See `gateway.ports.lead_times.LeadTimeWrites`."""
        await self._run(partial(keep, self._transaction, stated, now=now))
