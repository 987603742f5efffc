"""The notifier of a gateway: the ways of telling people that its configuration states."""

from collections.abc import Mapping

from gateway.config.configuration import Configuration
from gateway.domain.notice import Channel
from gateway.enquiries import Enquiries
from gateway.notifier.loop import Notifier
from gateway.notifier.mail import Mailer
from gateway.notifier.sender import Sender
from gateway.notifier.webhook import Poster
from gateway.ports.clock import Clock
from gateway.ports.store import Store


def senders(configuration: Configuration, clock: Clock) -> Mapping[Channel, Sender]:
    """Give the ways there are."""
    rules = configuration.notices
    found: dict[Channel, Sender] = {}
    if rules.mail is not None:
        found[Channel.MAIL] = Mailer(rules.mail)
    if rules.webhooks is not None:
        found[Channel.WEBHOOK] = Poster(rules.webhooks, now=clock.now)
    return found


def notifier_of(
    configuration: Configuration, *, name: str, store: Store, enquiries: Enquiries, clock: Clock
) -> Notifier | None:
    """Make what tells people outside the console; None where the configuration names nobody."""
    if not configuration.notices.tells:
        return None
    return Notifier(
        name=name,
        rules=configuration.notices,
        enquiries=enquiries,
        store=store,
        clock=clock,
        senders=senders(configuration, clock),
        time_scale=configuration.time_scale,
    )
