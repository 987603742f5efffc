"""After a restore: what a provider says it holds, and what is made of it.

A restored store has forgotten the time since its backup. What it would send may have been sent then, and what was taken
then it does not know. So every destination is held back until each has said what it holds, or a person has answered for
it. What a provider says it has is never sent to it again, nor to another. A trust says what it was told: an order that
it cancelled in the lost time must not leave.

Source: reliability-security.md I22, I2; mapping.md 10.2 (*provider statement by reconciliation*).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineState

AFTER_RESTORE: Final = "after restore"
"""The pause of a destination that has not been reconciled; while there is one, nothing goes to any provider."""
TRUST_AFTER_RESTORE: Final = "after restore, trust"
"""The pause of a trust that has not said what it was told in the lost time; while it lasts, no order of it leaves."""
EPOCHS_A_GENERATION: Final = 1000
"""More re-routes of one line between two restores than anybody could make."""

S = LineState


class Stance(StrEnum):
    """What a provider's state of a line means for who may supply it."""

    HAS = "has"
    """It has the line and may supply from it."""
    SUPPLIED = "supplied"
    """It has supplied all of it."""
    GAVE_UP = "gave up"
    """It had the line, and will not supply from it."""


STANCES: Final[dict[LineState, Stance]] = {
    S.SENT: Stance.HAS,
    S.WITH_PROVIDER: Stance.HAS,
    S.ACCEPTED: Stance.HAS,
    S.VALIDATED: Stance.HAS,
    S.QUERIED: Stance.HAS,
    S.IN_SUPPLY: Stance.HAS,
    S.PART_SUPPLIED: Stance.HAS,
    S.ON_HOLD: Stance.HAS,
    S.FULFILLED: Stance.SUPPLIED,
    S.REJECTED: Stance.GAVE_UP,
    S.RETURNED: Stance.GAVE_UP,
    S.CANCELLED: Stance.GAVE_UP,
    S.EXPIRED: Stance.GAVE_UP,
}
"""The states a provider may state, in the words of the lifecycle; no other says whether it has the line."""

ACTS: Final = frozenset({S.CANCELLED, S.ON_HOLD})
"""The states that a person's act brings a line to at once where nothing of it has left; its trust is told of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedHolding:
    """One line as its provider states it.

    Attributes:
        line_id: the item id of the order.
        prescription_id: `groupIdentifier`'s id, where stated.
        epoch: of the message that the provider has it by.
    """

    line_id: UUID
    epoch: int
    state: LineState
    prescription_id: UUID | None = None

    @property
    def stance(self) -> Stance:
        """What the state means for who may supply."""
        return STANCES[self.state]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Everything a provider holds or held since the time of the backup, and who vouches for it.

    Attributes:
        holdings: every line; a line that is left out is one that the provider does not have.
        by: short name of the person.
        reason: where the list came from, in words.
    """

    destination: OdsCode
    holdings: tuple[StatedHolding, ...]
    by: str
    reason: str


class DifferenceKind(StrEnum):
    """How a provider's list and our tables differ. Each opens an alert of this kind."""

    UNKNOWN = "holding-unknown"
    """The provider holds what the store does not know: it was taken and sent in the time that is lost."""
    ELSEWHERE = "holding-elsewhere"
    """The provider holds what the store would have from another provider, or under another epoch."""
    MISSING = "holding-missing"
    """The store says that the provider has it, and the provider does not."""
    DIFFERENT = "holding-differs"
    """Both know it, and what became of it differs: its answer was lost, and must be sent again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One line on which a provider's list and our tables differ."""

    kind: DifferenceKind
    line_id: UUID
    epoch: int
    stated: LineState | None
    known: LineState | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """What a statement did.

    Attributes:
        found_there: lines that we would have sent, or were in doubt about, and the provider has.
        waiting: destinations that have still to be reconciled; nothing is sent to any provider before.
    """

    found_there: tuple[UUID, ...] = ()
    differences: tuple[Difference, ...] = ()
    waiting: tuple[OdsCode, ...] = ()


def first_epoch(generation: int) -> int:
    """Give the least epoch that a line may be given again under in a generation, above all of the one before.

    The first allocation of a line is 1 in every generation: its message must be known again as the one it repeats.
    """
    return (generation - 1) * EPOCHS_A_GENERATION + 1
