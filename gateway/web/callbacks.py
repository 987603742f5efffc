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

from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from gateway.domain.issue import Issue
from gateway.ports.callback import CallbackResult, Effectiveness
from gateway.web.answers import Answers
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


class Callbacks:
    """The address to which providers answer.

    Args:
        answers: takes them in.
    """

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    async def take(self, request: Request) -> Response:
        """Take one answer of one provider."""
        provider = self._answers.caller_named(request, request.path_params["destination"])
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            text = "Send the body without Content-Encoding."
            raise Turned(415, Issue(code="CONTENT_TYPE_UNSUPPORTED", location="", text=text))
        stated = request.headers.get("content-type", "")
        result, _ = await self._answers.take(request, provider, content_type=stated)
        return _answer(result)


def _answer(result: CallbackResult) -> Response:
    kept = result.effect is Effectiveness.KEPT
    texts = (_WORDS[result.effect], *result.reasons)
    body = outcome("error" if kept else "information", "business-rule" if kept else "informational", *texts)
    return Response(dumps(body), _STATUS[result.effect], media_type="application/fhir+json; fhirVersion=4.0")
