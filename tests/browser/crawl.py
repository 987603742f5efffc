"""Every kind of page a person can reach by links, one address of each."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from playwright.sync_api import Page

MOST: Final = 120
_LEFT_OUT: Final = re.compile(r"/console/(static|events|enter|leave|fresh|links)\b|[.](csv|json|txt|xml|bin)$")
_IDS: Final = re.compile(r"/([0-9a-f]{8}-[0-9a-f-]{27}|[A-Z0-9]{3,6}|\d+|\d{4}-\d{2}|[A-Za-z0-9_-]{16,}|recent)(?=/|$)")
_NUMBERED: Final = re.compile(r"/(in|out|apart|answer)-\d+(?=/|$)")
"""Messages, by where they stand: those that came, those that went, what was kept apart, what was answered."""
_LINKS: Final = """(links) => links
    .map((link) => new URL(link.href))
    .filter((to) => to.origin === location.origin)
    .map((to) => to.pathname)"""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of page.

    Attributes:
        pattern: its address with `*` for what differs.
        path: one address of the kind.
        status: with which it was answered.
    """

    pattern: str
    path: str
    status: int

    @property
    def name(self) -> str:
        """A name for a picture of it."""
        return "-".join(re.findall(r"[a-z]+|\*", self.pattern.removeprefix("/console"))).replace("*", "one") or "home"


def kinds(page: Page, address: str, start: str = "/console/") -> Iterator[Kind]:
    """Follow links from a page, one of each kind, the nearest first; each is open when it is given."""
    waiting, seen = [start], {pattern_of(start)}
    given = 0
    while waiting and given < MOST:
        path = waiting.pop(0)
        response = page.goto(address + path)
        given += 1
        for found in page.locator("a[href]").evaluate_all(_LINKS):
            pattern = pattern_of(found)
            if found.startswith("/console") and pattern not in seen and not _LEFT_OUT.search(found):
                seen.add(pattern)
                waiting.append(found)
        yield Kind(pattern_of(path), path, response.status if response is not None else 0)


def pattern_of(path: str) -> str:
    """Give the kind of an address."""
    whole = path.rstrip("/") + ("/" if path == "/console/" else "")
    return _NUMBERED.sub(r"/\1-*", _IDS.sub("/*", whole))
