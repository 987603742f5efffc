"""POST a FHIR resource to `$validate`: what `gateway check` prints, as an answer. Nothing is stored or sent.

Source: FHIR R4 resource-operation-validate.html; brief 5.
"""

import asyncio
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from gateway.access.policy import Action
from gateway.config.profiles import fhir_checker
from gateway.domain.issue import Issue
from gateway.validate.fhir.checker import check_body
from gateway.validate.fhir.finding import operation_outcome
from gateway.web.auth import Callers
from gateway.web.limits import FHIR, Limits, answer_type, media_type, read_body
from gateway.web.turned import Turned


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
        media_type(request.headers, FHIR)
        answer_type(request.headers, FHIR)
        body = await read_body(request.stream(), self._limits)
        if not isinstance(body, bytes):
            text = f"The body is larger than {self._limits.body_bytes} bytes."
            raise Turned(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, Issue(code="TOO_LARGE", location="", text=text))
        # In a thread: a body of some megabytes takes longer than other callers should wait.
        findings = await asyncio.to_thread(check_body, self._checker, body, within=_subject)
        return Response(json.dumps(operation_outcome(findings)), media_type="application/fhir+json; fhirVersion=4.0")


def _subject(resource: Mapping[str, Any]) -> Any:
    """Give what is to be checked: the operation may also be called with Parameters that hold it."""
    parts = resource.get("parameter")
    if resource.get("resourceType") != "Parameters" or not isinstance(parts, list):
        return resource
    named = (one for one in parts if isinstance(one, Mapping) and one.get("name") == "resource" and "resource" in one)
    return next((one["resource"] for one in named), resource)
