"""The HTTP door for machines: the whole route table on one screen."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from gateway.access.directory import Directory
from gateway.access.principal import Kind
from gateway.domain.deadline import ALWAYS, Deadlines
from gateway.domain.identifiers import OdsCode
from gateway.domain.partner import Environment
from gateway.enquiries import Enquiries
from gateway.telemetry import Metrics
from gateway.web import answers, intake, issue_pages, problems
from gateway.web.answers import Answers
from gateway.web.auth import Callers
from gateway.web.callbacks import Callbacks
from gateway.web.direct import DirectRoute
from gateway.web.edge import Edge
from gateway.web.handed_back import HandedBack
from gateway.web.health import Health
from gateway.web.intake import Intake
from gateway.web.limits import FHIR, FHIR_ORDER, FORM, HL7V2, XML, Limits, MediaRule
from gateway.web.metadata import Metadata
from gateway.web.prepare import ANY_ORDER, Preparation, Prepare
from gateway.web.reconciliation import Reconciliation
from gateway.web.release import Release
from gateway.web.status import Notes, Status
from gateway.web.validate import Validation
from gateway.wire.strict_json import JSON


class Story(intake.Story, answers.Story, Protocol):
    """What the doors need of the pipeline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who this gateway is, as it says of itself.

    Attributes:
        base_url: where it answers, without a slash at the end.
        version: of the software.
    """

    organisation: OdsCode
    environment: Environment
    base_url: str
    version: str


def create_app(
    *,
    story: Story,
    enquiries: Enquiries,
    notes: Notes,
    directory: Directory,
    providers: frozenset[OdsCode],
    identity: Identity,
    jwks: Mapping[str, JSON],
    metrics: Metrics,
    now: Callable[[], datetime],
    limits: Limits | None = None,
    hosts: frozenset[str] = frozenset(),
    deadlines: Deadlines = ALWAYS,
    watch_seconds: float = 60.0,
    routes: Sequence[BaseRoute] = (),
    prepare: Prepare | None = None,
) -> FastAPI:
    """Build the application.

    Args:
        story: the pipeline.
        enquiries: the read side.
        notes: the store, for audit leaves of readings.
        directory: the credentials in force.
        providers: who may answer at `/callbacks/{destination}`.
        identity: for the CapabilityStatement.
        jwks: public keys of the seal.
        metrics: what is counted, and shown at `/metrics`.
        now: the clock, aware and in UTC.
        limits: of the doors; the defaults if None.
        hosts: names that a Host header may carry; empty for any, where a proxy has checked.
        deadlines: holder and limits of each state, as configured.
        watch_seconds: how long ago deadlines may have been looked at last.
        routes: those of other doors in the same process: the console's.
        prepare: gives what a prescriber signs; None where orders are not prepared here.
    """
    limits = limits or Limits()
    callers = Callers(directory)
    into = Intake(story, callers, limits, metrics, now)
    told = Answers(story, callers, providers, limits, now)
    back, handed = Callbacks(told), HandedBack(told)
    release = Release(enquiries, notes, callers, limits, now)
    validation = Validation(callers, limits)
    status = Status(enquiries, notes, callers, limits, now)
    lists = Reconciliation(enquiries, notes, callers, now)
    health = Health(enquiries, metrics.registry, jwks, deadlines, now=now, watch_seconds=watch_seconds)
    metadata = Metadata(
        organisation=identity.organisation,
        environment=identity.environment,
        version=identity.version,
        published=now(),
        base_url=identity.base_url,
        prepares=prepare is not None,
    )
    app = FastAPI(
        title="Homecare prescription gateway",
        version=identity.version,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.router.route_class = DirectRoute
    for kind, answer in problems.answers(limits).items():
        app.add_exception_handler(kind, answer)
    add = app.add_api_route
    message = _by_caller(callers, provider=handed.notify, others=into.fhir)
    add("/FHIR/R4/$process-message", message, methods=["POST"], tags=["trusts"], openapi_extra=_takes(FHIR_ORDER))
    add("/FHIR/R4/$validate", validation.post, methods=["POST"], tags=["status"], openapi_extra=_takes(FHIR_ORDER))
    if prepare is not None:
        signing = Preparation(prepare, callers, limits, now)
        add("/FHIR/R4/$prepare", signing.post, methods=["POST"], tags=["trusts"], openapi_extra=_takes(ANY_ORDER))
    add("/hl7v2", into.hl7v2, methods=["POST"], tags=["trusts"], openapi_extra=_takes(HL7V2))
    add("/xml", into.xml, methods=["POST"], tags=["trusts"], openapi_extra=_takes(XML))
    add("/callbacks/{destination}", back.take, methods=["POST"], tags=["providers"], openapi_extra=_takes(FHIR))
    add("/FHIR/R4/Task", status.get, methods=["GET"], tags=["status"])
    add("/FHIR/R4/Task", handed.post, methods=["POST"], tags=["providers"], openapi_extra=_takes(FHIR))
    add("/FHIR/R4/Task/$release", release.post, methods=["POST"], tags=["providers"], openapi_extra=_takes(FHIR))
    add("/FHIR/R4/Task/_search", status.post, methods=["POST"], tags=["status"], openapi_extra=_takes(FORM))
    add("/reconciliation/{day}", lists.get, methods=["GET"], tags=["status"])
    add("/FHIR/R4/metadata", metadata.get, methods=["GET"], tags=["public"])
    add("/.well-known/jwks.json", health.keys, methods=["GET"], tags=["public"])
    add("/issues", issue_pages.listing, methods=["GET"], tags=["public"])
    add("/issues/{code}", issue_pages.show, methods=["GET"], tags=["public"])
    add("/lifecycle.json", health.lifecycle, methods=["GET"], tags=["public"])
    add("/health/live", health.live, methods=["GET"], tags=["operators"])
    add("/health/ready", health.ready, methods=["GET"], tags=["operators"])
    add("/metrics", health.metrics, methods=["GET"], tags=["operators"])
    app.router.routes.extend(routes)
    app.add_middleware(Edge, hosts=hosts, metrics=metrics)
    return app


_Handler = Callable[[Request], Awaitable[Response]]


def _by_caller(callers: Callers, *, provider: _Handler, others: _Handler) -> _Handler:
    """Give one address that serves a provider in its own way."""

    async def served(request: Request) -> Response:
        kind = callers.principal(request).kind
        return await (provider if kind is Kind.PROVIDER else others)(request)

    return served


def _takes(rule: MediaRule) -> dict[str, Any]:
    """Say in the OpenAPI document which bodies an address takes, and that it needs a credential."""
    schema = {"type": "string", "format": "binary"}
    return {
        "requestBody": {"required": True, "content": {kind: {"schema": schema} for kind in rule.accepted}},
        "security": [{"bearer": []}],
    }
