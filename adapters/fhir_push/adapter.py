"""A provider that takes the sealed FHIR message over HTTP and answers in the EPS dialect.

==========================================================  =====================================================
what its system says to a message                           what that means
==========================================================  =====================================================
202, empty (or any status listed in `taken_when_empty`)     taken
200, 201 or 202 with an OperationOutcome without errors     taken
200, 201, 202 or 400 with an order response to this message what the response says; `transient-error` is not taken
400, 404, 410, 413, 415 or 422 with OperationOutcome errors refused; but *duplicate* says that it has one: in doubt;
                                                            and R-0008 and its like are the verdict on a cancel
429 or 503                                                  not taken; later, as Retry-After asks
401 or 403                                                  not taken: our credential is wrong; later
anything else: empty or HTML pages, redirects, 409, 5xx     in doubt
==========================================================  =====================================================

Options of the provider: `taken_when_empty`, statuses that mean success without a body, `202` if not given;
`first_repeat`, `0` or `1`, the number of repeats issued that it states when it reports a first supply: without it the
number is not read.

Source: mapping.md 9.3; reliability-security.md A09, A10; eps.md 1.2, 1.3.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import ClassVar, Final

from adapters._http import Poster, Reply
from adapters.fhir_push.outcomes import cancel_verdict, refusal_codes
from adapters.fhir_push.payload import read_answer
from gateway.destination import (
    InDoubt,
    Promises,
    Refused,
    Rendered,
    Taken,
    Transmission,
    TransmitOutcome,
    TryLater,
    Unrecognised,
)
from gateway.domain.acknowledgement import Acknowledgement
from gateway.domain.issue import Issue
from gateway.domain.lifecycle import LineEvent
from gateway.domain.partner import Provider
from gateway.domain.prescription import Prescription

_FHIR: Final = "application/fhir+json"
_JSON_TYPES: Final = frozenset({_FHIR, "application/json"})
_SUCCESS: Final = frozenset({HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED})
_LATER: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_LOCKED_OUT: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_REFUSED: Final = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.GONE,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)
_TRANSIENT: Final = frozenset({"transient", "throttled", "lock-error"})
_HAS_ONE: Final = frozenset({"duplicate", "DUPLICATE", "DUPLICATE_PRESCRIPTION_ID"})
"""A provider that refuses a repeat as one may be holding what came first: only a person can tell."""
_LOCKED_OUT_SECONDS: Final = 60.0


class FhirPush:
    """See `gateway.destination.Destination`."""

    name: ClassVar[str] = "fhir_push"
    promises: ClassVar[Promises] = Promises(answers_inline=True, holds=True)

    def __init__(self, provider: Provider) -> None:
        self._poster = Poster(provider, accept=_FHIR)
        listed = provider.options.get("taken_when_empty", "202").split(",")
        self._taken_when_empty = frozenset(int(status) for status in listed if status.strip().isdigit())
        self._first_repeat = {"0": 0, "1": 1}.get(provider.options.get("first_repeat", ""))

    def cannot_carry(self, prescription: Prescription) -> tuple[Issue, ...]:  # noqa: ARG002 - it takes the whole message
        """Carry everything: the provider gets the sealed message itself."""
        return ()

    def render(self, prescription: Prescription, message: bytes) -> Rendered | None:  # noqa: ARG002 - nothing to render
        """Send the sealed message itself."""
        return None

    async def transmit(self, transmission: Transmission) -> TransmitOutcome:
        """POST the sealed message once."""
        message_id = str(transmission.message_id)
        headers = {"X-Request-ID": message_id, "X-Correlation-ID": message_id}
        reply = await self._poster.post(transmission, headers)
        return self._outcome(reply, transmission) if isinstance(reply, Reply) else reply

    def read_acknowledgement(self, headers: Mapping[str, str], body: bytes) -> Acknowledgement | Unrecognised:  # noqa: ARG002 - its answers say all in the body
        """Read an order response or a dispense notification."""
        return read_answer(body, first_repeat=self._first_repeat)

    async def close(self) -> None:
        """Let go of connections."""
        await self._poster.close()

    def _outcome(self, reply: Reply, transmission: Transmission) -> TransmitOutcome:
        if reply.status in _LATER:
            return TryLater(reason=f"HTTP {reply.status}", after_seconds=reply.retry_after_seconds)
        if reply.status in _LOCKED_OUT:
            wait = reply.retry_after_seconds or _LOCKED_OUT_SECONDS
            return TryLater(reason=f"HTTP {reply.status}: our credential is not accepted", after_seconds=wait)
        if not reply.body:
            return Taken() if reply.status in self._taken_when_empty else _doubt(reply)
        known = self._by_body(reply, transmission) if reply.media_type in _JSON_TYPES else None
        return known or _doubt(reply)

    def _by_body(self, reply: Reply, transmission: Transmission) -> TransmitOutcome | None:
        """Read a FHIR body; None where it decides nothing."""
        errors = refusal_codes(reply.body)
        if errors is None:
            return self._by_answer(reply, transmission) if reply.status in {*_SUCCESS, HTTPStatus.BAD_REQUEST} else None
        if not errors:
            return Taken(evidence=reply.body) if reply.status in _SUCCESS else None
        if reply.status not in _REFUSED or not _HAS_ONE.isdisjoint(errors):
            return None
        verdict = cancel_verdict(reply.body, transmission.octets, transmission.message_id)
        if verdict is not None:
            return Taken(evidence=reply.body, acknowledgement=verdict)
        reason = f"HTTP {reply.status}: {', '.join(errors)}"
        if _TRANSIENT.issuperset(errors):
            return TryLater(reason=reason, after_seconds=reply.retry_after_seconds)
        return Refused(reason=reason, evidence=reply.body)

    def _by_answer(self, reply: Reply, transmission: Transmission) -> TransmitOutcome | None:
        answer = self.read_acknowledgement({}, reply.body)
        if not isinstance(answer, Acknowledgement) or answer.correlation != transmission.message_id:
            return None
        if {report.event for report in answer.reports} == {LineEvent.NOT_STORED}:
            return TryLater(reason=f"HTTP {reply.status}: transient-error", after_seconds=reply.retry_after_seconds)
        return Taken(evidence=reply.body, acknowledgement=answer)


def _doubt(reply: Reply) -> InDoubt:
    return InDoubt(reason=f"HTTP {reply.status} that is not in the contract", evidence=reply.body)
