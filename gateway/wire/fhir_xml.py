"""FHIR XML to JSON and back, from the compiled tables, without loss.

Both directions walk the same table, which gives the order of elements and tells arrays from single values. Number
lexemes are kept: a decimal goes from attribute to `Decimal` and back as it was written. XML with a DOCTYPE is refused.

Source: FHIR R4 4.0.1, xml.html and json.html; brief 3 (`wire`).
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from lxml import etree

from gateway.wire.many import MOST_ATTRIBUTES
from gateway.wire.strict_json import number_fault
from gateway.wire.xml_octets import XmlOctetsError, guard

FHIR = "http://hl7.org/fhir"
XHTML = "http://www.w3.org/1999/xhtml"

_BLANKS = " \t\r\n"
_WHOLE = frozenset({"integer", "unsignedInt", "positiveInt"})

_NAMESPACES: Any = {None: FHIR}  # the stubs know only named prefixes

Table = Mapping[str, Any]


class FhirXmlError(ValueError):
    """The document is not FHIR XML that can be turned into JSON without loss.

    Attributes:
        location: FHIRPath of the element, or the byte; empty for the whole document.
        text: what is wrong, without values from the document.
        code: STRUCTURE_INVALID where there is a tree; else UNREADABLE or CHARSET_INVALID.
    """

    def __init__(self, location: str, text: str, code: str = "STRUCTURE_INVALID") -> None:
        super().__init__(text)
        self.location = location
        self.text = text
        self.code = code


class _Fault(Exception):
    """Something wrong at one element of the tree; it becomes a `FhirXmlError` with the element's FHIRPath."""

    def __init__(self, node: etree._Element, text: str) -> None:
        super().__init__(text)
        self.node = node
        self.text = text


