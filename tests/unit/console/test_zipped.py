"""Compressed pages: the same page, in fewer bytes, of no telling length."""

import gzip

import pytest

from gateway.console.zipped import zipped

PAGE = b"<p>TESTPATIENT, Aoife</p>" * 1000


def test_a_page_is_the_same_and_smaller() -> None:
    small = zipped(PAGE, "br, gzip")
    assert small is not None
    assert gzip.decompress(small) == PAGE
    assert len(small) < len(PAGE) / 10


@pytest.mark.parametrize(("body", "accepts"), [(PAGE, "br"), (PAGE, ""), (b"<p>short</p>", "gzip")])
def test_what_gains_nothing_or_is_not_understood_goes_as_it_is(body: bytes, accepts: str) -> None:
    assert zipped(body, accepts) is None


def test_its_length_does_not_tell_what_it_repeats() -> None:
    assert len({len(zipped(PAGE, "gzip") or b"") for _ in range(50)}) > 5
