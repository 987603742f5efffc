"""Reads the rows of one dm+d file one at a time, in constant memory.

A file is a root, sections (not in the files of substances) and rows whose children are plain values. DOCTYPE,
entities and network are off; a file with a DOCTYPE is refused, as is one that ends early.

Source: NHSBSA dm+d XML schemas v2.3 (`vmp_v2_3.xsd` and its siblings).
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from lxml import etree

from gateway.domain.errors import ConfigurationError

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class FileKind:
    """One kind of file of a release.

    Attributes:
        prefix: of its name; a number, the date (ddmmyy) and `.xml` follow.
        root: its root element.
        depth: how deep the rows stand, the root being 1.
    """

    prefix: str
    root: str
    depth: int


VTM = FileKind("f_vtm2_", "VIRTUAL_THERAPEUTIC_MOIETIES", 2)
VMP = FileKind("f_vmp2_", "VIRTUAL_MED_PRODUCTS", 3)
AMP = FileKind("f_amp2_", "ACTUAL_MEDICINAL_PRODUCTS", 3)
VMPP = FileKind("f_vmpp2_", "VIRTUAL_MED_PRODUCT_PACK", 3)
AMPP = FileKind("f_ampp2_", "ACTUAL_MEDICINAL_PROD_PACKS", 3)
INGREDIENT = FileKind("f_ingredient2_", "INGREDIENT_SUBSTANCES", 2)
LOOKUP = FileKind("f_lookup2_", "LOOKUP", 3)
HISTORY = FileKind("f_history", "HISTORY", 3)
"""Comes apart from the others, in the supplementary files: it may be absent, and its name has had several numbers."""
KINDS = (VTM, VMP, AMP, VMPP, AMPP, INGREDIENT, LOOKUP)


def rows(path: Path, kind: FileKind, wanted: Collection[str]) -> Iterator[tuple[str, Row]]:
    """Give the rows of the wanted sections, in the file's order.

    Args:
        path: the file.
        kind: what it must be.
        wanted: names of row elements (`VMP`, `CONTROL_INFO`); in the lookup file, where all are `INFO`, of sections.

    Returns:
        Pairs of the wanted name and the row's values; an empty element is absent.

    Raises:
        ConfigurationError: the file is malformed, truncated, has a DOCTYPE or another root, or a value twice.
    """
    try:
        with path.open("rb") as file:
            yield from _rows(path, file, kind, wanted)
    except etree.XMLSyntaxError as error:
        raise ConfigurationError(f"{path.name}: line {error.lineno}: is not well-formed XML, or ends early") from None
    except OSError as error:
        raise ConfigurationError(f"{path.name}: cannot be read: {error.strerror}") from None


def _rows(path: Path, file: BinaryIO, kind: FileKind, wanted: Collection[str]) -> Iterator[tuple[str, Row]]:
    depth = 0
    events = etree.iterparse(
        file,
        events=("start", "end"),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    for event, element in events:
        if event == "start":
            depth += 1
            _check_start(path, kind, element, depth)
            continue
        if depth == kind.depth:
            section = element.getparent()
            name = section.tag if kind is LOOKUP and section is not None else element.tag
            if name in wanted:
                yield name, _values(path, element)
            _forget(element)
        depth -= 1


def _check_start(path: Path, kind: FileKind, element: etree._Element, depth: int) -> None:
    if depth > kind.depth + 1:
        raise ConfigurationError(f"{path.name}: line {element.sourceline}: {element.tag} stands too deep")
    if depth > 1:
        return
    if element.getroottree().docinfo.internalDTD is not None:
        raise ConfigurationError(f"{path.name}: a DOCTYPE is not accepted")
    if element.tag != kind.root:
        raise ConfigurationError(f"{path.name}: the root is not {kind.root}")


def _values(path: Path, element: etree._Element) -> Row:
    values: Row = {}
    for child in element:
        if child.tag in values:
            raise ConfigurationError(f"{path.name}: line {element.sourceline}: {child.tag} stands twice")
        values[child.tag] = " ".join((child.text or "").split())
    return {name: value for name, value in values.items() if value}


def _forget(element: etree._Element) -> None:
    """Free a row that was read, and the emptied rows before it."""
    element.clear()
    section = element.getparent()
    while section is not None and element.getprevious() is not None:
        del section[0]
