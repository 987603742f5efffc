"""What is configured and agreed with a provider, as rows of a summary list (console.md 6.5)."""

from collections.abc import Iterator
from datetime import date

from gateway.console.board.provider_book import ProviderBook
from gateway.console.pages import named
from gateway.console.site import Names
from gateway.console.words import day, days
from gateway.destination import Promises
from gateway.domain.identifiers import OdsCode
from gateway.domain.partner import Provider
from gateway.domain.routing import RouteRow
from gateway.domain.work_item import LEAD_TIME

NOT_STATED = "Not stated in the configuration"


def facts(
    provider: Provider, book: ProviderBook, tenant: OdsCode | None, names: Names, today: date
) -> list[tuple[str, list[str]]]:
    """Give what is stated of a provider: what it is, and one sentence or more.

    Args:
        provider: whose page it is.
        book: what is configured.
        tenant: of whoever looks; another trust's routes are not shown to a trust.
        names: what each trust and provider is called.
        today: in London.
    """
    promises = book.promises.get(provider.ods)
    rows = book.routes_to(provider.ods, tenant)
    trusts = sorted({named(row.trust, names) for row in rows if row.trust is not None})
    return [
        ("Telephone", [provider.phone or NOT_STATED]),
        ("Out of hours", [provider.out_of_hours or NOT_STATED]),
        ("Channel", [f"Adapter {provider.adapter}", *_channel(provider, promises)]),
        ("What its system is known to do", list(_promised(provider, promises)) or [NOT_STATED]),
        ("Time that a supply needs", [_lead_time(provider)]),
        ("Trusts with a route to it", trusts or ["None by name"]),
        ("Routes", [_route(row, names) for row in rows] or ["None: it is reached only where a trust names it."]),
        ("Certificate of its system", [_certificate(provider.certificate_ends, today)]),
    ]


def _lead_time(provider: Provider) -> str:
    if provider.lead_time is None:
        return f"Not stated by it. We assume {days(LEAD_TIME.days)}, as for every provider that has not stated it."
    return f"{days(provider.lead_time.days)}, as the provider's file states."


def _certificate(ends: date | None, today: date) -> str:
    if ends is None:
        return "Not known: the provider's file does not state when it ends, and we do not look at it."
    left = (ends - today).days
    if left <= 0:
        return f"ENDED on {day(ends)}, as the provider's file states."
    return f"Ends on {day(ends)}, {days(left)} left, as the provider's file states."


def _channel(provider: Provider, promises: Promises | None) -> Iterator[str]:
    if promises is not None:
        yield f"Contract version {promises.contract}; sends {', '.join(promises.formats)}"
    yield f"{provider.environment.value.capitalize()} environment"
    yield f"At most {provider.max_in_flight} at once; each may take {provider.answers_within_seconds:g} s"
    if not provider.active:
        yield "Not active: nothing new is routed to it."


def _promised(provider: Provider, promises: Promises | None) -> Iterator[str]:
    yes_no = {True: "", False: "not "}
    yield f"It is {yes_no[provider.recognises_repeats]}proven to recognise a message that it has had before."
    if promises is None:
        return
    yield "It answers at once." if promises.answers_inline else "It answers later, by a message of its own."
    yield f"A cancel can {yes_no[promises.updates]}be sent to it."
    yield f"A hold and a release can {yes_no[promises.holds]}be sent to it."
    yield f"It is {yes_no[promises.refuses_expired]}proven to refuse what has expired."


def _route(row: RouteRow, names: Names) -> str:
    stated = (
        ("trust", named(row.trust, names) if row.trust is not None else ""),
        ("scheme", row.scheme),
        ("product", row.product),
        ("registration beginning", row.registration_prefix),
    )
    return ", ".join(f"{what} {value}" for what, value in stated if value) or "Everything that no other route takes"
