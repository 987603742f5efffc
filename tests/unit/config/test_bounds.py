"""Every number of the configuration has bounds: what cannot be reckoned with is refused before anything runs."""

import re
import shutil
from importlib.resources import files
from pathlib import Path
from typing import Final

import pytest

from gateway.config.load import load
from gateway.domain.deadline import LONGEST_SECONDS, LONGEST_WORKING_DAYS, Limit, Request, Urgency
from gateway.domain.errors import ConfigurationError
from gateway.domain.lifecycle import LineState

MAIL: Final = '[mail]\nhost = "h"\nfrom = "a@b.uk"\nsecurity = "tls"\n'
HOOK: Final = '[webhook]\nhosts = ["h"]\nsecret_env = "GATEWAY_SECRET_HOOK"\n'
TERM: Final = '[[terms]]\nfrom = 2024-01-01\ndecided_by = "Chief Pharmacist"\n'
ISSUER: Final = (
    '[issuer]\nurl = "https://id.uk"\nclient_id = "g"\nclient_secret_env = "GATEWAY_SECRET_ID"\n'
    'public_url = "https://g.uk/"\n'
)
ROLE: Final = '[[roles]]\nvalue = "hp"\nrole = "homecare-pharmacist"\norganisation = "RBA"\n'
ENVIRON: Final = {"GATEWAY_SECRET_HOOK": "0123456789abcdef0123456789abcdef", "GATEWAY_SECRET_ID": "not guessed"}

SETTINGS: Final = [
    ("gateway.toml", "time_scale = 1\n", "time_scale = {}\n", 1, 86_400),
    ("gateway.toml", "attempts = 500", "attempts = {}", 1, 1_000_000),
    ("gateway.toml", "age_seconds = 14400", "age_seconds = {}", 1, LONGEST_SECONDS),
    ("gateway.toml", "lease_seconds = 60", "lease_seconds = {}", 16, 3600),
    ("gateway.toml", "oldest_days = 42", "oldest_days = {}", 1, 3660),
    ("gateway.toml", "[retry]", "[signatures]\nevidence_hours = {}\n[retry]", 1, 8784),
    ("deadlines.toml", "READY = 900", "READY = {}", 0, LONGEST_SECONDS),
    ("trusts/RZA.toml", "", "renewal_lead_weeks = {}\n", 1, 52),
    ("trusts/RZA.toml", "", 'tells = {{ kind = "mllp", host = "127.0.0.1", port = {} }}\n', 1, 65_535),
    ("providers/VNE51.toml", "", "max_in_flight = {}\n", 1, 10_000),
    ("providers/VNE51.toml", "", "answers_within_seconds = {}\n", 1, 59),
    ("providers/VNE51.toml", "", "lead_time_days = {}\n", 1, 28),
    ("notices.toml", "", MAIL + "port = {}\n", 1, 65_535),
    ("notices.toml", "", MAIL + "seconds = {}\n", 1, 300),
    ("notices.toml", "", HOOK + "seconds = {}\n", 1, 300),
    ("retention.toml", "", TERM + "keep_years = 200\narchive_after_days = {}\n", 1, 73_000),
    ("retention.toml", "", TERM + "keep_years = {}\n", 2, 200),
    ("retention.toml", "", TERM + "keep_until_age = {}\n", 18, 200),
    ("console.toml", "", "[sessions]\nidle_minutes = {}\n", 3, 720),
    ("console.toml", "", "[sessions]\nabsolute_hours = {}\n", 1, 12),
    ("console.toml", "", ISSUER + "oldest_minutes = {}\n" + ROLE, 0, 44_640),
]
KEYS: Final = [re.findall(r"(\w+) = \{\}", new)[-1] for _, _, new, _, _ in SETTINGS]
AROUND: Final = [f"{row[0]} {key}" for row, key in zip(SETTINGS, KEYS, strict=True)]

NO_NUMBERS: Final = {
    "below nought": "-1",
    "more than a day has": "90000000000000",
    "more than a float": str(10**400),
    "infinite": "inf",
    "no number": "nan",
    "a truth": "true",
    "a text": '"1"',
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(Path(str(files("gateway.config") / "demonstration")), tmp_path / "config"))


def written(folder: Path, file: str, old: str, new: str) -> Path:
    """Write a setting in the place of another, or at the head of a file."""
    path = folder / file
    text = path.read_text("utf-8") if path.exists() and file != "retention.toml" else ""
    assert old in text
    path.write_text(text.replace(old, new, 1) if old else new + text, "utf-8")
    return folder


def faults_of(folder: Path) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        load(folder, environ=ENVIRON)
    return caught.value.faults


