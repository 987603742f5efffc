"""`make screenshots`: every page of the console as it is with the demonstration running, wide and narrow.

`python -m tests.browser WORD …` takes those pictures again whose names have one of the words, and leaves the others.
"""

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from gateway.console.attention.attention_query import REASON_NAMES
from gateway.domain.work_item import Reason
from tests.browser.crawl import kinds
from tests.browser.running import Running, demonstration, serving
from tests.browser.ways import be_at

_REASONS: Final = {reason: name for name, reason in REASON_NAMES.items()}
FOLDER: Final = Path(__file__).parents[2] / "docs" / "console"
WIDTHS: Final = {"wide": 1280, "narrow": 320}
SETTLE_SECONDS: Final = 60
"""After which the simulated parties have given rise to work of every kind."""
_COLOURS: Final = 48
"""Few colours, without loss in WebP: a picture of text and tags that is small."""
TALLEST: Final = 2600
"""Pixels: below that the rest of a long list is more of the same."""
TRUST: Final = "Example Trust"
PEOPLE: Final = (
    (TRUST, "Homecare pharmacist"),
    (TRUST, "Pharmacy technician"),
    (TRUST, "Prescriber"),
    (TRUST, "Integration engineer"),
    (TRUST, "Map approver"),
    (TRUST, "Chief pharmacist"),
    ("Example Moor", "Homecare pharmacist"),
    ("Example Query Homecare", "Provider pharmacist"),
    ("The gateway as a whole", "Gateway operator"),
    ("The gateway as a whole", "Auditor"),
    ("The gateway as a whole", "Commissioner"),
    ("The gateway as a whole", "Regulator or analyst"),
)
"""Whose first page differs from the others'."""
SHOWN: Final = (
    Reason.QUESTION,
    Reason.IN_DOUBT,
    Reason.NOT_SENT,
    Reason.HELD_SOURCE,
    Reason.HELD_CODE,
    Reason.BALANCE,
    Reason.REJECTED,
    Reason.CANCEL_UNCONFIRMED,
    Reason.DELIVERY_FAILED,
    Reason.NO_DELIVERY,
)
"""Why a prescription is on the list that is shown in full."""
ACTS: Final = {
    "cancel": Reason.NO_ACCEPTANCE,
    "hold": Reason.NO_ACCEPTANCE,
    "reroute": Reason.NOT_SENT,
    "send-again": Reason.NOT_SENT,
    "resolve": Reason.IN_DOUBT,
    "answer": Reason.QUESTION,
    "close": Reason.REJECTED,
    "renewal": Reason.RENEWAL,
    "rescue": Reason.BALANCE,
    "paper-original": Reason.PAPER,
    "correct": Reason.HELD_SOURCE,
}
"""Each act, and for which prescription its page is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One picture to take, at each width.

    Attributes:
        name: of its files.
        page: which page, by its address with `*` for what differs.
        state: what it shows, and to whom.
        open: brings a browser's page there.
    """

    name: str
    page: str
    state: str
    open: Callable[[Page], object]


