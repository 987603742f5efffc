"""JSON to nodes with a FHIRPath each, checked on the way against the table of elements.

What is refused here: an element the type does not have, a value of the wrong JSON type or form, empty strings, objects
and arrays, and nulls (save those that fill an array beside its `_` twin).

Source: FHIR R4 json.html, datatypes.html; reliability-security.md 4.3, J04, J18, J21, J32.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import partial
from itertools import chain
from typing import Any, TypeAlias

import msgspec

from gateway.domain.issue import Issue
from gateway.translate import lexical
from gateway.translate.from_fhir.elements import ELEMENTS, RESOURCES
from gateway.translate.record import Leaf
from gateway.wire.strict_json import JSON

_NAME = re.compile(r"_?[A-Za-z][A-Za-z0-9]{0,63}", re.ASCII)
_is_name = _NAME.fullmatch
_FORMS = {
    "code": re.compile(r"[^\s]+(\s[^\s]+)*"),
    "id": re.compile(r"[A-Za-z0-9\-.]{1,64}", re.ASCII),
    "uri": re.compile(r"\S+"),
    "url": re.compile(r"\S+"),
    "canonical": re.compile(r"\S+"),
    "base64Binary": re.compile(r"[A-Za-z0-9+/=\s]+", re.ASCII),
    "date": re.compile(r"\d{4}(-\d\d(-\d\d)?)?", re.ASCII),
    "dateTime": re.compile(r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d))?)?)?", re.ASCII),
    "instant": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII),
    "time": re.compile(r"\d\d:\d\d:\d\d(\.\d{1,9})?", re.ASCII),
}
Plain: TypeAlias = "str | int | Decimal | bool | None"

_PLAIN_TEXT = frozenset({"string", "markdown", "xhtml"})
_LEAST = {"positiveInt": 1, "unsignedInt": 0}
_FULL_DATE = 10


class Node(msgspec.Struct, gc=False):
    """One object of the message: its type, its FHIRPath, its members. A structure for the same reason as `Leaf`.

    Attributes:
        kind: FHIR type; empty where it is not known, and then nothing below it is checked.
        leaves: members that are single values, by name; of a repeated primitive, each under `name[0]`, `name[1]`, ….
        children: members that are objects, by name.
        gathered: what `below` gave, once it was asked.
    """

    kind: str
    path: str
    leaves: dict[str, Leaf] = msgspec.field(default_factory=dict)
    children: dict[str, list["Node"]] = msgspec.field(default_factory=dict)
    gathered: list[Leaf] | None = None

    def __repr__(self) -> str:
        """Give the type and the place alone: what stands there may be of a patient."""
        return f"Node(kind={self.kind!r}, path={self.path!r})"

    def leaf(self, name: str) -> Leaf | None:
        """Give a single value."""
        return self.leaves.get(name)

    def raw(self, name: str) -> str:
        """Give a single value's lexeme, or nothing."""
        leaf = self.leaves.get(name)
        return leaf.raw if leaf else ""

    def repeated(self, name: str) -> tuple[Leaf, ...]:
        """Give the values of a repeated primitive."""
        return tuple(leaf for key, leaf in self.leaves.items() if key.startswith(f"{name}["))

    def one(self, name: str) -> "Node | None":
        """Give the first object of that name."""
        below = self.children.get(name)
        return below[0] if below else None

    def many(self, name: str) -> tuple["Node", ...]:
        """Give the objects of that name, in order."""
        return tuple(self.children.get(name, ()))

    def below(self) -> list[Leaf]:
        """Give every value at and below this node: its own, then those of each object in turn."""
        if self.gathered is None:
            self.gathered = found = [*self.leaves.values()]
            for child in chain.from_iterable(self.children.values()):
                found += child.below() if child.children else child.leaves.values()
        return self.gathered

    def extensions(self, url: str) -> tuple["Node", ...]:
        """Give the extensions of that URL."""
        return tuple(node for node in self.many("extension") if node.raw("url") == url)

    def extension(self, url: str) -> "Node | None":
        """Give the first extension of that URL."""
        return next(iter(self.extensions(url)), None)


