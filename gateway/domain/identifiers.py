"""Identifiers: parsing one checks it, once and for ever.

`X.parse(text)` gives a value, or None when the text is not an X. No identifier is a bare `str` in any signature.

Source: eps.md 3 (prescription id, NHS number and professional codes); SNOMED CT release file specification for the
Verhoeff check digit and the partition identifier.
"""

import hashlib
import re
import uuid
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from operator import mul
from typing import Self

NAMESPACE = uuid.UUID("6f1d4ab0-3b0c-5f5a-9a43-8f0c2f0d6a11")
"""Root of every id derived here, so that reading the same bytes twice gives the same ids."""


def derived_id(*parts: str) -> uuid.UUID:
    """Derive a uuid5 from `parts`; equal parts give equal ids, and no two part lists collide by joining."""
    name = NAMESPACE.bytes + "\x1f".join(parts).encode()
    return uuid.UUID(bytes=hashlib.sha1(name, usedforsecurity=False).digest()[:16], version=5)  # uuid5, in less time


def derived_text(*parts: str) -> str:
    """Derive as `derived_id` does, and give its text: a message names two dozen things that need be no more."""
    name = NAMESPACE.bytes + "\x1f".join(parts).encode()
    digits = hashlib.sha1(name, usedforsecurity=False).hexdigest()
    variant = "89ab"[int(digits[16], 16) & 3]  # RFC 9562, 4.1; the 5 is the version
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"


_SPACED = re.compile(r"\d{3} \d{3} \d{4}", re.ASCII).fullmatch
_TEN_DIGITS = re.compile(r"\d{10}", re.ASCII).fullmatch
_WEIGHTS = range(10, 0, -1)


@dataclass(frozen=True, slots=True)
class NhsNumber:
    """Ten digits whose last is the modulus-11 check digit. Its repr hides it (I8)."""

    value: str

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Parse ten digits, with or without the 3-3-4 spaces people write.

        Source: NHS Data Dictionary, NHS NUMBER; eps.md 3.2 (weights 10 to 2; 11 becomes 0; 10 is invalid). Which says
        that the sum with the check digit, weighed by 1, is a multiple of 11; so is 55 times the ASCII code of nought.
        """
        digits = text
        if not _TEN_DIGITS(text):
            if not _SPACED(text):
                return None
            digits = text.replace(" ", "")
        return None if sum(map(mul, digits.encode(), _WEIGHTS)) % 11 else cls(digits)

    def __repr__(self) -> str:
        return "NhsNumber(hidden)"

    def __str__(self) -> str:
        return self.value


_ODS_FORM = re.compile(r"[A-Z0-9]{3,12}").fullmatch


@dataclass(frozen=True, slots=True)
class OdsCode:
    """An organisation's code in the Organisation Data Service: 3 to 12 upper-case letters and digits."""

    value: str

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Parse an ODS code. No check digit exists; only a directory tells whether it is in use."""
        return cls(text) if _ODS_FORM(text) else None

    def __str__(self) -> str:
        return self.value


_D = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    (1, 2, 3, 4, 0, 6, 7, 8, 9, 5),
    (2, 3, 4, 0, 1, 7, 8, 9, 5, 6),
    (3, 4, 0, 1, 2, 8, 9, 5, 6, 7),
    (4, 0, 1, 2, 3, 9, 5, 6, 7, 8),
    (5, 9, 8, 7, 6, 0, 4, 3, 2, 1),
    (6, 5, 9, 8, 7, 1, 0, 4, 3, 2),
    (7, 6, 5, 9, 8, 2, 1, 0, 4, 3),
    (8, 7, 6, 5, 9, 3, 2, 1, 0, 4),
    (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
)
_P = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    (1, 5, 7, 6, 2, 8, 3, 0, 9, 4),
    (5, 8, 0, 3, 7, 9, 6, 1, 4, 2),
    (8, 9, 1, 6, 0, 4, 3, 5, 2, 7),
    (9, 4, 5, 3, 1, 2, 6, 8, 7, 0),
    (4, 2, 8, 6, 5, 7, 3, 9, 0, 1),
    (2, 7, 9, 3, 8, 0, 6, 4, 1, 5),
    (7, 0, 4, 6, 9, 1, 3, 2, 5, 8),
)


_SNOMED_FORM = re.compile(r"[1-9]\d{5,17}", re.ASCII).fullmatch


@lru_cache(maxsize=8192)
def _verhoeff(digits: str) -> bool:
    check = 0
    for position, digit in enumerate(reversed(digits)):
        check = _D[check][_P[position % 8][int(digit)]]
    return check == 0


@dataclass(frozen=True, slots=True)
class SnomedCode:
    """A SNOMED CT concept identifier: 6 to 18 digits, Verhoeff check digit, concept partition. dm+d codes are these."""

    value: str

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Parse a concept identifier.

        Source: SNOMED CT RF2, SCTID: check digit last, partition before it; 00 and 10 are concepts.
        """
        if not _SNOMED_FORM(text) or text[-3:-1] not in {"00", "10"}:
            return None
        return cls(text) if _verhoeff(text) else None

    def __str__(self) -> str:
        return self.value


