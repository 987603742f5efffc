"""ODS lists are read by their one layout, and refused in any other."""

from pathlib import Path

import pytest

from gateway.config.ods import read_organisations
from gateway.domain.errors import ConfigurationError

GOLDEN = Path(__file__).parents[2] / "golden" / "dmd"
CELLS = ["RZZ", "A TRUST", "Y60", "QZZ", "", "", "", "", "", "ZZ9 9ZZ", "20010401", "20240331", "", "", "RZY"]


def test_a_list_of_trusts_is_read() -> None:
    rows = list(read_organisations(GOLDEN / "etr.csv"))
    assert [(row["code"], row["opened"], row["closed"]) for row in rows] == [
        ("RZZ", "2001-04-01", ""),
        ("RZY", "2001-04-01", "2024-03-31"),
    ]


def test_a_site_names_its_trust() -> None:
    (site,) = read_organisations(GOLDEN / "ets.csv")
    assert (site["code"], site["parent"], site["postcode"]) == ("RZZ01", "RZZ", "ZZ99 9ZZ")


def changed(at: int, text: str) -> list[str]:
    return [*CELLS[:at], text, *CELLS[at + 1 :]]


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (CELLS[:14], "has 14 columns"),
        (changed(0, "rzz"), "no ODS code"),
        (changed(0, ""), "no ODS code"),
        (changed(1, " "), "or no name"),
        (changed(10, "20010231"), "not YYYYMMDD"),
        (changed(11, "1 April 2001"), "not YYYYMMDD"),
    ],
)
def test_a_row_of_another_layout_is_refused(tmp_path: Path, cells: list[str], told: str) -> None:
    path = tmp_path / "etr.csv"
    path.write_text(",".join(cells) + "\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=told):
        list(read_organisations(path))


@pytest.mark.parametrize(
    ("body", "told"), [(b"", "is empty"), (b'"RZZ","A TRU', "ends early"), (b'"RZZ","\xff"\n', "not UTF-8")]
)
def test_a_file_that_is_no_list_is_refused(tmp_path: Path, body: bytes, told: str) -> None:
    path = tmp_path / "etr.csv"
    path.write_bytes(body)
    with pytest.raises(ConfigurationError, match=told):
        list(read_organisations(path))
