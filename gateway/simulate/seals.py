"""How a simulated provider checks a seal: offline, with the anchors it was given once, addressed to itself."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from cryptography import x509

from gateway.sign.verify import read_anchors, verify


class Seals:
    """The anchors that were handed over, and the check made with them.

    Args:
        anchors: file of PEM certificates; read at the first check, when the gateway has long made them.
        now: the time of the check.
    """

    def __init__(self, anchors: Path, *, now: Callable[[], datetime]) -> None:
        self._file = anchors
        self._now = now
        self._anchors: tuple[x509.Certificate, ...] = ()

    def checker(self, provider: str) -> Callable[[bytes], bool]:
        """Give the check for one provider: a good seal, and addressed to it."""

        def good(octets: bytes) -> bool:
            return verify(octets, self._known(), now=self._now(), audience=provider).ok

        return good

    def _known(self) -> tuple[x509.Certificate, ...]:
        if not self._anchors:
            self._anchors = read_anchors(self._file.read_bytes())
        return self._anchors
