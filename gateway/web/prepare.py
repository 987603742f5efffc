"""POST an order in any format to `$prepare`: the answer is what its prescriber signs. Nothing is stored or sent.

Source: eps.md 4.3; brief D8.
"""

import asyncio
import json
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from gateway.access.policy import Action
from gateway.domain.errors import Refusal
from gateway.domain.issue import Issue
from gateway.domain.submission import Submission, WireFormat
from gateway.sign.eps_digest import Prepared
from gateway.translate.formats import FORMATS
from gateway.web.auth import Callers
from gateway.web.limits import FHIR, FHIR_ORDER, HL7V2, XML, Limits, MediaRule, answer_type, media_type, read_body
from gateway.web.problems import said
from gateway.web.turned import Turned

ANY_ORDER: Final = MediaRule(
    accepted=(*FHIR_ORDER.accepted, *HL7V2.accepted, *XML.accepted),
    charsets=HL7V2.charsets,
    fhir_version=FHIR_ORDER.fhir_version,
)
Prepare = Callable[[Submission, datetime], Prepared]


class Preparation:
    """The address that gives a trust's system the bytes to be signed.

    Args:
        prepare: the pipeline's; raises `Refusal`.
        callers: who may ask: trusts.
        limits: of body and time.
        now: the signing time.
    """

    def __init__(self, prepare: Prepare, callers: Callers, limits: Limits, now: Callable[[], datetime]) -> None:
        self._prepare = prepare
        self._callers = callers
        self._limits = limits
        self._now = now

    async def post(self, request: Request) -> Response:
        """Answer with Parameters: digest, timestamp and algorithm; or with every reason why there are none."""
        tenant = self._callers.partner(request, Action.SUBMIT)
        stated = media_type(request.headers, ANY_ORDER)
        answer_type(request.headers, FHIR)
        body = await read_body(request.stream(), self._limits)
        if not isinstance(body, bytes):
            text = f"The body is larger than {self._limits.body_bytes} bytes."
            raise Turned(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, Issue(code="TOO_LARGE", location="", text=text))
        now = self._now()
        submission = Submission(
            tenant=tenant, format=_spoken(stated), body=body, content_type=stated, received_at=now, idempotency_key="-"
        )
        try:
            prepared = await asyncio.to_thread(self._prepare, submission, now.replace(microsecond=0))
        except Refusal as refusal:
            return said(FORMATS[WireFormat.FHIR].unreadable(b"", refusal.issues))
        return Response(json.dumps(prepared.parameters()), media_type="application/fhir+json; fhirVersion=4.0")


def _spoken(stated: str) -> WireFormat:
    kind = stated.partition(";")[0].strip().lower()
    if kind in HL7V2.accepted:
        return WireFormat.HL7V2
    return WireFormat.XML if kind in XML.accepted else WireFormat.FHIR
