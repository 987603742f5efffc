"""Every row of the corpus for messages and signatures (reliability-security.md 4.1 to 4.3) has a test that is its own.

A test is a row's own where its name begins with the row's id, or where it is a `Row` of these tables; other tests that
answer for a row are named below, and must exist.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[2]
CORPUS = TESTS / "../../shared/design/reliability-security.md"
COUNTS = {"H": 34, "X": 16, "S": 10, "J": 32}
IDS = [f"{family}{number:02}" for family, count in COUNTS.items() for number in range(1, count + 1)]

MLLP, FRAMES, DOORS = "unit/test_mllp.py", "unit/wire/test_mllp.py", "acceptance/test_bad_input.py"
PRESCRIBER = "unit/sign/test_prescriber.py"
ELSEWHERE: dict[str, list[tuple[str, str]]] = {
    "H01": [(MLLP, "test_a_breach_of_the_framing_ends_the_connection_and_stores_nothing")],
    "H02": [(MLLP, "test_a_message_that_never_ends_is_refused_after_a_while_and_not_taken")],
    "H03": [(MLLP, "test_what_follows_a_broken_end_is_never_taken_for_a_message")],
    "H04": [
        (MLLP, "test_a_message_split_at_any_byte_is_the_same_message"),
        (FRAMES, "test_messages_come_out_the_same_wherever_the_stream_is_cut"),
    ],
    "H05": [(DOORS, "test_broken_framing_is_answered_and_what_arrived_is_kept_apart")],
    "H06": [(FRAMES, "test_a_breach_is_raised_and_stays")],
    "H07": [(FRAMES, "test_a_stream_without_end_is_dropped_at_the_limit")],
    "H13": [(DOORS, "test_a_control_id_used_again_for_other_bytes_is_a_conflict_and_changes_nothing")],
    "H19": [("unit/translate/to_acknowledgement/test_hl7v2.py", "test_enhanced_mode_is_obeyed")],
    "S01": [(PRESCRIBER, "test_a_wrapped_signature_is_refused")],
    **{f"S{number:02}": [(PRESCRIBER, "test_a_signature_in_any_other_form_is_invalid")] for number in (2, 3, 4)},
    "S05": [(PRESCRIBER, "test_a_key_that_may_not_sign")],
    "S06": [(PRESCRIBER, "test_certificates_are_in_date_when_signed")],
    "S07": [
        (PRESCRIBER, "test_a_changed_dose_quantity_or_drug_breaks_the_eps_signature"),
        (PRESCRIBER, "test_the_signature_of_another_prescription_is_invalid"),
    ],
    "S08": [
        (PRESCRIBER, "test_an_enveloped_document_changed_after_signing_is_invalid"),
        (PRESCRIBER, "test_a_detached_signature_is_over_the_very_octets"),
    ],
    "S09": [(PRESCRIBER, "test_revocation_by_supplied_evidence")],
    "S10": [
        ("unit/validate/test_clinical.py", "test_the_trusts_signature_policy_decides"),
        ("unit/pipeline/test_story.py", "test_a_signature_that_is_required_and_absent_refuses"),
    ],
}
"""Tests whose names say what they hold, for rows they were not written after."""


def functions(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)}


def named() -> Iterator[str]:
    """Give the id of every row that a test's name or a table names."""
    for file in TESTS.rglob("test_*.py"):
        for name in functions(file):
            if found := re.match(r"test_([hxjs]\d\d)_", name):
                yield found[1].upper()
    for file in Path(__file__).parent.glob("test_*_rows.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Row":
                first = node.args[0]
                assert isinstance(first, ast.Constant)
                yield str(first.value)


NAMED = frozenset(named()) - {""}


@pytest.mark.parametrize("row", IDS)
def test_a_row_has_a_test_of_its_own(row: str) -> None:
    assert row in NAMED or row in ELSEWHERE


@pytest.mark.parametrize(("file", "name"), sorted({one for tests in ELSEWHERE.values() for one in tests}))
def test_a_test_that_answers_for_a_row_exists(file: str, name: str) -> None:
    assert name in functions(TESTS / file)


def test_no_test_names_a_row_that_is_not_in_the_corpus() -> None:
    assert set(IDS) >= NAMED
    assert set(ELSEWHERE) <= set(IDS)


@pytest.mark.skipif(not CORPUS.exists(), reason="the design documents are not beside this checkout")
def test_the_list_of_rows_is_the_corpus() -> None:
    rows = re.findall(r"^\| ([HXSJ]\d\d) \|", CORPUS.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted(IDS)