class Builder:
    """Builds the nodes of one message and gathers what is wrong with its structure.

    Attributes:
        names: of every member met, of whatever object.
    """

    def __init__(self) -> None:
        self.issues: list[Issue] = []
        self.names: set[str] = set()

    def build(self, value: dict[str, JSON], kind: str, path: str) -> Node:
        """Build the node of one object: at once what is certainly right, and step by step what may not be."""
        leaves: dict[str, Leaf] = {}
        node = Node(kind, path, leaves, {})
        if not value:
            self._wrong(path, "An object must not be empty.")
        self.names.update(value)
        elements = _USUAL.get(kind)
        if elements is None:
            self._untyped(node, value)
            return node
        members: Iterable[tuple[str, Any]] = value.items()
        for name, member in members:
            json, certain, below = elements.get(name, _UNUSUAL)
            if type(member) is json:
                if certain is not None:
                    if certain(member):
                        leaves[name] = Leaf(f"{path}.{name}", member if json is str else _lexeme(member))
                        continue
                elif self._objects(node, name, member, below):
                    continue
            self._member(node, name, member, value)
        return node

    def _untyped(self, node: Node, value: dict[str, JSON]) -> None:
        """Take the members of an object whose type is not known; nothing but their names can be wrong."""
        leaves, path = node.leaves, node.path
        for name, member in value.items():
            if member and _is_name(name) is not None:
                if type(member) is str:
                    leaves[name] = Leaf(f"{path}.{name}", member)
                    continue
                if self._objects(node, name, member, ""):
                    continue
            self._member(node, name, member, value)

    def _objects(self, node: Node, name: str, member: Any, kind: str) -> bool:
        """Take an object, or an array of objects and nothing else; anything else is not taken."""
        path = f"{node.path}.{name}"
        if type(member) is dict:
            node.children[name] = [self.build(member, kind if kind != "Resource" else self._named(kind, member), path)]
            return True
        if type(member) is not list or set(map(type, member)) != _OBJECTS:
            return False
        if kind == "Resource":
            node.children[name] = [
                self.build(item, self._named(kind, item), f"{path}[{index}]") for index, item in enumerate(member)
            ]
        else:
            node.children[name] = [self.build(item, kind, f"{path}[{index}]") for index, item in enumerate(member)]
        return True

    def _member(self, node: Node, name: str, member: JSON, owner: dict[str, JSON]) -> None:
        kind, path = node.kind, node.path
        elements = ELEMENTS.get(kind)
        declared = elements.get(name) if elements is not None else None
        declared = declared or self._declared(elements, name)
        if declared is None:
            declared = self._unknown(kind, path, name)
        below = f"{path}.{name if declared != '!' else '(member)'}"
        if isinstance(member, list):
            self._array(node, name, member, declared, below, owner)
        elif declared.endswith("*"):
            self._wrong(below, "An array is wanted, even for one value.")
            self._value(node, name, f"{name}[0]", member, declared[:-1], below)
        else:
            self._value(node, name, name, member, declared, below)

    @staticmethod
    def _named(kind: str, value: dict[str, JSON]) -> str:
        """Give the type of an object that stands where one of that type is wanted: a resource names its own."""
        if kind != "Resource":
            return kind
        named = value.get("resourceType")
        return named if isinstance(named, str) and named in RESOURCES else ""

    def _declared(self, elements: "Mapping[str, str] | None", name: str) -> str | None:
        if elements is None:
            return "?" if _NAME.fullmatch(name) else None
        if name.startswith("_") and name[1:] in elements and elements[name[1:]][0].islower():
            return "Element*" if elements[name[1:]].endswith("*") else "Element"
        return None

    def _unknown(self, kind: str, path: str, name: str) -> str:
        """Write down an element that is not known; a made-up name could hold anything and is not repeated."""
        known_form = _NAME.fullmatch(name) is not None
        text = f"FHIR R4 has no such element in {kind or 'this resource'}; mind the spelling."
        location = f"{path}.{name if known_form else '(member)'}"
        self.issues.append(Issue(code="STRUCTURE_INVALID", location=location, text=text))
        return "?" if known_form else "!"

    def _array(  # noqa: PLR0917 - one member and the object it stands in
        self, node: Node, name: str, member: list[JSON], declared: str, path: str, owner: dict[str, JSON]
    ) -> None:
        kind = declared.removesuffix("*")
        if kind == declared and kind not in {"?", "!"}:
            self._wrong(path, "A single value is wanted, not an array.")
        if not member:
            self._wrong(path, "An array must not be empty.")
        for index, item in enumerate(member):
            if item is None and _in_twin(owner, name, index):
                continue
            self._value(node, name, f"{name}[{index}]", item, kind, f"{path}[{index}]")

    def _value(self, node: Node, name: str, key: str, value: JSON, kind: str, path: str) -> None:  # noqa: PLR0917
        if isinstance(value, dict):
            node.children.setdefault(name, []).append(self.build(value, self._kind(kind, value, path), path))
            return
        if isinstance(value, list):
            self._wrong(path, "An array must not stand directly in an array.")
            return
        raw = _lexeme(value)
        if fault := _fault(value, raw, kind):
            self._wrong(path, fault)
        if raw:
            node.leaves[key] = Leaf(path, raw)

    def _kind(self, kind: str, value: dict[str, JSON], path: str) -> str:
        if kind[0].islower():
            self._wrong(path, "A plain value is wanted, not an object.")
        return "" if kind in {"?", "!"} else self._named(kind, value)

    def _wrong(self, path: str, text: str) -> None:
        self.issues.append(Issue(code="VALUE_INVALID", location=path, text=text))