@pytest.mark.parametrize("said", NO_NUMBERS.values(), ids=NO_NUMBERS)
@pytest.mark.parametrize(("row", "key"), list(zip(SETTINGS, KEYS, strict=True)), ids=AROUND)
def test_what_cannot_be_reckoned_with_is_refused_with_its_file(
    folder: Path, row: tuple[str, str, str, int, int], key: str, said: str
) -> None:
    file, old, new, _, _ = row
    found = faults_of(written(folder, file, old, new.format(said)))
    assert any(re.match(rf"{re.escape(file)}: (.*: )?{key}: is (not|above|below)", fault) for fault in found), found


def test_a_number_of_more_digits_than_are_read_is_a_fault_of_its_file(folder: Path) -> None:
    (fault,) = faults_of(written(folder, "deadlines.toml", "READY = 900", f"READY = {'9' * 5000}"))
    assert fault.startswith("deadlines.toml: is not TOML: ")


def test_a_file_that_is_no_toml_is_not_blamed_on_the_others(folder: Path) -> None:
    written(folder, "trusts/RBA.toml", "on_conflict =", "on_conflict")
    first, second = faults_of(written(folder, "gateway.toml", "environment =", "environment"))
    assert first.startswith("gateway.toml: is not TOML: ")
    assert second.startswith("trusts/RBA.toml: is not TOML: ")


@pytest.mark.parametrize("row", SETTINGS, ids=AROUND)
def test_the_least_and_the_most_are_taken_and_what_lies_beyond_is_not(
    folder: Path, row: tuple[str, str, str, int, int]
) -> None:
    file, old, new, least, most = row
    before = folder.parent / "before"
    shutil.copytree(folder, before)
    for number in (least, most):
        again = Path(shutil.copytree(before, folder.parent / f"{number}"))
        load(written(again, file, old, new.format(number)), environ=ENVIRON)
    for number in (least - 1, most + 1):
        again = Path(shutil.copytree(before, folder.parent / f"beyond{number}"))
        assert faults_of(written(again, file, old, new.format(number)))


def test_no_number_is_read_that_the_table_does_not_have() -> None:
    source = [file.read_text("utf-8") for file in Path(str(files("gateway.config"))).glob("*.py")]
    read = [key for text in source for key in re.findall(r'\.(?:whole|number)\(\s*"(\w+)"', text)]
    assert sorted(read) == sorted(key for key in KEYS if key != "READY")


LONG: Final = [
    ("[seconds]\nREADY = 90000000000000\n", "deadlines.toml: seconds: READY: is above 31622400: the longest limit is"),
    ("[seconds]\nREADY = 31622401\n", "366 days (31622400 seconds, 8784 hours) or 260 working days"),
    ('[answers]\ncancel = "8785 hours"\n', "deadlines.toml: answers: cancel: '8785 hours' is too long: the longest"),
    ('[answers]\nhold = "261 working days"\n', "answers: hold: '261 working days' is too long"),
    *(
        (f'[[limits]]\nclass = "{kind}"\nfrom = 2026-01-01\n{key} = "5000 working days"\n', f"limits[0]: {key}: '5000")
        for kind in Urgency
        for key in ("ACCEPTED", "PAPER_ORIGINAL")
    ),
]


@pytest.mark.parametrize("scale", [1, 3600])
@pytest.mark.parametrize(("text", "fault"), LONG)
def test_no_limit_is_longer_than_a_prescription_is_valid(folder: Path, text: str, fault: str, scale: int) -> None:
    (folder / "deadlines.toml").write_text(text, "utf-8")
    written(folder, "gateway.toml", "time_scale = 1\n", f"time_scale = {scale}\n")
    assert any(fault in one for one in faults_of(folder)), faults_of(folder)


def test_the_longest_limits_are_taken(folder: Path) -> None:
    (folder / "deadlines.toml").write_text(
        '[seconds]\nREADY = 31622400\n[answers]\ncancel = "8784 hours"\nhold = "260 working days"\n', "utf-8"
    )
    deadlines = load(folder).deadlines
    assert deadlines.custody[LineState.READY].limit_seconds == LONGEST_SECONDS
    assert deadlines.answers[Request.CANCEL] == Limit(seconds=LONGEST_SECONDS)
    assert deadlines.answers[Request.HOLD] == Limit(working_days=LONGEST_WORKING_DAYS)


@pytest.mark.parametrize("year", ["0001", "9999"])
def test_a_calendar_of_a_year_that_stands_for_none_is_refused(folder: Path, year: str) -> None:
    (folder / "calendar.toml").write_text(
        f'source = "s"\nfirst = {year}-01-01\nlast = {year}-12-31\nholidays = [{year}-12-25]\n', "utf-8"
    )
    assert "calendar.toml: last: " in " ".join(faults_of(folder))
