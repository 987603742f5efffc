"""The search box and what it finds; the address of a result says nothing of what was sought (D16, console.md 6.2)."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.console import pages
from gateway.console.seek import LONGEST, seek
from gateway.console.site import Site


def routes(site: Site) -> list[BaseRoute]:
    """Give the addresses of the search."""

    async def search(request: Request) -> Response:
        sought = (await site.form(request)).one("q")
        session = site.session(request)
        if session is None or not sought or len(sought) > LONGEST or not sought.isprintable():
            return site.page(request, "results.html", 422, sought=None, rows=[], searched="")
        return site.to(request, f"/console/results/{session.remember(sought)}")

    async def results(request: Request) -> Response:
        looker = site.looking(request)
        text = looker.session.searches.get(request.path_params["key"]) if looker.session else None
        if text is None:
            raise HTTPException(404)
        sought = await seek(text, site.enquiries, tenant=looker.tenant)
        ids = " ".join(str(found.prescription_id) for found in sought.found)
        await site.note(looker, f"search by {sought.kind}", ids or "nothing found")
        rows = [pages.listed(found, site.names) for found in sought.found]
        return site.page(request, "results.html", sought=sought, rows=rows, searched=text)

    return [Route("/search", search, methods=["POST"]), Route("/results/{key}", results, methods=["GET"])]
