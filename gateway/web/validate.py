"""POST a FHIR resource to `$validate`, JSON or XML: what `gateway check` prints, as an answer. Nothing is stored.

Source: FHIR R4 resource-operation-validate.html; brief 5.
"""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from gateway.access.policy import Action
from gateway.config.fhir_xml import fhir_xml
from gateway.config.profiles import fhir_checker
from gateway.domain.issue import Issue
from gateway.domain.submission import Answer
from gateway.validate.fhir.checker import check_body
from gateway.validate.fhir.finding import operation_outcome
from gateway.web.auth import Callers
from gateway.web.form import XML_TYPE, in_form_of
from gateway.web.limits import FHIR_ORDER, Limits, answer_type, media_type, read_body
from gateway.web.problems import said
from gateway.web.turned import Turned
from gateway.wire.strict_json import dumps

_JSON: Final = "application/fhir+json; fhirVersion=4.0"


class Validation:
    """The address that checks any resource for any caller who is known.

    Args:
        callers: who may ask.
        limits: of body and time.
    """

    def __init__(self, callers: Callers, limits: Limits) -> None:
        self._callers = callers
        self._limits = limits
        self._checker = fhir_checker()

    async def post(self, request: Request) -> Response:
        """Check a resource, or the `resource` of a Parameters, and give every issue.

        200 whatever is found: the operation succeeded, and the OperationOutcome is its result.
        """
        self._callers.itself(request, Action.READ_STATUS)
        kind = media_type(request.headers, FHIR_ORDER)
        answer_type(request.headers, FHIR_ORDER)
        body = await read_body(request.stream(), self._limits)
        if not isinstance(body, bytes):
            text = f"The body is larger than {self._limits.body_bytes} bytes."
            raise Turned(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, Issue(code="TOO_LARGE", location="", text=text))
        # In a thread: a body of some megabytes takes longer than other callers should wait.
        xml = fhir_xml() if kind.lower().startswith(XML_TYPE) else None
        findings = await asyncio.to_thread(check_body, self._checker, body, within=_subject, xml=xml)
        outcome = dumps(operation_outcome(findings))
        return said(in_form_of(request, Answer(body=outcome, content_type=_JSON, http_status=HTTPStatus.OK)))


def _subject(resource: Mapping[str, Any]) -> Any:
    """Give what is to be checked: the operation may also be called with Parameters that hold it."""
    parts = resource.get("parameter")
    if resource.get("resourceType") != "Parameters" or not isinstance(parts, list):
        return resource
    named = (one for one in parts if isinstance(one, Mapping) and one.get("name") == "resource" and "resource" in one)
    return next((one["resource"] for one in named), resource)
