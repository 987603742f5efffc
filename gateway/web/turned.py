"""Turned: a request refused at the door, before its content is looked at."""

from gateway.domain.issue import Issue


class Turned(Exception):
    """The request is refused at the door.

    Attributes:
        status: HTTP status.
        issue: why, and what to change; never anything of the request itself.
        retry_after_seconds: when the same request may succeed.
        close: whether the connection can no longer be used.
        allow: for 405, the methods this address serves.
        challenge: whether a credential is asked for (401).
    """

    def __init__(
        self,
        status: int,
        issue: Issue,
        *,
        retry_after_seconds: int | None = None,
        close: bool = False,
        allow: str = "",
        challenge: bool = False,
    ) -> None:
        super().__init__(issue.code)
        self.status = status
        self.issue = issue
        self.retry_after_seconds = retry_after_seconds
        self.close = close
        self.allow = allow
        self.challenge = challenge

    @property
    def headers(self) -> dict[str, str]:
        """What the caller is told beside the body."""
        stated = {
            "Retry-After": "" if self.retry_after_seconds is None else str(self.retry_after_seconds),
            "Connection": "close" if self.close else "",
            "Allow": self.allow,
            "WWW-Authenticate": "Bearer" if self.challenge else "",
        }
        return {name: value for name, value in stated.items() if value}
