"""The end of a provider's certificate is told in time, as far as it is stated."""

import shutil
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from gateway.config.certificate_check import AHEAD, certificate_concerns
from gateway.config.load import load
from gateway.domain.identifiers import OdsCode
from gateway.domain.partner import Environment, Provider

ENDS = date(2026, 12, 21)


def provider(**more: Any) -> Provider:
    named = {"ods": OdsCode("VNE51"), "name": "Example Homecare Ltd", "environment": Environment.TEST}
    return Provider(**named, adapter="sandbox", endpoint="https://x.example", **more)


@pytest.mark.parametrize(
    ("today", "told"),
    [
        (ENDS - AHEAD - timedelta(days=1), ()),
        (ENDS - AHEAD, ("ends on 21 Dec 2026, in 30 days",)),
        (ENDS, ("ended on 21 Dec 2026",)),
        (ENDS + timedelta(days=99), ("ended on 21 Dec 2026",)),
    ],
)
def test_a_person_is_told_a_month_before(today: date, told: tuple[str, ...]) -> None:
    found = list(certificate_concerns([provider(certificate_ends=ENDS)], today))
    assert [one.kind for one in found] == ["certificate-ends"] * len(told)
    for one, words in zip(found, told, strict=True):
        assert one.text == f"The certificate of Example Homecare Ltd (VNE51) {words}, as its file states."


def test_nothing_is_told_of_what_nobody_stated_or_of_who_is_not_sent_to() -> None:
    assert not list(certificate_concerns([provider(), provider(certificate_ends=ENDS, active=False)], ENDS))


def test_it_is_told_again_the_next_week() -> None:
    one = provider(certificate_ends=ENDS)
    days = [ENDS + timedelta(days=more) for more in (0, 1, 7)]
    subjects = [concern.subject for day in days for concern in certificate_concerns([one], day)]
    assert subjects[0] == subjects[1] != subjects[2]


def test_the_day_is_read_from_the_providers_file(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(str(files("gateway.config") / "demonstration"), tmp_path / "config"))
    file = folder / "providers" / "VNE51.toml"
    file.write_text(file.read_text("utf-8") + "\ncertificate_ends = 2026-12-21\n", "utf-8")
    assert load(folder).routing.providers[OdsCode("VNE51")].certificate_ends == ENDS
