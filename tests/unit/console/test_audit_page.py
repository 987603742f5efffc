"""The audit over a real store: who saw or did what, and the check of every leaf."""

import asyncio
import csv
import io
import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import apsw
import pytest

from gateway.access.principal import Kind, Principal
from gateway.access.roles import Role
from gateway.audit.tree import Tree
from gateway.console import csv_stream
from gateway.console.auditing import audit_page
from gateway.console.auditing.audit_page import shown
from gateway.domain.errors import Unavailable
from gateway.domain.identifiers import OdsCode
from gateway.ports.audit_trail import AuditLeaf, AuditWanted
from gateway.ports.inspection import Received
from gateway.store.sql import audit_trail
from gateway.store.sql.leaves import leaf_hash, reason_digest
from tests.console_rows import RBA, Console, console_over, sample

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[Console]:
    async with console_over(tmp_path) as console:
        yield console


def words(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def is_someone(console: Console, role: Role, tenant: OdsCode | None) -> None:
    console.sessions.become(Principal(kind=Kind.PERSON, tenant=tenant, name="someone", role=role))


async def prescription(console: Console, name: str = "S01") -> str:
    await console.sample(name)
    (row, *_) = await console.enquiries.messages_named(f"{name}-0001", tenant=None)
    view = await console.enquiries.message(row.id, tenant=None)
    assert isinstance(view, Received)
    return str(view.orders[0].prescription_id)


async def checked(console: Console, **noted: str) -> str:
    """Run a check to its end, and give the page."""
    await console.send("/console/audit/check", **noted)
    for _ in range(200):
        page = words(await console.read("/console/audit"))
        if "Under way" not in page:
            return page
        await asyncio.sleep(0.05)
    raise AssertionError("the check did not end")


async def test_to_look_at_the_audit_is_in_the_audit(console: Console) -> None:
    await console.read("/console/audit")
    page = words(await console.read("/console/audit"))
    assert "operator View (console) Subject: audit" in page


async def test_it_says_who_saw_a_prescription_and_its_messages(console: Console) -> None:
    name = await prescription(console)
    await console.read(f"/console/prescriptions/{name}")
    await console.read("/console/messages/in-1")
    page = await console.read(f"/console/audit?about={name}")
    assert page.count('<th scope="row">') == 2 + 1, "and that somebody looks at what is known of it"
    assert f'href="/console/prescriptions/{name}"' in page
    assert 'href="/console/messages/in-1"' in page
    for secret in ("TESTPATIENT", "9990000077", "Methotrexate"):
        assert secret not in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("who=operator", True),
        ("who=nobody", False),
        ("action=enter", True),
        ("action=cancel", False),
        ("since=2026-10-05&until=2026-10-05", True),
        ("since=2026-10-06", False),
    ],
)
async def test_it_is_narrowed(console: Console, query: str, *, found: bool) -> None:
    page = await console.read(f"/console/audit?{query}")
    assert ('<th scope="row">' in page) is found
    if not found:
        assert "No leaf is like that. The whole audit was looked through" in words(page)


@pytest.mark.parametrize(
    ("query", "field"), [("since=soon", "since"), ("until=9999-12-31", "until"), (f"about={SCRIPT}", "about")]
)
async def test_what_cannot_be_asked_is_said_at_its_field(console: Console, query: str, field: str) -> None:
    page = await console.read(f"/console/audit?{query}", 422)
    assert f'<a href="#{field}">' in page
    assert SCRIPT not in page


async def test_a_long_audit_goes_on_and_nothing_is_shown_twice(console: Console) -> None:
    for number in range(120):
        await console.store.note_access(
            principal="many", action="console view", subject=f"{number}", now=console.clock.now()
        )
    seen: list[str] = []
    address = "/console/audit?who=many"
    while True:
        page = await console.read(address)
        seen += re.findall(r'Subject: <span class="hc-number">(\d+)<', page)
        further = re.search(r'href="(/console/audit\?[^"]*below=[^"]+)"', page)
        if further is None:
            break
        address = further[1].replace("&amp;", "&")
    assert seen == [str(number) for number in reversed(range(120))]


