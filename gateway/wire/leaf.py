"""One value of a message, with its place: what every format is read into first."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Leaf:
    """One value of the input; made once, never changed.

    It is not frozen for the sake of time: making a frozen one takes several times as long, and reading a message makes
    some two hundred.

    Attributes:
        locator: where, in the sender's notation.
        raw: the lexeme as received.
    """

    locator: str
    raw: str = field(repr=False)
