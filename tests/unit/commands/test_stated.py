"""A list that a party gives is read as a list, or refused: one of nothing says so by its heading."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.commands.stated import read_holdings, read_list, read_messages, read_told
from gateway.domain.errors import ConfigurationError

READERS = [(read_holdings, "line,epoch,state"), (read_list, "id"), (read_messages, "id"), (read_told, "line,state")]
NO_LISTS = ["", "\n\n", "<html>504 Gateway Time-out</html>", "line;epoch;state", "id,id", "foo\n", '"line","epoch"']


@pytest.mark.parametrize(("read", "heading"), READERS)
def test_a_heading_alone_is_a_list_of_nothing(tmp_path: Path, read: Callable[[Path], object], heading: str) -> None:
    (tmp_path / "list.csv").write_text(f"{heading}\n")
    assert not read(tmp_path / "list.csv")


@pytest.mark.parametrize("text", NO_LISTS)
@pytest.mark.parametrize(("read", "heading"), READERS)
def test_what_is_no_list_is_not_taken_for_one_of_nothing(
    tmp_path: Path, read: Callable[[Path], object], heading: str, text: str
) -> None:
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(ConfigurationError, match=f"begins with a heading, {','.join(sorted(heading.split(',')))}"):
        read(tmp_path / "list.csv")


@pytest.mark.parametrize("epoch", ["0", "-1", "1.0", "9" * 24, "\u0661"])
def test_an_epoch_that_none_can_have_is_named_with_its_line(tmp_path: Path, epoch: str) -> None:
    (tmp_path / "held.csv").write_text(f"line,epoch,state\n{'0' * 8}-0000-4000-8000-{'0' * 12},{epoch},ACCEPTED\n")
    with pytest.raises(ConfigurationError, match=r"held\.csv:2: epoch is a whole number"):
        read_holdings(tmp_path / "held.csv")


@pytest.mark.parametrize("read", [read for read, _ in READERS])
def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path: Path, read: Callable[[Path], object]) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        read(tmp_path / "none.csv")
