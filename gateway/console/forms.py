"""What a browser sent in a form: read once, and given back where it could not be dealt with.

Source: console.md 7 (server error: what is known about the action; nothing lost of what was typed).
"""

import hmac
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from gateway.console.entering.session import form_token

MOST_BYTES: Final = 64 * 1024
_MOST_FIELDS: Final = 512
_OURS: Final = frozenset({"issue", "item", "only", "seen"})
"""Fields that a page fills in by itself, in more than one word: lines and rows, and who has taken them."""
Fields = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """A form that came while the records could not be read, for its own browser to send again.

    Attributes:
        fields: all of it, the tokens included.
        taken: it had been taken when the records went away, so that nobody knows what became of it.
        address: where it was sent.
    """

    fields: Fields = field(repr=False)
    taken: bool
    address: str

    @property
    def typed(self) -> tuple[str, ...]:
        """What was written in words, not chosen."""
        written = (values for name, values in self.fields.items() if name not in _OURS)
        return tuple(value for values in written for value in values if " " in value.strip())


async def read_fields(request: Request, most: int = MOST_BYTES) -> dict[str, tuple[str, ...]]:
    """Read the fields of a form; the same again where they were read before.

    Raises:
        HTTPException: 413, 415.
    """
    if hasattr(request.state, "fields"):
        return dict(request.state.fields)
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        raise HTTPException(415)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise HTTPException(413)
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise HTTPException(413) from error
    request.state.fields = {name: tuple(values) for name, values in fields.items()}
    return dict(request.state.fields)


async def returned(request: Request, secret: str) -> Returned | None:
    """Give a form back whose request came to nothing because the records are away.

    Args:
        request: whatever it was.
        secret: of the browser's cookie. Only a page that was made for this browser is given back to it, which its
            token shows without any record.

    Returns:
        None where the request was no such form.
    """
    fields: Fields = {}
    if request.method == "POST" and secret:
        with suppress(HTTPException, ClientDisconnect, RuntimeError):  # RuntimeError: what was too long was not read
            fields = await read_fields(request)
    carried = fields.get("csrf", ("",))[0]
    if not hmac.compare_digest(carried.encode(), form_token(secret).encode()):
        return None
    query = f"?{request.url.query}" if request.url.query else ""
    return Returned(fields=fields, taken=hasattr(request.state, "once"), address=f"{request.url.path}{query}")
