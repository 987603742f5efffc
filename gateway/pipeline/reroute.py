"""Re-route: an order that one provider has is written anew for another, sealed under a higher epoch, and given over.

A plan says what would happen to every line, and changes nothing. Carrying it out gives over what the fence lets go at
once, and asks the holder for the rest; what a holder has given up is then finished without anybody waiting for it.
The fence is judged here to tell people, and again by the store in the transaction that acts on it.

Source: mapping.md 10.2; reliability-security.md I10; brief D2 (the destination is inside the sealed bytes).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby

from gateway.domain.fence import TOGETHER, Ground, decide
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineState
from gateway.domain.message import SealedMessage
from gateway.domain.partner import Provider
from gateway.domain.reroute import (
    HeldLine,
    HeldPrescription,
    OpenReroute,
    Reroute,
    RerouteState,
    Revocation,
    Wanted,
    WrittenOrder,
)
from gateway.domain.routing import RoutingTable, choose_destination
from gateway.domain.validity import not_valid_after
from gateway.pipeline.bench import Bench
from gateway.pipeline.sealing import CANCEL_LASTS
from gateway.pipeline.withdrawing import Withdrawal, seal_withdrawal

GIVEN_TO_ANOTHER = "Given to another provider"
"""What the earlier provider is told is the reason; the prescription stands, so none of the coded reasons is true."""


class Act(StrEnum):
    """What will happen to one line, in the words people read."""

    AT_ONCE = "at once"
    REVOKE_FIRST = "revoke first"
    UNDER_WAY = "under way"
    PERSON = "needs a person"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinePlan:
    """What will happen to one line, and why."""

    line: HeldLine
    act: Act
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What will happen to one prescription.

    Attributes:
        to: the provider that is to have it; None where none can be found.
    """

    held: HeldPrescription
    to: OdsCode | None
    lines: tuple[LinePlan, ...]


