"""What issue codes mean in words."""

from gateway.domain.issue import CODES
from gateway.domain.issue_texts import TEXTS, in_words


def test_every_code_has_words_that_are_whole_sentences() -> None:
    assert set(TEXTS) == set(CODES)
    for code in CODES:
        said = in_words([code])
        assert said.endswith(f" ({code}).")
        assert len(said.removesuffix(f" ({code}).")) > len("A word")
        assert ".." not in said


def test_codes_are_said_once_in_their_order_with_the_code_last() -> None:
    dose, unit = TEXTS["DOSE_CONFLICT"][0], TEXTS["UNIT_UNMAPPED"][0]
    said = in_words(["UNIT_UNMAPPED", "DOSE_CONFLICT", "UNIT_UNMAPPED"])
    assert said == f"{unit.rstrip('.')} (UNIT_UNMAPPED). {dose.rstrip('.')} (DOSE_CONFLICT)."


def test_a_code_of_another_version_is_not_lost() -> None:
    assert in_words(["NEW_CODE"]) == "A reason of another version (NEW_CODE)."
    assert in_words([]) == ""