_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ+"
_WORTH = bytes(max(_ALPHABET.find(chr(code)), 0) for code in range(256))
"""What each character counts for, by its code; only the alphabet passes `_PRESCRIPTION_FORM`."""
_POWERS = tuple(2**power for power in range(17, 0, -1))
_PRESCRIPTION_FORM = re.compile(r"[A-F0-9]{6}-[A-Z0-9]{6}-[A-F0-9]{5}[A-Z0-9+]").fullmatch


@dataclass(frozen=True, slots=True)
class PrescriptionNumber:
    """The EPS short-form prescription id, `PPPPPP-OOOOOO-RRRRRC`; C is an ISO 7064 MOD 37-2 check character."""

    value: str

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Parse and check; eps.md 3.1."""
        if not _PRESCRIPTION_FORM(text):
            return None
        return cls(text) if cls.check_character(text[:-1]) == text[-1] else None

    @staticmethod
    def check_character(first_seventeen: str) -> str:
        """Give the check character of `PPPPPP-OOOOOO-RRRRR` (hyphens are skipped). Source: ISO 7064 MOD 37-2."""
        characters = first_seventeen.replace("-", "").encode("ascii")
        total = sum(map(mul, characters.translate(_WORTH), _POWERS))
        return _ALPHABET[(38 - total) % 37]

    @classmethod
    def derive(cls, site: OdsCode, *parts: str, salt: int = 0) -> Self:
        """Make the number for a prescription whose sender gave none.

        Args:
            site: the prescribing site; its code, padded to six, is the middle block.
            parts: what identifies the prescription (sender, group number).
            salt: raised by one on the rare clash (44 bits a site).
        """
        digits = derived_id("prescription-number", str(salt), site.value, *parts).hex.upper()
        stem = f"{digits[:6]}-{site.value[-6:].rjust(6, '0')}-{digits[6:11]}"
        return cls(stem + cls.check_character(stem))

    def __str__(self) -> str:
        return self.value


class Register(StrEnum):
    """A professional register or prescriber numbering scheme; the name the trust XML gives it."""

    GMC = "GMC"
    NMC = "NMC"
    GPHC = "GPhC"
    HCPC = "HCPC"
    GDC = "GDC"
    DIN = "DIN"
    CONSULTANT = "CONSULTANT"
    SDS_USER = "SDS-USER"
    SDS_ROLE_PROFILE = "SDS-ROLE-PROFILE"
    PROFESSIONAL = "PROFESSIONAL"


_FORMS = {
    Register.GMC: re.compile(r"[CG]?\d{7}", re.ASCII),  # EPS examples write G9999999, and trusts C + 7 digits
    Register.NMC: re.compile(r"\d{2}[A-Z]\d{4}[A-Z]", re.ASCII),
    Register.GPHC: re.compile(r"\d{7}", re.ASCII),
    Register.HCPC: re.compile(r"[A-Z]{2}\d{5,6}", re.ASCII),
    Register.GDC: re.compile(r"\d{4,6}", re.ASCII),
    Register.DIN: re.compile(r"\d{5,12}", re.ASCII),
    Register.CONSULTANT: re.compile(r"C\d{7}", re.ASCII),
    Register.SDS_USER: re.compile(r"\d{1,15}", re.ASCII),
    Register.SDS_ROLE_PROFILE: re.compile(r"\d{1,15}", re.ASCII),
    Register.PROFESSIONAL: re.compile(r"[A-Za-z0-9/-]{1,12}", re.ASCII),
}
LICENSED: tuple[Register, ...] = (Register.GMC, Register.NMC, Register.GPHC, Register.HCPC, Register.GDC)
"""Registers whose number names one person's licence; EPS wants exactly one of them (eps.md 2.5)."""


@dataclass(frozen=True, slots=True)
class ProfessionalId:
    """A number on a professional register, checked for its form (none of them has a check digit)."""

    register: Register
    value: str

    @classmethod
    def parse(cls, register: Register, text: str) -> Self | None:
        """Parse a number of the given register; eps.md 3.3."""
        return cls(register, text) if _FORMS[register].fullmatch(text) else None


_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def parse_uuid(text: str) -> uuid.UUID | None:
    """Parse a hyphenated UUID in either case; eps.md 10 trap 7."""
    if not _UUID.fullmatch(text):
        return None
    return uuid.UUID(text)
