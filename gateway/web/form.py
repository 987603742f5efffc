"""FHIR answers in the form the caller prefers: what Accept asks for, else the form of the question.

Source: FHIR R4 http.html#mime-type; RFC 9110 12.5.1; mapping.md 9.2.
"""

import re
from collections.abc import Iterator
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import Request

from gateway.config.fhir_xml import fhir_xml
from gateway.domain.submission import Answer
from gateway.wire.fhir_xml import FhirXmlError
from gateway.wire.strict_json import loads

XML_TYPE = "application/fhir+xml"
_JSON_TYPE = "application/fhir+json"
_QUALITY: Final = re.compile(r"(0(\.\d{0,3})?|1(\.0{0,3})?)", re.ASCII)
"""RFC 9110 12.4.2; what is no weight counts as none."""


def in_form_of(request: Request, answer: Answer) -> Answer:
    """Give a FHIR answer in the form of the request, unless Accept prefers the other; other answers as they stand.

    What cannot be put into XML stays JSON, under its own media type: better heard in JSON than not at all.
    """
    if not _in_xml(request.headers) or not answer.content_type.startswith(_JSON_TYPE):
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


def _in_xml(headers: Headers) -> bool:
    """Weigh XML against JSON by the quality values of Accept; where they are equal, the question decides."""
    posted = headers.get("content-type", "").partition(";")[0].strip().lower() == XML_TYPE
    stated = dict(_preferences(headers))
    if not stated:
        return posted
    anything = stated.get("application/*", stated.get("*/*", 0.0))
    json = max(stated.get(_JSON_TYPE, anything), stated.get("application/json", 0.0))
    xml = stated.get(XML_TYPE, anything)
    return posted if xml == json else xml > json


def _preferences(headers: Headers) -> Iterator[tuple[str, float]]:
    for part in ",".join(headers.getlist("accept")).split(","):
        kind, *parameters = (one.strip().lower() for one in part.split(";"))
        weights = (one.removeprefix("q=") for one in parameters if one.startswith("q="))
        weight = next(weights, "1")
        if kind:
            yield kind, float(weight) if _QUALITY.fullmatch(weight) else 1.0