async def test_it_is_a_file_that_no_spreadsheet_runs(console: Console) -> None:
    await console.store.note_access(principal="=cmd()", action="view", subject="x", now=console.clock.now())
    async with console.browser.get(f"{console.address}/console/audit.csv?action=view") as response:
        rows = list(csv.DictReader(io.StringIO(await response.text())))
    assert "'=cmd()" in {row["who"] for row in rows}
    assert {row["leaf"] for row in rows} == {str(number) for number in map(int, (row["leaf"] for row in rows))}


@pytest.mark.parametrize("part", [1, 3, 500])
async def test_the_file_is_the_newest_leaves_however_many_are_read_at_once(
    console: Console, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    for number in range(9):
        await console.store.note_access(principal="k.one", action="seen", subject=f"{number}", now=console.clock.now())
    monkeypatch.setattr(csv_stream, "PART", part)
    monkeypatch.setattr(audit_page, "_MOST_IN_FILE", 7)
    async with console.browser.get(f"{console.address}/console/audit.csv?action=seen") as response:
        rows = list(csv.DictReader(io.StringIO(await response.text())))
    leaves = [int(row["leaf"]) for row in rows]
    assert leaves == sorted(set(leaves), reverse=True)
    assert len(leaves) == 7


async def test_a_file_whose_search_stopped_says_so_in_its_last_row(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    await console.store.note_access(principal="k.one", action="seen", subject="1", now=console.clock.now())
    for _ in range(9):
        await console.store.note_access(principal="k.two", action="other", subject="2", now=console.clock.now())
    monkeypatch.setattr(audit_trail, "LOOKED_AT", 5)
    files = []
    for looks in (1, 9):
        monkeypatch.setattr(csv_stream, "LOOKS", looks)
        async with console.browser.get(f"{console.address}/console/audit.csv?action=seen") as response:
            files.append(list(csv.DictReader(io.StringIO(await response.text()))))
    (stopped,), (found,) = files
    assert re.fullmatch(r"Looked back to .+\. What is older has not been looked at\.", stopped["leaf"])
    assert found["who"] == "k.one"


async def test_one_who_opens_many_patients_is_shown_and_what_cannot_be_known_is_said(console: Console) -> None:
    names = []
    for number in range(20):
        nhs = _nhs_number(number)
        body = sample("S01").replace(b"9990000077", nhs.encode()).replace(b"S01-0001", b"S01-%04d" % number)
        await console.post(body.replace(b"RX7001", b"RX8%03d" % number).replace(b"GRP7001", b"GRP8%03d" % number))
        (row, *_) = await console.enquiries.messages_named(f"S01-{number:04d}", tenant=None)
        view = await console.enquiries.message(row.id, tenant=None)
        assert isinstance(view, Received)
        names.append(view.orders[0].prescription_id)
    assert "Nobody opened prescriptions of 20 or more" in words(await console.read("/console/audit"))
    for name in names:
        at = console.clock.move(seconds=60)
        await console.store.note_access(principal="curious", action="console view", subject=str(name), now=at)
    page = words(await console.read("/console/audit"))
    assert "curious opened prescriptions of 20 different patients within an hour" in page
    assert "whether somebody looked at their own record" in page


def _nhs_number(index: int) -> str:
    for tail in range(index * 11, index * 11 + 100):
        digits = f"99900{tail:04d}"
        check = 11 - sum(int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1), strict=True)) % 11
        if check != 10:
            return digits + str(check % 11)
    raise AssertionError


async def test_every_leaf_is_checked_and_the_root_is_said(console: Console) -> None:
    await prescription(console)
    assert "No check was run since this process began" in words(await console.read("/console/audit"))
    page = await checked(console)
    found = re.search(r"All ([\d,]+) leaves are as they say, none is missing, up to leaf \1", page)
    assert found
    root = re.search(r"Root over [\d,]+ leaves ([0-9a-f]{64})", page)
    assert root
    tree = Tree()
    for (body,) in _rows(console, "SELECT body FROM audit_leaf ORDER BY seq LIMIT ?", int(found[1])):
        tree.add(leaf_hash(bytes(body)))
    assert tree.root.hex() == root[1]
    assert "no outside witness is configured" in page
    again = await checked(console, size=found[1], root=root[1])
    assert f"The root that was noted over {found[1]} leaves is the same" in again
    wrong = await checked(console, size=found[1], root="0" * 64)
    assert "a leaf among them was changed" in wrong
    gone = await checked(console, size="999999", root="0" * 64)
    assert "There are fewer than 999,999 leaves" in gone


