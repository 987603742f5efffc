"""Errors, and who must act on each.

::

    GatewayError
    ├── Refusal            the sender must act; becomes an answer, never crosses the pipeline
    ├── Unavailable        we must act; the sender may try the same bytes again
    └── BrokenOff          the same, in the middle of an answer: it has begun, and nothing can be said any more
    ConfigurationError     stops the process at start-up; not in the family that is caught
"""

from gateway.domain.issue import Issue


class GatewayError(Exception):
    """The gateway could not do what was asked."""


class Refusal(GatewayError):
    """The submission is refused, with every reason found so far."""

    def __init__(self, *issues: Issue) -> None:
        super().__init__(", ".join(issue.code for issue in issues))
        self.issues = issues


class Unavailable(GatewayError):
    """A thing the gateway needs is away; nothing was stored, the same bytes may succeed later."""


class BrokenOff(GatewayError):
    """A thing the gateway needs went away while an answer was being sent; the connection is broken, and that says it.

    It is no `Unavailable`: that becomes an answer of its own, for which it is too late.
    """


class ConfigurationError(Exception):
    """The configuration is wrong; every fault found is listed."""

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults
