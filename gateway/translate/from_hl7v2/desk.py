"""The desk one order is read at: the account of what was read, and the habits every field is read with.

Two habits matter most. A field that may be said once and is said twice is refused, never reduced to its first
repetition (reliability-security.md H29). Text that an interface left in place of a value is never taken for one.
"""

import re

from gateway.domain.identifiers import OdsCode
from gateway.translate import record
from gateway.translate.context import ReadingContext
from gateway.translate.maps.rules import HL7V2, Rule
from gateway.translate.tracer import Tracer
from gateway.wire.er7 import NULL, Leaf, Repetition, Segment

_TEMPLATE = re.compile(r"##\w|\{\{")
_NULL = HL7V2.named("HL7V2.ignored.null")


class Desk(record.Record):
    """The account of one order, with what the reader may know beside the bytes.

    Args:
        tracer: of the whole message.
        context: the trust, the tables, the environment.
    """

    def __init__(self, tracer: Tracer, context: ReadingContext) -> None:
        super().__init__(tracer)
        self.context = context
        self._inputs = tracer

    @property
    def sender(self) -> OdsCode:
        """The trust's ODS code, from the credential."""
        return self.context.trust.ods

    def one(self, segment: Segment | None, number: int) -> Repetition | None:
        """Give the one repetition of a field; several are refused; the explicit null is nothing said."""
        if segment is None:
            return None
        repetitions = segment.fields.get(number)
        if not repetitions:
            return None
        if len(repetitions) > 1:
            self.mark(*repetitions)
            self.flag("VALUE_INVALID", segment.at(number), "The field is sent more than once; it may be sent once.")
            return None
        only = repetitions[0]
        return self.said(only) if only.null else only

    def all(self, segment: Segment | None, number: int) -> tuple[Repetition, ...]:
        """Give the repetitions of a field that say something."""
        if segment is None:
            return ()
        repetitions = segment.fields.get(number, ())
        for part in repetitions:
            if part.null:
                return tuple(found for part in repetitions if (found := self.said(part)))
        return repetitions

    def said(self, repetition: Repetition) -> Repetition | None:
        """Give the repetition unless it is the explicit null, which in a new order says nothing."""
        if not repetition.null:
            return repetition
        self._inputs.ignore(f"{repetition.locator}.1", _NULL)
        return None

    def leaf(self, repetition: Repetition | None, component: int = 1, subcomponent: int = 1) -> record.Leaf | None:
        """Give a leaf with its escapes decoded; nulls and unresolved template text are no value."""
        if repetition is None:
            return None
        found = repetition.parts.get(component)
        if isinstance(found, dict):
            found = found.get(subcomponent)
        elif subcomponent != 1:
            return None
        if found is None or found.raw.isalnum():  # letters and digits are neither null, nor escaped, nor a template
            return found
        return self.value(found)

    def value(self, leaf: Leaf) -> record.Leaf | None:
        """Give one leaf as `leaf` does."""
        text = leaf.text
        if text == NULL and leaf.raw == NULL:
            self._inputs.ignore(leaf.locator, _NULL)
            return None
        if ("##" in text or "{{" in text) and _TEMPLATE.search(text):
            self._use(leaf.locator, None)
            wanted = "The interface sent its own template text in place of a value."
            self.flag("TEMPLATE_TEXT_UNRESOLVED", leaf.locator, wanted)
            return None
        return leaf if text is leaf.raw else record.Leaf(leaf.locator, text)

    def mark(self, *repetitions: Repetition | None) -> None:
        """Mark every leaf of a repetition as read."""
        for repetition in repetitions:
            if repetition:
                self.use(*repetition.leaves())

    def pass_over(self, repetition: Repetition | None, rule: Rule) -> None:
        """Leave a repetition out by a named rule."""
        for leaf in repetition.leaves() if repetition else ():
            self._inputs.ignore(leaf.locator, rule)

    def leave_out(self, locator: str, rule: Rule) -> None:
        """Leave one unread value out by a named rule."""
        self._inputs.ignore(locator, rule)

    def text(self, leaf: record.Leaf | None) -> str:
        """Give a leaf's text and mark it as read."""
        if leaf is None:
            return ""
        self._use(leaf.locator, None)
        return leaf.raw

    def aside(self) -> "Desk":
        """Give a second sheet: what is read on it is accounted for, but makes no value."""
        return Desk(self._inputs, self.context)

    def adopt(self, other: "Desk") -> None:
        """Take the issues of a second sheet; its rows are dropped."""
        for issue in other.issues:
            if issue not in self.issues:
                self.issues.append(issue)
        self.unknown += [one for one in other.unknown if one not in self.unknown]

    def not_understood(self, location: str, what: str) -> None:
        """Hold the line for a field that may bear on what the patient takes."""
        self.flag("FIELD_NOT_UNDERSTOOD", location, what)
