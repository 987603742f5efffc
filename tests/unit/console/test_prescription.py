"""A prescription's page, over a real store: what it says in each state, how it is known, and who may see it."""

import hashlib
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import unescape
from pathlib import Path
from uuid import UUID

import pytest

from gateway.access.roles import Role
from gateway.destination import InDoubt, Taken, TryLater
from gateway.domain.acknowledgement import Acknowledgement, LineReport
from gateway.domain.cancel import CancelState
from gateway.domain.identifiers import OdsCode, derived_id
from gateway.domain.issue import Issue
from gateway.domain.labels import CANCEL_LABELS, HELD_LABELS, LABELS, Held
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.domain.message import MessageEvent
from gateway.domain.prescription import ClinicalCheck, Delivery, Homecare, Name, PrescriberSignature, Prescription
from gateway.ports.acceptance import CancelRequest
from gateway.ports.callback import Callback
from tests.contract.store_engines import (
    PROVIDER,
    TRUST,
    make_acceptance,
    make_incomplete,
    make_order,
    make_prescription,
    seal,
)
from tests.contract.test_rerouting import request_of
from tests.factories import dosage, line, patient, prescriber, prescription
from tests.unit.console.looking import Looking, looking

E = LineEvent


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[Looking]:
    async with looking(tmp_path) as opened:
        yield opened


def main(text: str) -> str:
    return text.partition("<main")[2].partition("</main>")[0]


def words(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main(text)))


async def keep(console: Looking, what: Prescription, *, state: LineState = LineState.READY, name: str = "A") -> UUID:
    await console.exchange.store.accept(make_acceptance(name, make_order(what, state=state)))
    return what.id


async def sent(console: Looking, what: Prescription) -> UUID:
    """Accept one and let the provider's system take it; give the message's id."""
    await keep(console, what)
    claim = await console.exchange.send()
    console.clock.move(seconds=1)
    await console.exchange.store.record(claim, Taken(), now=console.clock.now(), retry_at=None)
    return claim.message_id


async def report(console: Looking, message: UUID, event: LineEvent, name: str, **said: object) -> None:
    """Let the provider say something of every line of a message."""
    at = said.pop("at", None)
    replaces = said.pop("replaces", "")
    answer = Acknowledgement(
        id=name,
        correlation=message,
        reports=(LineReport(line_id=None, event=event, **said),),  # type: ignore[arg-type]
        at=at,  # type: ignore[arg-type]
        replaces=str(replaces),
    )
    callback = Callback(
        destination=PROVIDER, received_at=console.clock.now(), content_type="application/json", body=name.encode()
    )
    await console.exchange.store.acknowledge(callback, answer, ())


async def cancel(console: Looking, what: Prescription) -> None:
    """Ask the provider to cancel what it has accepted."""
    request = CancelRequest(
        line_id=what.lines[0].id,
        seen=LineState.ACCEPTED,
        state=CancelState.ASKED,
        reason="Stopped.",
        message=replace(seal(what, salt="cancel"), event=MessageEvent.UPDATE),
    )
    await console.exchange.store.accept(replace(make_acceptance("C"), orders=(), cancels=(request,)))


async def page(console: Looking, what: Prescription, more: str = "", *, status: int = 200) -> str:
    await console.enter()
    return await console.get(f"/console/prescriptions/{what.id}{more}", status=status)


async def test_it_says_what_who_next_and_whom_to_ring(console: Looking) -> None:
    what = make_prescription("A")
    await sent(console, what)
    shown = words(await page(console, what))
    for said in (
        "Arrived, not accepted",
        "No person and no check there has accepted it",
        "reported",
        "Example Homecare Ltd (VNE51) to accept it",
        "Owner: Example Homecare Ltd (VNE51)",
        "No telephone number of Example Homecare Ltd (VNE51) is configured",
        f"quote {what.number}",
        "Inject 10mg ONCE a WEEK on a Monday",
        "As structured",
        "Once a week",
        "Not known how much is at home",
        "DR Casey PRESCRIBER (GMC 9999991)",
    ):
        assert said in shown, said
    assert "nhsuk-tag--green" not in main(await page(console, what)), "green before acceptance"


