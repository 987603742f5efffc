"""The simulated providers' tempers: in peace, in chaos, and while a person looks on."""

import math
from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """A provider's temper. Every `…_in` is *one message in so many*, beginning with the first; nought is never.

    Attributes:
        name: for people.
        answers_after: seconds from arrival to the first answer.
        takes_after: seconds its system needs to take a message at all.
        supplies_after: seconds between one supply and the next.
        silent_in: messages taken and never spoken of again.
        rejects_in: messages rejected.
        queries_in: messages queried first and accepted later.
        says_twice: whether every answer is sent twice.
        cuts_in: messages taken, after which the connection is cut before the response (the sender is in doubt).
        drops_in: orders of which the connection is cut before anything is taken (the sender is in doubt as well).
        late_in: orders answered after `late_by` seconds more.
        crosses_in: orders whose first supply is told before their acceptance.
        ignores_in: cancels and holds that are taken and never answered.
        ponders_in: cancels said to be pending first, and decided later.
        down_for: seconds from the start in which it takes nothing (503).
        own_json: whether it answers in the sandbox's JSON in place of FHIR.
        troubled: whether each order meets a trouble and each cancel or hold an upset (`troubles`), for a person to end.
    """

    name: str
    answers_after: float = 0.05
    takes_after: float = 0.0
    supplies_after: float = 0.1
    silent_in: int = 0
    rejects_in: int = 0
    queries_in: int = 0
    says_twice: bool = False
    cuts_in: int = 0
    drops_in: int = 0
    late_in: int = 0
    late_by: float = 8.0
    crosses_in: int = 0
    ignores_in: int = 0
    ponders_in: int = 0
    down_for: float = 0.0
    own_json: bool = False
    troubled: bool = False


BEHAVIOURS: dict[str, Behaviour] = {
    "VNE51": Behaviour(name="prompt"),
    "VNCEL": Behaviour(name="slow", takes_after=0.4, answers_after=1.5, supplies_after=0.5),
    "VNFKT": Behaviour(name="rejecting", rejects_in=3, cuts_in=8),
    "VN6XW": Behaviour(name="silent", silent_in=1),
    # its answers come after the gateway has had time to send again what was cut off
    "VDEM1": Behaviour(name="duplicate-acknowledging", answers_after=2.5, says_twice=True, cuts_in=4),
    "VDEM2": Behaviour(name="querying", queries_in=2, own_json=True),
    "VDEM3": Behaviour(name="down for a while", down_for=5.0, own_json=True),
}
"""The demonstration's providers. VDEM1 recognises repeats, so what it cut off is sent to it again; VNFKT does not."""

_B = BEHAVIOURS
CHAOTIC: dict[str, Behaviour] = {
    # slow enough between supplies for a cancel, a hold or a revocation to meet an order half supplied
    "VNE51": replace(_B["VNE51"], supplies_after=1.0, crosses_in=4, ponders_in=3, ignores_in=9),
    "VNCEL": replace(_B["VNCEL"], supplies_after=1.5, late_in=5, ponders_in=4),
    "VNFKT": replace(_B["VNFKT"], supplies_after=0.7, drops_in=7, crosses_in=5),
    "VN6XW": replace(_B["VN6XW"], silent_in=4, supplies_after=0.8, ignores_in=3),
    "VDEM1": replace(_B["VDEM1"], supplies_after=0.8, drops_in=6, late_in=7),
    "VDEM2": replace(_B["VDEM2"], supplies_after=1.0, rejects_in=6, crosses_in=3, ponders_in=2),
    "VDEM3": replace(_B["VDEM3"], supplies_after=0.6, says_twice=True, late_in=6, ignores_in=5),
}
"""The same providers on a bad day: late, crossed, cut off, undecided. They fall silent besides, as `unrest` has it."""

TROUBLED: Final = "VDEM2"
SILENT: Final = "VN6XW"
WATCHED: dict[str, Behaviour] = BEHAVIOURS | {
    TROUBLED: replace(_B[TROUBLED], name="troubled", queries_in=0, supplies_after=600.0, troubled=True),
    SILENT: replace(_B[SILENT], ignores_in=1),
    "VDEM3": replace(_B["VDEM3"], name="down", down_for=math.inf),
}
"""The same providers while a person looks on, who can end what goes wrong: one gives trouble, one cannot be reached,
and one says nothing and gives nothing up."""
