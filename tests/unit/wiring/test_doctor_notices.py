"""What the doctor makes of notices outside the console."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.config.configuration import Configuration
from gateway.config.load import load
from gateway.domain.escalation import Circle, Contact, Rung
from gateway.domain.identifiers import OdsCode
from gateway.domain.notice_rules import NoticeRules, Webhooks
from gateway.domain.partner import Environment
from gateway.ports.notices import NoticeCounts
from gateway.wiring.doctor import notices
from gateway.wiring.doctor.finding import Finding, Grade

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
CAL = Contact(name="Cal Oncall", webhook="https://hooks.example.nhs.uk/cal")


@pytest.fixture(scope="module")
def configuration() -> Configuration:
    return load(None)


def circle(trust: str = "") -> Circle:
    return Circle(trust=OdsCode(trust) if trust else None, people={Rung.OWNER: (CAL,)})


def rules(*circles: Circle) -> NoticeRules:
    webhooks = Webhooks(hosts=frozenset({"hooks.example.nhs.uk"}), secret="s")
    return NoticeRules(version="1", address="https://a.example", webhooks=webhooks, circles=circles)


def said(found: Iterable[Finding]) -> list[tuple[Grade, str]]:
    return [(one.grade, one.says) for one in found]


def test_that_nobody_is_told_is_well_in_a_demonstration_and_to_be_looked_at_when_live(
    configuration: Configuration,
) -> None:
    ((grade, _),) = said(notices.configured(configuration))
    assert grade is Grade.GOOD
    ((grade, words),) = said(notices.configured(replace(configuration, environment=Environment.LIVE)))
    assert (grade, words) == (Grade.LOOK, "nobody is told outside the console")


def test_who_is_told_in_place_of_whom_is_said(configuration: Configuration) -> None:
    trusts = [circle(ods.value) for ods in configuration.trusts]
    whole = replace(configuration, notices=rules(circle(), *trusts))
    assert said(notices.configured(whole)) == [(Grade.GOOD, "people are told by webhook")]
    (first, *_) = said(notices.configured(replace(configuration, notices=rules(*trusts))))
    assert first == (Grade.LOOK, "nobody is named for the gateway itself")
    (first, *_) = said(notices.configured(replace(configuration, notices=rules(circle(), *trusts[1:]))))
    assert first[1].endswith(f"in place of {trusts[0].name}")


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        (NoticeCounts(waiting=0, since=None, spent=0), []),
        (NoticeCounts(waiting=3, since=NOW - timedelta(minutes=29), spent=0), []),
        (NoticeCounts(waiting=3, since=NOW - timedelta(minutes=31), spent=0), [Grade.WRONG]),
        (NoticeCounts(waiting=0, since=None, spent=2), [Grade.LOOK]),
    ],
)
def test_what_does_not_leave_is_wrong(counts: NoticeCounts, expected: list[Grade]) -> None:
    assert [grade for grade, _ in said(notices.judged(counts, NOW))] == expected
