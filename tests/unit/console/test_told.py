"""Who is told outside the console, and who was: each state of the page, over a real store."""

import re
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest

from gateway.access.roles import Role
from gateway.domain.escalation import Circle, Contact, Rung
from gateway.domain.identifiers import OdsCode
from gateway.domain.notice import Channel, NoticeState, reference
from gateway.domain.notice_rules import MailSecurity, MailServer, NoticeRules
from gateway.ports.notices import NOTIFIER, Addressed, Attempted, Step
from tests.contract.store_engines import TRUST, make_acceptance
from tests.unit.console.looking import Looking, looking

OTHER = OdsCode("RZA")
HOSTILE = "<script>alert(1)</script> \u202eFirst " + "X" * 60
RULES = NoticeRules(
    version="2026-11",
    address="https://homecare.example.nhs.uk",
    mail=MailServer(host="localhost", port=25, security=MailSecurity.NONE, sender="a@b.example"),
    circles=(
        Circle(
            trust=TRUST,
            people={
                Rung.OWNER: (Contact(name="Perry Pharmacist", mail="perry@example.nhs.uk"),),
                Rung.CHIEF: (Contact(name=HOSTILE, webhook="https://hooks.example.nhs.uk/x"),),
            },
        ),
        Circle(trust=None, people={Rung.OWNER: (Contact(name="Cal Oncall", mail="cal@example.nhs.uk"),)}),
    ),
)


def words(page: str) -> str:
    main = page.partition("<main")[2].partition("</main>")[0]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", main.partition(">")[2])).split())


async def an_alert(console: Looking) -> int:
    acceptance = make_acceptance("A")
    await console.exchange.store.accept(acceptance)
    what = acceptance.orders[0].prescription
    assert what is not None
    line, now = what.lines[0].id, console.clock.now()
    await console.exchange.store.open_alert(kind="line-rejected", subject="x", line_id=line, now=now, text="Look.")
    (found,) = await console.exchange.enquiries.unattended(now=now)
    return found.alert


async def tell(console: Looking, alert: int, outcome: Attempted) -> None:
    store, now = console.exchange.store, console.clock.now()
    perry = Addressed(person="Perry Pharmacist", channel=Channel.MAIL)
    await store.tell_step(Step(circle="RBA", rung=Rung.OWNER, alerts=[(alert, False)], to=(perry,)), now=now)
    (notice,) = await store.claim_notices(Channel.MAIL, worker="w", now=now, lease_seconds=60, limit=5)
    await store.record_notice(notice, outcome, now=now)


async def test_where_nobody_is_named_the_page_and_the_first_page_say_so(tmp_path: Path) -> None:
    async with looking(tmp_path) as console:
        assert "Nobody is told outside this page." in words(await console.get("/console/notices"))
        assert "Nobody is told outside this page." in words(await console.get("/console/"))
        console.be(Role.HOMECARE_PHARMACIST, TRUST)
        assert "Nobody is told" not in words(await console.get("/console/"))


async def test_the_rules_are_shown_with_names_ways_and_waits_but_no_address(tmp_path: Path) -> None:
    async with looking(tmp_path, {NoticeRules: RULES}) as console:
        await console.exchange.store.beat(NOTIFIER, now=console.clock.now())
        page = await console.get("/console/notices")
        said = words(page)
        assert "Owner: Perry Pharmacist, by e-mail" in said
        assert "To be seen to now, at night too: the next person is told after 15 min day and night" in said
        assert "To be seen to within the week: the next person is told after 30 h of these hours" in said
        assert "version 2026-11" in said
        assert "The gateway itself" in said
        assert "Nobody is told at the moment" not in said
        assert "perry@example.nhs.uk" not in page
        assert "hooks.example.nhs.uk" not in page
        assert "<script>alert(1)" not in page
        assert "Nobody is told outside" not in words(await console.get("/console/"))


async def test_a_notifier_that_stopped_is_said_to_have_stopped(tmp_path: Path) -> None:
    async with looking(tmp_path, {NoticeRules: RULES}) as console:
        assert "Nobody is told at the moment" in words(await console.get("/console/notices"))
        await console.exchange.store.beat(NOTIFIER, now=console.clock.now())
        console.clock.move(minutes=5)
        assert "What tells people was last seen working:" in words(await console.get("/console/notices"))


async def test_somebody_sees_the_people_of_the_own_organisation_alone(tmp_path: Path) -> None:
    async with looking(tmp_path, {NoticeRules: RULES}) as console:
        console.be(Role.CHIEF_PHARMACIST, TRUST)
        said = words(await console.get("/console/notices"))
        assert "Perry Pharmacist" in said
        assert "Cal Oncall" not in said
        console.be(Role.CHIEF_PHARMACIST, OTHER)
        said = words(await console.get("/console/notices"))
        assert "Nobody of your organisation is named." in said
        assert "Perry" not in said
        console.be(Role.PHARMACY_TECHNICIAN, TRUST)
        await console.get("/console/notices", status=404)


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Attempted(state=NoticeState.SENT, said="taken"), "by e-mail: sent; nobody is known to have read it."),
        (
            Attempted(state=NoticeState.SPENT, said="the mail server answered 550", alarm="Refused."),
            "by e-mail: did not leave, and was given up (the mail server answered 550).",
        ),
        (Attempted(state=NoticeState.DUE, said="x", retry_at=None), "by e-mail: has not left yet."),
    ],
)
async def test_an_item_says_who_was_told_and_that_telling_is_not_knowing(
    tmp_path: Path, outcome: Attempted, said: str
) -> None:
    async with looking(tmp_path, {NoticeRules: RULES}) as console:
        alert = await an_alert(console)
        console.be(Role.HOMECARE_PHARMACIST, TRUST)
        before = words(await console.get(f"/console/work/{alert}"))
        assert "Nobody has been told outside this page yet." in before
        assert f"reference {reference(alert)}" in before
        await tell(console, alert, outcome)
        after = words(await console.get(f"/console/work/{alert}"))
        assert f"Perry Pharmacist, owner , {said}" in after
        console.be(Role.HOMECARE_PHARMACIST, OTHER)
        await console.get(f"/console/work/{alert}", status=404)


async def test_taking_an_item_on_its_page_stops_the_ladder(tmp_path: Path) -> None:
    async with looking(tmp_path, {NoticeRules: RULES}) as console:
        alert = await an_alert(console)
        await tell(console, alert, Attempted(state=NoticeState.SENT, said="taken"))
        console.be(Role.HOMECARE_PHARMACIST, TRUST)
        page = await console.get(f"/console/work/{alert}")
        only = re.search(r'name="only" value="([^"]+)"', page)
        assert only
        await console.post("/console/work/take", only=only[1])
        assert await console.exchange.enquiries.unattended(now=console.clock.now() + timedelta(days=9)) == ()
        assert any('"action":"console take"' in leaf for leaf in console.leaves())


async def test_what_does_not_leave_is_said_on_the_page(tmp_path: Path) -> None:
    async with looking(tmp_path, {NoticeRules: RULES}) as console:
        alert = await an_alert(console)
        later = Attempted(state=NoticeState.DUE, said="x", retry_at=console.clock.now() + timedelta(hours=1))
        await tell(console, alert, later)
        console.clock.move(minutes=10)
        said = words(await console.get("/console/notices"))
        assert "1 to be sent, the oldest written 10 min ago: they do not leave." in said
