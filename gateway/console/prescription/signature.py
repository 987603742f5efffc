"""What the gateway's seal says of the prescriber's signature: the words of D8, as they were sealed.

Source: brief D7, D8; reliability-security.md 6.2 (`aes`).
"""

import base64
import binascii
import json


def signature_words(message: bytes | None) -> str:
    """Give the sealed verdict: `valid`, `stated by trust`, `paper follows`, or why it could not be verified.

    Args:
        message: as sealed; None where none was written.

    Returns:
        The words; empty where nothing was sealed.
    """
    try:
        seal = json.loads(message or b"")["entry"][-1]["resource"]["signature"][0]["data"]
        payload = base64.b64decode(seal).split(b".")[1]
        verdict = json.loads(base64.urlsafe_b64decode(payload + b"=" * (-len(payload) % 4)))["aes"]["verdict"]
    except (ValueError, LookupError, TypeError, binascii.Error):
        return ""
    return str(verdict)
