"""Is the reference data fit for today: how old it is, and whether it knows our partners.

Source: mapping.md 5 (the release is pinned); reliability-security.md I23 (a configuration is checked before use).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from gateway.config.configuration import Configuration
from gateway.config.partners import sites_of
from gateway.domain.identifiers import OdsCode
from gateway.domain.reference import Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """Something about the reference data that a person should act on.

    Attributes:
        kind: of the alert.
        subject: what it is about; the same concern has the same subject, so that it is told once.
        text: what is the matter; no patient is concerned.
        grave: true where a partner is known to be closed: a live configuration with it is refused.
    """

    kind: str
    subject: str
    text: str
    grave: bool = False


def concerns(configuration: Configuration, reference: Reference, today: date) -> tuple[Concern, ...]:
    """Give everything that is not as it should be with the reference data today."""
    return (*_age(reference, today, configuration.reference_days), *_partners(configuration, reference, today))


def _age(reference: Reference, today: date, oldest: int) -> Iterator[Concern]:
    """Tell when the release is older than it may be; again each week, for an alert that was closed over it.

    The packaged tables have no date: they are no release, and a live gateway refuses them.
    """
    days = (today - reference.dated).days if reference.dated else 0
    if days > oldest:
        weeks = (days - oldest - 1) // 7
        text = (
            f"The reference data is release {reference.release}, {days} days old; load one of the last {oldest} days."
        )
        yield Concern(kind="reference-old", subject=f"{reference.release}:{weeks}", text=text)


def _partners(configuration: Configuration, reference: Reference, today: date) -> Iterator[Concern]:
    """Look every partner up in the ODS lists; without lists nothing can be said."""
    if not reference.organisations:
        return
    trusts = [("trust", ods) for trust in configuration.trusts.values() for ods in sites_of(trust)]
    providers = [("provider", one.ods) for one in configuration.routing.providers.values() if one.active]
    for what, ods in _distinct([*trusts, *providers]):
        row = reference.organisations.get(ods.value)
        if row is None:
            text = f"{what} {ods} is not in the ODS lists of release {reference.release}: check its code."
            yield Concern(kind="partner-unknown", subject=f"{ods}", text=text)
        elif row.closed and row.closed <= today:
            text = f"{what} {ods} was closed on {row.closed}, says ODS: find out who has taken over from it."
            yield Concern(kind="partner-closed", subject=f"{ods}", text=text, grave=True)


def _distinct(partners: Iterable[tuple[str, OdsCode]]) -> tuple[tuple[str, OdsCode], ...]:
    return tuple({ods: (what, ods) for what, ods in partners}.values())
