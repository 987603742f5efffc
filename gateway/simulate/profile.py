"""What kind of trust a simulated trust is."""

from dataclasses import dataclass

from gateway.simulate.messages import Style
from gateway.simulate.written import Flaw


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What kind of trust it is.

    Attributes:
        styles: the dialects it sends, in turn.
        flaws: those its formats can have; one prescription in `flawed_in` has one of them, in turn.
        providers: those it may name; an empty code leaves the choice to the gateway's routes.
        repeats_in: one message in so many is sent twice; `changes_in`: one again with other bytes, nought for none.
        refuses_news_in: one piece of news in so many its system refuses, so that it is not told; nought for none.
        checks: whether its pharmacists check a prescription before it is sent; where not, it is to be checked here.
        opening: how many more it prescribes to begin with.
        for_visitors: whether it takes part only where a person looks on, for somebody must act on what it sends.
    """

    ods: str
    system: str
    site: str
    styles: tuple[Style, ...]
    flaws: tuple[Flaw, ...]
    providers: tuple[str, ...]
    repeats_in: int = 7
    changes_in: int = 11
    flawed_in: int = 6
    refuses_news_in: int = 0
    checks: bool = True
    opening: int = 0
    for_visitors: bool = False