async def test_the_title_bears_an_opaque_reference_and_no_name(console: Looking) -> None:
    what = make_prescription("A")
    await keep(console, what)
    for more in ("", "/evidence/1", "/pack"):
        title = re.findall(r"<title>([^<]*)</title>", await page(console, what, more))[0]
        assert title.endswith(" - Homecare prescriptions")
        assert what.number.value in title
        assert "TESTPATIENT" not in title


async def test_silence_is_drawn_with_its_length_and_an_answer_with_its_clock(console: Looking) -> None:
    what = make_prescription("A")
    message = await sent(console, what)
    console.clock.move(hours=3, minutes=40)
    waiting = words(await page(console, what))
    assert "No answer for 3 h 40 min, up to now" in waiting
    await report(console, message, E.ACCEPTED, "one")
    shown = words(await page(console, what))
    assert "No answer for 3 h 40 min" in shown
    assert "3 h 40 min after it arrived" in shown
    assert "State: Arrived, not accepted → Accepted by provider" in shown
    assert "proved : their answer quotes our message" in shown


async def test_newest_is_first_and_the_order_can_be_turned_round(console: Looking) -> None:
    what = make_prescription("A")
    await report(console, await sent(console, what), E.ACCEPTED, "one")
    pages = [words(await page(console, what, more)) for more in ("", "?order=oldest")]
    newest, oldest = (shown.partition("3 What happened")[2] for shown in pages)
    assert newest.index("Accepted by the provider") < newest.index("Received from")
    assert oldest.index("Received from") < oldest.index("Accepted by the provider")


async def test_a_late_fact_stands_where_it_happened_and_says_when_it_was_learned(console: Looking) -> None:
    what = make_prescription("A", total=2)
    message = await sent(console, what)
    await report(console, message, E.ACCEPTED, "one")
    console.clock.move(days=3)
    happened = console.clock.now() - timedelta(days=2)
    await report(console, message, E.DELIVERED, "two", supplied_at=happened, batch="B-17")
    shown = words(await page(console, what, "?order=oldest"))
    assert "We learned this at 8 Oct 2026, 10:15:01" in shown
    assert "6 Oct 2026, 10:15:01 Delivered" in shown
    assert "batch B-17" in shown
    table = shown.partition("2 Deliveries")[2].partition("3 What happened")[0]
    assert "6 Oct 2026, 10:15" in table
    assert "B-17" in table


async def test_what_is_taken_back_is_struck_through_and_not_removed(console: Looking) -> None:
    what = make_prescription("A", total=2)
    message = await sent(console, what)
    await report(console, message, E.ACCEPTED, "one")
    console.clock.move(minutes=10)
    await report(console, message, E.DELIVERED, "two", issue=1)
    console.clock.move(minutes=10)
    await report(console, message, E.SUPPLY_WITHDRAWN, "three", issue=1)
    shown = await page(console, what)
    assert "Corrected" in words(shown)
    assert re.search(r"<s><strong>Delivered</strong></s>", shown)
    assert "The report of a supply was withdrawn" in shown


async def test_attempts_are_folded_and_what_a_provider_says_never_is(console: Looking) -> None:
    what = make_prescription("A")
    await keep(console, what)
    for _ in range(5):
        claim = await console.exchange.send()
        at = console.clock.move(seconds=30)
        await console.exchange.store.record(claim, TryLater(reason="503"), now=at, retry_at=at)
    shown = main(await page(console, what))
    assert "8 more steps of sending" in shown
    assert shown.count("<details") >= 2


async def test_a_transmission_in_doubt_says_not_to_send_again_and_offers_no_such_button(console: Looking) -> None:
    what = make_prescription("A")
    await keep(console, what)
    claim = await console.exchange.send()
    doubt = InDoubt(reason="the connection broke")
    await console.exchange.store.record(claim, doubt, now=console.clock.now(), retry_at=None)
    shown = await page(console, what)
    assert "Not known if it arrived" in shown
    assert "Do not send it again; ask the provider." in shown
    assert f'href="/console/prescriptions/{what.id}/send-again"' not in shown