def main(words: tuple[str, ...]) -> int:
    """Take them: all, or those whose names have one of the words."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    if not words:
        for old in FOLDER.glob("*.webp"):
            old.unlink()
    taken: list[Picture] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-background-networking"]
        )
        for page, picture in _all(browser):
            if not words or any(word in picture.name for word in words):
                _take(page, picture)
                taken.append(picture)
        browser.close()
    if not words:
        (FOLDER / "README.md").write_text(_contents(taken), encoding="utf-8")
    return 0


def _all(browser: Browser) -> Iterator[tuple[Page, Picture]]:
    with tempfile.TemporaryDirectory() as folder:
        with serving(Path(folder) / "empty") as gateway:
            page = _enter(browser, gateway)
            for pattern in ("/console/", "/console/held-codes", "/console/screening", "/console/waiting"):
                yield page, _of(gateway, f"{_name(pattern)}-empty", pattern, "nobody has sent anything")
        with serving(Path(folder) / "unwatched", "--only", "http,console") as gateway:
            page = _enter(browser, gateway)
            yield page, _of(gateway, "home-unwatched", "/console/", "the watch is not running")
        with demonstration(Path(folder) / "demo", prescriptions=40) as gateway:
            page = _enter(browser, gateway)
            page.wait_for_timeout(SETTLE_SECONDS * 1000)
            yield from ((page, picture) for picture in _of_people(page, gateway))
            page = _enter(browser, gateway)
            for kind in kinds(page, gateway.address):
                yield page, _of(gateway, kind.name, kind.path, "work under way", shown=kind.pattern)
            yield from ((page, picture) for picture in _of_prescriptions(page, gateway))
            yield from ((page, picture) for picture in _of_states(page, gateway))


def _enter(browser: Browser, gateway: Running) -> Page:
    page = browser.new_context(reduced_motion="reduce", locale="en-GB").new_page()
    page.goto(gateway.link())
    return page


def _name(pattern: str) -> str:
    return pattern.removeprefix("/console/").replace("/", "-") or "home"


def _of(gateway: Running, name: str, path: str, state: str, *, shown: str = "") -> Picture:
    address = gateway.address + path
    return Picture(name=name, page=shown or path, state=state, open=lambda page: page.goto(address))


def _of_people(page: Page, gateway: Running) -> Iterator[Picture]:
    """Give the first page of each role."""
    for organisation, role in PEOPLE:
        be_at(page, organisation, role)
        path = page.url.removeprefix(gateway.address).partition("?")[0]
        where = "" if organisation in {TRUST, "The gateway as a whole"} else f"-{organisation.split()[1].lower()}"
        name = f"first-{role.lower().replace(' ', '-')}{where}"
        yield _of(gateway, name, path, f"first page of: {role}, {organisation}")


def _of_prescriptions(page: Page, gateway: Running) -> Iterator[Picture]:
    """Give prescriptions that wait for each reason, and the pages of what may be done about them."""
    found = {reason: _one(page, gateway, reason) for reason in (*SHOWN, *ACTS.values())}
    where = "/console/prescriptions/*"
    for reason in SHOWN:
        if found[reason]:
            name = f"prescription-{_REASONS[reason]}"
            yield _of(gateway, name, found[reason], f"on the list: {reason}", shown=where)
    for act, reason in ACTS.items():
        if found[reason]:
            path = f"{found[reason]}/{act}"
            yield _of(gateway, f"act-{act}", path, f"on the list: {reason}", shown=f"{where}/{act}")


def _one(page: Page, gateway: Running, reason: Reason) -> str:
    """Give the address of a prescription that waits for a reason; empty where none does."""
    page.goto(f"{gateway.address}/console/?reason={_REASONS[reason]}")
    rows = page.locator("ol.hc-work > li").filter(has_text=f"{reason.value}. ", has_not_text="Settled: ")
    return (rows.first.locator("h2 a").get_attribute("href") or "") if rows.count() else ""


def _of_states(page: Page, gateway: Running) -> Iterator[Picture]:
    """Give what people meet when something is missing, wrong or not theirs."""
    prescription = _one(page, gateway, Reason.NO_ACCEPTANCE)

    def unanswered(at: Page) -> None:
        at.goto(f"{gateway.address}{prescription}/cancel")
        at.locator("textarea[name=reason]").fill("Treatment was stopped.")
        at.locator("main form[method=post] button.nhsuk-button").last.click()

    def nobody_found(at: Page) -> None:
        at.goto(f"{gateway.address}/console/search")
        at.get_by_role("search").get_by_role("textbox").fill("999 000 0077")
        at.get_by_role("search").get_by_role("button").click()
        at.wait_for_url("**/console/results/*")

    def mistyped(at: Page) -> None:
        at.goto(f"{gateway.address}/console/search")
        at.get_by_role("search").get_by_role("textbox").fill("999 000 0078")
        at.get_by_role("search").get_by_role("button").click()

    def in_trouble(at: Page) -> None:
        be_at(at, TRUST, "Chief pharmacist")
        at.goto(f"{gateway.address}/console/providers/VDEM2/trouble")  # of it something is open in any demonstration

    def signed_out(at: Page) -> None:
        at.context.clear_cookies()
        at.goto(f"{gateway.address}/console/")

    yield Picture(name="state-form-error", page="/console/prescriptions/*/cancel", state="no reason", open=unanswered)
    yield Picture(name="state-nothing-found", page="/console/results/*", state="none has it", open=nobody_found)
    yield Picture(name="state-mistyped", page="/console/search", state="wrong check digit", open=mistyped)
    yield _of(gateway, "state-not-found", "/console/work/999999", "not there, or not theirs")
    yield _of(gateway, "state-filtered-empty", "/console/?whose=mine", "nothing fits the filters")
    trouble = "of its own trust's chief pharmacist"
    yield Picture(name="state-in-trouble", page="/console/providers/*/trouble", state=trouble, open=in_trouble)
    yield Picture(name="state-signed-out", page="/console/", state="signed out", open=signed_out)


def _take(page: Page, picture: Picture) -> None:
    for how, width in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": 900})
        picture.open(page)
        height = min(TALLEST, int(page.evaluate("document.documentElement.scrollHeight")))
        clip = {"x": 0, "y": 0, "width": width, "height": height}
        image = Image.open(BytesIO(page.screenshot(full_page=True, clip=clip)))  # type: ignore[arg-type]
        few = image.convert("RGB").quantize(_COLOURS).convert("RGB")
        few.save(FOLDER / f"{picture.name}-{how}.webp", lossless=True, quality=100, method=4)
        sys.stdout.write(f"{picture.name}-{how}\n")
        sys.stdout.flush()


def _contents(taken: list[Picture]) -> str:
    rows = [
        f"| `{one.page}` | {one.state} | [1280 px]({one.name}-wide.webp) | [320 px]({one.name}-narrow.webp) |"
        for one in taken
    ]
    return "\n".join(
        (
            "# The console in pictures",
            "",
            "Every page with the demonstration running, taken and listed by `make screenshots`. Everybody in them is",
            f"invented. Pictures end at {TALLEST:,} pixels and have {_COLOURS} colours, as WebP without further loss.",
            "",
            "| Page | State | Wide | Narrow |",
            "|---|---|---|---|",
            *rows,
            "",
        )
    )


if __name__ == "__main__":
    sys.exit(main(tuple(sys.argv[1:])))
