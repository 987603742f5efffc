"""FHIR answers in the form of the question: XML to a caller who sent XML, JSON otherwise.

Source: FHIR R4 http.html#mime-type; mapping.md 9.2.
"""

from starlette.requests import Request

from gateway.config.fhir_xml import fhir_xml
from gateway.domain.submission import Answer
from gateway.wire.fhir_xml import FhirXmlError
from gateway.wire.strict_json import loads

XML_TYPE = "application/fhir+xml"
_JSON_TYPE = "application/fhir+json"


def in_form_of(request: Request, answer: Answer) -> Answer:
    """Give a FHIR answer in the form of the request; other answers, and FHIR to a JSON caller, as they stand.

    What cannot be put into XML stays JSON, under its own media type: better heard in JSON than not at all.
    """
    asked = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if asked != XML_TYPE or not answer.content_type.startswith(_JSON_TYPE):
        return answer
    resource = loads(answer.body)
    if not isinstance(resource, dict):
        return answer
    try:
        body = fhir_xml().to_xml(resource)
    except FhirXmlError:
        return answer
    return Answer(
        body=body,
        content_type=answer.content_type.replace(_JSON_TYPE, XML_TYPE, 1),
        http_status=answer.http_status,
        later=answer.later,
    )
