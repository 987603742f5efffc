"""What a change of the configuration would leave without a way on: open lines that lose trust, destination or timer.

A prescription whose provider nobody can reach any more is lost in silence, though no row of it was touched. So a
configuration is judged against every open line before it is in force, and refused if it orphans one.

Source: reliability-security.md I23; brief D12.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineState
from gateway.domain.partner import Environment, Provider, Trust


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Open lines that stand alike.

    Attributes:
        provider: that has them or is to have them; None where none was chosen.
        waits: something of theirs waits in the outbox for that provider.
        untold: news of theirs waits in the outbox for the trust.
        lines: how many.
        examples: ids of some of them.
    """

    tenant: OdsCode
    provider: OdsCode | None
    state: LineState
    waits: bool = False
    untold: bool = False
    lines: int
    examples: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What a configuration lets the gateway reach.

    Attributes:
        callers: partners with a token or a certificate, who can therefore speak to us.
        untimed: states that should have a deadline and have none.
    """

    environment: Environment
    trusts: Mapping[OdsCode, Trust]
    providers: Mapping[OdsCode, Provider]
    callers: frozenset[OdsCode] = field(default=frozenset())
    untimed: frozenset[LineState] = field(default=frozenset())


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphan:
    """Open lines that a configuration would leave without a way on.

    Attributes:
        why: what they would lose.
        act: what to do first.
    """

    standing: Standing
    why: str
    act: str

    def __str__(self) -> str:
        """Give it in one line: how many, where they stand, which ones, and what to do first."""
        one = self.standing
        ids = ", ".join(map(str, one.examples)) + (", …" if len(one.examples) < one.lines else "")
        return f"{one.lines} open lines of {one.tenant} ({one.state}): {self.why}. {self.act}. Lines: {ids}"


_Rule = Callable[[Standing, Reach, Reach], str]
"""Says what lines would lose; empty where nothing. The reaches are those after and before the change."""


def orphans(standing: Iterable[Standing], after: Reach, before: Reach | None = None) -> tuple[Orphan, ...]:
    """Give what a configuration would orphan.

    Args:
        standing: every open line, in groups.
        after: what the new configuration reaches.
        before: what the present one reaches, where it is at hand: what was never there is not lost.
    """
    found = []
    for one in standing:
        for rule, act in _RULES:
            why = rule(one, after, before or after)
            if why:
                found.append(Orphan(standing=one, why=why, act=act.format(provider=one.provider, tenant=one.tenant)))
                break
    return tuple(found)


def _no_trust(one: Standing, after: Reach, _: Reach) -> str:
    if one.tenant not in after.trusts:
        return f"{one.tenant} would be no trust here: nobody to tell, and no cancel could come"
    return ""


def _mute(one: Standing, after: Reach, before: Reach) -> str:
    if one.tenant in before.callers and one.tenant not in after.callers:
        return f"{one.tenant} would have no credential: no cancel could come"
    return ""


def _untold(one: Standing, after: Reach, before: Reach) -> str:
    told, trust = before.trusts.get(one.tenant), after.trusts.get(one.tenant)
    if one.untold and told is not None and told.tells is not None and trust is not None and trust.tells is None:
        return f"news waits for {one.tenant}, which could no longer be told"
    return ""


def _no_provider(one: Standing, after: Reach, _: Reach) -> str:
    if one.provider is None:
        return ""
    provider = after.providers.get(one.provider)
    if provider is None:
        return f"{one.provider} would be no provider here"
    if provider.environment is not after.environment:
        return f"{one.provider} would be of the {provider.environment} environment"
    return ""


def _not_sent(one: Standing, after: Reach, _: Reach) -> str:
    provider = after.providers.get(one.provider) if one.provider is not None else None
    leaves = one.waits or one.state in {LineState.READY, LineState.AWAITING_SCREENING}
    if provider is not None and not provider.active and leaves:
        return f"{one.provider} would not be active, and something waits to be sent to it"
    return ""


def _unheard(one: Standing, after: Reach, before: Reach) -> str:
    if one.provider is not None and one.provider in before.callers and one.provider not in after.callers:
        return f"{one.provider} would have no credential: its answers could not come"
    return ""


def _misread(one: Standing, after: Reach, before: Reach) -> str:
    new = after.providers.get(one.provider) if one.provider is not None else None
    old = before.providers.get(one.provider) if one.provider is not None else None
    if new is not None and old is not None and new.adapter != old.adapter and one.state not in _NOT_GIVEN:
        return f"{one.provider} would speak through {new.adapter}; what it has was sent through {old.adapter}"
    return ""


def _untimed(one: Standing, after: Reach, _: Reach) -> str:
    return f"{one.state} would have no deadline" if one.state in after.untimed else ""


_NOT_GIVEN: Final = frozenset({LineState.RECEIVED, LineState.HELD})
_REROUTE: Final = (
    "Re-route them first, under the configuration in force: gateway reroute --all-from {provider} --to auto --dry-run"
)
_RULES: Final[tuple[tuple[_Rule, str], ...]] = (
    (_no_trust, "Keep {tenant} until its lines are at their end"),
    (_mute, "Keep a token or a certificate of {tenant}"),
    (_no_provider, _REROUTE),
    (_not_sent, _REROUTE),
    (_unheard, "Keep a token of {provider}, or re-route its lines first"),
    (_misread, _REROUTE),
    (_untold, "Keep the reply channel of {tenant} until it is told"),
    (_untimed, "State a deadline"),
)
"""In the order of harm; the first that applies is told."""
