"""Every kind of page a person can reach by links, one address of each."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from playwright.sync_api import Page

MOST: Final = 120
_LEFT_OUT: Final = re.compile(r"/console/(static|events|enter|leave|fresh|links)\b|[.](csv|json|txt|xml|bin)$")
_IDS: Final = re.compile(r"/([0-9a-f]{8}-[0-9a-f-]{27}|[A-Z0-9]{3,6}|\d+|\d{4}-\d{2}|[A-Za-z0-9_-]{16,})(?=/|$)")
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
    """

    pattern: str
    path: str

    @property
    def name(self) -> str:
        """A name for a picture of it."""
        return "-".join(re.findall(r"[a-z]+|\*", self.pattern.removeprefix("/console"))).replace("*", "one") or "home"


def kinds(page: Page, address: str, start: str = "/console/") -> Iterator[Kind]:
    """Follow links from a page, one of each kind, the nearest first."""
    waiting, seen = [start], {pattern_of(start)}
    given = 0
    while waiting and given < MOST:
        path = waiting.pop(0)
        page.goto(address + path)
        given += 1
        yield Kind(pattern_of(path), path)
        page.goto(address + path)
        for found in page.locator("a[href]").evaluate_all(_LINKS):
            pattern = pattern_of(found)
            if found.startswith("/console") and pattern not in seen and not _LEFT_OUT.search(found):
                seen.add(pattern)
                waiting.append(found)


def pattern_of(path: str) -> str:
    """Give the kind of an address."""
    return _IDS.sub("/*", path.rstrip("/") + ("/" if path == "/console/" else ""))
