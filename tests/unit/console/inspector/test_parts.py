"""What the message pages are made of, without a page."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.console.inspector.comparing import compare
from gateway.console.inspector.fields import FIELDS, SEGMENTS, name_of
from gateway.console.inspector.hiding import MASK, Hiding, field_shown, hiding, target_shown
from gateway.console.inspector.links import Links
from gateway.console.inspector.source import of_hl7v2, segments_of
from gateway.console.inspector.tracing import Filter, how, table
from gateway.console.inspector.tree import of_json, walk
from gateway.domain.trace import Disposition, Leftover, TraceRow
from gateway.translate.maps.rules import HL7V2
from gateway.wire.er7 import offset_of, parse
from gateway.wire.strict_json import dumps
from tests.factories import patient

GOLDEN = sorted((Path(__file__).parents[3] / "golden/hl7v2").glob("*.hl7"))
SHOWN = Hiding(off=True)


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.stem)
def test_a_message_is_cut_as_its_reader_cuts_it_and_nothing_of_it_is_lost(file: Path) -> None:
    body = file.read_bytes()
    message = parse(body)
    shown = list(segments_of(body, message))
    assert [(one.name, one.ordinal) for one in shown] == [(one.name, one.ordinal) for one in message.segments]
    text = body.decode(message.charset.codec)
    lines = [line for line in re.split(r"\r\n|\r|\n", text) if line]
    assert ["".join(cell.value.text for cell in one.cells) for one in shown] == lines
    cells = {cell.at: cell for one in shown for cell in one.cells if cell.at}
    assert {at: cell.value.text for at, cell in cells.items()} == message.lexemes
    for at, cell in cells.items():
        assert cell.offset == offset_of(body, at)
        assert body[cell.offset : cell.offset + cell.size].decode(message.charset.codec) == cell.value.text


def test_a_long_message_is_shown_in_parts_that_join() -> None:
    body = GOLDEN[0].read_bytes() + b"".join(b"NTE|%d|L|a^b^c^d\r" % number for number in range(1000))
    seen, start = [], 0
    while True:
        shown = of_hl7v2(body, Links.of(()), SHOWN, frozenset(), start=start)
        seen += [(one.name, one.ordinal) for one in shown.segments]
        if not shown.further:
            break
        assert shown.further > start
        start = shown.further
    assert seen == [(one.name, one.ordinal) for one in parse(body).segments]


@pytest.mark.parametrize("body", [b"", b"\x00\xff", b"<xml/>", b"MSH", bytes(range(256))])
def test_what_is_no_message_is_not_shown_before_it_is_unmasked(body: bytes) -> None:
    shown = of_hl7v2(body, Links.of(()), Hiding(), frozenset())
    assert shown.fault
    assert (shown.segments, shown.text) == ((), "")


def test_every_field_that_a_rule_reads_has_a_name() -> None:
    places = {rule.source for rule in HL7V2.rows if re.fullmatch(r"\w{3}-\d+", rule.source)}
    unnamed = {place for place in places if " " not in name_of(place)}
    assert unnamed == set()
    assert set(FIELDS) <= set(SEGMENTS)


@pytest.mark.parametrize(
    ("locator", "name"),
    [
        ("RXE[1]-3.1", "RXE-3 Give amount - minimum"),
        ("RXE[2]-3", "RXE-3 Give amount - minimum"),
        ("TQ1[1]-2.1.1", "TQ1-2 Quantity"),
        ("ZZZ[1]-4.1", "ZZZ-4"),
        ("/PrescriptionMessage/Patient", ""),
        ("", ""),
    ],
)
def test_a_position_is_named(locator: str, name: str) -> None:
    assert name_of(locator) == name


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("lines[0].dosages[0].dose.value", True),
        ("lines[0].notes[0]", False),
        ("lines[0].dosages[0].patient_instruction", False),
        ("linesmen", False),
        ("patient.nhs_number", False),
        ("homecare.registration", False),
        ("prescriber.name.family", True),
        ("", False),
    ],
)
def test_only_what_is_known_to_be_the_order_s_is_shown(target: str, *, shown: bool) -> None:
    assert target_shown(target) is shown


@pytest.mark.parametrize(
    ("locator", "shown"),
    [
        ("RXE[1]-3.1", True),
        ("RXE[1]-8.1", False),
        ("PID[1]-5.1", False),
        ("ZZZ[1]-1.1", False),
        ("NTE[1]-3.1", False),
        ("MSH[1]-10.1", True),
        ("nonsense", False),
    ],
)
def test_a_field_of_the_person_is_masked_whatever_read_it(locator: str, *, shown: bool) -> None:
    assert field_shown(locator) is shown


def test_the_patient_s_words_are_masked_wherever_they_stand() -> None:
    hide = hiding([patient()], ["9990000077"], (), off=False)
    said = "For Aoife TESTPATIENT (aoife, 12.4.) of TA1 1AA, 999 000 0077, ring 07700900123: 10mg of 15517911000001104"
    seen = hide.of(said, shown=True).text
    for secret in ("Aoife", "aoife", "TESTPATIENT", "TA1 1AA", "999 000 0077", "07700900123"):
        assert secret not in seen
    assert "10mg of 15517911000001104" in seen
    assert hide.of(said, shown=False) == hide.of("x", shown=False)
    assert Hiding(off=True).of(said, shown=False).text == said


def test_what_hides_in_a_value_is_made_visible() -> None:
    assert SHOWN.of("a\u202eb\x00\nc\u200b", shown=True).text == "a[U+202E]b\u2400\u240ac[U+200B]"


@given(st.text(max_size=400))
def test_a_masked_value_says_nothing_of_itself(text: str) -> None:
    value = Hiding().of(text, shown=False)
    assert value.text in {MASK, ""}
    assert bool(value.text) == bool(text)


def test_a_value_of_a_million_characters_is_cut_and_says_how_long_it_is() -> None:
    value = SHOWN.of("y" * 1_000_000, shown=True)
    assert len(value.text) < 400
    assert value.text.endswith("… (1,000,000 characters)")


ROWS = (
    TraceRow("patient.nhs_number", "PID[1]-3.1", "R1", "parse:nhs-number", "9990000077", "9990000077"),
    TraceRow("lines[0].dosages[0].dose.value", "RXE[1]-3.1", "R2", "copy", "10", "10"),
    TraceRow("lines[0].dosages[0].dose.unit", "RXE[1]-5.1", "R3", "table:units@7", "mg", "mg"),
    TraceRow("lines[0].substitution_allowed", "", "R4", "default:as-written", "", "False"),
    TraceRow("lines[0].product.code", "RXE[1]-2.1", "", "copy", "1", "1"),
)
EXPLAINED = (
    (
        "Bundle.entry[1].resource.dosageInstruction[0].doseAndRate[0].doseQuantity.value",
        "lines[0].dosages[0].dose.value",
    ),
    ("Bundle.entry[1].resource.medicationCodeableConcept.coding[0].code", "lines[0].product.code"),
    ("Bundle.entry[1].resource.medicationCodeableConcept.coding[0].display", "lines[0].product.display"),
    ("Bundle.entry[1].resource.status", "rule:constant.status"),
)


def test_a_place_of_the_source_leads_to_places_of_fhir_and_back() -> None:
    links = Links.of(ROWS, EXPLAINED)
    assert links.rows_at("RXE[1]-3") == links.rows_at("RXE[1]-3.1") == (1,)
    assert links.rows_at("RXE[1]") == (1, 2, 4)
    assert links.rows_at("RXE[1]-30.1") == ()
    assert links.fhir(1) == (EXPLAINED[0][0],)
    assert links.rows_to(EXPLAINED[0][0]) == (1,)
    assert links.rows_to(EXPLAINED[2][0]) == (4,), "a display stands beside its code"
    assert links.origin(EXPLAINED[3][0]) == "rule:constant.status"
    assert links.rows_to(EXPLAINED[3][0]) == ()
    assert (links.places("RXE[1]-3.1"), links.places("RXE[1]-2.1"), links.places("PID[1]-3.1")) == (1, 2, 1)


def test_each_filter_shows_its_rows_and_counts_them() -> None:
    left = (
        Leftover("PID[1]-30.1", "N", Disposition.IGNORED_BY_RULE, "L1: not carried"),
        Leftover("ZZZ[1]-1.1", "secret", Disposition.UNKNOWN, ""),
    )
    counted = {}
    for one in Filter:
        shown = table(Links.of(ROWS, EXPLAINED), left, Hiding(), frozenset({1}), chosen=one)
        counted[one.value] = len(shown.rows)
        assert {kind.value: count for kind, count in shown.counts.items()}[one.value] == len(shown.rows)
        assert "secret" not in str(shown)
        assert "9990000077" not in str(shown)
    assert counted == {"all": 5, "clinical": 4, "defaults": 1, "tables": 1, "unexplained": 2, "leftovers": 2}


@pytest.mark.parametrize(
    ("transform", "words"),
    [
        ("copy", "Copied as it stands"),
        ("table:units@7", "Looked up in table units, version 7"),
        ("parse:whole", "Read as whole"),
        ("default:as-written", "Taken by default (as-written)"),
        ("derive:line-id", "Worked out (line-id)"),
    ],
)
def test_what_was_done_is_said_in_words(transform: str, words: str) -> None:
    assert how(transform) == words


def test_every_value_of_a_message_has_a_line_and_its_place() -> None:
    body = b'{"resourceType":"Bundle","entry":[{"resource":{"n":[1.50,true,"<script>"],"e":{}}}]}'
    paths = {
        path: leaf for _, _, path, leaf in walk({"a": [{"b": Decimal("1.50")}, "x"]}, "Bundle") if leaf is not None
    }
    assert paths == {"Bundle.a[0].b": "1.50", "Bundle.a[1]": "x"}
    shown = of_json(body, Links.of(()), SHOWN, frozenset())
    assert [(line.path, line.value.text) for line in shown.lines if line.value] == [
        ("Bundle.resourceType", "Bundle"),
        ("Bundle.entry[0].resource.n[0]", "1.50"),
        ("Bundle.entry[0].resource.n[1]", "true"),
        ("Bundle.entry[0].resource.n[2]", "<script>"),
    ]
    masked = of_json(body, Links.of(()), Hiding(), frozenset())
    assert [line.value.text for line in masked.lines if line.value] == ["Bundle", MASK, MASK, MASK]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"a":1,"a":2}', b"[" * 10_000])
def test_json_that_cannot_be_read_in_one_way_is_said_to_be_so(body: bytes) -> None:
    assert of_json(body, Links.of(()), SHOWN, frozenset()).fault


def test_a_long_tree_says_how_much_is_left() -> None:
    shown = of_json(dumps({"a": list(map(str, range(4000)))}), Links.of(()), SHOWN, frozenset(), start=1500)
    assert (len(shown.lines), shown.more) == (1500, 1000)
    assert shown.lines[0].value is not None
    assert shown.lines[0].value.text == "1500"


@given(st.lists(st.sampled_from("abc-+@"), max_size=12), st.lists(st.sampled_from("abc-+@"), max_size=12))
def test_lines_that_differ_are_told_from_those_that_do_not(first: list[str], second: list[str]) -> None:
    diff = compare(first, second)
    assert diff.same == (first == second)
    assert len(first) - diff.removed == len(second) - diff.added


def test_nobody_waits_for_two_endless_messages() -> None:
    began = datetime.now(UTC)
    diff = compare([f"a{number}" for number in range(50_000)], [f"b{number}" for number in range(50_000)])
    assert not diff.whole
    assert (datetime.now(UTC) - began).total_seconds() < 10
