"""What a person does about one provider after a restore; the part of `gateway reconcile` that changes something."""

import asyncio
import json
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from types import MappingProxyType
from uuid import UUID

import typer

from gateway.commands.exits import Exit
from gateway.domain.books import Side
from gateway.domain.identifiers import OdsCode, parse_uuid
from gateway.domain.lifecycle import LineState
from gateway.domain.reconciliation import Reconciled, StatedHolding, Statement
from gateway.settings import Settings
from gateway.wiring.acting import desk


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterRestore:
    """One provider, and the person who acts.

    Attributes:
        by: short name of the person, who is known by a secret.
        reason: in words.
    """

    settings: Settings
    destination: OdsCode
    by: str
    reason: str

    def state(self, holdings: Sequence[StatedHolding], *, as_json: bool) -> None:
        """Take the provider's list of everything it holds; print what it did.

        Raises:
            Exit: `Exit.REFUSED`, where something differs, or the provider is not waiting.
        """
        done = asyncio.run(self._state(tuple(holdings)))
        if done is None:
            raise self._nothing()
        _show(done, as_json=as_json)
        raise typer.Exit(Exit.REFUSED if done.differences else Exit.DONE)

    def answer_for(self) -> None:
        """Let the provider go on without a list; print what is uncertain now.

        Who answers has asked it what it has of ours. Of a re-route to it that the restore has lost nobody else knows:
        answered for unasked, its patient may be supplied twice.

        Raises:
            Exit: `Exit.REFUSED`, where it is not waiting.
        """
        if asyncio.run(self._is_trust()):
            self.trust_told(None)
            return
        doubted = asyncio.run(self._answer())
        if doubted is None:
            raise self._nothing()
        for line in doubted:
            print(f"uncertain, to be resolved: {line}")
        print(f"{self.destination}: {self.by} answers for it, also for what it was given in the time that is lost")

    def trust_told(
        self, messages: Mapping[str, Collection[str]] | None, told: Mapping[str, LineState] = MappingProxyType({})
    ) -> None:
        """Take the names of what a trust was told since the backup, or answer for it (None); print what is lost.

        Args:
            messages: control ids of what it was told is held, with the SHA-256 of what bore each where it says so.
            told: the lines that it was told are cancelled or on hold.

        Raises:
            Exit: `Exit.REFUSED`, where something is lost, or the trust is not waiting.
        """
        missing = asyncio.run(self._told(messages, told))
        if missing is None:
            raise self._nothing()
        for name in told.keys() & missing.keys():
            print(f"lost, to be done again at the console: {name}, which was {told[name].lower().replace('_', ' ')}")
        for name in [one for one in missing if one not in told]:
            reused = missing[name]
            how = "under a new control id, this is another's now" if reused else "under the same control id"
            print(f"lost, to be sent again {how}: {name}")
        if missing:
            print(f"{self.destination} stays held: when these came again, compare once more")
            raise typer.Exit(Exit.REFUSED)
        print(f"{self.destination}: nothing is missing" if messages is not None else f"{self.by} answers for it")

    def end(self, line_id: str) -> None:
        """Take note that the provider gave up a line that it had stated.

        Raises:
            Exit: `Exit.REFUSED`, where no such statement stands.
            BadParameter: it is no line's id.
        """
        line = parse_uuid(line_id)
        if line is None:
            raise typer.BadParameter("is not a line's id (a UUID)", param_hint="--given-up")
        if not asyncio.run(self._end(line)):
            raise self._nothing()
        print(f"{self.destination} gave up {line}, noted by {self.by}")

    def _nothing(self) -> typer.Exit:
        print(f"{self.destination}: there is nothing of that to reconcile", file=sys.stderr)
        return typer.Exit(Exit.REFUSED)

    async def _state(self, holdings: tuple[StatedHolding, ...]) -> Reconciled | None:
        statement = Statement(destination=self.destination, holdings=holdings, by=self.by, reason=self.reason)
        async with desk(self.settings) as at:
            return await at.store.reconcile(statement, now=at.clock.now())

    async def _answer(self) -> tuple[UUID, ...] | None:
        async with desk(self.settings) as at:
            return await at.store.answer_for(self.destination, by=self.by, reason=self.reason, now=at.clock.now())

    async def _told(
        self, messages: Mapping[str, Collection[str]] | None, told: Mapping[str, LineState]
    ) -> dict[str, bool] | None:
        """Give what is missing, and of each whether its control id is another message's here."""
        names = None if messages is None else list(messages)
        async with desk(self.settings) as at:
            take = partial(at.store.trust_told, self.destination, names, digests=messages or {}, told=told)
            missing = await take(by=self.by, reason=self.reason, now=at.clock.now())
            if missing is None:
                return None
            here = await at.enquiries.listed_as(self.destination, side=Side.TRUST, names=missing)
            known = {name for name, _ in here}
            return {name: name in known for name in missing}

    async def _is_trust(self) -> bool:
        """Tell whether the configuration knows it as a trust and not as a provider."""
        async with desk(self.settings) as at:
            known = at.configuration
            return self.destination in known.trusts and self.destination not in known.routing.providers

    async def _end(self, line: UUID) -> bool:
        async with desk(self.settings) as at:
            end = at.store.end_stated
            return await end(line, provider=self.destination, by=self.by, reason=self.reason, now=at.clock.now())


def _show(done: Reconciled, *, as_json: bool) -> None:
    if as_json:
        differences = [{**asdict(one), "line_id": str(one.line_id)} for one in done.differences]
        found = [str(one) for one in done.found_there]
        waiting = [one.value for one in done.waiting]
        print(json.dumps({"found_there": found, "differences": differences, "waiting": waiting}, indent=1))
        return
    for line in done.found_there:
        print(f"with the provider, not sent again: {line}")
    for one in done.differences:
        print(f"{one.kind}: {one.line_id} epoch {one.epoch}, theirs {one.stated or '-'}, ours {one.known or '-'}")
    if done.waiting:
        print(f"nothing is sent yet; still to be reconciled: {' '.join(map(str, done.waiting))}")
    else:
        print("every provider is reconciled: sending goes on")
