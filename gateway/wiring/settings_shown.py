"""Joins what the settings page of the console shows."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from cryptography import x509

from gateway.console.in_force.settings_book import Dated, SettingsBook
from gateway.wiring.build import Gateway
from gateway.wiring.standing import reach


def settings_of(gateway: Gateway) -> SettingsBook:
    """Give the settings of a gateway, as they are in force."""
    return SettingsBook(
        configuration=gateway.configuration,
        reach=lambda configuration: reach(configuration, gateway.clock),
        certificates=lambda: tuple(_certificates(gateway)),
        reference=gateway.around.reference.release,
        version=gateway.version,
    )


def _certificates(gateway: Gateway) -> Iterator[Dated]:
    yield from _dated("Our seal", gateway.keys.chain)
    yield from _dated("Our seal: what providers trust", gateway.keys.anchors)
    settings = gateway.settings
    yield from _of_file("MLLP: our own", settings.mllp_certificate)
    yield from _of_file("MLLP: who may vouch for a trust", settings.mllp_client_authorities)
    evidence = gateway.configuration.evidence()
    yield from _dated("Prescribers' signatures: authorities", (*evidence.anchors, *evidence.intermediates))


def _dated(what: str, certificates: Iterable[x509.Certificate]) -> Iterator[Dated]:
    for one in certificates:
        yield Dated(what=what, whose=one.subject.rfc4514_string(), ends_at=one.not_valid_after_utc)


def _of_file(what: str, file: Path | None) -> Iterator[Dated]:
    if file is None:
        return
    try:
        yield from _dated(what, x509.load_pem_x509_certificates(file.read_bytes()))
    except (OSError, ValueError):
        yield Dated(what=what, whose=f"{file.name} cannot be read", ends_at=None)
