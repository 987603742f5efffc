"""POST a provider's answer. Only that provider's credential opens its address.

====================  ======  ====================================================================
what it did           HTTP    what the provider is told
====================  ======  ====================================================================
applied, or a repeat  200     taken
kept                  422     stored and shown to a person; nothing moved, and sending it again will not help
not stored            503     send the same bytes again
====================  ======  ====================================================================

A positive answer to an answer that moved nothing would pretend (reliability-security.md 4: never a positive
acknowledgement for anything but accepted or repeated).
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Final, Protocol

from starlette.requests import Request
from starlette.responses import Response

from gateway.access.policy import Action
from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import Issue
from gateway.domain.submission import TooLarge
from gateway.ports import Callback, CallbackResult, Effectiveness
from gateway.web.auth import Callers, forbidden
from gateway.web.limits import Limits, Slots, read_body
from gateway.web.outcome import outcome
from gateway.web.turned import Turned
from gateway.wire.strict_json import dumps

_STATUS: Final[dict[Effectiveness, int]] = {
    Effectiveness.APPLIED: HTTPStatus.OK,
    Effectiveness.REPEAT: HTTPStatus.OK,
    Effectiveness.KEPT: HTTPStatus.UNPROCESSABLE_ENTITY,
}
_WORDS: Final[dict[Effectiveness, str]] = {
    Effectiveness.APPLIED: "Taken.",
    Effectiveness.REPEAT: "Taken before; nothing new.",
    Effectiveness.KEPT: "Stored and shown to a person. Nothing moved; sending it again will not help.",
}


class Story(Protocol):
    """What callbacks need of the pipeline."""

    async def acknowledge(self, callback: Callback, headers: Mapping[str, str]) -> CallbackResult:
        """Take a provider's answer; raises `Unavailable` when nothing was stored."""


class Callbacks:
    """The address to which providers answer.

    Args:
        story: the pipeline.
        callers: who may post.
        providers: the providers that have an adapter here.
        limits: of body, time and concurrency.
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

    async def take(self, request: Request) -> Response:
        """Take one answer of one provider."""
        destination = self._destination(request)
        headers = {name.lower(): value for name, value in request.headers.items() if name.lower() != "authorization"}
        with self._slots.one(destination):
            body = await self._body(request)
            callback = Callback(
                destination=destination,
                received_at=self._now(),
                content_type=headers.get("content-type", ""),
                body=body,
            )
            result = await self._story.acknowledge(callback, headers)
        return _answer(result)

    def _destination(self, request: Request) -> OdsCode:
        destination = OdsCode.parse(request.path_params["destination"])
        caller = self._callers.of_tenant(request, Action.ACKNOWLEDGE, destination)
        if destination is None or caller.tenant not in self._providers:
            raise forbidden()
        return destination

    async def _body(self, request: Request) -> bytes:
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            text = "Send the body without Content-Encoding."
            raise Turned(415, Issue(code="CONTENT_TYPE_UNSUPPORTED", location="", text=text))
        body = await read_body(request.stream(), self._limits)
        if isinstance(body, TooLarge):
            text = f"The body is larger than {self._limits.body_bytes} bytes."
            raise Turned(413, Issue(code="TOO_LARGE", location="", text=text), close=body.cut_off)
        return body


def _answer(result: CallbackResult) -> Response:
    kept = result.effect is Effectiveness.KEPT
    texts = (_WORDS[result.effect], *result.reasons)
    body = outcome("error" if kept else "information", "business-rule" if kept else "informational", *texts)
    return Response(dumps(body), _STATUS[result.effect], media_type="application/fhir+json; fhirVersion=4.0")
