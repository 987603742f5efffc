"""Every row of the corpus for messages, signatures and HTTP (reliability-security.md 4.1 to 4.4) has a test of its own.

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
COUNTS = {"H": 34, "X": 16, "S": 10, "J": 32, "W": 22}
IDS = [f"{family}{number:02}" for family, count in COUNTS.items() for number in range(1, count + 1)]

MLLP, FRAMES, DOORS = "unit/test_mllp.py", "unit/wire/test_mllp.py", "acceptance/test_bad_input.py"
WEB = "unit/web/test_app.py"
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
    "W03": [
        (WEB, "test_a_body_that_drips_is_given_up"),
        (WEB, "test_a_sender_who_leaves_in_the_middle_leaves_nothing_behind"),
    ],
    "W08": [(WEB, "test_a_body_of_another_type_or_encoding_is_turned_away")],
    "W10": [(WEB, "test_a_body_of_another_type_or_encoding_is_turned_away")],
    "W13": [
        (WEB, "test_a_body_of_another_type_or_encoding_is_turned_away"),
        (WEB, "test_a_callback_past_the_limit_or_compressed_is_turned_away"),
    ],
    "W14": [(WEB, "test_an_address_with_an_nhs_number_or_a_token_is_refused_and_not_logged")],
    "W15": [(WEB, "test_a_search_that_is_not_one_of_ours_is_refused")],
    "W16": [(WEB, "test_a_search_that_is_not_one_of_ours_is_refused")],
    "W18": [("unit/console/test_console.py", "test_a_search_without_its_token_is_refused")],
    "W19": [
        (WEB, "test_one_sender_cannot_take_every_place"),
        ("unit/wiring/test_crowd.py", "test_beyond_the_limit_a_caller_is_told_when_to_come_again"),
    ],
    "W20": [(MLLP, "test_with_tls_a_caller_without_a_certificate_of_ours_is_cut_off")],
    "W22": [
        ("acceptance/test_serve.py", "test_after_a_kill_the_same_data_serve_again_and_the_answer_is_the_same"),
        ("unit/pipeline/test_story.py", "test_the_same_bytes_get_the_same_answer_and_nothing_new"),
    ],
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
            if found := re.match(r"test_([hxjsw]\d\d)_", name):
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
    rows = re.findall(r"^\| ([HXSJW]\d\d) \|", CORPUS.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted(IDS)
