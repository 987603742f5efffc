"""What is remembered of a sender's words: short ones, and the answers are the same either way."""

import pytest

from gateway.translate.remembered import LONGEST, remembered


@pytest.mark.parametrize(("length", "asked"), [(1, 1), (LONGEST, 1), (LONGEST + 1, 3)])
def test_short_words_are_asked_about_once_and_long_ones_each_time(length: int, asked: int) -> None:
    questions: list[str] = []

    def question(words: str, name: str) -> bool:
        questions.append(words)
        return words == name

    judge = remembered(question)
    words = "x" * length
    assert [judge(words, words) for _ in range(3)] == [True] * 3
    assert len(questions) == asked
    assert judge(words, "y") is False