class Rerouting(Bench):
    """Plans re-routes and carries them out."""

    _looks = 0
    """How often it was looked at what is to be finished: each look begins with another."""

    def known(self) -> tuple[Provider, ...]:
        """Give every provider of the configuration, by name, whether lines may be given to it or not."""
        return tuple(sorted(self._around.routing.providers.values(), key=lambda one: one.name))

    def providers(self) -> tuple[Provider, ...]:
        """Give every provider that lines may be given to, by name."""
        return tuple(one for one in self.known() if self._usable(one.ods) is not None)

    async def plan(self, held: HeldPrescription, *, to: OdsCode | None, people: tuple[str, str]) -> Plan:
        """Say what would happen. Nothing is asked, sent or written.

        Args:
            held: the lines that are meant.
            to: the provider that is to have them; None to take the one the trust names as its backup, or the routes.
            people: the two who want it.

        Raises:
            Unavailable: the store cannot be read.
        """
        written = await self._enquiries.written(held.key)
        provider = self._provider(held, written, to)
        if isinstance(provider, str):
            return Plan(held=held, to=to, lines=tuple(_person(line, provider) for line in held.lines))
        lines = [self._judge(line, provider.ods, people, named=to is not None) for line in held.lines]
        lines = _together(self._writable(held, lines, written, provider))
        return Plan(held=held, to=provider.ods, lines=tuple(lines))

    async def carry_out(self, plan: Plan, wanted: Wanted) -> Plan:
        """Do what a plan says, as far as it still holds, and give what came of each line.

        Raises:
            Unavailable: the store or the key is away; what was done before stands, and may be gone on with.
        """
        done = await self._give([one.line for one in plan.lines if one.act is Act.AT_ONCE], plan.held, wanted)
        out = []
        for one in plan.lines:
            if one.act is Act.AT_ONCE:
                out.append(replace(one, act=Act.PERSON, why="; ".join(done)) if done else one)
            elif one.act is Act.REVOKE_FIRST:
                out.append(await self._ask(one, plan.held, wanted))
            else:
                out.append(one)
        return replace(plan, lines=tuple(out))

    async def finish(self) -> int:
        """Give over every line that its holder has given up for a re-route.

        What cannot be given over is called off, with an alert: nobody has that line then. What fails otherwise ends
        this look, and each look begins with another: none is kept back by one that always fails. The watch tells of it.

        Returns:
            How many lines were looked at.

        Raises:
            Unavailable: the store or the key is away; it is done at the next look.
        """
        groups = [
            (held, wanted, list(lines))
            for held in await self._enquiries.revoked()
            for wanted, lines in groupby([one for one in held.lines if _is_given_up(one)], key=_wanted)
        ]
        first = self._looks % len(groups) if groups else 0
        self._looks += 1
        for held, wanted, lines in groups[first:] + groups[:first]:
            await self._finish(replace(held, lines=tuple(lines)), wanted)
        return sum(len(lines) for _, _, lines in groups)

    async def _finish(self, held: HeldPrescription, wanted: Wanted) -> None:
        freed = replace(held, lines=tuple(replace(line, reroute=None) for line in held.lines))
        plan = await self.plan(freed, to=wanted.to, people=wanted.people)
        ready = [one.line for one in plan.lines if one.act is Act.AT_ONCE]
        reasons = await self._give(ready, held, wanted)
        stopped = [(one.line, one.why) for one in plan.lines if one.act is not Act.AT_ONCE]
        stopped += [(line, "; ".join(reasons)) for line in ready if reasons]
        for line, why in stopped:
            await self._store.stop_reroute(held.tenant, line.line_id, why)

    async def _give(self, lines: Sequence[HeldLine], held: HeldPrescription, wanted: Wanted) -> tuple[str, ...]:
        """Write, seal and give over; says why not where it cannot be done."""
        if not lines:
            return ()
        written = await self._enquiries.written(held.key)
        provider = self._around.routing.providers[wanted.to]
        rewritten = self._rewrite(written, lines, provider)
        if isinstance(rewritten, tuple):
            return rewritten
        request = Reroute(
            tenant=held.tenant,
            seen={line.line_id: line.holding.epoch for line in lines},
            message=self._sealed(written, rewritten),
            wanted=wanted,
            left={line.line_id: line.holding.left for line in lines},
            refuses_expired=all(self._refuses_expired(line) for line in lines),
        )
        return await self._store.reroute(request)

    async def _ask(self, one: LinePlan, held: HeldPrescription, wanted: Wanted) -> LinePlan:
        request = Revocation(
            tenant=held.tenant,
            line_id=one.line.line_id,
            epoch=one.line.holding.epoch,
            message=await self._revocation(held, one.line),
            wanted=wanted,
        )
        reasons = await self._store.ask_reroute(request)
        if reasons:
            return replace(one, act=Act.PERSON, why="; ".join(reasons))
        if request.message is None:
            return replace(one, act=Act.UNDER_WAY, why=f"{one.line.holding.provider} cannot be asked from here: ring")
        return replace(one, act=Act.UNDER_WAY, why=f"{one.line.holding.provider} was asked to give it up")

    def _provider(self, held: HeldPrescription, written: WrittenOrder, to: OdsCode | None) -> Provider | str:
        """Give the provider that is to have the lines, or say why there is none."""
        if to is not None:
            return self._usable(to) or f"{to} is not a provider that is known and active here"
        if written.prescription is None:
            return "the order was never completed"
        holders = {line.holding.provider for line in held.lines}
        backups = [one for one in written.prescription.homecare.backups if one not in holders]
        named = [usable for one in backups if (usable := self._usable(one)) is not None]
        if named:
            return named[0]
        table = self._around.routing
        others = RoutingTable(
            rows=tuple(row for row in table.rows if row.provider not in holders), providers=table.providers
        )
        unnamed = replace(
            written.prescription, homecare=replace(written.prescription.homecare, provider=None, provider_name="")
        )
        chosen = choose_destination(unnamed, held.tenant, self._around.environment, others, location="")
        return chosen if isinstance(chosen, Provider) else "no route leads to another provider; name one"

    def _usable(self, ods: OdsCode) -> Provider | None:
        provider = self._around.routing.providers.get(ods)
        usable = provider is not None and provider.active and provider.environment is self._around.environment
        return provider if usable else None

    def _judge(self, line: HeldLine, to: OdsCode, people: tuple[str, str], *, named: bool) -> LinePlan:
        under_way = line.reroute
        if under_way is not None:
            other = named and under_way.wanted.to != to  # who names another must not believe that it is what goes on
            return LinePlan(line=line, act=Act.PERSON if other else Act.UNDER_WAY, why=_waiting(line, under_way))
        holding = replace(line.holding, refuses_expired=self._refuses_expired(line))
        verdict = decide(holding, to=to, now=self._clock.now(), people=people)
        if isinstance(verdict, Ground):
            return LinePlan(line=line, act=Act.AT_ONCE, why=verdict.value.replace("_", " "))
        return LinePlan(line=line, act=Act.REVOKE_FIRST if verdict.ask else Act.PERSON, why=verdict.reason)

    def _writable(
        self, held: HeldPrescription, lines: list[LinePlan], written: WrittenOrder, provider: Provider
    ) -> list[LinePlan]:
        """See, before anything moves, whether the next provider can be sent these lines at all."""
        if held.tenant not in self._around.trusts:
            return [replace(one, act=Act.PERSON, why=f"{held.tenant} is not a trust here") for one in lines]
        reasons: dict[Act, str] = {}
        for act in (Act.AT_ONCE, Act.REVOKE_FIRST):
            chosen = [one.line for one in lines if one.act is act]
            rewritten = self._rewrite(written, chosen, provider) if chosen else None
            if isinstance(rewritten, tuple):
                reasons[act] = "; ".join(rewritten)
        return [replace(one, act=Act.PERSON, why=reasons[one.act]) if one.act in reasons else one for one in lines]

    async def _revocation(self, held: HeldPrescription, line: HeldLine) -> SealedMessage | None:
        """Write and seal what asks the holder to give a line up; None where it cannot be told."""
        provider = self._around.routing.providers.get(line.holding.provider) if line.holding.provider else None
        written = await self._enquiries.written(held.key)
        if provider is None or written.prescription is None or line.message_id is None:
            return None
        now = self._clock.now()
        withdrawal = Withdrawal(
            line_id=line.line_id,
            order_message=line.message_id,
            epoch=line.holding.epoch,
            # Its own name each time: a holder that said "too late" of one supply may be asked again for the rest.
            name=f"reroute {line.holding.epoch} {now.isoformat()}",
            why=GIVEN_TO_ANOTHER,
            not_valid_after=max(not_valid_after(written.prescription), now + CANCEL_LASTS),
        )
        return seal_withdrawal(withdrawal, written=written, provider=provider, around=self._around, sealer=self._sealer)

    def _refuses_expired(self, line: HeldLine) -> bool:
        destination = self._around.destinations.get(line.holding.provider) if line.holding.provider else None
        return destination is not None and destination.promises.refuses_expired


