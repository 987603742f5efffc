"""retention.toml: what it says, and how its faults are told."""

import shutil
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest

from gateway.config.load import load
from gateway.domain.errors import ConfigurationError
from gateway.domain.identifiers import OdsCode

TERM = '[[terms]]\nfrom = 2024-01-01\narchive_after_days = 90\nkeep_years = 10\ndecided_by = "Chief Pharmacist"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    source = Path(str(files("gateway.config").joinpath("demonstration")))
    return Path(shutil.copytree(source, tmp_path / "config"))


def test_a_folder_without_its_own_has_the_proposal(folder: Path) -> None:
    (term,) = load(folder).retention.terms
    assert (term.archive_after_days, term.keep_years, term.decided_by) == (400, 8, "proposed, nobody has decided")


def test_a_folder_has_terms_of_its_own_for_each_trust(folder: Path) -> None:
    (folder / "retention.toml").write_text(TERM + TERM + 'trust = "RBA"\n', encoding="utf-8")
    general, own = load(folder).retention.terms
    assert (general.trust, own.trust, own.since) == (None, OdsCode("RBA"), date(2024, 1, 1))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (TERM + TERM, "retention.toml: terms[1]: is stated twice for every trust from 2024-01-01"),
        (TERM + "archive_after_day = 3\n", "retention.toml: terms[0]: archive_after_day: is not a setting"),
        (
            TERM.replace("90", "5000"),
            "retention.toml: terms[0]: archive_after_days: is longer than the records are kept",
        ),
        (TERM + "keep_until_age = 12\n", "retention.toml: terms[0]: keep_until_age: is below 18"),
    ],
)
def test_a_fault_is_told_with_its_place(folder: Path, text: str, fault: str) -> None:
    (folder / "retention.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load(folder)
    assert fault in caught.value.faults