class FhirXml:
    """The two directions.

    Args:
        table: the compiled R4 table (`fhir_profiles/r4-4.0.1.json`).
    """

    def __init__(self, table: Table) -> None:
        self._types = table["types"]
        self._primitives = frozenset(table["primitives"])

    def to_json(self, body: bytes) -> dict[str, Any]:
        """Turn one FHIR XML resource into its JSON form.

        Raises:
            FhirXmlError: no UTF-8, a DOCTYPE, another namespace, an unknown element or a value of the wrong form.
        """
        try:
            guard(body)
        except XmlOctetsError as error:
            raise FhirXmlError(error.location, error.text, error.code) from None
        parser = etree.XMLParser(
            resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True
        )
        try:
            root = etree.fromstring(body, parser)
        except etree.XMLSyntaxError as error:
            raise FhirXmlError("", f"the XML is not well-formed (line {error.lineno})", "UNREADABLE") from None
        try:
            return self._resource_from(_alone(root))
        except _Fault as fault:
            raise FhirXmlError(self._path(fault.node), fault.text) from None

    def to_xml(self, resource: Mapping[str, Any]) -> bytes:
        """Turn one JSON resource into FHIR XML.

        Raises:
            FhirXmlError: an unknown element or resource type.
        """
        root = self._resource_element(resource)
        etree.cleanup_namespaces(root, top_nsmap=_NAMESPACES)
        return etree.tostring(root, encoding="UTF-8", xml_declaration=True)

    # XML to JSON

    def _path(self, node: etree._Element) -> str:
        """Give the FHIRPath of an element: indices from nought, and no step for a resource inside `resource`."""
        chain = [*reversed([*node.iterancestors()]), node]
        names = [etree.QName(one).localname for one in chain]
        steps, type_name, opened = [names[0]], names[0], False
        for one, name in zip(chain[1:], names[1:], strict=True):
            if opened:
                type_name, opened = name, False
                continue
            spec = self._types.get(type_name, {}).get("elements", {}).get(name, {"type": "", "many": False})
            index = sum(1 for _ in one.itersiblings(str(one.tag), preceding=True))
            steps.append(f"{name}[{index}]" if spec["many"] or index else name)
            type_name, opened = spec["type"], spec["type"] == "Resource"
        return ".".join(steps)

    def _resource_from(self, node: etree._Element) -> dict[str, Any]:
        _in_namespace(node, FHIR)
        name = etree.QName(node).localname
        if not self._types.get(name, {}).get("resource"):
            raise _Fault(node, "a resource that is not served")
        return {"resourceType": name, **self._object_from(node, name)}

    def _object_from(self, node: etree._Element, type_name: str) -> dict[str, Any]:
        row = self._types.get(type_name)
        if row is None:
            raise _Fault(node, "a type that is not served")
        elements = row["elements"]
        out: dict[str, Any] = _attributes(node)
        if any(not self._is_attribute(name, type_name, row) for name in out):
            raise _Fault(node, "an attribute that is not served")
        for child in _inside(node):
            name = etree.QName(child).localname
            spec = elements.get(name)
            if spec is None:
                raise _Fault(child, "an element that is not served")
            _in_namespace(child, XHTML if spec["type"] == "xhtml" else FHIR)
            self._put(out, name, child, spec)
        return out

    def _put(self, out: dict[str, Any], name: str, child: etree._Element, spec: Mapping[str, Any]) -> None:
        kind = spec["type"]
        if kind == "xhtml":
            out[name] = etree.tostring(child, encoding="unicode", with_tail=False)
            return
        if kind not in self._primitives:
            inner = self._inner_resource(child) if kind == "Resource" else self._object_from(child, kind)
            _add(out, name, inner, many=spec["many"], at=child)
            return
        attributes = _attributes(child)
        raw = attributes.pop("value", None)
        value = None if raw is None else _from_lexeme(raw, kind, child)
        companion = self._companion_from(child, attributes)
        if value is None and companion is None:
            raise _Fault(child, "an element without a value")
        self._put_primitive(out, name, value, companion, many=spec["many"], at=child)

    def _companion_from(self, child: etree._Element, attributes: dict[str, str]) -> dict[str, Any] | None:
        out: dict[str, Any] = dict(attributes)
        if set(out) - {"id"}:
            raise _Fault(child, "an attribute that is not served")
        for extension in _inside(child):
            if extension.tag != f"{{{FHIR}}}extension":
                raise _Fault(extension, "an element that is not served")
            out.setdefault("extension", []).append(self._object_from(extension, "Extension"))
        return out or None

    @staticmethod
    def _put_primitive(
        out: dict[str, Any], name: str, value: Any, companion: dict[str, Any] | None, *, many: bool, at: etree._Element
    ) -> None:
        beside = "_" + name
        if not many:
            if name in out or beside in out:
                raise _Fault(at, "an element that may stand once")
            if value is not None:
                out[name] = value
            if companion is not None:
                out[beside] = companion
            return
        values = out.setdefault(name, [])
        values.append(value)
        if companion is not None or beside in out:
            companions = out.setdefault(beside, [None] * (len(values) - 1))
            companions += [None] * (len(values) - 1 - len(companions))
            companions.append(companion)

    def _inner_resource(self, child: etree._Element) -> dict[str, Any]:
        inner = _inside(child)
        if len(inner) != 1:
            raise _Fault(child, "exactly one resource must stand here")
        return self._resource_from(inner[0])

    # JSON to XML

    def _resource_element(self, resource: Mapping[str, Any]) -> etree._Element:
        name = str(resource.get("resourceType"))
        return self._object_element(name, name, {key: v for key, v in resource.items() if key != "resourceType"})

    def _object_element(self, tag: str, type_name: str, value: Mapping[str, Any]) -> etree._Element:
        row = self._types.get(type_name)
        if row is None:
            raise FhirXmlError(type_name, "a type that is not served")
        node = etree.Element(f"{{{FHIR}}}{tag}", nsmap=_NAMESPACES)
        elements = row["elements"]
        unknown = [key for key in value if key not in elements and key.removeprefix("_") not in elements]
        if unknown:
            raise FhirXmlError(type_name, "an element that is not served")
        for name, spec in elements.items():
            if name not in value and "_" + name not in value:
                continue
            if self._is_attribute(name, type_name, row):
                node.set(name, str(value[name]))
            else:
                node.extend(self._elements(name, spec, value))
        return node

    @staticmethod
    def _is_attribute(name: str, type_name: str, row: Table) -> bool:
        return (name == "id" and not row["resource"]) or (name == "url" and type_name == "Extension")

    def _elements(self, name: str, spec: Mapping[str, Any], value: Mapping[str, Any]) -> Iterator[etree._Element]:
        kind, beside = spec["type"], value.get("_" + name)
        items = value.get(name) if spec["many"] else [value.get(name)]
        companions = beside if spec["many"] else [beside]
        count = max(len(items or ()), len(companions or ()))
        for index in range(count):
            item = items[index] if items and index < len(items) else None
            companion = companions[index] if companions and index < len(companions) else None
            yield self._one_element(name, kind, item, companion)

    def _one_element(self, name: str, kind: str, item: Any, companion: Mapping[str, Any] | None) -> etree._Element:
        if kind == "xhtml":
            return etree.fromstring(item.encode(), etree.XMLParser(resolve_entities=False, no_network=True))
        if kind == "Resource":
            holder = etree.Element(f"{{{FHIR}}}{name}")
            holder.append(self._resource_element(item))
            return holder
        if kind not in self._primitives:
            return self._object_element(name, kind, item)
        node = etree.Element(f"{{{FHIR}}}{name}")
        if companion and "id" in companion:
            node.set("id", str(companion["id"]))
        if item is not None:
            node.set("value", _lexeme(item))
        for extension in (companion or {}).get("extension", ()):
            node.append(self._object_element("extension", "Extension", extension))
        return node


