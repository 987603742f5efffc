"""Does a provider's certificate end soon: then nothing is taken there from that day on, and it takes time to renew.

Known as the provider's file states it, `certificate_ends`; the gateway does not look at the certificate itself.

Source: console.md 6.5 (certificate days left), 6.10.
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Final

from gateway.config.reference_check import Concern
from gateway.domain.partner import Provider

AHEAD: Final = timedelta(days=30)
"""Time enough to have a certificate issued by those who issue few."""


def certificate_concerns(providers: Iterable[Provider], today: date) -> Iterator[Concern]:
    """Tell whose certificate ends soon, or has ended; again each week, for an alert that was closed over it."""
    for one in providers:
        ends = one.certificate_ends
        if not one.active or ends is None or today < ends - AHEAD:
            continue
        week = today.isocalendar()
        left = (ends - today).days
        when = f"ends on {ends:%d %b %Y}, in {left} days" if left > 0 else f"ended on {ends:%d %b %Y}"
        yield Concern(
            kind="certificate-ends",
            subject=f"{one.ods}:{ends}:{week.year}-{week.week}",
            text=f"The certificate of {one.name} ({one.ods}) {when}, as its file states.",
        )
