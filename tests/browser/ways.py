"""How a person works an item of each kind to its end: the acts behind each row's button, by the words on the page.

An item is at its end when its line has moved on, or when somebody has closed it with a reason; either way it leaves the
list.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from playwright.sync_api import Locator, Page, expect

from gateway.domain.work_item import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the list as it was seen there.

    Attributes:
        key: names it on the page.
        words: all that stands on it.
        href: of what it is about.
    """

    key: str
    words: str
    href: str

    @property
    def item(self) -> str:
        """The address of the item's own page."""
        return f"/console/work/{self.key.removeprefix('alert-')}"


Way = Callable[[Page, Row], None]
"""What is done about a row, beginning on the page that the row's button opens."""

PERRY: Final = "Perry Pharmacist, Homecare pharmacist"
_WHY: Final = "Read out on the telephone by R Jones."


def be_at(page: Page, trust: str, who: str) -> None:
    """Become somebody of one trust, where every trust has one of that name."""
    _go(page, "/console/role")
    page.get_by_role("group", name=trust).get_by_label(who).first.check()
    page.get_by_role("button", name="Go on in this role").click()


def send(page: Page) -> None:
    """Press the one button of the form that does it."""
    page.locator("main form[method=post] button.nhsuk-button:not(.nhsuk-button--secondary)").last.click()


def notice(page: Page) -> Locator:
    """Give the place where it is said what happened."""
    return page.locator(".nhsuk-notification-banner")


def close_row(page: Page, row: Row) -> None:
    """Close the row itself with a reason: nothing else changes by it."""
    _go(page, f"{row.item}/close")
    expect(page.get_by_role("main")).to_contain_text("It cannot be opened again.")
    page.get_by_label("What was done about it?").fill(_WHY)
    page.get_by_role("button", name="Close this row").click()
    expect(notice(page)).to_contain_text("Closed, with your reason.")


def close_tended(page: Page, row: Row) -> None:
    """Close what waits for whoever runs the gateway."""
    expect(page.get_by_role("main")).to_contain_text("What to do")
    _go(page, f"{row.href}/close")
    page.get_by_label("What was done about it?").fill("The provider has been asked for the new one.")
    page.get_by_role("button", name="Close this row").click()
    expect(notice(page)).to_contain_text("Closed, with your reason.")


def close_incident(page: Page, row: Row) -> None:
    """Close an incident, after it was said when that may be."""
    _go(page, f"{row.item}/close")
    expect(page.get_by_role("main")).to_contain_text("Close it only when the patient is safe and it is reported.")
    close_row(page, row)


def ring_and_close(page: Page, row: Row) -> None:
    """Ring, write down what they say, and close the row with that."""
    page.get_by_label("Who spoke?").fill("R Jones, their dispensary")
    page.get_by_label("What did they say?").fill("It is stopped here. Nothing leaves.")
    send(page)
    expect(notice(page)).to_contain_text("The call is logged. The row is still on the list.")
    expect(page.get_by_text("It is stopped here. Nothing leaves.")).to_be_visible()
    close_row(page, row)


def ring_about_delivery(page: Page, row: Row) -> None:
    """See what is owed, ring the provider, and close the row with what they say."""
    expect(page.get_by_role("main")).to_contain_text("Part supplied, balance owed")
    _go(page, f"{row.item}/call")
    ring_and_close(page, row)


def remind_and_close(page: Page, row: Row) -> None:
    """Remind the provider in words that name no patient, and close the row with what they say."""
    expect(page.get_by_role("region", name="Words of the reminder")).to_contain_text("please answer it")
    page.get_by_label("Whom did you remind, and how?").fill("R Jones, by telephone")
    send(page)
    expect(notice(page)).to_contain_text("was reminded. It is still on the list.")
    close_row(page, row)


