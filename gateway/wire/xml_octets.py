"""What any XML must be before a tree is built of it: UTF-8, without any declaration of a document type or an entity.

Source: reliability-security.md 4.2, X01, X02, X03, X05 and X06.
"""

import re
from typing import Final

from lxml import etree

_DECLARED: Final = re.compile(rb"""\A(?:\xef\xbb\xbf)?<\?xml[^>]*?encoding\s*=\s*["']([^"']*)["']""")
_CHARSET: Final = re.compile(r"charset\s*=\s*\"?([^\s;\"]+)", re.IGNORECASE)
_DECLARATION: Final = re.compile(rb"<!(?:DOCTYPE|ENTITY|ELEMENT|ATTLIST|NOTATION)", re.IGNORECASE)
_UTF_8: Final = frozenset({"", "utf-8", "utf8"})


class XmlOctetsError(ValueError):
    """The octets may not be given to an XML parser.

    Attributes:
        code: CHARSET_INVALID or UNREADABLE.
        location: `byte 39`; empty for the whole document.
        text: what is wrong, without values from the document.
    """

    def __init__(self, code: str, location: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.location = location
        self.text = text


def guard(body: bytes, content_type: str = "") -> None:
    """Refuse what could be read in two ways, or make a parser open or swell anything.

    Args:
        body: the document as received.
        content_type: its media type, whose charset must be UTF-8 too.

    Raises:
        XmlOctetsError: another character set than UTF-8, or a declaration.
    """
    declared, charset = _DECLARED.match(body), _CHARSET.search(content_type)
    named = (declared[1].decode("latin-1") if declared else "", charset[1] if charset else "")
    if any(name.lower() not in _UTF_8 for name in named):
        raise XmlOctetsError("CHARSET_INVALID", "", "The declared encoding is not UTF-8.")
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise XmlOctetsError("CHARSET_INVALID", f"byte {error.start}", "The body is not UTF-8.") from None
    if b"\x00" in body:
        raise XmlOctetsError("CHARSET_INVALID", f"byte {body.index(0)}", "The body holds a NUL; send UTF-8.")
    if match := _DECLARATION.search(body):
        text = "A document type or entity declaration is never accepted; leave it out."
        raise XmlOctetsError("UNREADABLE", f"byte {match.start()}", text)


def parser() -> etree.XMLParser:
    """Give the parser of what a trust writes and signs: it replaces no entity and opens no socket.

    The octets hold no declaration, which their reader has refused: with `collect_ids=False`, lxml 6.1 reads an outer
    definition from a file whatever `load_dtd` says.
    """
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        collect_ids=False,
    )