def _in_twin(owner: dict[str, JSON], name: str, index: int) -> bool:
    """Tell whether the value or the extension of this place stands in the member's `_` twin (FHIR R4 json.html)."""
    twin = owner.get(name[1:] if name.startswith("_") else f"_{name}")
    return isinstance(twin, list) and twin[index : index + 1] not in ([], [None])


def _lexeme(value: Plain) -> str:
    if type(value) is str:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    return "" if value is None else str(value)


def _fault(value: Plain, raw: str, kind: str) -> str:  # noqa: PLR0911 - one return for each JSON type
    """Say what is wrong with a plain value of that type; nothing if all is well or the type is not known."""
    if type(value) is str and kind in _FORMS:
        return _text_fault(raw, kind)
    if kind in _PLAIN_TEXT and isinstance(value, str):
        return "" if value.strip() else "The value is empty; leave the member out."
    if value is None:
        return "null is not a value; leave the member out."
    if kind in {"?", "!", ""}:
        return ""
    if kind[0].isupper():
        return "An object is wanted."
    if kind == "boolean":
        return "" if isinstance(value, bool) else "true or false is wanted, without quotes."
    if kind == "decimal":
        return "" if isinstance(value, int | Decimal) and not isinstance(value, bool) else "A number is wanted."
    if kind in {"integer", "positiveInt", "unsignedInt"}:
        whole = isinstance(value, int) and not isinstance(value, bool) and value >= _LEAST.get(kind, value)
        return "" if whole else "A whole number is wanted, without quotes."
    if not isinstance(value, str):
        return "A string is wanted."
    return _text_fault(raw, kind)


def _text_fault_of(raw: str, kind: str) -> str:
    """Say what is wrong with a text of a type that is written as one; a type that is not is for `_fault` to judge."""
    if kind in _FORMS:
        return _text_fault(raw, kind)
    return "" if kind in _PLAIN_TEXT and raw.strip() else "It is not certain."


def _text_fault(raw: str, kind: str) -> str:
    if not raw.strip():
        return "The value is empty; leave the member out."
    form = _FORMS.get(kind)
    if form and not form.fullmatch(raw):
        return f"The value does not have the form of a FHIR {kind}."
    if kind in {"date", "dateTime"} and len(raw) >= _FULL_DATE and lexical.any_day(raw[:_FULL_DATE]) is None:
        return "There is no such date."
    # A period may end in 9999, of which nothing is read; what is read is judged again where it is, and an instant here.
    read = lexical.instant if kind == "instant" else lexical.any_instant
    if kind in {"dateTime", "instant"} and "T" in raw and read(raw) is None:
        return "There is no such date and time."
    return "There is no such time." if kind == "time" and lexical.clock(raw[:15]) is None else ""


def _has_no_fault(kind: str, raw: str) -> bool:
    return not _text_fault(raw, kind)


_Usual: TypeAlias = "tuple[Any, Callable[[Any], object] | None, str]"
"""What stands in an element of most messages: the JSON type; of a value, what tells that nothing is wrong with it (what
it does not tell so, `_fault` judges); of an object or an array of them, the type of each."""

_AT_ONCE: dict[str, tuple[type, Callable[[Any], object]]] = {
    **dict.fromkeys(_PLAIN_TEXT, (str, str.strip)),
    **{kind: (str, _FORMS[kind].fullmatch) for kind in ("code", "id", "uri", "url", "canonical")},
    **{kind: (str, partial(_has_no_fault, kind)) for kind in ("date", "dateTime", "instant", "time")},
    "boolean": (bool, lambda _: True),
    "decimal": (Decimal, lambda _: True),
}
_UNUSUAL: _Usual = (type, None, "")
_OBJECTS = {dict}


def _usual(declared: str) -> _Usual:
    kind = declared.removesuffix("*")
    if kind[0].isupper():
        return (dict if kind == declared else list, None, kind)
    return (*_AT_ONCE[kind], "") if kind in _AT_ONCE and kind == declared else _UNUSUAL


_USUAL = {kind: {name: _usual(declared) for name, declared in row.items()} for kind, row in ELEMENTS.items()}
