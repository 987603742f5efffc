"""Where a prescription is: `GET /FHIR/R4/Task`, and `POST /FHIR/R4/Task/_search` when the search names a patient.

A trust sees its own, a provider the lines that are or were given to it. What belongs to others and what does not exist
give the same empty answer (I9). Every reading leaves an audit leaf.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from gateway.access.policy import Action
from gateway.access.principal import Principal
from gateway.domain.issue import Issue
from gateway.domain.submission import TooLarge
from gateway.enquiries import Enquiries, Found, PrescriptionView
from gateway.ports.looking_up import OwnMessage
from gateway.web.auth import Callers
from gateway.web.enquiry import Search, by_get, by_post
from gateway.web.limits import FHIR, FORM, Limits, answer_type, media_type, read_body
from gateway.web.outcome import outcome
from gateway.web.own_message import told
from gateway.web.task import task
from gateway.web.turned import Turned
from gateway.wire.strict_json import JSON, dumps


class Notes(Protocol):
    """Where readings are noted."""

    async def note_access(self, *, principal: str, action: str, subject: str, now: datetime) -> None:
        """Write an audit leaf; raises `Unavailable`, and then nothing is shown."""


class Status:
    """The status addresses.

    Args:
        enquiries: what is read.
        notes: where each reading is noted.
        callers: who may ask.
        limits: of the form's size.
        now: the time of the reading.
    """

    def __init__(
        self, enquiries: Enquiries, notes: Notes, callers: Callers, limits: Limits, now: Callable[[], datetime]
    ) -> None:
        self._enquiries = enquiries
        self._notes = notes
        self._callers = callers
        self._limits = limits
        self._now = now

    async def get(self, request: Request) -> Response:
        """Search by a number of the prescription, order, group or message."""
        caller = self._callers.itself(request, Action.READ_STATUS)
        answer_type(request.headers, FHIR)
        return await self._answer(caller, by_get(request.url.query), str(request.url.query))

    async def post(self, request: Request) -> Response:
        """Search by any of these, or by NHS number, from a form."""
        caller = self._callers.itself(request, Action.READ_STATUS)
        media_type(request.headers, FORM)
        answer_type(request.headers, FHIR)
        form = await read_body(request.stream(), self._limits)
        if isinstance(form, TooLarge):
            raise Turned(413, Issue(code="TOO_LARGE", location="", text="The form is too large."), close=form.cut_off)
        return await self._answer(caller, by_post(form, request.url.query), "")

    async def _answer(self, caller: Principal, search: Search, query: str) -> Response:
        messages = await self._own_messages(caller, search)
        found = await self._find(caller, search)
        views = [
            view
            for one in found[: search.count]
            if (view := await self._enquiries.prescription(one.prescription_id, tenant=caller.tenant)) is not None
        ]
        shown = " ".join(str(view.found.prescription_id) for view in views)
        await self._notes.note_access(
            principal=caller.name,
            action="status",
            subject=shown or ("its own message" if messages else "nothing found"),
            now=self._now(),
        )
        body = searchset(views, left_out=max(0, len(found) - search.count), query=query, messages=messages)
        return Response(dumps(body), media_type="application/fhir+json; fhirVersion=4.0")

    async def _own_messages(self, caller: Principal, search: Search) -> tuple[OwnMessage, ...]:
        if not search.control_id:
            return ()
        if caller.tenant is None:
            text = "Only a trust may search by its own message."
            raise Turned(400, Issue(code="REQUEST_INVALID", location="", text=text))
        return await self._enquiries.own_messages(search.control_id, tenant=caller.tenant)

    async def _find(self, caller: Principal, search: Search) -> tuple[Found, ...]:
        if search.control_id and caller.tenant is not None:
            return await self._enquiries.by_control_id(search.control_id, tenant=caller.tenant)
        return await self._enquiries.search(
            tenant=caller.tenant,
            nhs_number=search.nhs_number,
            number=search.number,
            order_number=search.order_number,
        )


def searchset(
    views: list[PrescriptionView], *, left_out: int, query: str, messages: Sequence[OwnMessage] = ()
) -> dict[str, JSON]:
    """Write a searchset of one Task for each line; a list that was cut short says so.

    Args:
        views: what was found, newest first.
        left_out: how many more prescriptions match.
        query: the search of a GET, for the self link; never one that names a patient.
        messages: the caller's own, where it asked what became of one that is known.
    """
    tasks = [task(view, line) for view in views for line in view.lines]
    entries: list[JSON] = [
        {"fullUrl": f"urn:uuid:{written['id']}", "resource": written, "search": {"mode": "match"}} for written in tasks
    ]
    bundle: dict[str, JSON] = {
        "resourceType": "Bundle",
        "type": "searchset",
        "link": [{"relation": "self", "url": f"Task?{query}" if query else "Task/_search"}],
    }
    entries += [{"resource": told(message), "search": {"mode": "outcome"}} for message in messages]
    if left_out:
        text = f"{left_out} more prescriptions match; search by a number, or raise _count."
        entries.append(
            {"resource": outcome("warning", "incomplete", text), "search": {"mode": "outcome"}},
        )
    else:
        bundle["total"] = len(tasks)
    if entries:
        bundle["entry"] = entries
    return bundle
