"""POST a prescription: HL7 v2, trust XML or a FHIR message. The same story behind three addresses.

A message's own control id decides what a repeat is (I6). `Idempotency-Key` names only a FHIR submission that has no
name of its own; everywhere else it is ignored.
"""

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Final, Protocol

import structlog
from starlette.requests import Request
from starlette.responses import Response

from gateway.access.policy import Action
from gateway.access.principal import Kind
from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import Issue
from gateway.domain.submission import Answer, Submission, TooLarge, WireFormat
from gateway.pipeline.signature import HEADER
from gateway.telemetry import Metrics
from gateway.web.auth import Callers
from gateway.web.form import in_form_of
from gateway.web.limits import FHIR_ORDER, HL7V2, XML, Limits, MediaRule, Slots, answer_type, media_type, read_body
from gateway.web.problems import said

_log = structlog.get_logger("web")

MEDIA: Final[dict[WireFormat, MediaRule]] = {WireFormat.HL7V2: HL7V2, WireFormat.XML: XML, WireFormat.FHIR: FHIR_ORDER}


class Story(Protocol):
    """What the intake needs of the pipeline."""

    async def receive(self, submission: Submission) -> Answer:
        """Take a submission and answer it; raises `Unavailable` when nothing was stored."""

    async def refuse_unread(self, submission: Submission, *issues: Issue) -> Answer:
        """Answer what cannot be read, and keep what is known of it."""


class Intake:
    """The three addresses that take prescriptions.

    Args:
        story: the pipeline.
        callers: who may post.
        limits: of body, time and concurrency.
        metrics: where outcomes are counted.
        now: the time of receipt.
    """

    def __init__(
        self, story: Story, callers: Callers, limits: Limits, metrics: Metrics, now: Callable[[], datetime]
    ) -> None:
        self._story = story
        self._callers = callers
        self._limits = limits
        self._metrics = metrics
        self._slots = Slots(limits)
        self._now = now

    async def hl7v2(self, request: Request) -> Response:
        """Take one HL7 v2 message, a trust's or a provider's report; the answer is its acknowledgement."""
        return await self._take(request, WireFormat.HL7V2)

    async def xml(self, request: Request) -> Response:
        """Take one trust XML document; the answer is a Receipt."""
        return await self._take(request, WireFormat.XML)

    async def fhir(self, request: Request) -> Response:
        """Take a FHIR message, container or single order; the answer is a message, in the form of the request."""
        return await self._take(request, WireFormat.FHIR)

    async def _take(self, request: Request, form: WireFormat) -> Response:
        tenant = self._sender(request, form)
        stated = media_type(request.headers, MEDIA[form])
        answer_type(request.headers, MEDIA[form])
        with self._slots.one(tenant):
            body = await read_body(request.stream(), self._limits)
            if isinstance(body, TooLarge):
                return await self._too_large(request, tenant, form, stated, body)
            request.state.body = body  # so that a negative answer can name the message it answers
            answer = await self._story.receive(
                Submission(
                    tenant=tenant,
                    format=form,
                    body=body,
                    content_type=stated,
                    received_at=self._now(),
                    idempotency_key=_key(request),
                    detached_signature=",".join(request.headers.getlist(HEADER)).encode(),
                )
            )
            self._metrics.submitted(tenant.value, form.value, "taken" if answer.taken else "refused")
        return said(in_form_of(request, answer))

    def _sender(self, request: Request, form: WireFormat) -> OdsCode:
        """Give the trust that orders, or at the HL7 v2 address the provider that reports."""
        reports = form is WireFormat.HL7V2 and self._callers.principal(request).kind is Kind.PROVIDER
        return self._callers.partner(request, Action.ACKNOWLEDGE if reports else Action.SUBMIT)

    async def _too_large(
        self, request: Request, tenant: OdsCode, form: WireFormat, stated: str, seen: TooLarge
    ) -> Response:
        text = f"The body is larger than {self._limits.body_bytes} bytes."
        _log.warning("too_large", tenant=tenant.value, format=form.value, bytes=seen.length, digest=seen.digest)
        self._metrics.submitted(tenant.value, form.value, "refused")
        answer = await self._story.refuse_unread(
            Submission(
                tenant=tenant,
                format=form,
                body=b"",
                content_type=stated,
                received_at=self._now(),
                too_large=seen,
            ),
            Issue(code="TOO_LARGE", location="", text=text),
        )
        headers = {"Connection": "close"} if seen.cut_off else None
        return said(in_form_of(request, answer), HTTPStatus.REQUEST_ENTITY_TOO_LARGE, headers)


def _key(request: Request) -> str:
    """Give the Idempotency-Key, which may stand in quotation marks; two of them are none."""
    stated = request.headers.getlist("idempotency-key")
    return stated[0].strip().removeprefix('"').removesuffix('"') if len(stated) == 1 else ""
