"""`make screenshots`: every page of the console as it is with the demonstration running, wide and narrow."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from playwright.sync_api import Page, sync_playwright

from tests.browser.running import Running, demonstration, serving

FOLDER: Final = Path(__file__).parents[2] / "docs" / "console"
WIDTHS: Final = {"wide": 1280, "narrow": 320}
SETTLE_SECONDS: Final = 45
"""After which the simulated parties have given rise to work of most kinds."""
TALLEST: Final = 3000
"""Pixels: below that the rest of a long list is more of the same."""

_FIRST_OF_LIST: Final = """(links, here) => links
    .map((link) => link.getAttribute('href'))
    .find((href) => href.startsWith(here + '/') && !/[.](csv|json)/.test(href))"""


def main() -> int:
    """Take them."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("*.png"):
        old.unlink()
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-background-networking"]
        )
        page = browser.new_context(reduced_motion="reduce").new_page()
        with serving(Path(folder) / "empty") as gateway:
            page.goto(gateway.link())
            _take(page, "needs-attention-empty", f"{gateway.address}/console/")
        with serving(Path(folder) / "unwatched", "--only", "http,console") as gateway:
            page.goto(gateway.link())
            _take(page, "needs-attention-unwatched", f"{gateway.address}/console/")
        with demonstration(Path(folder) / "demo", prescriptions=40) as gateway:
            page.goto(gateway.link())
            page.wait_for_timeout(SETTLE_SECONDS * 1000)
            for name, address in _pages(page, gateway):
                _take(page, name, address)
        browser.close()
    return 0


def _pages(page: Page, gateway: Running) -> Iterator[tuple[str, str]]:
    """Give the pages, by the navigation and by what the lists lead to."""
    base = f"{gateway.address}/console/"
    page.goto(base)
    entries = page.locator("nav[aria-label=Main] a")
    named = {str(entry.get_attribute("href")): entry.inner_text().split("\n")[0].strip() for entry in entries.all()}
    for path, words in named.items():
        yield _name(words), gateway.address + path
    for path, words in (*named.items(), ("/console/help", ""), ("/console/accessibility", ""), ("/console/how", "")):
        if not words:
            yield path.rpartition("/")[2], gateway.address + path
            continue
        page.goto(gateway.address + path)
        first = page.locator("main a[href^='/console/']").evaluate_all(_FIRST_OF_LIST, path.rstrip("/"))
        if first and path != "/console/":
            yield f"{_name(words)}-one", gateway.address + first


def _name(words: str) -> str:
    return "-".join("".join(c if c.isalpha() else " " for c in words.lower()).split())


def _take(page: Page, name: str, address: str) -> None:
    for how, width in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(address)
        height = min(TALLEST, int(page.evaluate("document.documentElement.scrollHeight")))
        page.screenshot(
            path=FOLDER / f"{name}-{how}.png",
            full_page=True,
            clip={"x": 0, "y": 0, "width": width, "height": height},
        )
        sys.stdout.write(f"{name}-{how}.png\n")


if __name__ == "__main__":
    sys.exit(main())
