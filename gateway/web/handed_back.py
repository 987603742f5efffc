"""What a provider sends where EPS has it sent: a Task, or a dispense notification to `$process-message`.

`POST /FHIR/R4/Task` returns a prescription or withdraws a notification; a notification, or the amendment of one, comes
as a message. Each takes the way of every other answer: its adapter reads it, and the store keeps it whatever it says.
Only the words of the answer differ: they are those of the EPS dialect. Statuses are those of the address: of
`$process-message` mapping.md 9.2 lays them down for everybody (DECISIONS 0047), of the Task eps.md 1.2.

Source: eps.md 1, 1.2, 1.7, 1.8; mapping.md 9.2 and 9.3.
"""

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from gateway.ports.callback import CallbackResult, Effectiveness
from gateway.translate.to_acknowledgement.eps_codes import DONE, PRESCRIBING, EpsError
from gateway.web.answers import Answers, anything
from gateway.web.eps_errors import Said, eps_outcome, http_status
from gateway.web.limits import FHIR, answer_type, media_type
from gateway.wire.strict_json import JsonError, dumps, loads

_WHY: Final[dict[str, EpsError]] = {
    "": PRESCRIBING["0013"],
    "answer-not-understood": PRESCRIBING["0009"],
    "answer-takes-back": PRESCRIBING["0021"],
    "answer-unbound": PRESCRIBING["0005"],
    "answer-wrong-provider": PRESCRIBING["0005"],
}
"""What the dialect calls the reason for which a Task was kept, by the kind of the alert; a message that is another's
looks like none (I9)."""
_NOTIFICATION: Final = "dispense-notification"
_KEPT: Final = "Stored and shown to a person. Nothing moved; sending it again will not help."


class HandedBack:
    """The addresses of the dialect where a provider hands back, and notifies.

    Args:
        answers: takes them in.
    """

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    async def post(self, request: Request) -> Response:
        """Take one Task of the provider that calls."""
        result, now = await self._take(request)
        return _answer(result, now)

    async def notify(self, request: Request) -> Response:
        """Take one dispense notification; a provider sends no other message to `$process-message`."""
        result, now = await self._take(request, lambda body: event_of(body) == _NOTIFICATION)
        return _answer(result, now, kept=HTTPStatus.UNPROCESSABLE_ENTITY)

    async def _take(
        self, request: Request, serves: Callable[[bytes], bool] = anything
    ) -> tuple[CallbackResult, datetime]:
        provider = self._answers.caller(request)
        stated = media_type(request.headers, FHIR)
        answer_type(request.headers, FHIR)
        return await self._answers.take(request, provider, content_type=stated, serves=serves)


def event_of(body: bytes) -> str:
    """Give the event of a FHIR message in JSON; empty where it is no such message."""
    try:
        bundle = loads(body)
    except JsonError:
        return ""
    entries = bundle.get("entry") if isinstance(bundle, dict) else None
    listed = entries if isinstance(entries, list) else []
    resources = [entry.get("resource") for entry in listed if isinstance(entry, dict)]
    headers = [one for one in resources if isinstance(one, dict) and one.get("resourceType") == "MessageHeader"]
    coding = headers[0].get("eventCoding") if len(headers) == 1 else None
    code = coding.get("code") if isinstance(coding, dict) else None
    return code if isinstance(code, str) else ""


def _answer(result: CallbackResult, at: datetime, *, kept: HTTPStatus | None = None) -> Response:
    if result.effect is Effectiveness.KEPT:
        error = _WHY.get(result.kind, PRESCRIBING["9999"])
        said = [*(Said(error=error, text=text) for text in result.reasons), Said(error=PRESCRIBING["9999"], text=_KEPT)]
    else:
        said = [Said(error=DONE)]
    status = http_status([one.error for one in said])
    if kept is not None and result.effect is Effectiveness.KEPT:
        status = kept
    return Response(dumps(eps_outcome(said, at)), status, media_type="application/fhir+json; fhirVersion=4.0")
