"""What every act's page is made of: the case, the words that come first, the fields, and what came of it.

An act is one short module beside this one. The page asks it what to say and what to ask, and then to do it; everything
else (who may, what was seen, a double click, a store that is away) is the same for all and stands in `acts.py`.

Source: console.md 6.3, 7.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol
from uuid import UUID

from gateway.access.roles import Role
from gateway.console.acting.offered import ActName, Standing
from gateway.console.board.provider_book import ProviderBook
from gateway.console.pages import named
from gateway.console.site import Form, Looker, Site
from gateway.domain.acts import Act
from gateway.domain.asking import Seen
from gateway.domain.labels import CANCEL_LABELS
from gateway.domain.lifecycle import Actor
from gateway.enquiries import LineView, PrescriptionView

LONGEST: Final = 500
"""Characters of a reason: what fits the provider's screen."""


class Kind(StrEnum):
    """How a field is asked."""

    RADIOS = "radios"
    AREA = "area"
    TEXT = "text"
    DATE = "date"
    CHECK = "check"
    SELECT = "select"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One thing to choose."""

    value: str
    words: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One question of the form.

    Attributes:
        wrong: what the error summary says where it is not answered; empty where it need not be.
        longest: characters of a text.
    """

    name: str
    words: str
    kind: Kind
    hint: str = ""
    options: tuple[Option, ...] = ()
    wrong: str = ""
    longest: int = LONGEST


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One item of a checklist.

    Attributes:
        open: it stands in the way.
    """

    words: str
    status: str
    hint: str = ""
    open: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Says:
    """What the page says before anything is done.

    Attributes:
        will, will_not: what happens, and what does not.
        told: who is told.
        undo: whether it can be undone.
        urgent: what to do besides, where it is urgent.
        tasks: a checklist; with an open item nothing can be sent.
        button: words of the confirmation.
        ask: parameters of the page itself that the person chooses first, such as the provider of a re-route.
        each: each line may be chosen by itself.
    """

    will: tuple[str, ...]
    will_not: tuple[str, ...]
    told: tuple[str, ...]
    undo: str
    button: str
    urgent: str = ""
    fields: tuple[Field, ...] = ()
    tasks: tuple[Task, ...] = ()
    ask: tuple[Field, ...] = ()
    each: bool = True
    no_form: bool = False

    @property
    def blocked(self) -> bool:
        """Whether an item of the checklist is open."""
        return any(task.open for task in self.tasks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the prescription, with how it stands."""

    view: LineView
    standing: Standing

    @property
    def id(self) -> UUID:
        """Its id."""
        return self.view.line_id

    @property
    def product(self) -> str:
        """What it is called on the page."""
        return self.view.product or "A medicine that could not be read"

    @property
    def cancel_words(self) -> str:
        """Words of its cancel; empty where none was asked or it is over."""
        return CANCEL_LABELS.get(self.standing.cancel, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One prescription, as the person who is about to act sees it.

    Attributes:
        lines: those that the act fits.
        why_not: why it fits none, in words; empty where it fits one.
    """

    site: Site
    looker: Looker
    view: PrescriptionView
    lines: tuple[Line, ...]
    why_not: str
    now: datetime

    @property
    def provider(self) -> str:
        """Who has it, as `Example Homecare (VNE51)`."""
        destination = self.view.found.destination
        return named(destination, self.site.names) if destination else "the provider"

    @property
    def ring(self) -> str:
        """Who has it, with the number to ring where one is configured."""
        book, ods = self.site.services.get(ProviderBook), self.view.found.destination
        known = book.providers.get(ods) if isinstance(book, ProviderBook) and ods is not None else None
        if known is None or not known.phone:
            return self.provider
        hours = f", out of hours {known.out_of_hours}" if known.out_of_hours else ""
        return f"{self.provider} on {known.phone}{hours}"

    @property
    def trust(self) -> str:
        """Whose it is."""
        return named(self.view.found.tenant, self.site.names)

    @property
    def quote(self) -> str:
        """What to quote on the telephone."""
        numbers = [line.view.order_number for line in self.lines if line.view.order_number]
        return " and ".join(numbers) or self.view.found.number

    def act(self, reason: str, line: Line | None = None) -> Act:
        """Give the act of this person, on one line or on all that it fits."""
        return Act(
            prescription_id=self.view.found.prescription_id,
            by=self.looker.name,
            reason=reason,
            now=self.site.now(),
            line_id=line.id if line else None,
            tenant=self.view.found.tenant,
        )

    @property
    def actor(self) -> Actor:
        """For whom the person speaks."""
        prescribes = self.looker.principal.role is Role.PRESCRIBER
        return Actor.PRESCRIBER if prescribes else Actor.TRUST_PHARMACIST


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """The form, answered in full.

    Attributes:
        chosen: the lines that are meant.
        seen: each as the person saw it.
        token: of the form; the same one is the same act.
    """

    values: Mapping[str, str] = field(repr=False)
    chosen: tuple[Line, ...]
    seen: Mapping[UUID, Seen]
    token: str

    def __getitem__(self, name: str) -> str:
        """Give what was answered."""
        return self.values.get(name, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """It was done, or asked: what is said on the next page."""

    words: str
    href: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotDone:
    """Nothing was done, and why; the form stands as it was filled in.

    Attributes:
        moved: because the lines are no longer as they were seen.
    """

    reasons: tuple[str, ...]
    moved: bool = False


class Acting(Protocol):
    """One act."""

    name: ActName

    async def says(self, case: Case, form: Form) -> Says:
        """Give what the page says and asks.

        Args:
            case: as it stands.
            form: what was typed before, and the page's own parameters.
        """

    async def carry_out(self, case: Case, filled: Filled) -> Came | NotDone:
        """Do it.

        Raises:
            Unavailable: nothing was stored, or nobody knows.
        """


def reason_field(words: str = "Reason, in your own words", *, wrong: str = "Give a reason") -> Field:
    """Give the field every act has."""
    hint = "No names, NHS numbers or birth dates: this is kept for those who look later."
    return Field(name="reason", words=words, kind=Kind.AREA, hint=hint, wrong=wrong)


def coded(name: str, words: str, options: Mapping[str, str], *, hint: str = "", wrong: str) -> Field:
    """Give a question with one answer of a list."""
    choices = tuple(Option(value=value, words=text) for value, text in options.items())
    return Field(name=name, words=words, kind=Kind.RADIOS, hint=hint, options=choices, wrong=wrong)


def in_words(field: Field, value: str) -> str:
    """Give the words of what was chosen."""
    return next((option.words for option in field.options if option.value == value), value)


def partly(done: int, chosen: Sequence[Line], words: str) -> str:
    """Give the words of what was done, saying so where it was not done for every line that was meant."""
    if done == len(chosen):
        return words
    return f"For {done} of {len(chosen)} alone: {words} The others had moved on, and were left as they stand."


def together(sentences: Sequence[str]) -> str:
    """Give sentences as one text, each once."""
    return " ".join(dict.fromkeys(sentences))
