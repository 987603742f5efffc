"""Routes whose handlers take a request and give a response, and want nothing else of the framework.

FastAPI describes them in the OpenAPI document like any other. What it would do at every request beyond calling them,
resolving dependencies and validating results, has nothing to work on here and costs more than all else the door does.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import request_response


class DirectRoute(APIRoute):
    """A route that calls its handler with the request, as it came."""

    def __init__(self, path: str, endpoint: Callable[[Request], Awaitable[Response]], **described: Any) -> None:
        super().__init__(path, endpoint, **described)
        self.app = request_response(endpoint)
