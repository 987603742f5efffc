"""The two cookies of the console: who looks, and who is on the way to the identity provider and back.

Outside development their names begin with `__Host-`, so that a browser takes them over TLS alone, from this host alone,
and no neighbour can plant one (RFC 6265bis 4.1.3.2). A gateway on loopback without TLS cannot have such cookies.
"""

from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie:
    """One cookie.

    Attributes:
        host: whether it is bound to this host over TLS.
    """

    name: str
    host: bool

    @property
    def full_name(self) -> str:
        """Give the name a browser knows it by."""
        return f"__Host-{self.name}" if self.host else self.name

    def of(self, request: Request) -> str:
        """Give what a browser holds; empty if nothing."""
        return request.cookies.get(self.full_name, "")

    def give(self, response: Response, value: str, *, seconds: int | None = None) -> None:
        """Let the browser hold a value: not for scripts, and not for requests that another site's page makes."""
        response.set_cookie(
            self.full_name,
            value,
            max_age=seconds,
            path=self._path,
            httponly=True,
            samesite="lax",  # "strict" would lose it on the way back from the identity provider
            secure=self.host,
        )

    def take(self, response: Response) -> None:
        """Let the browser forget it."""
        response.delete_cookie(self.full_name, path=self._path, httponly=True, samesite="lax", secure=self.host)

    @property
    def _path(self) -> str:
        return "/" if self.host else "/console"


SESSION: Final = "console_session"
ARRIVAL: Final = "console_arrival"
