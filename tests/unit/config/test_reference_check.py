"""Reference data that has grown old, and partners that ODS does not know or says are closed."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from gateway.config.load import load
from gateway.config.reference import load_reference
from gateway.config.reference_check import concerns
from gateway.domain.reference import OrganisationRow, Reference

TODAY = date(2026, 11, 22)
CONFIGURATION = load(None)
TRUSTS = sorted(ods.value for ods in CONFIGURATION.trusts)
PROVIDERS = sorted(one.ods.value for one in CONFIGURATION.routing.providers.values() if one.active)


def _reference(days: int | None = 0, **closed: date | None) -> Reference:
    """Give tables of an age, with organisations and the days they closed."""
    dated = None if days is None else TODAY - timedelta(days=days)
    rows = {code: OrganisationRow(code=code, name="Any", closed=day) for code, day in closed.items()}
    return replace(load_reference(), release="dmd-x", dated=dated, organisations=rows)


def _known() -> dict[str, date | None]:
    sites = [site.value for trust in CONFIGURATION.trusts.values() for site in trust.sites]
    return dict.fromkeys([*TRUSTS, *PROVIDERS, *sites])


@pytest.mark.parametrize(
    ("days", "subject"), [(None, ""), (0, ""), (42, ""), (43, "dmd-x:0"), (49, "dmd-x:0"), (50, "dmd-x:1")]
)
def test_an_old_release_is_told_of_once_a_week(days: int | None, subject: str) -> None:
    found = concerns(CONFIGURATION, _reference(days), TODAY)
    assert [(one.kind, one.subject) for one in found] == ([("reference-old", subject)] if subject else [])
    assert not any(one.grave for one in found)


def test_how_old_it_may_be_is_configured() -> None:
    patient = replace(CONFIGURATION, reference_days=365)
    assert concerns(patient, _reference(300), TODAY) == ()
    assert [one.kind for one in concerns(patient, _reference(366), TODAY)] == ["reference-old"]


def test_without_ods_lists_nothing_is_said_of_partners() -> None:
    assert concerns(CONFIGURATION, _reference(0), TODAY) == ()


def test_partners_that_ods_knows_are_of_no_concern() -> None:
    assert concerns(CONFIGURATION, _reference(0, **_known()), TODAY) == ()


@pytest.mark.parametrize("code", [TRUSTS[0], PROVIDERS[0]])
def test_a_partner_that_ods_does_not_know_is_a_concern(code: str) -> None:
    known = _known()
    del known[code]
    (found,) = concerns(CONFIGURATION, _reference(0, **known), TODAY)
    assert (found.kind, found.subject, found.grave) == ("partner-unknown", code, False)


@pytest.mark.parametrize("code", [TRUSTS[0], PROVIDERS[0]])
@pytest.mark.parametrize(("closed", "told"), [(TODAY, True), (date(2020, 1, 1), True), (date(2027, 1, 1), False)])
def test_a_partner_that_is_closed_is_a_grave_concern(code: str, closed: date, *, told: bool) -> None:
    found = concerns(CONFIGURATION, _reference(0, **(_known() | {code: closed})), TODAY)
    assert [(one.kind, one.subject, one.grave) for one in found] == ([("partner-closed", code, True)] if told else [])