async def test_a_cancel_that_was_asked_is_not_cancelled_on_page_and_print(console: Looking) -> None:
    what = make_prescription("A")
    message = await sent(console, what)
    await report(console, message, E.ACCEPTED, "one")
    await cancel(console, what)
    label = next(iter(CANCEL_LABELS.values()))
    shown, printed = words(await page(console, what)), words(await page(console, what, "/pack"))
    assert label in shown
    assert "Not cancelled." in shown
    assert "Ring them: it is not cancelled" in shown
    assert label in printed
    found = words(await console.seek(what.number.value))
    assert label in found


async def test_a_delivery_that_failed_is_not_awaited_on_its_old_day(console: Looking) -> None:
    what = make_prescription("A")
    message = await sent(console, what)
    await report(
        console, message, E.SUPPLY_PLANNED, "one", issue=1, supplied_at=console.clock.now() + timedelta(days=3)
    )
    assert "to deliver on 8 Oct 2026." in words(await page(console, what))
    await report(console, message, E.DELIVERY_FAILED, "two", issue=1, reason="Nobody was at home.")
    shown = words(await page(console, what))
    assert "to deliver on 8 Oct 2026." not in shown
    assert "to agree a new day: a delivery failed." in shown


async def test_what_came_of_a_supply_whose_rest_is_owed_stands_beside_it(console: Looking) -> None:
    what = make_prescription("A")
    message = await sent(console, what)
    await report(console, message, E.ACCEPTED, "one")
    await report(console, message, E.SUPPLY_SHORT, "two", issue=1, amount=Decimal(2), unit="syringe")
    shown, _, history = words(await page(console, what)).partition("2 Deliveries")[2].partition("3 What happened")
    assert "a rest is owed" in shown
    assert "2 syringes so far" in shown
    assert "the rest is owed: 2 syringes" in history
    assert "their answer" in shown


async def test_the_day_of_a_delivery_that_has_passed_is_no_day_to_wait_for(console: Looking) -> None:
    what = make_prescription("A")
    message = await sent(console, what)
    await report(
        console, message, E.SUPPLY_PLANNED, "one", issue=1, supplied_at=console.clock.now() + timedelta(days=3)
    )
    console.clock.move(days=5)
    assert "to say what became of the delivery of 8 Oct 2026: nothing was heard of it." in words(
        await page(console, what)
    )


async def test_while_an_incident_is_open_the_page_of_what_is_over_says_who_is_to_act(console: Looking) -> None:
    what = make_prescription("A")
    message = await sent(console, what)
    await report(console, message, E.ACCEPTED, "one")
    await cancel(console, what)
    await report(console, message, E.CANCEL_CONFIRMED, "two")
    over = words(await page(console, what))
    assert "Example Homecare Ltd (VNE51) confirmed it at 5 Oct 2026" in over
    assert "Nothing is awaited." in over
    await report(console, message, E.DELIVERED, "three", issue=1)
    shown = words(await page(console, what))
    assert "A safety incident is open: somebody to see to it now." in shown
    assert "Owner: Example Trust (RBA)" in shown
    assert "Nothing is awaited." not in shown
    assert "nothing moved: it was over already (Cancelled, confirmed); what was said is kept" in shown
    assert "kept as an annotation" not in shown


async def test_a_cancel_that_came_too_late_awaits_no_answer(console: Looking) -> None:
    what = make_prescription("A")
    message = await sent(console, what)
    await report(console, message, E.ACCEPTED, "one")
    await cancel(console, what)
    await report(console, message, E.CANCEL_TOO_LATE, "two")
    shown = words(await page(console, what))
    assert "Too late to cancel" in shown
    assert "Example Trust (RBA) to reach the patient: they say that it was supplied" in shown
    assert "to say whether it is cancelled" not in shown


