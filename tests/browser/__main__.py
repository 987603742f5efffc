"""`make screenshots`: every page of the console as it is with the demonstration running, wide and narrow."""

import shutil
import sys
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tests.browser.crawl import kinds
from tests.browser.running import demonstration, serving

FOLDER: Final = Path(__file__).parents[2] / "docs" / "console"
WIDTHS: Final = {"wide": 1280, "narrow": 320}
SETTLE_SECONDS: Final = 45
"""After which the simulated parties have given rise to work of most kinds."""
_COLOURS: Final = 48
TALLEST: Final = 2600
"""Pixels: below that the rest of a long list is more of the same."""


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
            for kind in list(kinds(page, gateway.address)):
                _take(page, kind.name, gateway.address + kind.path)
        browser.close()
    return 0


def _take(page: Page, name: str, address: str) -> None:
    for how, width in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(address)
        height = min(TALLEST, int(page.evaluate("document.documentElement.scrollHeight")))
        clip = {"x": 0, "y": 0, "width": width, "height": height}
        picture = Image.open(BytesIO(page.screenshot(full_page=True, clip=clip)))  # type: ignore[arg-type]
        picture.convert("RGB").quantize(_COLOURS).save(FOLDER / f"{name}-{how}.png", optimize=True)
        sys.stdout.write(f"{name}-{how}.png\n")


if __name__ == "__main__":
    sys.exit(main())
