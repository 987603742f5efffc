"""Bytes to a tree of plain nodes, each with its XPath, after everything dangerous has been refused.

What is refused before a tree is built: a DOCTYPE or an entity declaration anywhere in the bytes, any encoding but
UTF-8. After: processing instructions, comments inside a value, namespaces other than ours and that of XML signatures.
No file and no socket is ever opened.

Source: reliability-security.md 4.2, X01 to X14; mapping.md 7.2.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from gateway.domain.errors import Refusal
from gateway.domain.issue import Issue
from gateway.translate.record import Leaf
from gateway.wire.many import MOST_ATTRIBUTES, MOST_VALUES, holds_too_many
from gateway.wire.xml_octets import XmlOctetsError, guard

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


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Node:
    """One element: its name without namespace, its XPath, its text if it has no children, its attributes."""

    name: str
    path: str
    text: Leaf | None
    attributes: dict[str, Leaf]
    children: tuple["Node", ...]

    def one(self, name: str) -> "Node | None":
        """Give the first child of that name."""
        for child in self.children:
            if child.name == name:
                return child
        return None

    def many(self, name: str) -> tuple["Node", ...]:
        """Give every child of that name, in order."""
        return tuple(child for child in self.children if child.name == name)

    def words(self, name: str) -> Leaf | None:
        """Give the text of the first child of that name."""
        child = self.one(name)
        return child.text if child else None

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
        element: the root, for the schema.
        signature: the enveloped signature's bytes as received, if there is one.
        faults: what the tree holds that it must not.
    """

    root: Node
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
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        collect_ids=False,
    )
    try:
        element = etree.fromstring(body, parser)
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
    faults: list[Issue] = []
    if element.xpath("boolean(//processing-instruction())"):
        faults.append(_fault("/", "Processing instructions are not accepted."))
    signatures = [child for child in element if child.tag == _SIGNATURE]
    root = _node(element, ROOT, f"/{ROOT}", faults)
    if not signatures:
        return Document(root=root, element=element, faults=tuple(faults))
    octets = _octets(signatures[0], body)
    leaf = Leaf(f"/{ROOT}/ds:Signature", "sha256:" + hashlib.sha256(octets).hexdigest())
    return Document(root=root, element=element, signature=octets, signature_leaf=leaf, faults=tuple(faults))


def _octets(signature: etree._Element, body: bytes) -> bytes:
    """Give the signature as received; written anew only where the bytes could mean more than one place."""
    opens, closes = list(_OPENS.finditer(body)), list(_CLOSES.finditer(body))
    if len(opens) == len(closes) == 1 and b"<!" not in body[opens[0].start() :]:
        return body[opens[0].start() : closes[0].end()]
    return bytes(etree.tostring(signature, with_tail=False))


def _fault(path: str, text: str) -> Issue:
    return Issue(code="STRUCTURE_INVALID", location=path, text=text)


def _node(element: etree._Element, name: str, path: str, faults: list[Issue]) -> Node:
    size = len(element)
    if not size:
        text = str(element.text or "")
        return Node(
            name=name,
            path=path,
            text=Leaf(path, text) if text.strip() else None,
            attributes=_attributes(element, path, faults) if element.attrib else {},
            children=(),
        )
    inner = [child for child in element if isinstance(child.tag, str)]
    if not inner:
        faults.append(_fault(path, "A comment or processing instruction stands inside a value."))
    elif _has_words(element):
        faults.append(_fault(path, "Words stand between the elements."))
    return Node(
        name=name,
        path=path,
        text=None,
        attributes=_attributes(element, path, faults) if element.attrib else {},
        children=tuple(_children(inner, path, faults)),
    )


def _has_words(element: etree._Element) -> bool:
    return bool((element.text or "").strip() or any((child.tail or "").strip() for child in element))


def _attributes(element: etree._Element, path: str, faults: list[Issue]) -> dict[str, Leaf]:
    leaves = {}
    if len(element.attrib) > MOST_ATTRIBUTES:
        faults.append(_fault(path, f"An element may have at most {MOST_ATTRIBUTES} attributes."))
        return {}
    for name, value in element.attrib.items():
        key = str(name)
        if key.startswith(_XSI):
            if key not in _HINTS:
                faults.append(_fault(path, "xsi:type and xsi:nil are not accepted."))
            key = key.replace(_XSI, "xsi:")
        if str(value).strip():
            leaves[key] = Leaf(f"{path}/@{key}", str(value))
    return leaves


def _children(inner: list[etree._Element], path: str, faults: list[Issue]) -> Iterator[Node]:
    counts: dict[str, int] = {}
    tags = [str(child.tag) for child in inner]
    totals = Counter(tags) if len(set(tags)) != len(tags) else {}
    for child, tag in zip(inner, tags, strict=True):
        if not tag.startswith(_OURS):
            if tag != _SIGNATURE or path != f"/{ROOT}":
                faults.append(_fault(f"{path}/*", "An element of another namespace stands here."))
            continue
        name = tag[len(_OURS) :]
        counts[name] = counts.get(name, 0) + 1
        numbered = name in REPEATED or totals.get(tag, 1) > 1 or (name == "For" and path.endswith("/AsRequired"))
        yield _node(child, name, f"{path}/{name}[{counts[name]}]" if numbered else f"{path}/{name}", faults)