def _add(out: dict[str, Any], name: str, value: Any, *, many: bool, at: etree._Element) -> None:
    if many:
        out.setdefault(name, []).append(value)
    elif name in out:
        raise _Fault(at, "an element that may stand once")
    else:
        out[name] = value


def _attributes(node: etree._Element) -> dict[str, str]:
    if len(node.attrib) > MOST_ATTRIBUTES:
        raise _Fault(node, "an attribute that is not served")
    return {str(name): str(value) for name, value in node.attrib.items()}


def _inside(node: etree._Element) -> list[etree._Element]:
    """Give the elements inside one; anything else that stands there would be lost."""
    if any(not isinstance(child.tag, str) for child in node):
        raise _Fault(node, "a processing instruction is not accepted")
    if any((text or "").strip(_BLANKS) for text in (node.text, *(child.tail for child in node))):
        raise _Fault(node, "text where only elements may stand")
    return [*node]


def _alone(root: etree._Element) -> etree._Element:
    """Give the root, which nothing may stand beside."""
    if any(not isinstance(one.tag, str) for one in (*root.itersiblings(preceding=True), *root.itersiblings())):
        raise _Fault(root, "a processing instruction is not accepted")
    return root


def _in_namespace(node: etree._Element, namespace: str) -> None:
    if etree.QName(node).namespace != namespace:
        raise _Fault(node, "an element of another namespace")


def _from_lexeme(raw: str, kind: str, at: etree._Element) -> Any:
    if kind == "boolean":
        if raw not in {"true", "false"}:
            raise _Fault(at, "must be true or false")
        return raw == "true"
    if kind in _WHOLE:
        if not re.fullmatch(r"-?(0|[1-9]\d*)", raw, re.ASCII):
            raise _Fault(at, "must be a whole number")
        return int(_known(raw, at))
    if kind == "decimal":
        if not re.fullmatch(r"-?(0|[1-9]\d*)(\.\d+)?", raw, re.ASCII):
            raise _Fault(at, "must be a plain decimal")
        return Decimal(_known(raw, at)) if "." in raw else int(_known(raw, at))
    return raw


def _known(raw: str, at: etree._Element) -> str:
    if why := number_fault(raw):
        raise _Fault(at, why.removesuffix("."))
    return raw


def _lexeme(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(value, "f") if isinstance(value, Decimal) else str(value)
