"""What the commands of a trust's pharmacist share: which lines, by whom and why, and what is said afterwards."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Annotated
from uuid import UUID

import typer

from gateway.access.policy import Action
from gateway.commands.exits import Exit
from gateway.commands.person import operator, stated
from gateway.domain.acts import Act
from gateway.settings import Settings
from gateway.wiring.acting import Desk, desk

Which = Annotated[UUID, typer.Argument(help="The prescription's id, as `gateway alerts` shows it.")]
OneLine = Annotated[UUID | None, typer.Option("--line", help="Only the line with this item id.")]

Done = int | tuple[str, ...]
"""How many lines moved, or why nothing was done; an empty tuple says that it was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a person asked for on the command line: which lines, who, and why."""

    prescription: UUID
    by: str
    reason: str
    line: UUID | None = None

    def recognised(self, settings: Settings) -> "Asked":
        """Give it once the person is recognised and the reason is one.

        Raises:
            Exit: the person is not recognised, or not allowed.
            BadParameter: the reason is empty or too long.
        """
        reason = stated(self.reason)
        return replace(self, by=operator(settings, self.by, Action.PHARMACY).name, reason=reason)

    def act(self, at: Desk) -> Act:
        """Give the act, at the time of the desk."""
        return Act(
            prescription_id=self.prescription, by=self.by, reason=self.reason, now=at.clock.now(), line_id=self.line
        )


def carry_out(settings: Settings, asked: Asked, do: Callable[[Desk, Act], Awaitable[Done]], words: str) -> None:
    """Do one act at a desk and say what came of it.

    Raises:
        Exit: with `Exit.REFUSED`, when nothing was done; the reasons were printed.
    """
    recognised = asked.recognised(settings)

    async def act() -> Done:
        async with desk(settings) as at:
            return await do(at, recognised.act(at))

    say(asyncio.run(act()), words)


def say(done: Done, words: str) -> None:
    """Say what came of an act; see `carry_out`."""
    reasons = done if isinstance(done, tuple) else () if done else ("no line of this prescription waits for that",)
    for reason in reasons:
        print(f"nothing was done: {reason}", file=sys.stderr)
    if reasons:
        raise typer.Exit(Exit.REFUSED)
    print(f"{done} {'line' if done == 1 else 'lines'} {words}" if isinstance(done, int) else words)
