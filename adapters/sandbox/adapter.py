"""The sandbox provider: takes the sealed FHIR message over HTTP and answers in its own small JSON.

It is an honest fake: it promises nothing it does not do, and a new adapter may begin as a copy of it.

======================================  ==============================================================
what its system says to a message       what that means
======================================  ==============================================================
202, empty                              taken
200 with an answer to this message      taken, and the answer
400 or 422 with {"refused": reason}     refused
429 or 503                              not taken; later
anything else                           in doubt
======================================  ==============================================================
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import ClassVar, Final

from adapters._http import Poster, Reply
from adapters.sandbox.payload import read_answer
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
from gateway.domain.partner import Provider
from gateway.domain.prescription import Prescription
from gateway.wire.strict_json import JSON, JsonError, loads

_JSON: Final = "application/json"
_LATER: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_REFUSED: Final = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY})


class Sandbox:
    """See `gateway.destination.Destination`."""

    name: ClassVar[str] = "sandbox"
    promises: ClassVar[Promises] = Promises(answers_inline=True, holds=True)

    def __init__(self, provider: Provider) -> None:
        self._poster = Poster(provider, accept=_JSON)

    def cannot_carry(self, prescription: Prescription) -> tuple[Issue, ...]:  # noqa: ARG002 - it takes the whole message
        """Carry everything: the provider gets the sealed message itself."""
        return ()

    def render(self, prescription: Prescription, message: bytes) -> Rendered | None:  # noqa: ARG002 - nothing to render
        """Send the sealed message itself."""
        return None

    async def transmit(self, transmission: Transmission) -> TransmitOutcome:
        """POST the sealed message once."""
        headers = {"X-Message-Id": str(transmission.message_id)}
        if transmission.possible_duplicate:
            headers["X-Possible-Duplicate"] = "true"
        reply = await self._poster.post(transmission, headers)
        return _outcome(reply, transmission) if isinstance(reply, Reply) else reply

    def read_acknowledgement(self, headers: Mapping[str, str], body: bytes) -> Acknowledgement | Unrecognised:  # noqa: ARG002 - its answers say all in the body
        """Read one answer."""
        return read_answer(body)

    async def close(self) -> None:
        """Let go of connections."""
        await self._poster.close()


def _outcome(reply: Reply, transmission: Transmission) -> TransmitOutcome:
    if reply.status in _LATER:
        return TryLater(reason=f"HTTP {reply.status}", after_seconds=reply.retry_after_seconds)
    if reply.status == HTTPStatus.ACCEPTED and not reply.body:
        return Taken()
    if reply.status == HTTPStatus.OK and reply.media_type == _JSON:
        answer = read_answer(reply.body)
        if isinstance(answer, Acknowledgement) and answer.correlation == transmission.message_id:
            return Taken(evidence=reply.body, acknowledgement=answer)
    if reply.status in _REFUSED and reply.media_type == _JSON and (reason := _refusal(reply.body)):
        return Refused(reason=reason, evidence=reply.body)
    return InDoubt(reason=f"HTTP {reply.status} that is not in the contract", evidence=reply.body)


def _refusal(body: bytes) -> str:
    try:
        value: JSON = loads(body)
    except JsonError:
        return ""
    reason = value.get("refused") if isinstance(value, dict) else None
    return reason if isinstance(reason, str) else ""