def _together(lines: list[LinePlan]) -> list[LinePlan]:
    """See, before anything moves, that what has yet to leave in one message changes hands together or not at all."""
    unsent = [one for one in lines if one.line.holding.state is LineState.READY]
    stay = {one.line.message_id for one in unsent if one.act is not Act.AT_ONCE}
    split = any(one.act is Act.AT_ONCE and one.line.message_id in stay for one in unsent)
    if not split:
        return lines
    return [replace(one, act=Act.PERSON, why=TOGETHER) if one.act is Act.AT_ONCE else one for one in lines]


def _person(line: HeldLine, why: str) -> LinePlan:
    return LinePlan(line=line, act=Act.PERSON, why=why)


def _is_given_up(line: HeldLine) -> bool:
    return line.reroute is not None and line.reroute.state is RerouteState.CONFIRMED


def _wanted(line: HeldLine) -> Wanted:
    if line.reroute is None:
        raise ValueError("no re-route of this line is under way")
    return line.reroute.wanted


def _waiting(line: HeldLine, under_way: OpenReroute) -> str:
    words = {
        RerouteState.ASKED: "was asked to give it up and has not answered",
        RerouteState.PENDING: "says that a person there must see to it",
        RerouteState.CONFIRMED: "gave it up",
    }
    return f"it goes to {under_way.wanted.to}: {line.holding.provider} {words[under_way.state]}"