def drop_change(page: Page, _: Row) -> None:
    """Decide that what came late is not sent as well."""
    expect(page.get_by_role("main")).to_contain_text("The old order was supplied before its cancel arrived.")
    page.get_by_label("Cancel it").check()
    page.get_by_label("Reason").fill(_WHY)
    send(page)
    expect(notice(page)).to_contain_text("The changed order is cancelled: nothing of it left.")


def never_arrived(page: Page, _: Row) -> None:
    """Say that the provider never had it: the same bytes go again."""
    page.get_by_label("They looked, and never had it").check()
    page.get_by_label("Who said it, when, and how").fill(_WHY)
    send(page)
    expect(notice(page)).to_contain_text("The same bytes are sent again; no answer yet.")


def answer(page: Page, _: Row) -> None:
    """Answer the provider's question, which no message carries."""
    expect(page.get_by_role("main")).to_contain_text("asked: “")
    page.get_by_label("Your answer").fill("Yes. The bell is broken; they know it now.")
    page.get_by_label("Yes, I have told them myself").check()
    send(page)
    expect(notice(page)).to_contain_text("Your answer is recorded. You have told the provider.")


def cancel_what_no_release_has(page: Page, row: Row) -> None:
    """Cancel what no release of dm+d has: nobody here may give a national code another meaning."""
    _go(page, row.href)
    cancel_here(page, row)


def close_line(page: Page, _: Row) -> None:
    """Close what nobody supplies any more, and say how the patient is supplied instead."""
    _act(page, "Close")
    page.get_by_label("By the hospital pharmacy").check()
    page.get_by_label("Say how you know").fill(_WHY)
    send(page)
    expect(notice(page)).to_contain_text("Closed. By the hospital pharmacy.")


def cancel_here(page: Page, _: Row) -> None:
    """Cancel what never left: at once, and confirmed."""
    _act(page, "Cancel")
    page.locator("input[name=code]").first.check()
    page.locator("textarea[name=reason]").fill("The trust sends it anew.")
    send(page)
    expect(page.get_by_role("main")).to_contain_text("Cancelled, and confirmed")


def to_another_or_nobody(page: Page, row: Row) -> None:
    """Give it to another provider; cancel it where it waits for the order that it replaces, which nobody gives up."""
    (cancel_here if "It waits for the order that it replaces" in row.words else to_another)(page, row)


def by_another(page: Page, _: Row) -> None:
    """Say that another made the supply in the provider's place."""
    _act(page, "Log a rescue supply")
    page.locator("input[name=issue]").first.check()
    page.locator("input[name=link]").fill("RESCUE-1")
    page.get_by_label("Yes, I have told them not to supply it").check()
    page.locator("textarea[name=reason]").fill(_WHY)
    send(page)
    expect(notice(page)).to_contain_text("was made by another.")


def to_another(page: Page, _: Row) -> None:
    """Give it to another provider."""
    _act(page, "Re-route")
    reroute(page, "They cannot be reached.")


def reroute(page: Page, why: str, *, to: str = "") -> None:
    """Fill in the page of the act: one proposes, and another agrees; to the first that is offered, or a named one."""
    page.locator(f"input[name=to][value='{to}']" if to else "input[name=to]").first.check()
    page.get_by_role("button", name="Look at the checklist").click()
    page.get_by_label(re.compile("The patient is registered with")).check()
    page.locator("input[name=code]").first.check()
    page.locator("textarea[name=reason]").fill(why)
    propose = page.get_by_role("button", name="Propose")
    propose.click()
    page.wait_for_load_state()
    if page.get_by_text("This changed at").count():  # its order was given up meanwhile: look again, and go on
        propose.click()
    page.wait_for_url(re.compile("/console/waiting/"))
    expect(page.get_by_role("main")).to_contain_text("You proposed it: somebody else must agree.")
    proposal = page.url
    be_at(page, "Example Trust", "Charlie Chief")
    page.goto(proposal)
    page.get_by_role("button", name="Agree, and do it now").click()
    expect(page.get_by_role("main")).to_contain_text("Agreed.")


