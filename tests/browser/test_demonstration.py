"""What `make run` gives a person to do: work of every kind within a minute, and each item can be worked to its end."""

import time
from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Page

from gateway.console.attention.attention_query import REASON_NAMES
from gateway.domain.alert_kinds import ALERT_KINDS
from gateway.domain.work_item import KINDS, OF_STATE, Reason
from tests.browser.conftest import Enter, clean
from tests.browser.expiring import let_one_expire
from tests.browser.late import let_a_change_come_late
from tests.browser.running import Running, demonstration
from tests.browser.ways import WAYS, Row, be_at, close_row

pytestmark = pytest.mark.timeout(900)

FILL_SECONDS: Final = 180
"""A minute, on a machine that does nothing else; half a minute more for what is tried so long before it is given up."""
LEAVE_SECONDS: Final = 30
PHARMACIST: Final = "Perry Pharmacist"
_WHO: Final = {
    Reason.SCREENING: ("Example Moor", PHARMACIST),
    Reason.PAPER: ("Example Vale", PHARMACIST),
    Reason.SIGNATURE: ("Example Dale", PHARMACIST),
    Reason.MACHINE: ("The gateway as a whole", "Gateway operator"),
}
"""Who has such work, where it is not a pharmacist of Example Trust."""
_MADE: Final = {Reason.ENDED: let_one_expire, Reason.RULING: let_a_change_come_late}
"""What no simulated party brings about, and what does: the end of validity takes months, a late change seldom comes."""
_NAMES: Final = {reason: name for name, reason in REASON_NAMES.items()}


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Give a demonstration of this file's own: its work is done here, and nowhere else."""
    with demonstration(tmp_path_factory.mktemp("day") / "data") as running:
        yield running


def be_whose(page: Page, reason: Reason) -> None:
    """Become somebody who has such work."""
    be_at(page, *_WHO.get(reason, ("Example Trust", PHARMACIST)))


def lists(reason: Reason) -> str:
    """Give the address of the list on which such work is, and of as little else as can be."""
    return "/console/gateway" if reason is Reason.MACHINE else f"/console/?reason={_NAMES[reason]}"


def leaves(page: Page, address: str) -> Iterator[Page]:
    """Turn over the leaves of a list, from the first to the last."""
    page.goto(address)
    yield page
    while (later := page.locator("nav.nhsuk-pagination a[rel=next]")).count():
        later.click()
        page.wait_for_load_state()
        yield page


def listed(page: Page, gateway: Running, reason: Reason) -> Row | None:
    """Give the first row of a kind that a person can see now; what stands in a group is looked for there."""
    for path in (lists(reason), *_groups(page, gateway)):
        for leaf in leaves(page, gateway.address + path):
            rows = leaf.locator("ol.hc-work > li").filter(has_text=f"{reason.value}. ")
            if rows.count():
                heading = rows.first.locator("h2")
                key = heading.get_attribute("id") or ""
                href = heading.locator("a").get_attribute("href") or ""
                return Row(key=key, words=rows.first.inner_text(), href=href)
    return None


def _groups(page: Page, gateway: Running) -> list[str]:
    page.goto(f"{gateway.address}/console/")
    hrefs = page.locator("ol.hc-work h2 a[href*='silent=']").evaluate_all("all => all.map(one => one.search)")
    return [f"/console/{one}" for one in hrefs]


def appearing(page: Page, gateway: Running, reason: Reason) -> Row | None:
    """Wait for a row of a kind."""
    end = time.monotonic() + FILL_SECONDS
    while (row := listed(page, gateway, reason)) is None and time.monotonic() < end:
        page.wait_for_timeout(1000)
    return row


def arises(reason: Reason) -> bool:
    """Tell whether anything gives rise to a kind of work; what nothing opens cannot be walked."""
    kinds = {kind for kind, why in KINDS.items() if why is reason}
    return not kinds or bool(kinds & ALERT_KINDS.keys()) or reason in OF_STATE.values()


def test_every_kind_of_work_has_a_way_to_its_end() -> None:
    assert set(WAYS) == set(Reason)


# a failed delivery is late for its state soon, and then on the list for that
@pytest.mark.parametrize(
    "reason", sorted(filter(arises, Reason), key=lambda one: (one is not Reason.DELIVERY_FAILED, one))
)
def test_an_item_of_each_kind_is_worked_to_its_end(day: Running, enter: Enter, reason: Reason) -> None:
    if reason in _MADE:
        _MADE[reason](day)
    page = enter(day)
    be_whose(page, reason)
    row = appearing(page, day, reason)
    assert row is not None, f"no {reason} is on the list"
    clean(page)
    button = page.locator("ol.hc-work > li").filter(has=page.locator(f"#{row.key}"))
    button.locator(".hc-work__acts a.nhsuk-button").click()
    (close_row if "Settled: " in row.words else WAYS[reason])(page, row)
    be_whose(page, reason)
    _has_left(page, day, reason, row)


def _has_left(page: Page, gateway: Running, reason: Reason, row: Row) -> None:
    for _ in range(LEAVE_SECONDS):
        there = [leaf.locator(f"#{row.key}").count() for leaf in leaves(page, gateway.address + lists(reason))]
        if not any(there):
            return
        page.wait_for_timeout(1000)
    raise AssertionError(f"{reason} is still on the list: {row.words}")
