"""Sending again what could not be sent: written and sealed anew for the same provider, under the next epoch.

Only what never left: the store asks its own rows, and the database once more. What may have arrived is never sent
again; it is resolved by what its provider states (I12).

Source: console.md 6.3; reliability-security.md I10, I12.
"""

from dataclasses import dataclass
from uuid import UUID

from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineState
from gateway.domain.reroute import HeldLine, HeldPrescription
from gateway.pipeline.bench import Bench
from gateway.ports.again import Again


@dataclass(frozen=True, slots=True, kw_only=True)
class SentAgain:
    """What came of it.

    Attributes:
        anew: how many lines were made ready once more.
        at_once: how many messages that waited for their next attempt are tried now.
        reasons: why nothing was done, in words.
    """

    anew: int = 0
    at_once: int = 0
    reasons: tuple[str, ...] = ()


class SendingAgain(Bench):
    """Sends again what never left."""

    async def send(self, prescription: UUID, *, tenant: OdsCode, by: str, reason: str) -> SentAgain:
        """Send again what could not be sent, and try at once what waits for its next attempt.

        Args:
            prescription: its id.
            tenant: the trust whose it is.
            by: short name of the person.
            reason: why it may succeed now.

        Raises:
            Unavailable: the store or the key is away.
        """
        anew, reasons = 0, list[str]()
        for held in await self._enquiries.held(prescription_id=prescription):
            lines = [line for line in held.lines if line.holding.state is LineState.UNDELIVERABLE]
            if held.tenant != tenant or not lines:
                continue
            why = await self._anew(held, lines, by=by, reason=reason)
            reasons += why
            anew += 0 if why else len(lines)
        now = self._clock.now()
        at_once = await self._store.send_now(prescription, tenant=tenant, by=by, reason=reason, now=now)
        done = anew or at_once
        if not done and not reasons:
            reasons = ["nothing of it waits to be sent: look again"]
        return SentAgain(anew=anew, at_once=at_once, reasons=() if done else tuple(dict.fromkeys(reasons)))

    async def _anew(self, held: HeldPrescription, lines: list[HeldLine], *, by: str, reason: str) -> tuple[str, ...]:
        """Write, seal and give anew to the same provider; says why not where it cannot be done."""
        written = await self._enquiries.written(held.key)
        holder = lines[0].holding.provider
        provider = self._around.routing.providers.get(holder) if holder else None
        if provider is None or not provider.active or any(one.holding.provider != holder for one in lines):
            return ("its provider is not known and active here: give it to another",)
        anew = self._rewrite(written, lines, provider)
        if isinstance(anew, tuple):
            return anew
        request = Again(
            tenant=held.tenant,
            seen={line.line_id: line.holding.epoch for line in lines},
            message=self._sealed(written, anew),
            by=by,
            reason=reason,
            now=self._clock.now(),
        )
        return await self._store.send_again(request)