def map_code(page: Page, _: Row) -> None:
    """Let two people give a trust's own code its meaning."""
    _go(page, "/console/held-codes")
    sent = page.get_by_role("row").filter(has_text="99LOC").get_by_role("link").first
    words = sent.inner_text()
    sent.click()
    page.get_by_label(re.compile("^Search the table")).fill(words)
    page.get_by_role("button", name="Search").last.click()
    page.get_by_role("radio", name=words).first.check()
    page.get_by_label("How you know").fill("The label of our formulary.")
    page.get_by_role("button", name="Propose this meaning").click()
    expect(notice(page)).to_contain_text("a second person has to look at it")
    code = page.url
    be_at(page, "Example Trust", "Morgan Approver")
    page.goto(f"{code}/approve")
    page.get_by_label("I have compared what was sent").check()
    page.get_by_role("button", name="Approve this meaning").click()
    expect(notice(page)).to_contain_text("Approved as entry v")


def renew_not(page: Page, _: Row) -> None:
    """Say that it is not renewed."""
    page.get_by_label("Not renewed").check()
    page.locator("textarea[name=reason]").fill("The treatment ends with it.")
    send(page)
    expect(notice(page)).to_contain_text("Recorded: not renewed.")


def register_paper(page: Page, _: Row) -> None:
    """Say that the signed paper was seen, when and by whom."""
    page.get_by_label("Who saw the paper original?").fill("T Technician, pharmacy office")
    page.get_by_label("On which day was it seen?").fill(datetime.now(UTC).date().isoformat())
    send(page)
    expect(notice(page)).to_contain_text("Registered: the paper original was seen on")


def pass_check(page: Page, _: Row) -> None:
    """Check a prescription, and let it go."""
    page.get_by_label("It passes").check()
    page.get_by_label("What you checked").fill("Dose, interval and weight.")
    page.get_by_role("button", name="Record my decision").click()
    expect(notice(page)).to_contain_text("passed the check")


def _go(page: Page, path: str) -> None:
    page.goto(page.url.partition("/console")[0] + path)


def _act(page: Page, words: str) -> None:
    """Open the page of an act from the page of the prescription."""
    page.get_by_role("main").get_by_role("link", name=re.compile(f"^{words}")).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(words)


WAYS: Final[Mapping[Reason, Way]] = {
    Reason.INCIDENT: close_incident,
    Reason.CANCEL_UNCONFIRMED: ring_and_close,
    Reason.HOLD_UNCONFIRMED: ring_and_close,
    Reason.IN_DOUBT: never_arrived,
    Reason.REJECTED: close_line,
    Reason.RULING: drop_change,
    Reason.NOT_SENT: to_another,
    Reason.NOT_YET_SENT: to_another_or_nobody,
    Reason.HELD_SOURCE: cancel_here,
    Reason.HELD_CODE: map_code,
    Reason.HELD_RELEASE: cancel_what_no_release_has,
    Reason.QUESTION: answer,
    Reason.NO_ACCEPTANCE: remind_and_close,
    Reason.SCREENING: pass_check,
    Reason.BALANCE: ring_about_delivery,
    Reason.DELIVERY_FAILED: by_another,
    Reason.NO_DELIVERY: remind_and_close,
    Reason.PROVIDER_LATE: remind_and_close,
    Reason.RENEWAL: renew_not,
    Reason.SIGNATURE: cancel_here,
    Reason.PAPER: register_paper,
    Reason.REROUTE: ring_and_close,
    Reason.ENDED: close_row,
    Reason.TO_TELL: ring_and_close,
    Reason.PATIENT: close_row,
    Reason.ANSWER_UNCLEAR: close_row,
    Reason.NOT_TAKEN: close_row,
    Reason.BOOKS: close_row,
    Reason.MACHINE: close_tended,
}
"""The way to the end of each kind of item."""
