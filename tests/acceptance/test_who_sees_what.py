"""Nobody sees what is not theirs, on any page that links lead to, with the demonstration running.

A person of one trust sees nothing of another's prescriptions, and whatever is not theirs looks like what does not exist
(I9). Whoever looks after machines, figures or codes sees no patient by name or number (console.md 3).
"""

import json
import re
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from html import unescape
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, build_opener
from uuid import UUID

import apsw
import pytest

from tests.browser.crawl import pattern_of
from tests.browser.running import Running, demonstration

pytestmark = [pytest.mark.timeout(600), pytest.mark.slow]

PER_KIND = 3
"""Addresses of one kind that are looked at."""
LEFT_OUT = re.compile(r"/console/(static|events|enter|leave|links|fresh)\b")


@dataclass
class Browser:
    """A browser without script, signed in."""

    address: str
    opener: OpenerDirector = field(default_factory=lambda: build_opener(HTTPCookieProcessor(CookieJar())))

    def get(self, path: str) -> tuple[int, str]:
        """Give the status and the text of a page."""
        return self._open(path, None)

    def post(self, path: str, **values: str) -> tuple[int, str]:
        """Send a form of the session."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.get("/console/help")[1])
        assert found
        return self._open(path, urlencode({"csrf": found[1], **values}).encode())

    def _open(self, path: str, data: bytes | None) -> tuple[int, str]:
        try:
            with self.opener.open(self.address + path, data, timeout=30) as response:
                return response.status, response.read().decode("utf-8", "replace")
        except HTTPError as error:
            with error:
                return error.code, error.read().decode("utf-8", "replace")


@dataclass(frozen=True)
class Owned:
    """What of a prescription must stay with its own."""

    theirs: frozenset[str]
    id: str
    number: str
    nhs_number: str
    names: frozenset[str]


@dataclass(frozen=True)
class World:
    """A demonstration with something on every page."""

    running: Running
    owned: tuple[Owned, ...]
    paths: tuple[str, ...]

    def enter(self, who: str = "") -> Browser:
        browser = Browser(self.running.address)
        status, _ = browser.get(self.running.link().removeprefix(browser.address))
        assert status == 200
        if who:
            assert browser.post("/console/role", post=who)[0] == 200
        return browser


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with demonstration(tmp_path_factory.mktemp("who") / "data", prescriptions=24) as running:
        time.sleep(20)  # so that there is something on every page
        browser = Browser(running.address)
        browser.get(running.link().removeprefix(browser.address))
        yield World(running, tuple(owned(running.data)), tuple(crawl(browser)))


def owned(data: Path) -> Iterator[Owned]:
    rows = """SELECT prescription.uuid, prescription.tenant, prescription.number, nhs_number, document,
              (SELECT group_concat(provider) FROM allocation WHERE allocation.prescription = prescription.id)
              FROM prescription"""
    with closing(apsw.Connection(str(data / "gateway.db"), flags=apsw.SQLITE_OPEN_READONLY)) as connection:
        for key, tenant, number, nhs_number, document, given in connection.execute(rows):
            names = frozenset(family(json.loads(document))) if document else frozenset()
            theirs = frozenset({tenant, *(given or "").split(",")})
            yield Owned(theirs, str(UUID(bytes=key)), number, nhs_number, names)


def family(document: object) -> Iterator[str]:
    """Give the patient's last names in a prescription, wherever they stand."""
    if isinstance(document, dict):
        patient = document.get("patient")
        if isinstance(patient, dict):
            yield from re.findall(r'"family": "([^"]{4,})"', json.dumps(patient))
        for value in document.values():
            yield from family(value)
    if isinstance(document, list):
        for value in document:
            yield from family(value)


def crawl(browser: Browser) -> Iterator[str]:
    """Follow links, some of each kind."""
    waiting, seen, kinds = ["/console/"], {"/console/"}, defaultdict[str, int](int)
    while waiting:
        path = waiting.pop(0)
        kind = pattern_of(path.partition("?")[0])
        if kinds[kind] >= PER_KIND:
            continue
        kinds[kind] += 1
        yield path
        for found in re.findall(r'href="(/console[^"#]*)', browser.get(path)[1]):
            link = unescape(found)
            if link not in seen and not LEFT_OUT.search(link):
                seen.add(link)
                waiting.append(link)


def words(page: str) -> str:
    main = page.partition("<main")[2].partition("</main>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", f"<{main}").split())


def spaced(nhs_number: str) -> str:
    return f"{nhs_number[:3]} {nhs_number[3:6]} {nhs_number[6:]}"


def test_there_is_something_to_see(world: World) -> None:
    assert {"RBA", "RZA"} <= {code for one in world.owned for code in one.theirs}
    assert len({pattern_of(path.partition("?")[0]) for path in world.paths}) > 15
    assert sum(bool(one.names) for one in world.owned) > 10
    pages = "".join(world.enter().get(path)[1] for path in world.paths if "/prescriptions/" in path)
    assert any(name in pages for one in world.owned for name in one.names)


@pytest.mark.parametrize("who", ["charlie.rza", "indira.rza", "val.vncel"])
def test_nobody_sees_what_belongs_to_another(world: World, who: str) -> None:
    own = who.partition(".")[2].upper()
    browser = world.enter(who)
    nothing = words(browser.get("/console/nowhere")[1])
    foreign = [one for one in world.owned if own not in one.theirs]
    assert foreign
    faults = []
    for path in dict.fromkeys((*world.paths, *crawl(browser))):
        status, page = browser.get(path)
        shown = [one for one in foreign if one.id in page or (one.number and one.number in page)]
        if shown and path not in {f"/console/prescriptions/{one.id}" for one in shown}:
            faults.append(f"{path}: {status} shows {sorted(shown[0].theirs)} {shown[0].id}")
        if status == 404 and words(page) != nothing:
            faults.append(f"{path}: not found, but in other words")
    for one in foreign:
        status, page = browser.get(f"/console/prescriptions/{one.id}")
        if status != 404 or words(page) != nothing:
            faults.append(f"{one.id} of {sorted(one.theirs)}: {status}")
    assert faults == []


@pytest.mark.parametrize("who", ["olu.gateway", "avery.gateway", "indira.rba", "morgan.rba"])
def test_who_looks_after_machines_figures_or_codes_sees_no_patient(world: World, who: str) -> None:
    browser = world.enter(who)
    secret = {name for one in world.owned for name in one.names} | {
        form for one in world.owned if one.nhs_number for form in (one.nhs_number, spaced(one.nhs_number))
    }
    faults = []
    looked = 0
    for path in dict.fromkeys((*world.paths, *crawl(browser))):
        status, page = browser.get(path)
        looked += status == 200
        if status == 200 and (shown := sorted(one for one in secret if one in page)):
            faults.append(f"{path}: shows {shown[:3]}")
    assert faults == []
    assert looked > 2
