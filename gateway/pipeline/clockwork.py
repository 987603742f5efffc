"""What the clock alone causes, and what a provider is then told: validity ends, days come, windows close.

The clock never makes a line safe: where a supply may be under way it only tells a person. A provider is told of the end
of a prescription's validity in the words of a cancel, because the dialect has no other message that stops a supply.

Source: mapping.md 10.2 (validity over, window over), 10.4 (due), 10.5 (renewal); reliability-security.md I3, I17.
"""

from dataclasses import dataclass
from datetime import datetime

import structlog

from gateway.domain.acts import Expiring, Expiry, Turned
from gateway.domain.errors import Unavailable
from gateway.domain.message import SealedMessage
from gateway.enquiries import WATCH, has_jumped
from gateway.pipeline.bench import Bench
from gateway.pipeline.sealing import CANCEL_LASTS, FIRST_EPOCH
from gateway.pipeline.withdrawing import Withdrawal, seal_withdrawal

_log = structlog.get_logger("pipeline")

EXPIRED = "The prescription is no longer valid"
"""What a provider is told is the reason; none of the coded reasons of a cancel says so (eps.md 6.6)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    """What one look at the clock did; `expired` counts lines."""

    turned: Turned
    expired: int


class Clockwork(Bench):
    """Looks at the clock."""

    async def strike(self) -> Struck:
        """Do everything whose time has come, unless the clock has jumped: what ends by it would not begin again.

        The watch tells a person of the jump; the store lets nothing end until that person has said that it is right.

        Raises:
            Unavailable: the store or the key is away; it is done at the next look.
        """
        now = self._clock.now()
        if has_jumped(await self._enquiries.last_beat(WATCH), now=now):
            _log.warning("clock_not_trusted")
            return Struck(turned=Turned(), expired=0)
        expired = 0
        for one in await self._enquiries.expiring(now=now):
            message = await self._telling(one, now)
            expiry = Expiry(key=one.key, line_id=one.line_id, seen=one.state, message=message)
            expired += await self._store.expire(expiry, now=now)
        leads = {trust.ods: trust.renewal_lead for trust in self._around.trusts.values()}
        return Struck(turned=await self._store.turn_clock(now=now, leads=leads), expired=expired)

    async def _telling(self, one: Expiring, now: datetime) -> SealedMessage | None:
        """Write and seal what tells the holder; None where nobody has the line, or it cannot be told.

        What fails for a reason that is not expected fails for this line alone: it ends, and a person is to ring.
        """
        try:
            return await self._written(one, now)
        except Unavailable:
            raise
        except Exception:  # noqa: BLE001 - one line that cannot be written may not keep the clock from all others
            _log.exception("expiry_not_written", line=str(one.line_id))
            return None

    async def _written(self, one: Expiring, now: datetime) -> SealedMessage | None:
        provider = self._around.routing.providers.get(one.holder) if one.holder else None
        if provider is None or one.message_id is None:
            return None
        withdrawal = Withdrawal(
            line_id=one.line_id,
            order_message=one.message_id,
            epoch=max(one.epoch, FIRST_EPOCH),
            # Its own name in each life of the store: told again after a restore, the holder answers again.
            name=f"validity over {one.epoch} {now.isoformat()}",
            why=EXPIRED,
            not_valid_after=now + CANCEL_LASTS,
        )
        written = await self._enquiries.written(one.key)
        return seal_withdrawal(withdrawal, written=written, provider=provider, around=self._around, sealer=self._sealer)
