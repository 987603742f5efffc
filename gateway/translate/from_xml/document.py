"""Bytes to a tree of plain nodes, each with its XPath, after everything dangerous has been refused.

What is refused before a tree is built: a DOCTYPE or an entity declaration anywhere in the bytes, any encoding but
UTF-8. After: processing instructions, comments inside a value, namespaces other than ours and that of XML signatures.
No file and no socket is ever opened.

Source: reliability-security.md 4.2, X01 to X14; mapping.md 7.2.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
from lxml import etree

from gateway.domain.errors import Refusal
from gateway.domain.issue import Issue
from gateway.translate.record import Leaf
from gateway.wire.many import MOST_ATTRIBUTES, MOST_VALUES, holds_too_many
from gateway.wire.xml_octets import XmlOctetsError, guard, parser

NAMESPACE = "urn:x-homecare-gateway:trust-prescription:1"
ROOT = "PrescriptionMessage"
LARGEST = 1 << 20
"""Bytes; the fullest message the schema allows, with a signature, stays well under one MiB."""

_OURS = f"{{{NAMESPACE}}}"
_SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"
_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_HINTS = {f"{_XSI}schemaLocation", f"{_XSI}noNamespaceSchemaLocation"}
REPEATED = frozenset(
    "Item Dosage Given Line LocalId Allergy Measurement Id BackupProvider Ancillary Note Indication DayOfWeek TimeOfDay"  # noqa: SIM905 - a list to be read
    " When OnDate AdditionalInstruction Phone Mobile Email ItemId".split()
)
"""Elements the schema lets stand more than once; these are numbered in locators even when there is one."""
_OPENS = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?Signature[\s>]")
_CLOSES = re.compile(rb"</(?:[A-Za-z_][\w.-]*:)?Signature\s*>")


class Node(msgspec.Struct, frozen=True, gc=False):
    """One element; a structure for the same reason as `Leaf`.

    Attributes:
        name: without its namespace.
        path: its XPath.
        text: if it has no children.
        attributes: by name.
        children: in order.
        named: the children by name without namespace.
    """

    name: str
    path: str
    text: Leaf | None
    attributes: dict[str, Leaf]
    children: list["Node"]
    named: dict[str, list["Node"]]

    def __repr__(self) -> str:
        """Give the place alone: what stands there may be of a patient."""
        return f"Node(path={self.path!r})"

    def one(self, name: str) -> "Node | None":
        """Give the first child of that name."""
        found = self.named.get(name)
        return found[0] if found else None

    def many(self, name: str) -> tuple["Node", ...]:
        """Give every child of that name, in order."""
        return tuple(self.named.get(name, ()))

    def words(self, name: str) -> Leaf | None:
        """Give the text of the first child of that name."""
        found = self.named.get(name)
        return found[0].text if found else None

    def attribute(self, name: str) -> Leaf | None:
        """Give an attribute."""
        return self.attributes.get(name)

    def leaves(self) -> list[Leaf]:
        """Give every value below and at this element, in document order."""
        found = [*self.attributes.values(), *([self.text] if self.text else [])]
        for child in self.children:
            found += child.leaves()
        return found


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Document:
    """A document that was well-formed and safe to look at; whether it keeps to the schema is another question.

    Attributes:
        leaves: every value of the tree, in document order.
        element: the root, for the schema.
        signature: the enveloped signature's bytes as received, if there is one.
        faults: what the tree holds that it must not.
    """

    root: Node
    leaves: list[Leaf]
    element: etree._Element = field(repr=False)
    signature: bytes = b""
    signature_leaf: Leaf | None = None
    faults: tuple[Issue, ...] = ()


def parse(body: bytes, content_type: str = "") -> Document:
    """Parse a message.

    Raises:
        Refusal: UNREADABLE, CHARSET_INVALID, TOO_LARGE or MESSAGE_TYPE_UNSUPPORTED; nothing more is known of it.
    """
    _guard(body, content_type)
    if holds_too_many(body, xml=True):
        raise _refusal("TOO_LARGE", "", f"The message holds more than {MOST_VALUES} values.")
    try:
        element = etree.fromstring(body, parser())
    except etree.XMLSyntaxError as error:
        line, column = error.position
        raise _refusal("UNREADABLE", f"line {line}, column {column}", "The body is not well-formed XML.") from None
    if element.tag != _OURS + ROOT:
        text = f"The root element must be {ROOT} in the namespace {NAMESPACE}."
        raise _refusal("MESSAGE_TYPE_UNSUPPORTED", "/*", text)
    return _document(element, body)


def _refusal(code: str, location: str, text: str) -> Refusal:
    return Refusal(Issue(code=code, location=location, text=text))


def _guard(body: bytes, content_type: str) -> None:
    if len(body) > LARGEST:
        raise _refusal("TOO_LARGE", "", f"The message is larger than {LARGEST} bytes.")
    try:
        guard(body, content_type)
    except XmlOctetsError as error:
        raise _refusal(error.code, error.location, error.text) from None


def _document(element: etree._Element, body: bytes) -> Document:
    builder = _Builder()
    faults = builder.faults
    if element.xpath("boolean(//processing-instruction())"):
        faults.append(_fault("/", "Processing instructions are not accepted."))
    signatures = [child for child in element if child.tag == _SIGNATURE]
    root = builder.node(element, ROOT, f"/{ROOT}")
    if not signatures:
        return Document(root=root, leaves=builder.leaves, element=element, faults=tuple(faults))
    octets = _octets(signatures[0], body)
    leaf = Leaf(f"/{ROOT}/ds:Signature", "sha256:" + hashlib.sha256(octets).hexdigest())
    return Document(
        root=root,
        leaves=[*builder.leaves, leaf],
        element=element,
        signature=octets,
        signature_leaf=leaf,
        faults=tuple(faults),
    )


def _octets(signature: etree._Element, body: bytes) -> bytes:
    """Give the signature as received; written anew only where the bytes could mean more than one place."""
    opens, closes = list(_OPENS.finditer(body)), list(_CLOSES.finditer(body))
    if len(opens) == len(closes) == 1 and b"<!" not in body[opens[0].start() :]:
        return body[opens[0].start() : closes[0].end()]
    return bytes(etree.tostring(signature, with_tail=False))


def _fault(path: str, text: str) -> Issue:
    return Issue(code="STRUCTURE_INVALID", location=path, text=text)


class _Builder:
    """Builds the nodes of one document and gathers its leaves, and what it holds that it must not."""

    def __init__(self) -> None:
        self.leaves: list[Leaf] = []
        self.faults: list[Issue] = []

    def node(self, element: etree._Element, name: str, path: str) -> Node:
        words = element.text or ""
        children = list(element)
        if children:
            words += "".join([child.tail or "" for child in children])
            inner = [(tag, child) for child in children if isinstance(tag := child.tag, str)]
            if not inner:
                self._fault(path, "A comment or processing instruction stands inside a value.")
            elif words and words.strip():
                self._fault(path, "Words stand between the elements.")
        items = element.items()
        attributes = self._attributes(items, path) if items else {}
        if children:
            node = Node(name, path, None, attributes, [], {})
            self._children(node, inner)
            return node
        text = None
        if words and words.strip():
            text = Leaf(path, words)
            self.leaves.append(text)
        return Node(name, path, text, attributes, [], {})

    def _attributes(self, items: Sequence[tuple[object, object]], path: str) -> dict[str, Leaf]:
        found: dict[str, Leaf] = {}
        if len(items) > MOST_ATTRIBUTES:
            self._fault(path, f"An element may have at most {MOST_ATTRIBUTES} attributes.")
            return found
        for name, value in items:
            key, raw = str(name), str(value)
            if key.startswith(_XSI):
                if key not in _HINTS:
                    self._fault(path, "xsi:type and xsi:nil are not accepted.")
                key = key.replace(_XSI, "xsi:")
            if raw.strip():
                found[key] = Leaf(f"{path}/@{key}", raw)
        self.leaves += found.values()
        return found

    def _children(self, node: Node, inner: list[tuple[str, etree._Element]]) -> None:
        path, named = node.path, node.named
        tags = [tag for tag, _ in inner]
        doubled = {tag for tag, times in Counter(tags).items() if times > 1} if len(set(tags)) != len(tags) else ()
        for tag, child in inner:
            if not tag.startswith(_OURS):
                if tag != _SIGNATURE or path != f"/{ROOT}":
                    self._fault(f"{path}/*", "An element of another namespace stands here.")
                continue
            name = tag[len(_OURS) :]
            same = named.setdefault(name, [])
            place = f"{path}/{name}"
            if name in REPEATED or tag in doubled or (name == "For" and path.endswith("/AsRequired")):
                place = f"{place}[{len(same) + 1}]"
            below = self.node(child, name, place)
            same.append(below)
            node.children.append(below)

    def _fault(self, path: str, text: str) -> None:
        self.faults.append(_fault(path, text))
