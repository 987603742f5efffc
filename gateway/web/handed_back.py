"""`POST /FHIR/R4/Task` from a provider: a prescription returned, or a dispense notification withdrawn.

The Task takes the way of every other answer: its adapter reads it, and the store keeps it whatever it says. Only the
words of the answer differ: they are those of the EPS dialect.

Source: eps.md 1.2, 1.7; mapping.md 9.3.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from gateway.access.policy import Action
from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import Issue
from gateway.domain.submission import TooLarge
from gateway.ports import Callback, CallbackResult, Effectiveness
from gateway.translate.to_acknowledgement.eps_codes import DONE, PRESCRIBING, EpsError
from gateway.web.auth import Callers, forbidden
from gateway.web.callbacks import Story
from gateway.web.eps_errors import Said, eps_outcome, http_status
from gateway.web.limits import FHIR, Limits, Slots, answer_type, media_type, read_body
from gateway.web.turned import Turned
from gateway.wire.strict_json import dumps

_WHY: Final[dict[str, EpsError]] = {
    "": PRESCRIBING["0013"],
    "answer-not-understood": PRESCRIBING["0009"],
    "answer-takes-back": PRESCRIBING["0021"],
    "answer-unbound": PRESCRIBING["0005"],
    "answer-wrong-provider": PRESCRIBING["0005"],
}
"""What the dialect calls the reason for which a Task was kept, by the kind of the alert; a message that is another's
looks like none (I9)."""
_KEPT: Final = "Stored and shown to a person. Nothing moved; sending it again will not help."


class HandedBack:
    """The address where a provider hands back.

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

    async def post(self, request: Request) -> Response:
        """Take one Task of the provider that calls."""
        provider = self._callers.partner(request, Action.ACKNOWLEDGE)
        if provider not in self._providers:
            raise forbidden()
        stated = media_type(request.headers, FHIR)
        answer_type(request.headers, FHIR)
        headers = {name.lower(): value for name, value in request.headers.items() if name.lower() != "authorization"}
        with self._slots.one(provider):
            body = await read_body(request.stream(), self._limits)
            if isinstance(body, TooLarge):
                text = f"The body is larger than {self._limits.body_bytes} bytes."
                raise Turned(413, Issue(code="TOO_LARGE", location="", text=text), close=body.cut_off)
            now = self._now()
            callback = Callback(destination=provider, received_at=now, content_type=stated, body=body)
            return _answer(await self._story.acknowledge(callback, headers), now)


def _answer(result: CallbackResult, at: datetime) -> Response:
    if result.effect is Effectiveness.KEPT:
        error = _WHY.get(result.kind, PRESCRIBING["9999"])
        said = [*(Said(error=error, text=text) for text in result.reasons), Said(error=PRESCRIBING["9999"], text=_KEPT)]
    else:
        said = [Said(error=DONE)]
    body = dumps(eps_outcome(said, at))
    return Response(body, http_status([one.error for one in said]), media_type="application/fhir+json; fhirVersion=4.0")
