"""One file of a release is read in constant memory, or refused."""

from pathlib import Path

import pytest

from gateway.config.dmd.xml_rows import AMP, LOOKUP, VTM, FileKind, rows
from gateway.domain.errors import ConfigurationError

AMPS = "<ACTUAL_MEDICINAL_PRODUCTS><AMPS>{}</AMPS><AP_INFORMATION/></ACTUAL_MEDICINAL_PRODUCTS>"


def written(folder: Path, text: str) -> Path:
    path = folder / "f_amp2_3161126.xml"
    path.write_text(text, encoding="utf-8")
    return path


def test_rows_come_with_their_values_and_without_empty_ones(tmp_path: Path) -> None:
    path = written(
        tmp_path, AMPS.format("<AMP><APID>1</APID><NM> Two\n words </NM><INVALID/></AMP><OTHER><A>1</A></OTHER>")
    )
    assert list(rows(path, AMP, ("AMP",))) == [("AMP", {"APID": "1", "NM": "Two words"})]


def test_a_lookup_row_is_named_after_its_section(tmp_path: Path) -> None:
    text = "<LOOKUP><FORM><INFO><CD>1</CD></INFO></FORM><ROUTE><INFO><CD>2</CD></INFO></ROUTE></LOOKUP>"
    assert list(rows(written(tmp_path, text), LOOKUP, ("ROUTE",))) == [("ROUTE", {"CD": "2"})]


GOOD = AMPS.format("<AMP><APID>1</APID></AMP>")


@pytest.mark.parametrize(
    ("kind", "text", "told"),
    [
        (AMP, GOOD[:-3], "ends early"),
        (AMP, AMPS.format("<AMP><APID>1</AMP>"), "not well-formed"),
        (AMP, "", "ends early"),
        (VTM, GOOD, "the root is not VIRTUAL_THERAPEUTIC_MOIETIES"),
        (AMP, AMPS.format("<AMP><APID>1</APID><APID>2</APID></AMP>"), "APID stands twice"),
        (AMP, AMPS.format("<AMP><APID><X>1</X></APID></AMP>"), "X stands too deep"),
        (AMP, f"<!DOCTYPE ACTUAL_MEDICINAL_PRODUCTS>{GOOD}", "DOCTYPE"),
        (AMP, f'<!DOCTYPE a [<!ENTITY x "y">]>{AMPS.format("<AMP><NM>&x;</NM></AMP>")}', "DOCTYPE"),
        (AMP, f'<!DOCTYPE a SYSTEM "file:///etc/hostname">{GOOD}', "DOCTYPE"),
    ],
)
def test_a_file_that_is_not_of_the_schema_is_refused(tmp_path: Path, kind: FileKind, text: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        list(rows(written(tmp_path, text), kind, ("AMP",)))


def test_a_file_that_is_away_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        list(rows(tmp_path / "f_amp2_3161126.xml", AMP, ("AMP",)))


def _resident() -> int:
    """Give the process's memory in bytes; the parser's own is not Python's, so tracemalloc does not see it."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is measured as Linux tells it")
def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    row = f"<AMP><APID>990131000001103</APID><NM>{'x' * 400}</NM></AMP>"
    path = written(tmp_path, AMPS.format(row * 20_000))
    after = {count: _resident() for count, _ in enumerate(rows(path, AMP, ("AMP",)), 1) if count in {2_000, 20_000}}
    assert after[20_000] - after[2_000] < 4_000_000
