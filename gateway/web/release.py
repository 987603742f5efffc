"""`POST /FHIR/R4/Task/$release`: what is on its way to a provider and not yet taken, for a provider that looks for it.

A release moves nothing: there is no lease yet. So it gives only messages whose first byte has already left, which the
provider may have lost or be waiting for; giving out one that is still ours alone would let a cancel be confirmed as
*never sent* while the provider holds it (I7). A line with a cancel under way is not given either.

The sealed messages stand in the answer byte for byte. What EPS would add to them is left out: it would break the seal.
The answer's id is the id of its message where it holds one; a provider that got several names the message itself
(`Bundle.identifier`) in its answers.

Source: eps.md 1.6, 6.3; reliability-security.md I7, I9.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Final, Protocol
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from gateway.access.policy import Action
from gateway.domain.identifiers import OdsCode, derived_id, parse_uuid
from gateway.domain.issue import Issue
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.domain.submission import TooLarge
from gateway.enquiries import Enquiries, PrescriptionView
from gateway.translate.to_acknowledgement.eps_codes import DISPENSING, RULES
from gateway.web.auth import Callers
from gateway.web.eps_errors import Said, eps_outcome, http_status
from gateway.web.limits import FHIR, Limits, Slots, answer_type, media_type, read_body
from gateway.web.release_request import ReleaseRequest, read_release
from gateway.web.turned import Turned
from gateway.wire.strict_json import JSON, JsonError, dumps, loads

MOST: Final = 25
"""Prescriptions in one answer (eps.md 1.6)."""
_MEDIA: Final = "application/fhir+json; fhirVersion=4.0"
_ON_ITS_WAY: Final = frozenset({LineState.SENT, LineState.UNCERTAIN})
_ENDED: Final[dict[LineState, str]] = {
    LineState.CANCELLED: "0001",
    LineState.SUPERSEDED: "0001",
    LineState.EXPIRED: "0002",
    LineState.FULFILLED: "0005",
    LineState.CLOSED: "0005",
    LineState.REJECTED: "0003",
    LineState.RETURNED: "0003",
}
"""Why a prescription is not given, by Spine's number; in any other state there is nothing more to give (0006)."""


class Notes(Protocol):
    """Where releases are noted."""

    async def note_access(self, *, principal: str, action: str, subject: str, now: datetime) -> None:
        """Write an audit leaf; raises `Unavailable`, and then nothing is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """One message that is given: its id and its sealed bytes."""

    id: UUID
    body: bytes = field(repr=False)


class Release:
    """The address where a provider asks for what is on its way to it.

    Args:
        enquiries: what is read.
        notes: where each release is noted.
        callers: who may ask.
        limits: of body and time.
        now: the time of the release.
    """

    def __init__(
        self, enquiries: Enquiries, notes: Notes, callers: Callers, limits: Limits, now: Callable[[], datetime]
    ) -> None:
        self._enquiries = enquiries
        self._notes = notes
        self._callers = callers
        self._limits = limits
        self._slots = Slots(limits)
        self._now = now

    async def post(self, request: Request) -> Response:
        """Give a Parameters with the messages, or an OperationOutcome."""
        provider = self._callers.partner(request, Action.RELEASE)
        media_type(request.headers, FHIR)
        answer_type(request.headers, FHIR)
        with self._slots.one(provider):
            body = await read_body(request.stream(), self._limits)
            if isinstance(body, TooLarge):
                text = f"The body is larger than {self._limits.body_bytes} bytes."
                raise Turned(413, Issue(code="TOO_LARGE", location="", text=text), close=body.cut_off)
            asked = read_release(body)
            if isinstance(asked, tuple):
                return self._refused(*asked)
            if asked.owner != provider:
                return self._refused(Said(error=RULES["forbidden"], expression="Parameters.parameter('owner')"))
            return await self._given(provider, asked)

    async def _given(self, provider: OdsCode, asked: ReleaseRequest) -> Response:
        views = await self._views(provider, asked)
        passed = [one for view in views if (one := passed_of(view, provider)) is not None][:MOST]
        subject = " ".join(str(one.id) for one in passed) or "nothing given"
        await self._notes.note_access(principal=provider.value, action="release", subject=subject, now=self._now())
        if not passed:
            return self._refused(_why_not(views, provider) if asked.number else Said(error=DISPENSING["0006"]))
        return Response(parameters(passed), HTTPStatus.OK, media_type=_MEDIA)

    async def _views(self, provider: OdsCode, asked: ReleaseRequest) -> list[PrescriptionView]:
        """Look up what is asked for, oldest first."""
        if asked.number:
            found = (await self._enquiries.search(tenant=provider, number=asked.number))[::-1]
        else:
            found = await self._enquiries.on_its_way(provider=provider, limit=MOST)
        views = [await self._enquiries.prescription(one.prescription_id, tenant=provider) for one in found]
        return [view for view in views if view is not None]

    def _refused(self, *said: Said) -> Response:
        body = dumps(eps_outcome(said, self._now()))
        return Response(body, http_status([one.error for one in said]), media_type=_MEDIA)


def passed_of(view: PrescriptionView, provider: OdsCode) -> Passed | None:
    """Give the message of a prescription that may be given to a provider, or None."""
    live = [line for line in view.lines if line.state is not LineState.SUPERSEDED]
    waiting = live and all(line.state in _ON_ITS_WAY for line in live)
    if view.found.destination != provider or not waiting or view.message is None or _cancel_asked(view):
        return None
    try:
        bundle = loads(view.message)
    except JsonError:
        return None
    identifier = bundle.get("identifier") if isinstance(bundle, dict) else None
    message = parse_uuid(str(identifier.get("value", ""))) if isinstance(identifier, dict) else None
    return Passed(id=message, body=view.message) if message is not None else None


def _cancel_asked(view: PrescriptionView) -> bool:
    return any(event.event.startswith(LineEvent.CANCEL.value) for event in view.events)


def _why_not(views: Sequence[PrescriptionView], provider: OdsCode) -> Said:
    """Say why one prescription that was asked for is not given."""
    if not views:
        return Said(error=DISPENSING["0003"])
    view = views[-1]
    if view.found.destination != provider:
        return Said(error=DISPENSING["0004"])
    ended = _ENDED.get(view.found.state)
    if ended is not None:
        return Said(error=DISPENSING[ended])
    if _cancel_asked(view):
        return Said(error=DISPENSING["5000"], text="A cancel of this prescription is under way.")
    return Said(error=DISPENSING["0006"], text="It was taken before, or it is sent as soon as it may leave.")


def parameters(passed: Sequence[Passed]) -> bytes:
    """Write the answer around the sealed messages, whose bytes are not touched."""
    whole = passed[0].id if len(passed) == 1 else derived_id("release", *(str(one.id) for one in passed))
    entries = [
        b'{"fullUrl":"urn:uuid:%s","resource":%s,"search":{"mode":"match"}}' % (str(one.id).encode(), one.body)
        for one in passed
    ]
    head: dict[str, JSON] = {"resourceType": "Bundle", "type": "searchset", "total": len(passed)}
    given = dumps(head)[:-1] + b',"entry":[' + b",".join(entries) + b"]}"
    failed = dumps({"resourceType": "Bundle", "type": "searchset", "total": 0})
    return b'{"resourceType":"Parameters","id":"%s","parameter":[%s,%s]}' % (
        str(whole).encode(),
        b'{"name":"passedPrescriptions","resource":%s}' % given,
        b'{"name":"failedPrescriptions","resource":%s}' % failed,
    )
