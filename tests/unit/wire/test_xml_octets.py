"""The parser of what a trust writes and signs replaces no entity and keeps to limits."""

from pathlib import Path

import pytest
from lxml import etree

from gateway.wire.xml_octets import parser


@pytest.mark.parametrize("declared", ['ENTITY e "INSIDE"', 'ENTITY e SYSTEM "{file}"'], ids=["inner", "of a file"])
def test_no_entity_is_replaced(tmp_path: Path, declared: str) -> None:
    file = tmp_path / "secret"
    file.write_text("INSIDE")
    body = f"<!DOCTYPE a [<!{declared.format(file=file)}>]><a>&e;</a>".encode()
    root = etree.fromstring(body, parser())
    assert "INSIDE" not in "".join(root.itertext(etree.Element))
    assert b"&e;</a>" in etree.tostring(root)


def test_what_is_nested_without_end_is_refused() -> None:
    with pytest.raises(etree.XMLSyntaxError):
        etree.fromstring(b"<a>" * 300 + b"</a>" * 300, parser())
