"""notices.toml: a sound one is read whole, and every mistake is a fault with its place."""

import tomllib
from datetime import date, time, timedelta
from typing import Any

import pytest

from gateway.config.fields import Fields
from gateway.config.load import load
from gateway.config.notices import read_notices
from gateway.domain.alert import Soon
from gateway.domain.calendar import WorkingCalendar
from gateway.domain.escalation import PATIENCE, Rung
from gateway.domain.identifiers import OdsCode
from gateway.domain.notice import Channel
from gateway.domain.notice_rules import NOBODY, MailSecurity, NoticeRules

CALENDAR = WorkingCalendar(first=date(2026, 1, 1), last=date(2027, 12, 31))
SOUND = """
version = "2026-11-22"
address = "https://homecare.example.nhs.uk/"
[mail]
host = "smtp.example.nhs.uk"
from = "gateway@example.nhs.uk"
user = "gateway"
password_env = "GATEWAY_SECRET_MAIL"
[webhook]
hosts = ["hooks.example.nhs.uk"]
secret_env = "GATEWAY_SECRET_WEBHOOK"
[hours]
opens = "07:30"
closes = "19:00"
[[limits]]
soon = "now"
wait = "10 minutes"
always = true
[[limits]]
kind = "line-rejected"
wait = "2 hours"
[[circles]]
trust = "RBA"
[[circles.people]]
rung = "owner"
name = "Perry Pharmacist"
mail = "perry@example.nhs.uk"
[[circles.people]]
rung = "chief pharmacist"
name = "Chris Chief"
webhook = "https://hooks.example.nhs.uk/chris"
[[circles]]
[[circles.people]]
rung = "owner"
name = "Cal Oncall"
mail = "cal@example.nhs.uk"
"""


def read(text: str, *, time_scale: float = 1.0) -> tuple[NoticeRules, list[str]]:
    faults: list[str] = []
    values: dict[str, Any] = tomllib.loads(text)

    def secret(fields: Fields, key: str) -> str:
        return f"value of {fields.text(key)}" if fields.has(key) else ""

    rules = read_notices(
        Fields(values, "notices.toml", faults),
        trusts={OdsCode("RBA")},
        calendar=CALENDAR,
        secret=secret,
        time_scale=time_scale,
    )
    return rules, faults


def test_a_sound_file_is_read_whole() -> None:
    rules, faults = read(SOUND)
    assert faults == []
    assert rules.tells
    assert rules.address == "https://homecare.example.nhs.uk"
    assert rules.channels == (Channel.MAIL, Channel.WEBHOOK)
    assert rules.mail is not None
    assert (rules.mail.port, rules.mail.security) == (587, MailSecurity.STARTTLS)
    assert rules.mail.password == "value of GATEWAY_SECRET_MAIL"
    trust, gateway = rules.circles
    assert (trust.name, gateway.name) == ("RBA", "gateway")
    assert trust.rungs == (Rung.OWNER, Rung.CHIEF)
    assert (trust.hours.opens, trust.hours.closes) == (time(7, 30), time(19))
    assert trust.patience_with("cancel-overdue").wait == timedelta(minutes=10)
    assert trust.patience_with("line-rejected").wait == timedelta(hours=2)
    assert trust.patience_with("renewal-requested") == PATIENCE[Soon.WEEK]
    assert rules.contact("RBA", "Chris Chief") is not None
    assert rules.contact("gateway", "Chris Chief") is None


def test_in_a_demonstration_the_next_is_told_sooner() -> None:
    rules, _ = read(SOUND, time_scale=60.0)
    assert rules.circles[0].patience_with("cancel-overdue").wait == timedelta(seconds=10)


def test_without_a_file_nobody_is_told() -> None:
    rules, faults = read("")
    assert faults == []
    assert not rules.tells
    assert rules == NOBODY
    assert load(None).notices == NOBODY


