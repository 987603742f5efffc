"""Keys and certificates that the gateway works with: do they fit each other, and when do they end?

Source: reliability-security.md I18; brief section 4.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509

from gateway.config.configuration import Configuration
from gateway.domain.errors import ConfigurationError
from gateway.settings import Settings
from gateway.store.keys import load_ring
from gateway.wiring.doctor.finding import Finding, good, look, wrong

WARN: Final = timedelta(days=30)
"""Time enough to have a certificate issued by those who issue few."""
_RENEW: Final = "Have a new one issued, put it in place and restart the gateway; tell partners who pin it."


def seal(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Look at the seal's key and its certificates."""
    if not (settings.data / "keys").is_dir() and settings.in_development:
        yield good("seal key", "none yet: the first start makes one, for development")
        return
    try:
        ring = load_ring(settings.data, development=settings.in_development, now=now)
    except ConfigurationError as error:
        for fault in error.faults:
            yield wrong("seal key", fault, "Supply the keys as certs/README.md says. Nothing is sealed without them.")
        return
    yield ending("seal key", (*ring.chain, *ring.anchors), now)


def doors(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Look at the certificates of MLLP over TLS, where there are any."""
    stated = {"MLLP certificate": settings.mllp_certificate, "MLLP clients": settings.mllp_client_authorities}
    for check, file in stated.items():
        if file is not None:
            yield _of_file(check, file, now)


def prescribers(configuration: Configuration, now: datetime) -> Iterator[Finding]:
    """Look at the authorities that prescribers' signatures lead to, where there are any."""
    evidence = configuration.evidence()
    found = (*evidence.anchors, *evidence.intermediates)
    if found:
        yield ending("prescribers", found, now)


def ending(check: str, certificates: Sequence[x509.Certificate], now: datetime) -> Finding:
    """Say which of some certificates ends first, and whether that is soon."""
    first = min(certificates, key=lambda one: one.not_valid_after_utc)
    ends = first.not_valid_after_utc
    left = (ends - now).days
    if ends <= now:
        return wrong(check, f"a certificate ended on {ends:%d %b %Y}", _RENEW)
    if ends - now <= WARN:
        return look(check, f"a certificate ends on {ends:%d %b %Y}, in {left} days", _RENEW)
    return good(check, f"certificates last until {ends:%d %b %Y}")


def _of_file(check: str, file: Path, now: datetime) -> Finding:
    try:
        found = x509.load_pem_x509_certificates(file.read_bytes())
    except (OSError, ValueError) as error:
        return wrong(check, f"{file} cannot be read: {type(error).__name__}", "Supply it, in PEM, readable by us.")
    return ending(check, found, now)
