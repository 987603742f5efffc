"""What waits for whoever runs the gateway, over a real store: worked to its end, and never with a patient in it."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.access.roles import Role
from gateway.domain.alert import Acts
from gateway.domain.alert_kinds import ALERT_KINDS
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent
from gateway.domain.notice import reference
from gateway.domain.work_item import is_tended
from gateway.ports.attention import Call
from tests.contract.store_engines import TRUST, make_acceptance, make_order
from tests.contract.test_attention import sweep, with_stock
from tests.unit.console.looking import Looking, looking
from tests.unit.console.test_home import beat, send, words

PATIENT = ("TESTPATIENT", "Aoife", "999 000 0077", "9990000077", "1979", "Methotrexate", "Inject")


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[Looking]:
    async with looking(tmp_path) as opened:
        opened.sessions._idle = opened.sessions._absolute = timedelta(days=99)  # the clock of these tests runs
        opened.be(Role.OPERATOR, None)
        yield opened


async def late(console: Looking) -> str:
    """Let an order wait to be sent for too long, and give the number of its item."""
    await console.exchange.store.accept(make_acceptance("A", make_order(with_stock("A", 9))))
    console.clock.move(days=3)
    await sweep(console.exchange)
    await beat(console)
    found = re.search(r"/console/gateway/(\d+)", await console.get("/console/gateway"))
    assert found
    return found[1]


async def test_the_list_says_what_where_since_when_and_by_when_and_no_patient(console: Looking) -> None:
    number = await late(console)
    ((prescription,),) = console.opened.rows("SELECT lower(hex(uuid)) FROM prescription")
    for path in ("/console/gateway", f"/console/gateway/{number}"):
        page = await console.get(path)
        shown = words(page)
        assert "Overdue" in shown
        assert "Act by " in shown
        assert "Where it stands Ready to send, since" in shown
        assert "Example Trust (RBA)" in shown
        assert prescription in shown.replace("-", "")
        assert "/console/prescriptions/" not in page
        for said in PATIENT:
            assert said not in page, path
    shown = words(await console.get(f"/console/gateway/{number}"))
    assert "The person on call for the gateway: Read the state in the text" in shown
    assert "gateway doctor" in shown
    assert "Runbook: docs/runbooks/overdue.md" in shown


async def test_an_item_is_taken_logged_and_closed_with_a_reason(console: Looking) -> None:
    number = await late(console)
    path = f"/console/gateway/{number}"
    await send(console, "/console/gateway/take", only=f"{number}:")
    assert "Taken by you" in words(await console.get(path))
    call = {"person": "R Jones, Example Homecare", "day": "2026-10-08", "time": "08:00", "words": "Mended by noon."}
    assert "There is a problem" in await send(console, f"{path}/call", status=422, asked="yes", **{**call, "words": ""})
    logged = await send(console, f"{path}/call", asked="yes", **call)
    assert console.at == path
    assert "The call is logged." in logged
    assert "Mended by noon." in logged
    assert "Days of medicine" not in words(await console.get(f"{path}/call"))
    ask = words(await console.get(f"{path}/close"))
    assert "The line itself does not change" in ask
    said = await send(console, f"{path}/close", asked="yes", reason="The queue was blocked.", item=f"{number}:x")
    assert console.at == "/console/gateway"
    assert "Closed, with your reason." in said
    assert "Nothing waits for whoever runs the gateway. Deadlines are being looked at." in said
    assert "Closed This row left the list" in words(await console.get(path))


async def test_what_a_trusts_people_wrote_about_a_prescription_is_left_to_them(console: Looking) -> None:
    number = await late(console)
    call = Call(person="Mrs Testpatient", spoken_at=console.clock.now(), words="Aoife has none left.", days_at_home=0)
    await console.exchange.store.log_call(int(number), call, by="p.one", tenant=TRUST, now=console.clock.now())
    page = await console.get(f"/console/gateway/{number}")
    assert "p.one logged a call" in words(page)
    for said in ("Mrs Testpatient", "Aoife", "none left"):
        assert said not in page


async def test_what_moved_meanwhile_is_said_and_nothing_is_closed(console: Looking) -> None:
    number = await late(console)
    said = await send(
        console, f"/console/gateway/{number}/close", status=409, asked="yes", reason="Done.", state=f"{number}:SENT"
    )
    assert "This changed at" in said
    assert "Nothing was done" in said
    assert "Closed This row" not in words(await console.get(f"/console/gateway/{number}"))


async def test_a_notice_and_its_reference_lead_there(console: Looking) -> None:
    number = await late(console)
    await console.get(f"/console/work/{number}")
    assert console.at == f"/console/gateway/{number}"
    await console.get(f"/console/gateway/find?reference={reference(int(number))}")
    assert console.at == f"/console/gateway/{number}"
    wrong = words(await console.get("/console/gateway/find?reference=001J-43", status=422))
    assert "No item has this reference." in wrong
    await console.get("/console/")
    assert console.at == "/console/gateway"


async def test_the_machines_own_matters_stand_there_too_those_of_the_night_first(console: Looking) -> None:
    number = await late(console)
    await console.exchange.store.open_alert(
        kind="room-low", subject="disk", line_id=None, now=console.clock.now(), text="The disk is nearly full."
    )
    page = words(await console.get("/console/gateway"))
    assert page.index("The disk is nearly full.") < page.index("Ready to send")
    assert "Rows 1 to 2 of 2." in page
    mine = words(await console.get("/console/gateway?whose=mine"))
    assert "You have taken nothing that is still open." in mine
    assert number


async def test_a_watch_that_has_stopped_is_never_an_empty_list(console: Looking) -> None:
    page = words(await console.get("/console/gateway"))
    assert "We cannot say whether anything needs attention" in page
    assert "Nothing waits" not in page


async def test_what_is_over_is_said_to_be_over(console: Looking) -> None:
    what = with_stock("A", 9)
    await console.exchange.store.accept(make_acceptance("A", make_order(what)))
    claim = await console.exchange.send()
    await console.exchange.store.open_alert(
        kind="line-uncertain",
        subject="u",
        line_id=what.lines[0].id,
        now=console.clock.now(),
        text="the line is uncertain; the gateway must act",
    )
    await console.exchange.answer(claim.message_id, LineEvent.REJECTED, reason="Out of stock.")
    page = words(await console.get("/console/gateway"))
    assert "Settled: the line is now Rejected by provider." in page
    assert "the gateway must act" not in page


@pytest.mark.parametrize("role", [Role.HOMECARE_PHARMACIST, Role.CHIEF_PHARMACIST, Role.AUDITOR])
async def test_nobody_else_has_the_page(console: Looking, role: Role) -> None:
    number = await late(console)
    console.be(role, None if role is Role.AUDITOR else OdsCode("RBA"))
    for path in ("/console/gateway", f"/console/gateway/{number}", f"/console/gateway/{number}/close"):
        await console.get(path, status=404)


async def test_an_item_that_a_pharmacist_alone_is_told_of_is_not_theirs_to_see_take_or_close(console: Looking) -> None:
    await late(console)
    await console.exchange.store.open_alert(
        kind="cancel-overdue", subject="A", line_id=None, now=console.clock.now(), text="Ring the ward."
    )
    ((number,),) = console.opened.rows("SELECT id FROM alert WHERE kind = 'cancel-overdue'")
    for path in ("", "/close", "/call", "/hand-over"):
        await console.get(f"/console/gateway/{number}{path}", status=404)
    await send(console, f"/console/gateway/{number}/close", status=404, asked="yes", reason="Done.")
    await console.get(f"/console/gateway/find?reference={reference(int(str(number)))}", status=422)
    assert "there is no such item" in await send(console, "/console/gateway/take", only=f"{number}:")
    still = "SELECT taken_by, closed_at FROM alert WHERE kind = 'cancel-overdue'"
    assert console.opened.rows(still) == [("", None)]


async def test_an_item_that_is_not_there_looks_like_any_page_that_is_not(console: Looking) -> None:
    await console.get("/console/gateway/999", status=404)
    await console.get(f"/console/gateway/{1 << 70}", status=404)


OWNED = {"line-undeliverable", "transmission-blocked"}
"""What only a pharmacist can end, and the gateway's operator is first to see to (console.md 6.1)."""


@pytest.mark.parametrize("kind", sorted(ALERT_KINDS))
def test_what_the_gateways_people_are_told_of_or_own_is_on_their_list(kind: str) -> None:
    assert is_tended(kind) is (ALERT_KINDS[kind].acts is not Acts.PHARMACIST or kind in OWNED)