@pytest.mark.parametrize(
    ("written", "instead", "fault"),
    [
        ('address = "https://homecare.example.nhs.uk/"', "", "address: is missing"),
        ("https://homecare.example.nhs.uk/", "http://homecare.example.nhs.uk", "address: is not https"),
        ("https://homecare.example.nhs.uk/", "ftp://homecare", "address: is not the address of a site"),
        ('host = "smtp.example.nhs.uk"', 'host = "smtp example"', "is not the name of a machine"),
        ('host = "smtp.example.nhs.uk"', 'host = "smtp.example.nhs.uk"\nsecurity = "none"', "must be starttls or tls"),
        ('host = "smtp.example.nhs.uk"', 'host = "smtp.example.nhs.uk"\nsecurity = "ssl"', "is not one of starttls"),
        ('user = "gateway"\n', "", "go together"),
        ('"gateway@example.nhs.uk"', '"Gateway <gateway@example.nhs.uk>"', "is not a plain e-mail address"),
        ('"perry@example.nhs.uk"', '"perry@example.nhs.uk\\r\\nBcc: all@example.org"', "is not a plain e-mail address"),
        ('"perry@example.nhs.uk"', '"perry"', "is not a plain e-mail address"),
        ('mail = "perry@example.nhs.uk"', "", "nobody is told"),
        ('hosts = ["hooks.example.nhs.uk"]', "hosts = []", "hosts: is missing"),
        ('secret_env = "GATEWAY_SECRET_WEBHOOK"', "", "every post is signed"),
        ("https://hooks.example.nhs.uk/chris", "https://elsewhere.example/chris", "is not one of the hosts"),
        ("https://hooks.example.nhs.uk/chris", "http://hooks.example.nhs.uk/chris", "is not https"),
        (
            "https://hooks.example.nhs.uk/chris",
            "https://a:b@hooks.example.nhs.uk/chris",
            "is not an address that can be posted to",
        ),
        ('"07:30"', '"25:00"', "is not a time of day"),
        ('"19:00"', '"07:00"', "is not after opens"),
        ('"10 minutes"', '"0 minutes"', "is not a number of minutes or hours"),
        ('"10 minutes"', '"soon"', "is not a number of minutes or hours"),
        ('soon = "now"', 'soon = "whenever"', "is not one of now"),
        ('soon = "now"', 'soon = "now"\nkind = "overdue"', "and not both"),
        ('soon = "now"', "", "and not both"),
        ('kind = "line-rejected"', 'kind = "line-refused"', "is no kind of alert"),
        ('trust = "RBA"', 'trust = "RZZ"', "RZZ is not a trust"),
        ('trust = "RBA"', "", "two are of gateway"),
        ('rung = "chief pharmacist"', 'rung = "boss"', "is not one of owner"),
        ('rung = "owner"\nname = "Perry Pharmacist"', 'rung = "deputy"\nname = "Perry Pharmacist"', "names no owner"),
        ('name = "Chris Chief"', 'name = "Perry Pharmacist"', "has other addresses above"),
        ('name = "Chris Chief"', 'name = "Chris\\u202eChief"', "is not a name"),
        ('version = "2026-11-22"', 'version = "2026-11-22"\ncolour = "red"', "colour: is not a setting"),
    ],
)
def test_each_mistake_is_told_with_its_place(written: str, instead: str, fault: str) -> None:
    assert written in SOUND
    _, faults = read(SOUND.replace(written, instead, 1))
    assert any(fault in one and one.startswith("notices.toml") for one in faults), faults


def test_the_file_that_ships_as_a_pattern_tells_nobody_and_is_sound_once_its_marks_are_away() -> None:
    from importlib.resources import files  # noqa: PLC0415 - of this test alone

    text = files("gateway.config").joinpath("notices.toml").read_text(encoding="utf-8")
    assert read(text) == (NOBODY, [])
    awake = "\n".join(line.removeprefix("# ") if "=" in line or "[" in line[:5] else line for line in text.splitlines())
    rules, faults = read(awake.replace('version = "none"', 'version = "1"'))
    assert faults == []
    assert rules.tells
