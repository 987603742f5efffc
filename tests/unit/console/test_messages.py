"""The message pages over a real store, with messages that went through the real pipeline."""

import csv
import io
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.access.principal import Kind, Principal
from gateway.access.roles import Role
from gateway.console import csv_stream
from gateway.destination import InDoubt, Taken, TryLater
from gateway.domain.acknowledgement import Acknowledgement, LineReport
from gateway.domain.errors import Unavailable
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent
from gateway.domain.submission import WireFormat
from gateway.ports.audit_trail import AuditWanted
from gateway.ports.callback import Callback
from gateway.ports.inspection import Channel, MessageId, Received, Wanted
from gateway.ports.work import Claim
from gateway.store.sql import inspecting
from gateway.wire.er7 import parse
from tests.console_rows import RBA, SAMPLES, Console, console_over, sample
from tests.unit.pipeline.test_hold import hold

VNE51 = OdsCode("VNE51")
PATIENT = ("TESTPATIENT", "Aoife", "9990000077", "999 000 0077", "19790412", "12 Apr 1979", "Example Street", "TA1 1AA")
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[Console]:
    async with console_over(tmp_path) as console:
        yield console


async def claimed(console: Console) -> Claim:
    (claim,) = await console.store.claim(worker="w", now=console.clock.now(), lease_seconds=60, room={VNE51: 1})
    assert await console.store.on_wire(claim, now=console.clock.now())
    return claim


async def answered(console: Console, claim: Claim, event: LineEvent, name: str) -> None:
    answer = Acknowledgement(id=name, correlation=claim.message_id, reports=(LineReport(line_id=None, event=event),))
    callback = Callback(
        destination=VNE51,
        received_at=console.clock.now(),
        content_type="application/json",
        body=f'{{"id":"{name}","patient":"TESTPATIENT"}}'.encode(),
    )
    await console.store.acknowledge(callback, answer, ())


