"""Pages made small for a slow line, without their length telling what is in them.

A compressed page is longer or shorter with what it repeats: who can put words into a page and watch its length could
guess at the rest of it letter by letter. A random name of random length in the header hides the difference.

Source: RFC 1952 2.3.1 (FNAME); Palacios and others, "Heal the Breach", 2022.
"""

import gzip
import io
import secrets
from typing import Final

_SMALL: Final = 8192
"""Bytes below which nothing is gained."""
_MOST_HIDDEN: Final = 100


def zipped(body: bytes, accepts: str) -> bytes | None:
    """Give a page compressed; None where it is to go as it is.

    Args:
        body: the page.
        accepts: the browser's `Accept-Encoding`.
    """
    if len(body) < _SMALL or "gzip" not in accepts:
        return None
    out = io.BytesIO()
    name = secrets.token_hex(secrets.randbelow(_MOST_HIDDEN // 2) + 1)
    with gzip.GzipFile(filename=name, mode="wb", compresslevel=5, fileobj=out, mtime=0) as stream:
        stream.write(body)
    return out.getvalue()
