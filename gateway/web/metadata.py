"""The CapabilityStatement: what this gateway serves, for a FHIR client that has never seen it.

Built with the R4B models of fhir.resources, which are identical to R4 for the elements used here (D6).

Source: FHIR R4 capabilitystatement.html.
"""

import asyncio
from datetime import datetime
from functools import cached_property
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from gateway.domain.identifiers import OdsCode
from gateway.domain.partner import Environment
from gateway.web.enquiry import MESSAGE

_EVENT: Final = "https://fhir.nhs.uk/CodeSystem/message-event"
_OPERATIONS: Final[tuple[dict[str, str], ...]] = (
    {
        "name": "process-message",
        "definition": "http://hl7.org/fhir/OperationDefinition/MessageHeader-process-message",
        "documentation": "Takes a message Bundle: prescription-order or prescription-order-update from a trust, "
        "dispense-notification from a provider.",
    },
    {
        "name": "prepare",
        "definition": "https://fhir.nhs.uk/OperationDefinition/EPS-Prepare",
        "documentation": "Gives what the prescriber of an order signs. Nothing is stored.",
    },
    {
        "name": "validate",
        "definition": "http://hl7.org/fhir/OperationDefinition/Resource-validate",
        "documentation": "Checks any resource against R4, our profiles and the EPS rules. Nothing is stored.",
    },
)
_RELEASE: Final = {
    "name": "release",
    "definition": "https://fhir.nhs.uk/OperationDefinition/EPS-Release",
    "documentation": (
        "Gives a provider the sealed messages that were sent to it and that it has not taken. It moves nothing: a "
        "message that is given is still sent, and its id is how a repeat of it is known."
    ),
}


class Metadata:
    """`GET /FHIR/R4/metadata`, written once, when it is first asked for: the models take a quarter second to load.

    Args:
        organisation: who operates the gateway.
        environment: live or test; said in the description.
        version: of this software.
        published: when this process started; the date of the statement.
        base_url: where it answers.
        prepares: whether `$prepare` is served.
    """

    def __init__(
        self,
        *,
        organisation: OdsCode,
        environment: Environment,
        version: str,
        published: datetime,
        base_url: str,
        prepares: bool = True,
    ) -> None:
        self._statement = {
            "resourceType": "CapabilityStatement",
            "status": "active",
            "date": published.isoformat(timespec="seconds"),
            "publisher": organisation.value,
            "kind": "instance",
            "fhirVersion": "4.0.1",
            "format": ["application/fhir+json", "application/fhir+xml"],
            "software": {"name": "Homecare prescription gateway", "version": version},
            "implementation": {
                "description": f"Electronic prescriptions for homecare medicines ({environment} environment)",
                "url": base_url,
            },
            "rest": [_rest(prepares=prepares)],
            "messaging": [_messaging(base_url)],
        }

    @cached_property
    def _body(self) -> bytes:
        from fhir.resources.R4B.capabilitystatement import CapabilityStatement  # noqa: PLC0415 - see the class

        return CapabilityStatement.model_validate(self._statement).model_dump_json(exclude_none=True).encode()

    async def get(self, _: Request) -> Response:
        """Give the statement."""
        body = await asyncio.to_thread(lambda: self._body)  # messages are not kept waiting for the models
        return Response(body, media_type="application/fhir+json; fhirVersion=4.0")


def _rest(*, prepares: bool) -> dict[str, object]:
    return {
        "mode": "server",
        "documentation": "Status of prescriptions. A search by NHS number is sent by POST to Task/_search.",
        "security": {"description": "Authorization: Bearer; every credential belongs to one trust or provider."},
        "resource": [
            {
                "type": "Task",
                "documentation": "One Task for each line of a prescription; businessStatus says where it is.",
                "interaction": [
                    {"code": "search-type"},
                    {"code": "create", "documentation": "A provider returns a prescription, or withdraws a report."},
                ],
                "operation": [_RELEASE],
                "searchParam": [
                    _parameter("identifier", "Prescription number, order number or group number."),
                    _parameter("group-identifier", "The same."),
                    _parameter("focus:identifier", "The same, as EPS names it."),
                    _parameter(MESSAGE, "Control id of the caller's own message; it says how that was judged."),
                    _parameter("patient:identifier", "NHS number; only by POST to Task/_search."),
                    _parameter("_count", "Most prescriptions in one answer.", kind="number"),
                ],
            }
        ],
        "operation": [one for one in _OPERATIONS if prepares or one["name"] != "prepare"],
    }


def _parameter(name: str, documentation: str, *, kind: str = "token") -> dict[str, str]:
    return {"name": name, "type": kind, "documentation": documentation}


def _messaging(base_url: str) -> dict[str, object]:
    return {
        "endpoint": [
            {
                "protocol": {"system": "http://terminology.hl7.org/CodeSystem/message-transport", "code": "http"},
                "address": f"{base_url}/FHIR/R4/$process-message",
            }
        ],
        "documentation": (
            f"Events of {_EVENT}: prescription-order in; prescription-order-response and dispense-notification from "
            "providers. A Bundle.identifier seen before gets the stored answer; with other content, a conflict."
        ),
    }