def words(page: str) -> str:
    """Give what a person reads of a page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", re.sub(r"<(script|style).*?</\1>", "", page, flags=re.DOTALL)))


def is_someone(console: Console, role: Role, tenant: OdsCode | None) -> None:
    console.sessions.become(Principal(kind=Kind.PERSON, tenant=tenant, name="someone", role=role))


async def test_an_empty_list_proves_that_it_looked(console: Console) -> None:
    page = words(await console.read("/console/messages"))
    assert "No message has been received or sent yet. The list was read at 5 Oct 2026, 09:15:00" in page


async def test_the_list_shows_what_came_what_went_and_what_became_of_it(console: Console) -> None:
    for name in ("S01", "S10"):
        await console.sample(name)
    await console.post(b"nonsense")
    page = words(await console.read("/console/messages"))
    for said in (
        "S01-0001",
        "Translated",
        "S10-0001",
        "Held",
        "DOSE_ CONFLICT",
        "Could not be read",
        "Waiting to be sent",
    ):
        assert said in page
    for secret in PATIENT:
        assert secret not in page
    listed = page[page.index("Newest first") :]
    for forbidden in ("pending", "successful", "processed", "acknowledged"):
        assert forbidden not in listed.casefold()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("outcome=held", {"in-2"}),
        ("issue=DOSE_CONFLICT", {"in-2"}),
        ("way=apart", {"apart-1"}),
        ("partner=RBA&way=in", {"in-1", "in-2"}),
        ("type=rde&outcome=translated", {"in-1"}),
        ("since=2026-10-06", set()),
        ("until=2026-10-05&way=apart", {"apart-1"}),
        ("version=none", None),
        ("outcome=%3Cscript%3E", None),
    ],
)
async def test_the_list_is_narrowed(console: Console, query: str, found: set[str] | None) -> None:
    for name in ("S01", "S10"):
        await console.sample(name)
    await console.post(b"nonsense")
    page = await console.read(f"/console/messages?{query}")
    names = set(re.findall(r'href="/console/messages/([a-z]+-\d+)"', page))
    everything = set(re.findall(r'href="/console/messages/([a-z]+-\d+)"', await console.read("/console/messages")))
    assert names == (everything if found is None else found)
    if found == set():
        assert "No message is like that. The whole list was looked through" in words(page)


@pytest.mark.parametrize(("field", "day"), [("since", "yesterday"), ("since", "0001-01-01"), ("until", "9999-12-31")])
async def test_a_day_that_is_none_is_said_at_its_field(console: Console, field: str, day: str) -> None:
    page = await console.read(f"/console/messages?{field}={day}", 422)
    assert f"“{day}” is not a day between 1800 and 2999" in words(page)
    assert f'href="#{field}"' in page


async def test_a_long_list_goes_on_and_none_is_shown_twice(console: Console) -> None:
    for number in range(60):
        await console.post(sample("S01").replace(b"S01-0001", b"S01-%04d" % number))
    seen: list[str] = []
    address = "/console/messages"
    while True:
        page = await console.read(address)
        names = re.findall(r'<th scope="row"><a href="/console/messages/([a-z]+-\d+)"', page)
        assert len(names) <= 50
        seen += names
        further = re.search(r'href="(/console/messages\?below=[^"]+)"', page)
        if further is None:
            break
        address = further[1].replace("&amp;", "&")
    assert len(seen) == len(set(seen)) >= 60


async def test_the_list_is_a_file_that_no_spreadsheet_runs(console: Console) -> None:
    await console.post(sample("S01").replace(b"S01-0001", b"=1+1"))
    async with console.browser.get(f"{console.address}/console/messages.csv") as response:
        assert response.headers["content-disposition"] == 'attachment; filename="messages-newest-5000.csv"'
        rows = list(csv.DictReader(io.StringIO(await response.text())))
    received = next(row for row in rows if row["way"] == "in")
    assert received["control_id"] == "'=1+1"
    assert (received["partner"], received["outcome"]) == ("RBA", "translated")
    assert {row["way"] for row in rows} == {"in", "out"}


async def test_the_file_is_the_same_however_many_messages_are_read_at_once(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        await console.post(sample("S01").replace(b"0001", b"000%d" % (number + 1)))
    files = []
    for part in (500, 1, 2):
        monkeypatch.setattr(csv_stream, "PART", part)
        async with console.browser.get(f"{console.address}/console/messages.csv") as response:
            files.append(await response.text())
    assert files[0].count("\n") > 3
    assert files[0] == files[1] == files[2]


async def test_a_file_whose_search_stopped_says_so_in_its_last_row(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        await console.post(sample("S01").replace(b"S01-0001", b"S01-%04d" % number))
    monkeypatch.setattr(inspecting, "LOOKED_AT", 2)
    files = []
    for looks in (1, 9):
        monkeypatch.setattr(csv_stream, "LOOKS", looks)
        async with console.browser.get(f"{console.address}/console/messages.csv?way=in&outcome=held") as response:
            files.append(list(csv.DictReader(io.StringIO(await response.text()))))
    (row,), nothing = files
    assert nothing == []
    assert re.fullmatch(r"Looked back to .+\. What is older has not been looked at\.", next(iter(row.values())))


@pytest.mark.parametrize("sought", ["S01-0001", "in-1"])
async def test_a_name_leads_to_its_message(console: Console, sought: str) -> None:
    await console.sample("S01")
    page = (await console.send("/console/messages/find", name=sought)).decode()
    assert "<h1>RDE^O11^RDE_O11 S01-0001 from Example Trust (RBA)" in page


async def test_a_name_that_is_nobody_s_is_said_to_be_so_and_kept(console: Console) -> None:
    page = (await console.send("/console/messages/find", name=SCRIPT)).decode()
    assert SCRIPT not in page
    assert "No message has “<script>" in words(page).replace("&lt;", "<").replace("&gt;", ">")


async def test_a_message_has_everything_that_came_of_it(console: Console) -> None:
    await console.sample("S01")
    claim = await claimed(console)
    console.clock.move(seconds=3)
    again_at = console.clock.now()
    await console.store.record(claim, TryLater(reason="HTTP 503"), now=again_at, retry_at=again_at)
    claim = await claimed(console)
    console.clock.move(seconds=2)
    await console.store.record(claim, Taken(evidence=b"took TESTPATIENT"), now=console.clock.now(), retry_at=None)
    await answered(console, claim, LineEvent.ACCEPTED, "ANSWER1")
    page = await console.read("/console/messages/in-1")
    said = words(page)
    for heading in ("Source", "What we understood", "FHIR", "Trace", "Issues", "Attempts and answers", "Replay"):
        assert re.search(rf"<h2[^>]*>{heading}</h2>", page), heading
    assert "PID Patient identification" in said
    assert "Methotrexate 10mg/0.2ml" in said
    assert "the message that they are of is byte for byte what was sealed" in said
    assert "HTTP 503" in said
    assert "3 s" in said
    assert "Matched." in said
    assert "16 bytes, masked" in said
    assert said.count("Unexplained 0") == 1
    for secret in PATIENT:
        assert secret not in page, secret


async def test_choosing_a_field_marks_where_it_goes_and_back(console: Console) -> None:
    await console.sample("S01")
    page = await console.read("/console/messages/in-1?at=RXE[1]-3.1")
    assert "RXE-3 Give amount - minimum (RXE[1]-3.1) becomes lines[0].dosages[0].dose.value" in words(page)
    marked = re.findall(r'<li id="marked-fhir" class="[^"]*hc-cell--marked"[^>]*>.*?href="\?to=([^"#&]+)', page)
    assert marked == ["Bundle.entry[1].resource.dosageInstruction[0].doseAndRate[0].doseQuantity.value"]
    assert "goes to 1 place" in words(page)
    for part in ("source", "fhir", "trace"):
        assert page.count(f'id="marked-{part}"') == 1
        assert f'href="#marked-{part}"' in page
    back = await console.read(f"/console/messages/in-1?to={marked[0]}")
    assert f"{marked[0]} comes from RXE[1]-3.1. All are marked." in words(back)
    assert len(re.findall(r'class="hc-cell hc-cell--marked"', back)) == 1


async def test_a_place_that_is_nowhere_is_said_to_go_nowhere(console: Console) -> None:
    await console.sample("S01")
    for at in ("RXE[99]-1.1", SCRIPT, "../../etc", "x" * 5000):
        page = await console.read(f"/console/messages/in-1?at={at}")
        assert "goes nowhere" in words(page)
        assert SCRIPT not in page


async def test_of_a_message_that_asks_for_a_hold_nobody_is_told_of_no_places(console: Console) -> None:
    await console.sample("S01")
    await console.post(hold())
    page = await console.read("/console/messages/in-2?at=ORC[1]-2.1")
    assert "0 places" not in words(page)
    assert "goes nowhere" not in words(page)
    assert "is of a message that became no prescription here: no trace says where it goes." in words(page)


async def test_the_field_that_held_an_order_is_found_from_its_issue(console: Console) -> None:
    await console.sample("S10")
    page = await console.read("/console/messages/in-1")
    link = re.search(r'<a href="(\?at=TQ1\[1\]-2\.1[^"]*)"><span class="hc-number">TQ1\[1\]-2\.1', page)
    assert link
    chosen = await console.read(f"/console/messages/in-1{link[1].partition('#')[0].replace('&amp;', '&')}")
    said = words(chosen)
    assert "It is where DOSE_CONFLICT was found. It begins at byte 721." in said
    assert "The message says: 10 milligram and 20 milligram" in said
    assert "Only the trust can say which is right" in said
    assert "Not written: no message for a provider was made from this order" in said


@pytest.mark.parametrize(("only", "rows"), [("leftovers", True), ("tables", True), ("unexplained", False), ("x", True)])
async def test_the_trace_is_filtered(console: Console, only: str, *, rows: bool) -> None:
    await console.sample("S01")
    page = await console.read(f"/console/messages/in-1?only={only}")
    assert ('<table class="nhsuk-table hc-list hc-trace">' in page) is rows
    if not rows:
        assert "None: every value of the output has a rule" in words(page)


async def test_patient_data_is_unmasked_for_a_reason_for_a_while_and_every_look_is_noted(console: Console) -> None:
    await console.sample("S01")
    refused = (await console.send("/console/messages/in-1/unmask", 422, reason="", words="abcdefgh")).decode()
    assert "Choose why you need to see" in words(refused)
    assert 'value="abcdefgh"' in refused
    assert "TESTPATIENT" not in refused
    page = (await console.send("/console/messages/in-1/unmask", reason="incident", words="call 4711")).decode()
    assert "TESTPATIENT" in page
    assert "9990000077" in page
    leaves = [leaf for leaf in (await _trail(console)) if "unmask" in leaf["action"]]
    assert [leaf["action"] for leaf in leaves] == [
        "console view unmasked",
        "console unmask, incident",
        "console unmask: nothing was done",
    ]
    assert "in-1" in leaves[1]["about"]
    assert len(leaves[1]["reason_digest"]) == 64
    assert "4711" not in str(leaves)
    console.clock.move(minutes=16)
    assert "TESTPATIENT" not in await console.read("/console/messages/in-1")


async def test_a_message_is_masked_again_on_request(console: Console) -> None:
    await console.sample("S01")
    await console.send("/console/messages/in-1/unmask", reason="incident", words="call 4711")
    page = (await console.send("/console/messages/in-1/mask")).decode()
    assert "TESTPATIENT" not in page


async def test_what_one_person_unmasked_another_does_not_see(console: Console) -> None:
    await console.sample("S01")
    await console.send("/console/messages/in-1/unmask", reason="incident", words="call 4711")
    async with console.browser.get(console.address + console.sessions.link()):
        pass
    assert "TESTPATIENT" not in await console.read("/console/messages/in-1")


async def test_an_operator_of_the_gateway_reads_and_does_not_unmask(console: Console) -> None:
    await console.sample("S01")
    await console.read("/console/messages")
    is_someone(console, Role.OPERATOR, None)
    page = await console.read("/console/messages/in-1")
    assert "Your role does not unmask" in words(page)
    await console.send("/console/messages/in-1/unmask", 404, reason="incident", words="call 4711")


async def test_a_trust_s_engineer_sees_its_own_alone_and_cannot_tell_the_rest_from_nothing(console: Console) -> None:
    await console.sample("S01")
    await console.post(sample("S02").replace(b"|RBA|", b"|RZA|"), tenant=OdsCode("RZA"))
    everything = set(re.findall(r"/console/messages/([a-z]+-\d+)", await console.read("/console/messages")))
    is_someone(console, Role.INTEGRATION_ENGINEER, RBA)
    own = set(re.findall(r"/console/messages/([a-z]+-\d+)", await console.read("/console/messages")))
    assert own < everything
    nothing = await console.read("/console/messages/in-999999", 404)
    for name in everything - own:
        foreign = await console.read(f"/console/messages/{name}", 404)
        assert re.sub(r"in-999999|" + name, "", foreign) == re.sub(r"in-999999|" + name, "", nothing)


async def test_an_engineer_is_offered_no_page_of_a_prescription(console: Console) -> None:
    await console.sample("S01")
    assert 'href="/console/prescriptions/' in await console.read("/console/messages/in-1")
    is_someone(console, Role.INTEGRATION_ENGINEER, RBA)
    page = await console.read("/console/messages/in-1")
    assert 'href="/console/prescriptions/' not in page
    assert "Not open in your role" in page


@pytest.mark.parametrize("role", [Role.PRESCRIBER, Role.HOMECARE_PHARMACIST, Role.PHARMACY_TECHNICIAN])
@pytest.mark.parametrize("path", ["", "/in-1", "/in-1/compare", ".csv"])
async def test_who_does_not_read_messages_finds_nothing_there(console: Console, role: Role, path: str) -> None:
    await console.sample("S01")
    is_someone(console, role, RBA)
    assert "S01-0001" not in await console.read(f"/console/messages{path}", 404)


@pytest.mark.parametrize("name", ["in-0", "in-1x", "IN-1", "out-", "-1", "in-99999999999999999999", "in-1%00"])
async def test_a_name_that_is_none_leads_nowhere(console: Console, name: str) -> None:
    await console.sample("S01")
    await console.read(f"/console/messages/{name}", 404)


async def test_reading_again_stores_nothing_and_says_what_differs(console: Console) -> None:
    await console.sample("S01")
    before = await console.enquiries.books()
    page = words((await console.send("/console/messages/in-1/read-again")).decode())
    assert "Nothing was stored and nothing was sent" in page
    assert "The outcome is the same" in page
    assert "Nothing differs" in page
    assert await console.enquiries.books() == before
    for secret in PATIENT:
        assert secret not in page


async def test_reading_again_what_was_held_says_why_it_would_be_again(console: Console) -> None:
    await console.sample("S10")
    page = words((await console.send("/console/messages/in-1/read-again")).decode())
    assert "DOSE_ CONFLICT" in page
    assert "No message would be written now" in page


async def test_reading_again_what_was_kept_apart(console: Console) -> None:
    await console.post(b"nonsense")
    page = words((await console.send("/console/messages/apart-1/read-again")).decode())
    assert "UNREADABLE" in page


async def test_the_four_acts_of_replay_say_when_they_are_not_open(console: Console) -> None:
    await console.sample("S01")
    ready = words(await console.read("/console/messages/in-1"))
    assert "Send again: see first what will happen" in ready
    claim = await claimed(console)
    await console.store.record(claim, InDoubt(reason="cut off"), now=console.clock.now(), retry_at=None)
    doubt = words(await console.read("/console/messages/in-1"))
    assert "It must not be sent again before the provider has said" in doubt
    assert "Send again: see first" not in doubt
    assert "nothing of this message is held" in doubt
    assert "resend" not in doubt.replace('"resend"', "").replace("&#34;resend&#34;", "")


@pytest.mark.parametrize("name", ["S01", "S02", "S03", "S05", "S10"])
async def test_a_copy_for_testing_has_the_same_order_and_nobody_s_name(console: Console, name: str) -> None:
    await console.sample(name)
    copied = await console.send("/console/messages/in-1/copy-to-test")
    original, message = parse(sample(name)), parse(copied)
    assert [segment.name for segment in message.segments] == [segment.name for segment in original.segments]
    for segment in original.named("PID"):
        for field in (3, 11, 13):
            for leaf in (leaf for one in segment.repetitions(field) for leaf in one.leaves()):
                if len(leaf.text) > 3 and leaf.text not in {"1 Example Street", "Testville", "Testshire", "TA1 1AA"}:
                    assert leaf.text.encode() not in copied, leaf.locator
    for one, other in zip(original.named("RXE"), message.named("RXE"), strict=True):
        assert [leaf.text for leaf in one.leaves() if leaf.locator.startswith("RXE[1]-3")] == [
            leaf.text for leaf in other.leaves() if leaf.locator.startswith("RXE[1]-3")
        ]
    before = await _outcome(console, "in-1")
    await console.post(copied)
    assert await _outcome(console, "in-2") == before


async def test_a_copy_of_xml_is_the_same_order_and_nobody_s(console: Console) -> None:
    body = (SAMPLES.parent / "xml/example-new.xml").read_bytes()
    await console.post(body, WireFormat.XML)
    copied = await console.send("/console/messages/in-1/copy-to-test")
    for secret in (b"Aoife", b"9990000077", b"1979-04-12", b"Casey", b"07700900123", b"HC100001"):
        assert secret in body or secret in {b"07700900123", b"HC100001"}
        assert secret not in copied
    await console.post(copied, WireFormat.XML)
    assert await _outcome(console, "in-2") == await _outcome(console, "in-1") == "translated"


async def test_a_copy_of_fhir_has_nobody_s_name(console: Console) -> None:
    await console.sample("S01")
    view = await console.enquiries.message(MessageId(Channel.RECEIVED, 1), tenant=None)
    assert isinstance(view, Received)
    await console.post(view.orders[0].sealed[0].body, WireFormat.FHIR)
    rows = (await console.enquiries.messages(tenant=None, wanted=Wanted(partner="RBA"))).rows
    sent = [row for row in rows if row.form == "fhir" and row.id.channel is Channel.RECEIVED]
    assert sent
    for row in sent:
        copied = await console.send(f"/console/messages/{row.id}/copy-to-test")
        for secret in (b"Aoife", b"9990000077", b"1979-04-12", b"Casey", b"07700900123", b"HC100001"):
            assert secret not in copied


async def _outcome(console: Console, name: str) -> str:
    (row,) = await console.enquiries.messages_named(name, tenant=None)
    return row.outcome


async def test_two_messages_are_compared_line_by_line(console: Console) -> None:
    await console.sample("S01")
    await console.post(
        sample("S01").replace(b"S01-0001", b"S01-0002").replace(b"RX7001", b"RX7099").replace(b"|4|331", b"|8|331")
    )
    page = words(await console.read("/console/messages/in-1/compare?with=in-2"))
    assert "|4|3318611000001103" in page
    assert "|8|3318611000001103" in page
    for secret in PATIENT:
        assert secret not in page
    missing = await console.read("/console/messages/in-1/compare?with=in-77", 422)
    assert "There is no message “in-77” that you may see" in words(missing)


async def test_a_filter_is_kept_used_and_forgotten_and_holds_filters_alone(console: Console) -> None:
    await console.sample("S01")
    narrowed = await console.read("/console/messages?outcome=held&nhs=9990000077")
    assert 'name="query" value="outcome=held"' in narrowed
    kept = {"query": "outcome=held&nhs=9990000077&type=RDE", "filter_name": f"Held {SCRIPT}"}
    page = (await console.send("/console/messages/filters", **kept)).decode()
    assert "is kept for you." in words(page)
    assert SCRIPT not in page
    page = await console.read("/console/messages")
    assert 'href="/console/messages?type=RDE&amp;outcome=held"' in page
    assert "9990000077" not in page
    page = (await console.send("/console/messages/filters", query="way=in", filter_name="")).decode()
    assert "The filter was not kept: give it a name" in words(page)
    page = (await console.send("/console/messages/filters/forget", filter_name=f"Held {SCRIPT}")).decode()
    assert "is forgotten." in words(page)
    assert "Filters you keep" not in await console.read("/console/messages")


async def test_our_fhir_is_compared_with_a_golden_message_that_is_not_kept(console: Console) -> None:
    await console.sample("S01")
    ours = await sealed_octets(console)
    path = "/console/messages/in-1/compare"
    assert "Nothing differs." in words((await console.send(path, golden=ours)).decode())
    assert '"value":4' in ours
    page = words((await console.send(path, golden=ours.replace('"value":4', '"value":8', 1))).decode())
    assert "1 line only in the golden message, 1 only in ours." in page
    for secret in PATIENT:
        assert secret not in page
    refused = (await console.send(path, 422, golden=SCRIPT)).decode()
    assert "This is no FHIR message in JSON" in words(refused)
    assert SCRIPT not in refused


async def sealed_octets(console: Console) -> str:
    view = await console.enquiries.message(MessageId(channel=Channel.RECEIVED, number=1), tenant=None)
    assert isinstance(view, Received)
    return view.orders[0].sealed[0].body.decode()


async def test_a_message_that_goes_out_shows_its_attempts_and_where_it_came_from(console: Console) -> None:
    await console.sample("S01")
    claim = await claimed(console)
    later = console.clock.move(minutes=1)
    await console.store.record(claim, TryLater(reason="HTTP 503"), now=later, retry_at=console.clock.move(minutes=5))
    name = next(
        row.id
        for row in (await console.enquiries.messages_named(str(claim.message_id), tenant=None))
        if str(row.id).startswith("out")
    )
    page = await console.read(f"/console/messages/{name}")
    said = words(page)
    assert "Not taken, to be tried later" in said
    assert "1 min" in said
    assert "Next attempt: as soon as there is room, since 5 Oct 2026, 09:21:00" in said
    assert 'href="/console/messages/in-1"' in page
    for secret in PATIENT:
        assert secret not in page


async def test_an_answer_that_was_not_matched_says_why(console: Console) -> None:
    await console.sample("S01")
    claim = await claimed(console)
    answer = Acknowledgement(
        id="WRONG", correlation=claim.message_id, reports=(LineReport(line_id=None, event=LineEvent.ACCEPTED),)
    )
    callback = Callback(
        destination=OdsCode("VNCEL"), received_at=console.clock.now(), content_type="text/plain", body=b"TESTPATIENT"
    )
    await console.store.acknowledge(callback, answer, ())
    page = words(await console.read("/console/messages/answer-1"))
    assert "Not matched. A provider answered a message that was sent to another one." in page
    assert "TESTPATIENT" not in page


@pytest.mark.parametrize(
    "name", [SCRIPT.encode(), "مريم\u202eTEST".encode(), b'" onmouseover="x', b"a&amp;b{{7*7}}z", b"X" * 900]
)
async def test_hostile_names_stay_words(console: Console, name: bytes) -> None:
    await console.post(sample("S01").replace(b"TESTPATIENT", name).replace(b"S01-0001", b"C" + name[:10]))
    (row,) = [
        row
        for row in (await console.enquiries.messages(tenant=None, wanted=Wanted(partner="RBA"))).rows
        if row.id.channel in {Channel.RECEIVED, Channel.APART}
    ]
    await console.send(f"/console/messages/{row.id}/unmask", reason="incident", words="call 4711")
    for address in ("", f"/{row.id}"):
        page = await console.read(f"/console/messages{address}")
        assert SCRIPT not in page
        assert "\u202e" not in page
        assert ' onmouseover="x' not in page
        assert "b49z" not in page


async def test_a_message_of_a_megabyte_is_shown_within_a_second(console: Console) -> None:
    await console.post(sample("S01").replace(b"Inject 10mg", b"Inject 10mg " + b"y" * 1_000_000))
    await console.read("/console/messages/in-1")
    began = time.monotonic()
    page = await console.read("/console/messages/in-1")
    assert time.monotonic() - began < 3  # one second on a machine that does nothing else
    assert len(page) < 300_000
    assert "(1,000,0" in page


@pytest.mark.parametrize("body", [bytes(range(256)) * 100, b"\x00" * 1000, b"MSH|^~\\&|" + b"a|" * 200_000])
async def test_bytes_that_are_no_message_are_not_shown_until_unmasked(console: Console, body: bytes) -> None:
    await console.post(body)
    page = words(await console.read("/console/messages/apart-1"))
    assert "It could not be read into fields" in page
    assert "Nothing of it is shown before it is unmasked" in page
    opened = await console.send("/console/messages/apart-1/unmask", reason="held-or-refused", words="what is it")
    assert b"\x00" not in opened
    assert len(opened) < 1_500_000


async def test_fhir_that_a_trust_sends_is_masked_too(console: Console) -> None:
    await console.sample("S01")
    (row,) = await console.enquiries.messages_named("S01-0001", tenant=None)
    view = await console.enquiries.message(row.id, tenant=None)
    assert isinstance(view, Received)
    body = view.orders[0].sealed[0].body
    await console.post(body, WireFormat.FHIR)
    rows = (await console.enquiries.messages(tenant=None, wanted=Wanted())).rows
    assert any(row.form == "fhir" for row in rows)
    for one in rows:
        page = await console.read(f"/console/messages/{one.id}")
        for secret in PATIENT:
            assert secret not in page, (one, secret)


async def test_xml_that_a_trust_sends_is_masked_too(console: Console) -> None:
    body = (SAMPLES.parent / "xml/example-new.xml").read_bytes()
    await console.post(body, WireFormat.XML)
    rows = (await console.enquiries.messages(tenant=None, wanted=Wanted(partner="RBA"))).rows
    (row,) = [row for row in rows if row.form == "xml"]
    page = await console.read(f"/console/messages/{row.id}")
    for secret in ("TESTPATIENT", "Aoife", "999000", "1 Example Street"):
        assert secret not in page
    opened = (await console.send(f"/console/messages/{row.id}/unmask", reason="incident", words="call 1")).decode()
    assert "TESTPATIENT" in opened


async def test_a_store_that_is_away_is_said_to_be_away(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    await console.sample("S01")
    await console.read("/console/messages")

    async def away(*_: object, **__: object) -> None:
        raise Unavailable("the database cannot be read")

    monkeypatch.setattr(console.enquiries, "messages", away)
    monkeypatch.setattr(console.enquiries, "message", away)
    for path in ("", "/in-1", ".csv"):
        assert "S01-0001" not in await console.read(f"/console/messages{path}", 503)


async def test_nothing_is_shown_that_could_not_be_noted(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    await console.sample("S01")

    async def away(**_: object) -> None:
        raise Unavailable("the audit cannot be written")

    monkeypatch.setattr(console.store, "note_access", away)
    for path in ("", "/in-1", ".csv", "/in-1/compare?with=in-1"):
        assert "S01-0001" not in await console.read(f"/console/messages{path}", 503)


async def _trail(console: Console) -> list[dict[str, str]]:
    found = await console.enquiries.trail(tenant=None, wanted=AuditWanted())
    return [{"action": leaf.action, "about": " ".join(leaf.about), **leaf.facts} for leaf in found.leaves]
