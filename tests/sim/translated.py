"""One prescription in a hundred comes as the bytes of a golden message, and goes all the way: read, translated, sealed.

Source: reliability-security.md 3.4; issue 4, the simulator.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final
from uuid import UUID

from gateway.config.load import load
from gateway.domain.identifiers import OdsCode
from gateway.domain.message import FhirMessage, SealedMessage
from gateway.pipeline.surroundings import Surroundings
from gateway.ports.sealer import Sealer, SealFacts
from gateway.store.keys import load_or_make
from gateway.wiring.around import surroundings
from tests.faults.life import order
from tests.sim.memory import BEGUN
from tests.sim.trusts import Letter

SHARE: Final = 0.01
TRUST: Final = OdsCode("RBA")
_SUPPLIES: Final = 6
"""Ordered of each line by the golden message."""


@dataclass(frozen=True, slots=True)
class Known:
    """The production seal, noting what it sealed so that a simulated provider can read it."""

    sealer: Sealer
    letters: dict[UUID, Letter]

    def seal(self, message: FhirMessage, facts: SealFacts) -> SealedMessage:
        """Put the seal on a message."""
        sealed = self.sealer.seal(message, facts)
        totals = (_SUPPLIES,) * len(sealed.line_ids)
        self.letters[sealed.id] = Letter(
            "order", sealed.destination, sealed.epoch, sealed.line_ids, totals, sealed.octets
        )
        return sealed


@cache
def _loaded() -> tuple[Surroundings, Sealer]:
    configuration = load(None)
    with tempfile.TemporaryDirectory() as folder:
        keys = load_or_make(Path(folder), development=True, now=BEGUN)
    return surroundings(configuration), keys.seal(configuration.organisation)


@dataclass(frozen=True, slots=True)
class Whole:
    """What the whole way needs: configuration, tables, adapters and the seal."""

    around: Surroundings
    sealer: Sealer


def whole(letters: dict[UUID, Letter]) -> Whole:
    """Load what the whole way needs, once in a process."""
    around, sealer = _loaded()
    return Whole(around, Known(sealer, letters))


def bodies(posts: Mapping[int, bool]) -> dict[int, bytes]:
    """Give the bytes of each post that goes the whole way."""
    return {number: order(number) for number, wanted in posts.items() if wanted}
