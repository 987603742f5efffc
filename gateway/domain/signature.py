"""What is known of a prescriber's own signature after it was looked at: a closed set of verdicts and reasons.

Source: brief D7, D8; reliability-security.md 6.1.
"""

from dataclasses import dataclass
from enum import StrEnum


class Standing(StrEnum):
    """What a signature is worth."""

    VALID = "valid"
    INVALID = "invalid"
    UNVERIFIABLE = "unverifiable"
    """Nothing wrong was found, and something that would have to be known is not: it holds the line, it is not valid."""


class SignatureReason(StrEnum):
    """Why a signature is not valid. The first group is wrong for ever; the second may be cured by evidence."""

    MALFORMED = "MALFORMED"
    ALGORITHM_REFUSED = "ALGORITHM_REFUSED"
    KEY_REFUSED = "KEY_REFUSED"
    DIGEST_MISMATCH = "DIGEST_MISMATCH"
    SIGNATURE_WRONG = "SIGNATURE_WRONG"
    TIME_MISMATCH = "TIME_MISMATCH"
    SIGNED_IN_FUTURE = "SIGNED_IN_FUTURE"
    CHAIN_UNTRUSTED = "CHAIN_UNTRUSTED"
    KEY_USAGE_WRONG = "KEY_USAGE_WRONG"
    OUT_OF_DATE = "OUT_OF_DATE"
    REVOKED = "REVOKED"
    SIGNER_DIFFERS = "SIGNER_DIFFERS"

    FORMAT_UNKNOWN = "FORMAT_UNKNOWN"
    CONTENT_ABSENT = "CONTENT_ABSENT"
    TIME_NOT_STATED = "TIME_NOT_STATED"
    TIME_ONLY_CLAIMED = "TIME_ONLY_CLAIMED"
    NO_ANCHORS = "NO_ANCHORS"
    REVOCATION_UNKNOWN = "REVOCATION_UNKNOWN"
    REVOCATION_STALE = "REVOCATION_STALE"
    REVOKED_SINCE = "REVOKED_SINCE"
    SIGNER_NOT_COMPARABLE = "SIGNER_NOT_COMPARABLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class PrescriberVerdict:
    """The verdict on a prescriber's signature.

    Attributes:
        reason: None only where it is valid.
        text: the reason in words for the sender; nothing of the patient.
    """

    standing: Standing
    reason: SignatureReason | None = None
    text: str = ""

    @property
    def words(self) -> str:
        """The verdict as the seal's manifest and the console show it (D8)."""
        if self.standing is Standing.VALID:
            return "valid"
        said = "invalid" if self.standing is Standing.INVALID else "carried, could not be verified"
        return f"{said}: {self.text}"
