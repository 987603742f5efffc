"""The only place where an error becomes an answer: in the caller's own format, and without a word of the request.

==================  ===========  ==================================================
what went wrong     HTTP         body
==================  ===========  ==================================================
turned at the door  as it says   the issue, in the format of the address
no such address     404, 405     the same
not stored          503          "send the same bytes again", with Retry-After
anything else       500          generic, with the correlation id; logged by type
==================  ===========  ==================================================

Source: mapping.md 9.2; reliability-security.md I8, I21 and 4 (never echo input in errors).
"""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from gateway.domain.errors import Unavailable
from gateway.domain.issue import Issue
from gateway.domain.submission import Answer, WireFormat
from gateway.pipeline.admission import Full
from gateway.translate.formats import FORMATS
from gateway.web.form import in_form_of
from gateway.web.limits import Limits
from gateway.web.turned import Turned

_SPOKEN: tuple[tuple[str, WireFormat], ...] = (("/hl7v2", WireFormat.HL7V2), ("/xml", WireFormat.XML))
"""Addresses that do not speak FHIR; everything else does."""

Told = Callable[[Request, Exception], Awaitable[Response]]


def told(request: Request, status: int, issue: Issue, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with one issue, in the format of the address that was called."""
    path = request.url.path
    form = FORMATS[next((spoken for prefix, spoken in _SPOKEN if path.startswith(prefix)), WireFormat.FHIR)]
    answer = in_form_of(request, form.unreadable(getattr(request.state, "body", b""), (issue,)))
    return said(answer, status, headers)


def said(answer: Answer, status: int | None = None, headers: Mapping[str, str] | None = None) -> Response:
    """Give an answer as it stands: its bytes and its media type, with nothing added to either.

    Args:
        answer: in the caller's format.
        status: in place of the answer's own.
        headers: beside it.
    """
    return Response(answer.body, status or answer.http_status, {**(headers or {}), "Content-Type": answer.content_type})


async def _turned(request: Request, error: Exception) -> Response:
    if not isinstance(error, Turned):
        raise error
    return told(request, error.status, error.issue, error.headers)


_STATED: dict[int, Issue] = {
    404: Issue(code="ADDRESS_UNKNOWN", location="", text="There is nothing at this address."),
    405: Issue(code="METHOD_UNSUPPORTED", location="", text="This address does not serve this method."),
}


async def _by_framework(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    status = error.status_code if error.status_code in _STATED else HTTPStatus.BAD_REQUEST
    invalid = Issue(code="REQUEST_INVALID", location="", text="The request is not well-formed.")
    return told(request, status, _STATED.get(status, invalid), error.headers)


def _not_stored(retry_after_seconds: int) -> Told:
    issue = Issue(code="NOT_STORED", location="", text="Nothing was stored. Send the same bytes again.")
    headers = {"Retry-After": str(retry_after_seconds)}

    async def answer(request: Request, _: Exception) -> Response:
        return told(request, HTTPStatus.SERVICE_UNAVAILABLE, issue, headers)

    return answer


def unexpected(request: Request, correlation: str) -> Response:
    """Answer an error that nobody foresaw, without saying what it was."""
    text = f"The gateway failed. Quote {correlation}."
    return told(request, HTTPStatus.INTERNAL_SERVER_ERROR, Issue(code="GATEWAY_FAULT", location="", text=text))


def answers(limits: Limits) -> dict[type[Exception], Told]:
    """Give the table of foreseen errors, for the application."""
    return {
        Turned: _turned,
        HTTPException: _by_framework,
        Unavailable: _not_stored(limits.retry_after_seconds),
        Full: _not_stored(limits.full_retry_after_seconds),
    }
