"""The page of proofs says what the results say."""

from tests.faults.page import PAGE, page, read
from tests.faults.proofs import PROOFS


def test_the_page_is_made_from_the_results_that_are_kept() -> None:
    assert PAGE.read_text() == page(read())


def test_every_proof_has_its_row() -> None:
    assert {one["row"]["case"] for one in read()["kept"]} == {proof.case for proof in PROOFS}


def test_a_page_of_other_results_is_another_page() -> None:
    found = read()
    row = {**found["kept"][0]["row"], "lost": 1}
    assert page({**found, "kept": [{**found["kept"][0], "row": row}, *found["kept"][1:]]}) != page(found)
