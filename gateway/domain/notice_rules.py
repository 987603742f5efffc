"""The rules of notices as the configuration states them: who, by which way, and what each way needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.domain.escalation import Circle, Contact
from gateway.domain.notice import Channel


class MailSecurity(StrEnum):
    """How a mail server is spoken to."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"
    """In the clear: on this machine alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """A mail server that takes our notices.

    Attributes:
        sender: the address they come from.
        user: empty where it wants none.
    """

    host: str
    port: int
    security: MailSecurity
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)
    seconds: float = 20.0
    """How long one attempt may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhooks:
    """Where messages may be posted.

    Attributes:
        hosts: names, lower case; no other is ever asked.
        secret: what each post is signed with.
    """

    hosts: frozenset[str]
    secret: str = field(repr=False)
    seconds: float = 10.0
    """How long one attempt may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRules:
    """Everything that is stated of notices.

    Attributes:
        version: the file's own name for itself.
        address: where people sign in, without a slash at the end; empty where nobody is told.
        circles: one a trust at most, and one for the gateway itself.
    """

    version: str = "none"
    address: str = ""
    mail: MailServer | None = None
    webhooks: Webhooks | None = None
    circles: tuple[Circle, ...] = ()

    @property
    def tells(self) -> bool:
        """Whether anybody is told outside the console."""
        return bool(self.circles)

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The ways there are."""
        stated: Mapping[Channel, object] = {Channel.MAIL: self.mail, Channel.WEBHOOK: self.webhooks}
        return tuple(channel for channel in Channel if stated[channel] is not None)

    def contact(self, circle: str, person: str) -> Contact | None:
        """Give how a person is reached now; None for one who is no longer named."""
        people = (
            contact
            for one in self.circles
            if one.name == circle
            for contacts in one.people.values()
            for contact in contacts
        )
        return next((contact for contact in people if contact.name == person), None)


NOBODY = NoticeRules()
"""Nobody is told outside the console."""
