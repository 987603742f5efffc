"""One prescription: what, who, where it is, who holds it, and what happened (console.md 6.3)."""

from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.console import pages
from gateway.console.site import Site
from gateway.domain.identifiers import parse_uuid


def routes(site: Site) -> list[BaseRoute]:
    """Give the address of a prescription."""

    async def prescription(request: Request) -> Response:
        looker = site.looking(request)
        prescription_id: UUID | None = parse_uuid(request.path_params["prescription_id"])
        view = await site.enquiries.prescription(prescription_id, tenant=looker.tenant) if prescription_id else None
        await site.note(looker, "view", str(prescription_id) if view else "unknown prescription")
        if view is None:
            raise HTTPException(404)
        return site.page(request, "prescription.html", **pages.prescription(view, site.names, site.now()))

    return [Route("/prescriptions/{prescription_id}", prescription, methods=["GET"])]
