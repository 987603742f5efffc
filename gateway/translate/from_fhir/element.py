"""One FHIR element being read: what is asked for is taken, what is left over at the end is an issue.

A reader asks an element for its members by name and closes it with `finish`; a member nobody asked for may bear on what
the patient takes, so it becomes an issue and never a silent loss. Issues are gathered, not thrown one at a time.

Source: mapping.md 6.2; FHIR R4 json.html.
"""

from decimal import Decimal

from gateway.domain.issue import Issue
from gateway.wire.strict_json import JSON


class Element:
    """An object at a FHIRPath, and the issues found so far.

    Args:
        value: the object; anything else is an issue and reads as empty.
        path: its FHIRPath.
        issues: shared by every element of one reading.
    """

    def __init__(self, value: JSON, path: str, issues: list[Issue]) -> None:
        self.path = path
        self.issues = issues
        self._asked: set[str] = {"id"}
        self._members: dict[str, JSON] = {}
        if isinstance(value, dict) and value:
            self._members = value
        else:
            self.report("STRUCTURE_INVALID", "", "An object with members is expected here.")

    def report(self, code: str, name: str, text: str, values: tuple[str, ...] = ()) -> None:
        """Note an issue with the member `name`, or with the element itself if empty."""
        location = f"{self.path}.{name}" if name else self.path
        self.issues.append(Issue(code=code, location=location, text=text, values=values))

    def has(self, name: str) -> bool:
        """Tell whether the member is there."""
        return name in self._members

    def value(self, name: str) -> JSON:
        """Take a member as it is; None if absent."""
        self._asked.add(name)
        return self._members.get(name)

    def text(self, name: str) -> str:
        """Take a string; empty if absent."""
        value = self.value(name)
        if value is None or (isinstance(value, str) and value.strip()):
            return value or ""
        self.report("VALUE_INVALID", name, "A string that is not blank is expected here.")
        return ""

    def boolean(self, name: str) -> bool | None:
        """Take a boolean."""
        value = self.value(name)
        if value is None or isinstance(value, bool):
            return value
        self.report("VALUE_INVALID", name, "true or false is expected here.")
        return None

    def whole(self, name: str, *, least: int = 1) -> int | None:
        """Take a whole number of at least `least`."""
        value = self.value(name)
        if value is None:
            return None
        if isinstance(value, int) and not isinstance(value, bool) and value >= least:
            return value
        self.report("VALUE_INVALID", name, f"A whole number of at least {least} is expected here.")
        return None

    def decimal(self, name: str) -> Decimal | None:
        """Take a number above nought, with its digits as written."""
        value = self.value(name)
        if value is None:
            return None
        if isinstance(value, int | Decimal) and not isinstance(value, bool) and value > 0:
            return Decimal(value)
        self.report("VALUE_INVALID", name, "A number above nought is expected here.")
        return None

    def child(self, name: str) -> "Element | None":
        """Take a member that is an object."""
        value = self.value(name)
        return None if value is None else Element(value, f"{self.path}.{name}", self.issues)

    def children(self, name: str) -> list["Element"]:
        """Take a member that is a list of objects."""
        return [
            Element(item, f"{self.path}.{name}[{index}]", self.issues) for index, item in enumerate(self.items(name))
        ]

    def texts(self, name: str) -> list[str]:
        """Take a member that is a list of strings."""
        items = self.items(name)
        good = [item for item in items if isinstance(item, str) and item.strip()]
        if len(good) < len(items):
            self.report("VALUE_INVALID", name, "Strings that are not blank are expected here.")
        return good

    def items(self, name: str) -> list[JSON]:
        """Take a member that is a list with something in it; empty if absent."""
        value = self.value(name)
        if value is None or (isinstance(value, list) and value):
            return value or []
        self.report("STRUCTURE_INVALID", name, "A list with at least one item is expected here.")
        return []

    def one_of(self, *names: str) -> str:
        """Give which one of a choice of members is there, or empty; two at once are an issue."""
        there = [name for name in names if self.has(name)]
        if len(there) > 1:
            self.report("STRUCTURE_INVALID", there[1], f"Send {there[0]} or {there[1]}, not both.")
            self._asked.update(there[1:])
        return there[0] if there else ""

    def finish(self) -> None:
        """Note every member that nobody asked for."""
        for name in [name for name in self._members if name not in self._asked]:
            if name == "modifierExtension":
                self.report("EXTENSION_NOT_UNDERSTOOD", name, "This modifierExtension is not understood here.")
            else:
                self.report("FIELD_NOT_UNDERSTOOD", name, "This member is not read here, and may bear on the dose.")