async def test_both_values_of_a_contradiction_are_shown_and_no_button_to_choose(console: Looking) -> None:
    order = make_order(make_prescription("A"), state=LineState.HELD)
    issue = Issue(code="DOSE_CONFLICT", location="TQ1[1]-2", text="The doses differ.", values=("10 mg", "<b>20</b> mg"))
    order = replace(order, verdict=replace(order.verdict, issues=(issue,)))
    await console.exchange.store.accept(make_acceptance("A", order))
    what = make_prescription("A")
    shown = await page(console, what)
    section = main(shown).partition("What is wrong with the message")[2].partition('id="prescribed"')[0]
    assert HELD_LABELS[Held.SOURCE] in shown
    assert "<q>10 mg</q>" in section
    assert "&lt;b&gt;20&lt;/b&gt; mg" in section
    assert not re.search(r"<(button|input|form|select)", section)
    assert "TQ1[1]-2" in section
    assert "does not have it: do not ring them." in words(shown)
    alerts = words(shown).partition("Alerts")[2]
    assert (
        f"{LABELS[LineState.HELD]}. The trust must act. Why: The dose is sent twice and differently (DOSE_CONFLICT)."
        in alerts
    )
    newest = await console.get("/console/")
    assert HELD_LABELS[Held.SOURCE] in newest.partition("Newest prescriptions")[2]


async def test_a_fault_of_ours_is_not_asked_of_the_trust(console: Looking) -> None:
    order = make_order(make_prescription("A"), state=LineState.HELD)
    issue = Issue(code="MESSAGE_INVALID", location="Bundle.entry[1]", text="It fails.")
    order = replace(order, verdict=replace(order.verdict, issues=(issue,)))
    await console.exchange.store.accept(make_acceptance("A", order))
    shown = unescape(words(await page(console, make_prescription("A"))))
    assert "The gateway's operator to mend the message that we wrote." in shown
    assert "Owner: The gateway's operator" in shown
    assert "Held: the fault is ours" in shown
    assert "a code we do not know" not in shown


async def test_an_order_that_could_not_be_read_has_a_page_that_says_so(console: Looking) -> None:
    await console.exchange.store.accept(make_acceptance("A", make_incomplete("A")))
    ((found,),) = console.opened.rows("SELECT uuid FROM prescription")
    await console.enter()
    shown = words(await console.get(f"/console/prescriptions/{UUID(bytes=found)}"))
    assert "The medicine could not be read" in shown
    assert "Patient not read" in shown
    assert "Not checked yet" in shown
    assert "No message was written for a provider" in shown
    assert "The directions could not be read." in shown
    assert "No directions in words were sent" not in shown


async def test_every_line_stands_on_one_page(console: Looking) -> None:
    what = make_prescription("A", lines=3)
    message = await sent(console, what)
    await report(console, message, E.ACCEPTED, "all")
    shown = await page(console, what)
    assert [f'id="line-{number}"' in shown for number in (1, 2, 3)] == [True] * 3
    assert "All 3 medicines" in shown


async def test_the_envelope_says_what_was_stated_and_what_was_not(console: Looking) -> None:
    care = Homecare(
        purchase_order="PO-77",
        purchase_order_line=2,
        consent_given=False,
        delivery=Delivery(place="home"),
        tier="mid-tech",
    )
    check = ClinicalCheck(by=prescriber(), at=datetime(2026, 10, 5, 8, 55, tzinfo=UTC))
    what = replace(make_prescription("A"), homecare=care, clinical_check=check)
    await keep(console, what)
    shown = words(await page(console, what))
    envelope = shown.partition("4 Envelope")[2].partition("5 Messages")[0]
    assert "Purchase order PO-77, line 2" in envelope
    assert "Consent Not given" in envelope
    assert "Cold chain Not stated" in envelope
    assert "Clinically checked by DR Casey PRESCRIBER" in shown
    assert "stated : the trust&#39;s system" in shown


async def test_the_evidence_names_every_digest_and_its_leaf(console: Looking) -> None:
    what = make_prescription("A")
    message = await sent(console, what)
    await report(console, message, E.ACCEPTED, "an answer")
    found = await console.exchange.enquiries.dossier(what.id, tenant=None)
    assert found is not None
    event = found[0].events[-1]
    shown = words(await page(console, what, f"/evidence/{event.seq}"))
    for digest in (found[1].submission.digest, found[1].messages[0].digest, found[1].answers[0].digest):
        assert digest in shown
    leaf = await console.exchange.enquiries.leaf_of(event.seq)
    assert leaf is not None
    assert f"{leaf.number} of" in shown
    assert leaf.hash in shown
    assert "It quotes the id of our message" in shown
    assert "an answer" in shown.partition("The bytes")[2]
    assert "Our seal" in shown


