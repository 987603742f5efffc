"""A handler is called with the request as it came, and is described like any other route."""

import hashlib
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from gateway.access.directory import Directory
from gateway.access.principal import Credential, Kind, Principal
from gateway.domain.identifiers import OdsCode
from gateway.web.auth import Callers
from gateway.web.direct import DirectRoute


async def _measured(request: Request) -> Response:
    return Response(f"{len(await request.body())} {request.path_params['who']}")


def _app() -> FastAPI:
    app = FastAPI(docs_url=None, redoc_url=None)
    app.router.route_class = DirectRoute
    app.add_api_route("/of/{who}", _measured, methods=["POST"], tags=["those"])
    return app


async def _call(method: str, body: bytes) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        said.append(message)

    scope = {"type": "http", "method": method, "path": "/of/RBA", "query_string": b"", "headers": [], "root_path": ""}
    await _app()(scope, receive, send)
    return said


async def test_the_handler_reads_the_request_and_its_response_goes_out_unchanged() -> None:
    start, body = await _call("POST", b"12345")
    assert (start["status"], body["body"]) == (200, b"5 RBA")


async def test_another_method_is_not_served() -> None:
    assert (await _call("GET", b""))[0]["status"] == 405


def test_the_route_is_described() -> None:
    assert _app().openapi()["paths"]["/of/{who}"]["post"]["tags"] == ["those"]


def test_a_caller_is_recognised_once_a_request_and_never_for_the_next() -> None:
    principal = Principal(name="RBA", kind=Kind.TRUST, tenant=OdsCode("RBA"))
    directory = Directory([Credential(principal=principal, token_sha256=hashlib.sha256(b"t").hexdigest())])
    asked: list[str | None] = []

    class Counting(Directory):
        def authenticate(self, header: str | None) -> Principal | None:
            asked.append(header)
            return directory.authenticate(header)

    callers = Callers(Counting([]))
    for _ in range(2):
        request = Request({"type": "http", "headers": [(b"authorization", b"Bearer t")], "state": {}})
        assert callers.principal(request) is principal
        assert callers.principal(request) is principal
    assert asked == ["Bearer t"] * 2
