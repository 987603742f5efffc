"""Reads the folder `signatures/` of the configuration: what prescribers' signatures are judged by.

The folder::

    signatures/anchors/*        certificates of the authorities that are trusted, PEM or DER
    signatures/intermediates/*  certificates of authorities below them
    signatures/crls/*           revocation lists
    signatures/ocsp/*           OCSP responses, DER

Certificates belong to the configuration: they are read once, and are part of its digest. Lists and responses are
evidence that somebody renews every day: they are read again whenever a file has changed. One that cannot be read then
counts as absent, which holds lines; at the start it is a fault.

Source: brief D8, D12; reliability-security.md 6.5.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeVar

from cryptography import x509

from gateway.sign.evidence import Evidence, read_certificates, read_crl, read_ocsp

FOLDER: Final = "signatures"
_CERTIFICATES: Final = ("anchors", "intermediates")
_Read = TypeVar("_Read")


def certificate_files(root: Path) -> dict[str, bytes]:
    """Give the certificate files of a configuration folder, by their name within it."""
    return {
        f"{FOLDER}/{name}/{file.name}": file.read_bytes()
        for name in _CERTIFICATES
        for file in _files(root / FOLDER / name)
    }


class SignatureEvidence:
    """Gives the evidence as it is on disk now.

    Args:
        root: the configuration folder.
        contents: its certificate files.
        faults: takes what cannot be read.
        fixed: what is stated of the evidence in `gateway.toml`.
    """

    def __init__(self, root: Path, contents: Mapping[str, bytes], faults: list[str], fixed: Evidence) -> None:
        self._root = root / FOLDER
        self._fixed = replace(
            fixed,
            anchors=_certificates(contents, "anchors", faults),
            intermediates=_certificates(contents, "intermediates", faults),
        )
        self._seen: tuple[tuple[str, int, int], ...] = ()
        self._current = self._read(faults)

    def __call__(self) -> Evidence:
        """Give the evidence; read again only if a file came, went or changed."""
        if self._look() != self._seen:
            self._current = self._read([])
        return self._current

    def _look(self) -> tuple[tuple[str, int, int], ...]:
        found = []
        for file in (*_files(self._root / "crls"), *_files(self._root / "ocsp")):
            try:
                state = file.stat()
            except OSError:
                continue
            found.append((str(file), state.st_mtime_ns, state.st_size))
        return tuple(found)

    def _read(self, faults: list[str]) -> Evidence:
        self._seen = self._look()
        return replace(
            self._fixed,
            crls=_each(_files(self._root / "crls"), read_crl, faults),
            answers=_each(_files(self._root / "ocsp"), read_ocsp, faults),
        )


def _files(folder: Path) -> list[Path]:
    listed = sorted(folder.iterdir()) if folder.is_dir() else []
    return [file for file in listed if file.is_file() and not file.name.startswith(".") and file.suffix != ".md"]


def _certificates(contents: Mapping[str, bytes], name: str, faults: list[str]) -> tuple[x509.Certificate, ...]:
    found: list[x509.Certificate] = []
    for path, octets in contents.items():
        if path.startswith(f"{FOLDER}/{name}/"):
            try:
                found.extend(read_certificates(octets))
            except ValueError:
                faults.append(f"{path}: is not a certificate")
    return tuple(found)


def _each(files: list[Path], read: Callable[[bytes], _Read], faults: list[str]) -> tuple[_Read, ...]:
    found = []
    for file in files:
        try:
            found.append(read(file.read_bytes()))
        except (OSError, ValueError):
            faults.append(f"{FOLDER}/{file.parent.name}/{file.name}: cannot be read")
    return tuple(found)