def _rows(console: Console, sql: str, *values: int) -> list[tuple[bytes]]:
    return list(apsw.Connection(str(console.file)).execute(sql, values))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (
            "UPDATE audit_leaf SET body = CAST('{}' AS BLOB) WHERE seq = 2",
            "leaf 2 does not hash to what was kept with it",
        ),
        ("DELETE FROM audit_leaf WHERE seq = 3", "leaf 3 is missing"),
    ],
)
async def test_a_leaf_that_was_changed_or_taken_out_is_found(console: Console, damage: str, said: str) -> None:
    await prescription(console)
    connection = apsw.Connection(str(console.file))
    connection.execute("DROP TRIGGER audit_leaf_fixed; DROP TRIGGER audit_leaf_kept; PRAGMA foreign_keys = OFF")
    connection.execute(damage)
    page = await checked(console)
    assert f"Something is wrong: {said}." in page


@pytest.mark.parametrize("noted", [{"size": "5"}, {"root": "0" * 64}, {"size": "5", "root": "x" * 64}, {"size": "-1"}])
async def test_a_root_and_its_size_belong_together(console: Console, noted: dict[str, str]) -> None:
    page = words((await console.send("/console/audit/check", **noted)).decode())
    assert "The check was not begun" in page


async def test_a_check_that_cannot_read_the_store_says_nothing_of_the_leaves(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(**_: int) -> None:
        raise Unavailable("the database cannot be read")

    monkeypatch.setattr(console.enquiries, "leaf_hashes", away)
    assert "It could not be ended" in await checked(console)


@pytest.mark.parametrize("role", [Role.HOMECARE_PHARMACIST, Role.INTEGRATION_ENGINEER, Role.CHIEF_PHARMACIST])
async def test_who_is_no_auditor_finds_nothing_there(console: Console, role: Role) -> None:
    await console.read("/console/audit")
    is_someone(console, role, RBA)
    for path in ("/console/audit", "/console/audit.csv"):
        await console.read(path, 404)


async def test_hostile_names_stay_words(console: Console) -> None:
    for who in (SCRIPT, "x\u202ey", "a" * 2000):
        await console.store.note_access(principal=who, action=SCRIPT, subject=SCRIPT, now=console.clock.now())
    page = await console.read("/console/audit")
    assert SCRIPT not in page
    assert "\u202e" not in page


@pytest.mark.parametrize(("reason", "given"), [("", False), ("Rang the patient", True)])
def test_a_reason_of_no_words_is_not_said_to_be_given(reason: str, given: bool) -> None:  # noqa: FBT001
    leaf = AuditLeaf(
        seq=1,
        at=datetime(2026, 10, 5, tzinfo=UTC),
        kind="renewal",
        who="CK",
        action="",
        about=(),
        facts={"reason_digest": reason_digest(reason)},
    )
    assert bool(shown(leaf, leaf.at).reason) is given
    assert shown(leaf, leaf.at).who == "CK: the clock"


async def test_an_auditor_is_offered_no_page_that_is_not_an_auditors(console: Console) -> None:
    name = await prescription(console)
    await console.read(f"/console/prescriptions/{name}")
    await console.read("/console/messages/in-1")
    is_someone(console, Role.AUDITOR, None)
    page = await console.read(f"/console/audit?about={name}")
    assert name in page
    assert 'href="/console/prescriptions/' not in page
    assert 'href="/console/messages/' not in page


async def test_a_leaf_is_shown_as_it_was_written(console: Console) -> None:
    await prescription(console)
    found = await console.enquiries.trail(tenant=None, wanted=AuditWanted())
    bodies = {seq: json.loads(bytes(body)) for seq, body in _leaves(console)}
    for leaf in found.leaves:
        said = bodies[leaf.seq]
        assert leaf.who == said.get("principal", said.get("by"))
        assert leaf.at.isoformat() == said["at"]


def _leaves(console: Console) -> list[tuple[int, bytes]]:
    return list(apsw.Connection(str(console.file)).execute("SELECT seq, body FROM audit_leaf"))
