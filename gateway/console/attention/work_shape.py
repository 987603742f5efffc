"""What every act on rows of what needs attention is made of: the case, its questions, and what comes of it.

Source: console.md 6.1 (actions), 2 (rule 8).
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.access.policy import Action
from gateway.console.site import Looker, Site
from gateway.ports.attention import WorkItem

LONGEST: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One thing to choose."""

    value: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question of a form.

    Attributes:
        kind: `text`, `area`, `radios`, `date`, `time` or `number`.
        first: what stands there before anything was typed.
        suggested: names that may be meant.
    """

    name: str
    words: str
    kind: str = "text"
    hint: str = ""
    options: tuple[Option, ...] = ()
    first: str = ""
    suggested: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What an act is about: the items, who acts, and when."""

    site: Site
    looker: Looker
    items: tuple[WorkItem, ...]
    now: datetime
    seen: Mapping[int, str]
    colleagues: tuple[str, ...] = ()

    @property
    def of_lines(self) -> bool:
        """Whether a prescription's line is behind the first of them."""
        return self.items[0].line is not None or self.items[0].opaque is not None

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of the alerts."""
        return tuple(item.alert for item in self.items if item.alert is not None)


class Wrong(Exception):
    """What was typed cannot be meant.

    Args:
        fields: the name of each question, and what is wrong with its answer.
    """

    def __init__(self, **fields: str) -> None:
        super().__init__()
        self.fields = fields


Values = Mapping[str, str]
Answers = Mapping[int, str]
"""For each alert why it was not done; empty where it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkAct:
    """One act.

    Attributes:
        words: heading, and words of its link.
        says: what will happen and what will not, one sentence each.
        several: it can be done to several rows at once.
        done: what the notice says afterwards.
    """

    name: str
    words: str
    button: str
    action: Action
    says: Callable[[Case], tuple[str, ...]]
    asks: Callable[[Case], tuple[Question, ...]]
    do: Callable[[Case, Values], Awaitable[Answers]]
    done: Callable[[Case, Values], str]
    several: bool = False
    why_not: Callable[[Case], str] = lambda _: ""


def needed(values: Values, name: str, wrong: str, longest: int) -> str:
    """Give what was answered to a question that needs an answer.

    Raises:
        Wrong: nothing was, or too much.
    """
    value = values.get(name, "")
    if not value or len(value) > longest:
        raise Wrong(**{name: f"{wrong}, in at most {longest} characters"})
    return value