async def test_a_reroute_shows_the_very_answer_by_which_the_line_was_given_up(console: Looking) -> None:
    what = make_prescription("A")
    message = await sent(console, what)
    await report(console, message, E.REJECTED, "we gave it up")
    console.clock.move(minutes=1)
    assert await console.exchange.store.reroute(request_of(what)) == ()
    found = await console.exchange.enquiries.dossier(what.id, tenant=None)
    assert found is not None
    gone = next(one for one in found[0].events if one.event == E.REROUTE)
    word = next(one for one in found[0].events if one.event == E.REJECTED)
    shown = await page(console, what, f"/evidence/{gone.seq}")
    assert "we gave it up" in words(shown).partition("The bytes")[2]
    assert f'href="/console/prescriptions/{what.id}/evidence/{word.seq}">Rejected' in shown
    assert "Their answer is among the bytes below, as it came." in words(shown)


async def test_a_reroute_of_what_never_left_rests_on_no_answer(console: Looking) -> None:
    what = make_prescription("A")
    await keep(console, what)
    assert await console.exchange.store.reroute(request_of(what)) == ()
    found = await console.exchange.enquiries.dossier(what.id, tenant=None)
    assert found is not None
    gone = next(one for one in found[0].events if one.event == E.REROUTE)
    assert "What let it go" not in await page(console, what, f"/evidence/{gone.seq}")


@pytest.mark.parametrize(
    ("verdict", "label"),
    [
        ("valid", "Good"),
        ("", "Not checked yet"),
        ("invalid: the message was changed after it was signed", "Bad"),
        ("carried, could not be verified: no revocation list", "Could not be checked"),
    ],
)
async def test_the_signature_is_in_one_of_states_that_are_never_merged(
    console: Looking, verdict: str, label: str
) -> None:
    signature = PrescriberSignature(format="jws", data=b"a..b", verdict=verdict)
    what = replace(make_prescription("A"), signature=signature)
    await keep(console, what)
    shown = words(await page(console, what, "/evidence/1")).partition("Prescriber's signature")[2]
    shown = shown or words(await page(console, what, "/evidence/1"))
    section = shown.partition("Our seal")[0]
    assert label in section
    assert (verdict.rpartition(": ")[2].lower() in section.lower()) or verdict in {"valid", ""}
    for other in ("Good", "Bad", "Could not be checked", "Not checked yet"):
        assert (f" {other} " in section) is (other == label), other


async def test_the_pack_is_the_same_facts_in_print_and_as_json(console: Looking) -> None:
    what = make_prescription("A")
    await report(console, await sent(console, what), E.ACCEPTED, "one")
    printed = await page(console, what, "/pack")
    kept = json.loads(await console.get(f"/console/prescriptions/{what.id}/pack.json"))
    said = json.dumps(kept["facts"], sort_keys=True, separators=(",", ":")).encode()
    assert kept["sha256_of_facts"] == hashlib.sha256(said).hexdigest()
    assert kept["sha256_of_facts"] in printed
    assert "5 Oct 2026, 10:15:01 BST" in printed
    assert "Operator of the gateway" in printed
    assert any("print evidence pack" in leaf for leaf in console.leaves())


@pytest.mark.parametrize("more", ["", "/evidence/1", "/pack", "/pack.json"])
async def test_who_may_not_see_it_gets_the_page_of_one_that_does_not_exist(console: Looking, more: str) -> None:
    what = make_prescription("A")
    await keep(console, what)
    await console.enter()
    console.be(Role.HOMECARE_PHARMACIST, TRUST)
    await console.get(f"/console/prescriptions/{what.id}{more}")
    console.be(Role.HOMECARE_PHARMACIST, OdsCode("RZA"))
    foreign = await console.get(f"/console/prescriptions/{what.id}{more}", status=404)
    nothing = await console.get(f"/console/prescriptions/{derived_id('no')}{more}", status=404)
    token = re.compile(r'value="[^"]+"')
    assert token.sub("", foreign) == token.sub("", nothing)
    for bad in ("not-an-id", f"{what.id}/evidence/99999", f"{what.id}/evidence/x", f"{what.id}/evidence/{'9' * 40}"):
        await console.get(f"/console/prescriptions/{bad}", status=404)


