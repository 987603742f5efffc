"""One prescription: its page, what each event of it rests on, and the pack of evidence to print or to keep.

Source: console.md 6.3.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.access.policy import Action
from gateway.console.acting.offered import offers
from gateway.console.board.provider_book import ProviderBook
from gateway.console.pages import alarms, fault, listed
from gateway.console.prescription import detail, sections
from gateway.console.prescription.detail import Behind
from gateway.console.prescription.evidence import evidence, given_up
from gateway.console.prescription.pack import pack
from gateway.console.prescription.picture import picture
from gateway.console.prescription.signed import signature
from gateway.console.prescription.timeline import Seen, newest_first, timeline
from gateway.console.site import HEADERS, Looker, Site
from gateway.console.whole_number import whole_number
from gateway.console.words import zone_time
from gateway.domain.identifiers import parse_uuid
from gateway.ports.attention import WorkNote

_MOST_ENTRIES: Final = 200
"""Entries of the history that are shown at once; that there are more is said, and all of them are one link away."""


def routes(site: Site) -> list[BaseRoute]:
    """Give the addresses of a prescription."""
    pages = _Pages(site)
    return [
        Route("/prescriptions/{prescription_id}", pages.prescription, methods=["GET"]),
        Route("/prescriptions/{prescription_id}/evidence/{seq}", pages.evidence, methods=["GET"]),
        Route("/prescriptions/{prescription_id}/pack", pages.pack, methods=["GET"]),
        Route("/prescriptions/{prescription_id}/pack.json", pages.pack_json, methods=["GET"]),
    ]


class _Pages:
    """The pages of one prescription."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def prescription(self, request: Request) -> Response:
        looker = self._site.looking(request)
        behind = await self._behind(request, looker, "view")
        calls = await self._calls(behind, looker)
        entries = timeline(
            Seen(view=behind.view, dossier=behind.dossier, calls=calls, names=behind.names, now=behind.now)
        )
        oldest_first = request.query_params.get("order") == "oldest"
        shown = entries if request.query_params.get("all") == "yes" else entries[-_MOST_ENTRIES:]
        view = behind.view
        return self._site.page(
            request,
            "prescription.html",
            found=listed(view.found, behind.names),
            href=f"/console/prescriptions/{view.found.prescription_id}",
            group_number=view.found.group_number,
            banner=detail.banner(behind),
            lines=detail.lines(behind),
            offers=offers(view, looker),
            alerts=alarms(view, behind.now, tends=looker.may(Action.TEND), supplies=behind.supplies),
            issues=[fault(issue) for issue in view.issues],
            prescribed=sections.prescribed(behind),
            whole=sections.whole(behind),
            signature=signature(
                behind.dossier.document, view.message, behind.dossier.submission.received_at, behind.now
            ),
            paper=sections.paper(behind),
            deliveries=sections.deliveries(behind),
            renewals=sections.renewals(behind),
            timeline=shown if oldest_first else newest_first(shown),
            hidden=len(entries) - len(shown),
            oldest_first=oldest_first,
            picture=picture(view),
            envelope=sections.envelope(behind),
            messages=sections.messages(behind),
            may_read_messages=looker.may(Action.READ_MESSAGES),
            linked=sections.linked(behind),
            may_read_audit=looker.may(Action.READ_AUDIT),
        )

    async def evidence(self, request: Request) -> Response:
        looker = self._site.looking(request)
        seq = whole_number(request.path_params["seq"]) or 0
        behind = await self._behind(request, looker, f"view evidence {seq}")
        event = next((one for one in behind.view.events if one.seq == seq), None)
        if event is None:
            raise HTTPException(404)
        facts = behind.dossier.events.get((given_up(event, behind) or event).seq)
        shown = {one.row for one in behind.dossier.answers}
        answer = facts.answer if facts and facts.answer in shown else None
        octets = await self._site.enquiries.answer_octets(answer) if answer is not None else None
        return self._site.page(
            request,
            "evidence.html",
            found=listed(behind.view.found, behind.names),
            href=f"/console/prescriptions/{behind.view.found.prescription_id}",
            banner=detail.banner(behind),
            shown=evidence(event, behind, await self._site.enquiries.leaf_of(seq), octets),
        )

    async def pack(self, request: Request) -> Response:
        looker = self._site.looking(request)
        behind = await self._behind(request, looker, "print evidence pack")
        made = await self._pack(behind, looker)
        return self._site.page(
            request,
            "pack.html",
            pack=made,
            href=f"/console/prescriptions/{behind.view.found.prescription_id}",
            digest=digest_of(made),
            as_of=zone_time(behind.now),
            printed_by=looker.words(self._site.names),
        )

    async def pack_json(self, request: Request) -> Response:
        looker = self._site.looking(request)
        behind = await self._behind(request, looker, "download evidence pack")
        made = await self._pack(behind, looker)
        whole = {
            "as_of": behind.now.isoformat(),
            "made_for": looker.words(self._site.names),
            "sha256_of_facts": digest_of(made),
            "facts": made,
        }
        name = f"evidence-{behind.view.found.prescription_id}.json"
        headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
        return Response(json.dumps(whole, indent=1), 200, headers, "application/json")

    async def _pack(self, behind: Behind, looker: Looker) -> dict[str, object]:
        calls = await self._calls(behind, looker)
        leaves = {event.seq: await self._site.enquiries.leaf_of(event.seq) for event in behind.view.events}
        facts: dict[str, object] = json.loads(json.dumps(asdict(pack(behind, calls, leaves)), default=str))
        return facts

    async def _behind(self, request: Request, looker: Looker, action: str) -> Behind:
        """Read a prescription, with its audit leaf written before anything is shown.

        Raises:
            HTTPException: 404, there is none, or it is not theirs to see (I9).
        """
        site = self._site
        wanted: UUID | None = parse_uuid(request.path_params["prescription_id"])
        read = await site.enquiries.dossier(wanted, tenant=looker.tenant) if wanted else None
        await site.note(looker, action, str(wanted) if read else "unknown prescription")
        if read is None or wanted is None:
            raise HTTPException(404)
        book = site.services.get(ProviderBook)
        return Behind(
            view=read[0],
            dossier=read[1],
            covers=await site.enquiries.covers(wanted, tenant=looker.tenant),
            phones=phones(book) if isinstance(book, ProviderBook) else {},
            names=site.names,
            now=site.now(),
            paper=await site.enquiries.awaited_paper(wanted, tenant=looker.tenant),
            supplies=looker.tenant not in {None, read[0].found.tenant},
        )

    async def _calls(self, behind: Behind, looker: Looker) -> Sequence[WorkNote]:
        return await self._site.enquiries.stated(behind.view.found.prescription_id, tenant=looker.tenant)


def phones(book: ProviderBook) -> dict[str, str]:
    """Give who is rung at each provider, by its ODS code, where the configuration says so."""
    return {
        ods.value: f"{one.phone} (out of hours {one.out_of_hours})" if one.out_of_hours else one.phone
        for ods, one in book.providers.items()
        if one.phone
    }


def digest_of(facts: object) -> str:
    """Give the SHA-256 of the facts of a pack: the same for the print and the download while nothing is added."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
