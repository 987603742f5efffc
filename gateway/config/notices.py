"""Reads notices.toml: who is told outside the console. A folder without one tells nobody, and the console says so."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Final
from urllib.parse import urlsplit

from gateway.config.fields import LAST_PORT, Fields
from gateway.domain.alert import Soon
from gateway.domain.alert_kinds import ALERT_KINDS
from gateway.domain.calendar import WorkingCalendar
from gateway.domain.escalation import PATIENCE, Circle, Contact, Hours, Patience, Rung
from gateway.domain.host import is_loopback
from gateway.domain.identifiers import OdsCode
from gateway.domain.notice_rules import MailSecurity, MailServer, NoticeRules, Webhooks

_MAIL: Final = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?=.{1,253}\Z)[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*"
)
"""A plain address: no name beside it, no comment, no line break."""
_HOST: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_WAIT: Final = re.compile(r"([1-9]\d{0,3}) (minute|hour)s?")
_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_SECONDS: Final = {"minute": 60, "hour": 3600}
_SOON: Final = {soon.name.lower(): soon for soon in Soon}
_LONGEST_NAME: Final = 80
_LONGEST_SECONDS: Final = 300.0
"""To send one notice; others wait meanwhile."""

Secret = Callable[[Fields, str], str]
"""Gives the secret that a variable holds, whose name stands under a key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What a circle is read by: who may have one, what holds for all, and which ways there are."""

    trusts: Collection[OdsCode]
    hours: Hours
    patience: Mapping[Soon, Patience]
    by_kind: Mapping[str, Patience]
    mail: bool
    webhooks: Webhooks | None


def read_notices(
    fields: Fields,
    *,
    trusts: Collection[OdsCode],
    calendar: WorkingCalendar,
    secret: Secret,
    time_scale: float = 1.0,
) -> NoticeRules:
    """Read the rules, noting every fault.

    Args:
        fields: the file.
        trusts: those that may have people of their own.
        calendar: which days are worked.
        secret: reads a secret from where its name leads.
        time_scale: how many times faster than real time people are told.
    """
    hours = _hours(fields.table("hours"), calendar)
    patience, by_kind = _limits(fields, time_scale)
    mail, webhooks = _mail(fields, secret), _webhooks(fields, secret)
    known = _Known(
        trusts=trusts, hours=hours, patience=patience, by_kind=by_kind, mail=mail is not None, webhooks=webhooks
    )
    circles = tuple(_circle(table, known) for table in fields.tables("circles"))
    names = [circle.name for circle in circles]
    for name in {name for name in names if names.count(name) > 1}:
        fields.fault("circles", f"two are of {name}")
    rules = NoticeRules(
        version=fields.text("version", "none"),
        address=_address(fields, needed=bool(circles)),
        mail=mail,
        webhooks=webhooks,
        circles=circles,
    )
    fields.done()
    return rules


def _address(fields: Fields, *, needed: bool) -> str:
    text = fields.text("address", "").rstrip("/")
    if not text:
        if needed:
            fields.fault("address", "is missing: every notice says where to sign in")
        return ""
    parts = urlsplit(text)
    if parts.scheme not in {"https", "http"} or not parts.hostname or parts.query or parts.fragment or parts.username:
        fields.fault("address", "is not the address of a site: https://host")
    elif parts.scheme == "http" and not is_loopback(parts.hostname):
        fields.fault("address", "is not https")
    return text


def _hours(table: Fields, calendar: WorkingCalendar) -> Hours:
    opens, closes = _clock(table, "opens", time(8)), _clock(table, "closes", time(18))
    table.done()
    if opens >= closes:
        table.fault("closes", "is not after opens")
        return Hours(calendar=calendar)
    return Hours(opens=opens, closes=closes, calendar=calendar)


def _clock(table: Fields, key: str, default: time) -> time:
    text = table.text(key, default.strftime("%H:%M"))
    match = _CLOCK.fullmatch(text)
    if match is None:
        table.fault(key, "is not a time of day: '08:00'")
        return default
    return time(int(match[1]), int(match[2]))


def _limits(fields: Fields, time_scale: float) -> tuple[dict[Soon, Patience], dict[str, Patience]]:
    scaled = {soon: Patience(wait=row.wait / time_scale, always=row.always) for soon, row in PATIENCE.items()}
    by_kind: dict[str, Patience] = {}
    for table in fields.tables("limits"):
        always = table.flag("always", default=False)
        row = Patience(wait=_wait(table) / time_scale, always=always)
        if table.has("kind") is table.has("soon"):
            table.fault("soon", "state `soon` or `kind`, and not both")
        elif table.has("kind"):
            kind = table.text("kind")
            if kind not in ALERT_KINDS:
                table.fault("kind", "is no kind of alert")
            by_kind[kind] = row
        else:
            soon = table.text("soon")
            if soon not in _SOON:
                table.fault("soon", f"is not one of {', '.join(_SOON)}")
            scaled[_SOON.get(soon, Soon.NOW)] = row
        table.done()
    return scaled, by_kind


def _wait(table: Fields) -> timedelta:
    match = _WAIT.fullmatch(table.text("wait"))
    if match is None:
        table.fault("wait", "is not a number of minutes or hours: '15 minutes'")
        return timedelta(minutes=1)
    return timedelta(seconds=int(match[1]) * _SECONDS[match[2]])


def _mail(fields: Fields, secret: Secret) -> MailServer | None:
    if not fields.has("mail"):
        return None
    table = fields.table("mail")
    server = MailServer(
        host=table.text("host"),
        port=table.whole("port", 587, least=1, most=LAST_PORT),
        security=table.choice("security", MailSecurity, MailSecurity.STARTTLS),
        sender=_mail_address(table, "from"),
        user=table.text("user", ""),
        password=secret(table, "password_env"),
        seconds=table.number("seconds", 20.0, least=0.1, most=_LONGEST_SECONDS),
    )
    table.done()
    if _HOST.fullmatch(server.host.lower()) is None:
        table.fault("host", "is not the name of a machine")
    if server.security is MailSecurity.NONE and not is_loopback(server.host):
        table.fault("security", "must be starttls or tls: the server is another machine")
    if bool(server.user) is not bool(server.password):
        table.fault("user", "user and password_env go together")
    return server


def _webhooks(fields: Fields, secret: Secret) -> Webhooks | None:
    if not fields.has("webhook"):
        return None
    table = fields.table("webhook")
    hosts = frozenset(host.lower() for host in table.texts("hosts"))
    found = Webhooks(
        hosts=hosts,
        secret=secret(table, "secret_env"),
        seconds=table.number("seconds", 10.0, least=0.1, most=_LONGEST_SECONDS),
    )
    table.done()
    if not hosts:
        table.fault("hosts", "is missing: nothing is posted to a host that is not named")
    if not table.has("secret_env"):
        table.fault("secret_env", "is missing: every post is signed")
    for host in hosts:
        if _HOST.fullmatch(host) is None:
            table.fault("hosts", f"{host!r} is not the name of a machine")
    return found


def _circle(table: Fields, known: _Known) -> Circle:
    trust = table.optional_ods("trust")
    if trust is not None and trust not in known.trusts:
        table.fault("trust", f"{trust} is not a trust")
    people: dict[Rung, tuple[Contact, ...]] = {}
    names: set[str] = set()
    for one in table.tables("people"):
        rung = one.choice("rung", Rung)
        contact = _contact(one, known)
        if contact.name in names and contact not in [each for group in people.values() for each in group]:
            one.fault("name", f"{contact.name!r} has other addresses above")
        names.add(contact.name)
        people[rung] = (*people.get(rung, ()), contact)
    table.done()
    if not people.get(Rung.OWNER):
        table.fault("people", "names no owner")
    return Circle(trust=trust, people=people, hours=known.hours, patience=known.patience, by_kind=known.by_kind)


def _contact(one: Fields, known: _Known) -> Contact:
    name = one.text("name")
    if len(name) > _LONGEST_NAME or not name.isprintable():
        one.fault("name", "is not a name")
    contact = Contact(
        name=name,
        mail=_mail_address(one, "mail") if one.has("mail") else "",
        webhook=_webhook_address(one, known.webhooks) if one.has("webhook") else "",
    )
    one.done()
    if not contact.mail and not contact.webhook:
        one.fault("mail", "is missing, and so is webhook: nobody is told")
    if contact.mail and not known.mail:
        one.fault("mail", "there is no [mail] that could send to it")
    if contact.webhook and known.webhooks is None:
        one.fault("webhook", "there is no [webhook] that says which hosts may be asked")
    return contact


def _mail_address(table: Fields, key: str) -> str:
    text = table.text(key)
    if text and _MAIL.fullmatch(text) is None:
        table.fault(key, "is not a plain e-mail address")
    return text


def _webhook_address(one: Fields, webhooks: Webhooks | None) -> str:
    text = one.text("webhook")
    parts = urlsplit(text)
    host = (parts.hostname or "").lower()
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        one.fault("webhook", "is not https")
    if parts.username is not None or parts.fragment or not text.isprintable() or " " in text:
        one.fault("webhook", "is not an address that can be posted to")
    if webhooks is not None and host not in webhooks.hosts:
        one.fault("webhook", f"{host} is not one of the hosts of [webhook]")
    return text