async def test_a_provider_sees_its_own_and_not_what_another_was_sent(console: Looking) -> None:
    what = make_prescription("A")
    await sent(console, what)
    await console.enter()
    console.be(Role.PROVIDER_PHARMACIST, PROVIDER)
    assert "Arrived, not accepted" in await console.get(f"/console/prescriptions/{what.id}")
    console.be(Role.PROVIDER_PHARMACIST, OdsCode("VNCEL"))
    await console.get(f"/console/prescriptions/{what.id}", status=404)


async def test_a_provider_is_told_what_is_its_own_to_do_and_not_to_ring_itself(console: Looking) -> None:
    what = make_prescription("A")
    message = await sent(console, what)
    await report(console, message, E.ACCEPTED, "one")
    await cancel(console, what)
    await console.exchange.store.open_alert(
        kind="cancel-overdue", subject="c", line_id=what.lines[0].id, now=console.clock.now(), text="NOT cancelled."
    )
    await console.enter()
    console.be(Role.PROVIDER_PHARMACIST, PROVIDER)
    shown = words(await console.get(f"/console/prescriptions/{what.id}"))
    assert "to say whether it is cancelled: answer it in your system." in shown
    assert "No telephone number of Example Trust (RBA) is known here. When you ring them, quote" in shown
    assert "You are asked to cancel it." in shown
    assert "Received passed over" not in shown
    assert "Ring the provider" not in shown


async def test_a_sensitive_record_shows_no_address_anywhere(console: Looking) -> None:
    order = make_order(
        replace(make_prescription("A"), homecare=Homecare(delivery=Delivery(address=patient().address))),
        state=LineState.HELD,
    )
    issue = Issue(code="FIELD_NOT_UNDERSTOOD", location="Bundle.entry[1].resource.meta.security[0]", text="A label.")
    order = replace(order, verdict=replace(order.verdict, issues=(issue,)))
    await console.exchange.store.accept(make_acceptance("A", order))
    what = make_prescription("A")
    for more in ("", "/evidence/1", "/pack", "/pack.json"):
        shown = await page(console, what, more)
        assert "Example Street" not in shown, more
    assert "the message bears a security label (Bundle.entry[1].resource.meta.security[0])" in await page(console, what)


async def test_hostile_words_are_inert_and_nothing_is_cut_off(console: Looking) -> None:
    long = "Extraordinarily long name of a medicine " * 12
    odd = line(
        "RXA0",
        product=replace(line().product, display=f"{long}\u202e<script>alert(1)</script>"),
        dosages=(replace(dosage(), text="<img src=x onerror=alert(2)>"),),
    )
    what = prescription(
        group="GRPA", lines=(odd,), patient=patient(name=Name(family="<b>Bobby", given=("\u2067Tables",)))
    )
    await sent(console, what)
    for more in ("", "/evidence/1", "/pack"):
        shown = await page(console, what, more)
        assert "<script>alert" not in shown
        assert "<img src=x" not in shown
        assert "\u202e" not in main(shown)
        assert "\u2067" not in main(shown)
    assert long.strip() in words(await page(console, what))


async def test_every_view_leaves_a_leaf_before_it_is_shown(console: Looking) -> None:
    what = make_prescription("A")
    await keep(console, what)
    await page(console, what)
    await page(console, what, "/evidence/1")
    leaves = [leaf for leaf in console.leaves() if str(what.id) in leaf]
    assert len(leaves) == 2
    assert not any("TESTPATIENT" in leaf or "9990000077" in leaf for leaf in console.leaves())


def test_a_label_is_the_same_wherever_it_stands() -> None:
    labels = [*LABELS.values(), *HELD_LABELS.values(), *CANCEL_LABELS.values()]
    assert len(set(labels)) == len(labels)
    never = re.compile(r"\b(processed|successful|acknowledged)\b|^(pending|failed|in progress)$", re.IGNORECASE)
    assert [label for label in labels if never.search(label)] == []
