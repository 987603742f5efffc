"""How a provider's answer is taken in, at whichever address: one slot, one body, one callback.

The addresses differ in who may post there, in what they take, and in the words they answer with.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

from starlette.requests import Request

from gateway.access.policy import Action
from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import Issue
from gateway.domain.submission import TooLarge
from gateway.ports.callback import Callback, CallbackResult
from gateway.web.auth import Callers, forbidden
from gateway.web.limits import Limits, Slots, read_body
from gateway.web.turned import Turned


class Story(Protocol):
    """What answers need of the pipeline."""

    async def acknowledge(self, callback: Callback, headers: Mapping[str, str]) -> CallbackResult:
        """Take a provider's answer; raises `Unavailable` when nothing was stored."""


def anything(_: bytes) -> bool:
    """Serve every body: what it says the adapter reads, and the store keeps it whatever it says."""
    return True


class Answers:
    """Takes the answers of providers.

    Args:
        story: the pipeline.
        callers: who may post.
        providers: the providers that have an adapter here.
        limits: of body, time and concurrency; a provider's requests at all addresses count together.
        now: the time of receipt.
    """

    def __init__(
        self,
        story: Story,
        callers: Callers,
        providers: frozenset[OdsCode],
        limits: Limits,
        now: Callable[[], datetime],
    ) -> None:
        self._story = story
        self._callers = callers
        self._providers = providers
        self._limits = limits
        self._slots = Slots(limits)
        self._now = now

    def caller(self, request: Request) -> OdsCode:
        """Give the provider that calls.

        Raises:
            Turned: 401 or 403, it is none.
        """
        return self._known(self._callers.partner(request, Action.ACKNOWLEDGE))

    def caller_named(self, request: Request, named: str) -> OdsCode:
        """Give the provider that an address names, if it is the one that calls.

        Raises:
            Turned: 401 or 403, it is not; whether there is such a provider is not told.
        """
        destination = OdsCode.parse(named)
        self._callers.of_tenant(request, Action.ACKNOWLEDGE, destination)
        if destination is None:
            raise forbidden()
        return self._known(destination)

    async def take(
        self, request: Request, provider: OdsCode, *, content_type: str, serves: Callable[[bytes], bool] = anything
    ) -> tuple[CallbackResult, datetime]:
        """Take one answer.

        Args:
            request: its body is read here.
            provider: that sends it.
            content_type: as stated, checked by the address.
            serves: whether the address takes such a body.

        Returns:
            What became of it, and when it was received.

        Raises:
            Turned: too large, too slow, too many at once, or not for this address.
            Unavailable: nothing was stored.
        """
        headers = {name.lower(): value for name, value in request.headers.items() if name.lower() != "authorization"}
        with self._slots.one(provider):
            body = await read_body(request.stream(), self._limits)
            if isinstance(body, TooLarge):
                text = f"The body is larger than {self._limits.body_bytes} bytes."
                raise Turned(413, Issue(code="TOO_LARGE", location="", text=text), close=body.cut_off)
            if not serves(body):
                raise forbidden()
            now = self._now()
            callback = Callback(destination=provider, received_at=now, content_type=content_type, body=body)
            return await self._story.acknowledge(callback, headers), now

    def _known(self, provider: OdsCode) -> OdsCode:
        if provider not in self._providers:
            raise forbidden()
        return provider
