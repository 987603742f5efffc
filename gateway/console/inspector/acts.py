"""The addresses of one message: its page, unmasking it, and the acts of replay, each under its own name.

*Read again* stores and sends nothing. *Re-run held* is the work of those who approve codes, and *Send again* that of
those who may send: this page leads there, and says when neither is open. *Copy to test* gives a file.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.access.policy import Action
from gateway.console.inspector import addresses, inside, issues, journey, page
from gateway.console.inspector.comparing import compare, without_seal
from gateway.console.inspector.copying import copy_of
from gateway.console.inspector.grants import REASONS, Grants
from gateway.console.inspector.hiding import Hiding
from gateway.console.inspector.inside import Asked
from gateway.console.inspector.links import Links
from gateway.console.inspector.rereading import Rereading, differences
from gateway.console.inspector.source import lines
from gateway.console.inspector.tracing import FILTER_WORDS
from gateway.console.inspector.tree import flat
from gateway.console.site import HEADERS, Looker, Site
from gateway.console.trouble import note_nothing_done
from gateway.console.words import clock_time
from gateway.domain.lifecycle import LineState
from gateway.domain.submission import WireFormat
from gateway.ports.inspection import Answered, KeptApart, MessageId, MessageView, Received, Sent

_MOST_GOLDEN: Final = 4 * 1024 * 1024
"""Bytes of a form with a golden message: every quotation mark of it takes three."""
_LEAST_REASON: Final = 5
_MOST_REASON: Final = 500


class Inspector:
    """The pages of one message. Made once for a site.

    Args:
        site: what every page stands on.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._grants = Grants(site.sessions, site.now)
        self._rereading = Rereading(site)

    async def show(self, request: Request) -> Response:
        """Show a message."""
        looker, view = await self._view(request)
        until = await self._grants.until(looker, addresses.name_of(view))
        await self._site.note(looker, "view unmasked" if until else "view", addresses.subject(view))
        return await self._page(request, looker, view)

    async def unmask(self, request: Request) -> Response:
        """Show the patient data of a message for a while, for a reason that is noted first."""
        looker, view = await self._view(request, Action.UNMASK)
        form = await self._site.form(request)
        code, words = form.one("reason"), form.one("words")
        faults = []
        if code not in REASONS:
            faults.append(("reason", "Choose why you need to see the patient's data."))
        if not _LEAST_REASON <= len(words) <= _MOST_REASON:
            faults.append(("words", f"Write the reason in {_LEAST_REASON} to {_MOST_REASON} characters."))
        if faults:
            await note_nothing_done(self._site, looker, "unmask", addresses.subject(view))
            return await self._page(request, looker, view, 422, faults=faults, typed={"reason": code, "words": words})
        digest = hashlib.sha256(words.encode()).hexdigest()
        await self._site.note(looker, f"unmask, {code}", f"{addresses.subject(view)} reason-digest:{digest}")
        await self._grants.give(looker, addresses.name_of(view))
        return self._site.to(
            request, addresses.address(view), "Patient data is shown on this page for 15 minutes. This is in the audit."
        )

    async def mask(self, request: Request) -> Response:
        """Mask a message again."""
        looker, view = await self._view(request)
        await self._site.form(request)
        await self._grants.end(looker, addresses.name_of(view))
        return self._site.to(request, addresses.address(view), "Patient data is masked again.")

    async def read_again(self, request: Request) -> Response:
        """Read the stored bytes by today's maps, and show what differs."""
        looker, view = await self._view(request)
        await self._site.form(request)
        if not self._rereading.is_here or not isinstance(view, (Received, KeptApart)) or not addresses.octets(view):
            raise HTTPException(404)
        await self._site.note(looker, "read again", addresses.subject(view))
        now = self._site.now()
        result = await self._rereading.read(view)
        hide = await self._hides(looker, view)
        return self._site.page(
            request,
            "message_again.html",
            message=page.top(view.row, self._site.names, now),
            address=addresses.address(view),
            **differences(view, result, hide),
            now_words=clock_time(now),
        )

    async def compare(self, request: Request) -> Response:
        """Show two messages line by line."""
        looker, view = await self._view(request)
        other_name = MessageId.parse(request.query_params.get("with", "").strip())
        other = await self._site.enquiries.message(other_name, tenant=looker.tenant) if other_name else None
        about = " ".join(addresses.subject(one) for one in (view, other) if one is not None)
        await self._site.note(looker, "compare", about)
        now = self._site.now()
        values: dict[str, object] = {
            "message": page.top(
                view.row if not isinstance(view, Sent) else view.transmitted.row, self._site.names, now
            ),
            "address": addresses.address(view),
            "asked": request.query_params.get("with", "")[:40],
            "other": None,
        }
        if other is not None:
            first = await self._lines(view, await self._hides(looker, view))
            second = await self._lines(other, await self._hides(looker, other))
            row = other.transmitted.row if isinstance(other, Sent) else other.row
            values |= {
                "other": page.top(row, self._site.names, now),
                "other_address": addresses.address(other),
                "source": compare(first[0], second[0]),
                "fhir": compare(first[1], second[1]) if first[1] or second[1] else None,
            }
        return self._site.page(request, "message_compare.html", 200 if other or not values["asked"] else 422, **values)

    async def golden(self, request: Request) -> Response:
        """Show our FHIR beside a golden message that the engineer gives; nothing of it is kept."""
        looker, view = await self._view(request)
        form = await self._site.form(request, most=_MOST_GOLDEN)
        await self._site.note(looker, "compare with golden", addresses.subject(view))
        hide = await self._hides(looker, view)
        octets, links = await self._fhir(view)
        # Both by the links of ours: what stands in the same place is masked or shown in both alike.
        ours = without_seal(flat(octets, links, hide))
        given = without_seal(flat(form.one("golden").encode(), links, hide))
        row = view.transmitted.row if isinstance(view, Sent) else view.row
        values: dict[str, object] = {
            "message": page.top(row, self._site.names, self._site.now()),
            "address": addresses.address(view),
            "other": None,
            "golden": compare(given, ours) if given and ours else None,
            "golden_fault": "" if given else "This is no FHIR message in JSON",
            "written": bool(ours),
        }
        return self._site.page(request, "message_compare.html", 200 if given and ours else 422, **values)

    async def copy(self, request: Request) -> Response:
        """Give the message with an invented patient, as a file."""
        looker, view = await self._view(request)
        await self._site.form(request)
        if not isinstance(view, Received) or not view.body:
            raise HTTPException(404)
        copied = copy_of(view)
        if copied is None:
            raise HTTPException(404)
        await self._site.note(looker, "copy to test", addresses.subject(view))
        form = WireFormat(view.row.form)
        ending = {WireFormat.HL7V2: "hl7", WireFormat.XML: "xml", WireFormat.FHIR: "json"}[form]
        disposition = f'attachment; filename="test-copy-{view.row.id}.{ending}"'
        headers = {**HEADERS, "Content-Disposition": disposition, "X-Content-Type-Options": "nosniff"}
        return Response(copied, 200, headers, "application/octet-stream")

    async def _view(self, request: Request, action: Action = Action.READ_MESSAGES) -> tuple[Looker, MessageView]:
        looker = self._site.looking(request, action)
        name = MessageId.parse(request.path_params["name"])
        view = await self._site.enquiries.message(name, tenant=looker.tenant) if name else None
        if view is None:
            await self._site.note(looker, "view", "unknown message")
            raise HTTPException(404)
        return looker, view

    async def _hides(self, looker: Looker, view: MessageView) -> Hiding:
        return page.hides(view, off=await self._grants.until(looker, addresses.name_of(view)) is not None)

    async def _lines(self, view: MessageView, hide: Hiding) -> tuple[Sequence[str], Sequence[str]]:
        """Give a message as lines for comparing: its source, and its FHIR."""
        octets, links = await self._fhir(view)
        if isinstance(view, Received):
            return lines(view.body, WireFormat(view.row.form), links, view.leftovers, hide), flat(octets, links, hide)
        if isinstance(view, KeptApart) and view.row.form == WireFormat.HL7V2.value:
            return lines(octets, WireFormat.HL7V2, links, (), hide), ()
        return (), flat(octets, links, hide)

    async def _fhir(self, view: MessageView) -> tuple[bytes, Links]:
        """Give what was written for a message, or what it is itself, with where each value comes from."""
        if not isinstance(view, Received):
            return addresses.octets(view), Links.of(())
        written, _ = await self._rereading.links(view, 0)
        order = view.orders[0] if view.orders else None
        links = Links.of(order.trace if order else (), [pair for one in written for pair in one.explained])
        return order.sealed[0].body if order and order.sealed else b"", links

    async def _page(
        self,
        request: Request,
        looker: Looker,
        view: MessageView,
        status: int = 200,
        *,
        faults: Sequence[tuple[str, str]] = (),
        typed: Mapping[str, str] | None = None,
    ) -> Response:
        now = self._site.now()
        asked = addresses.asked_by(request.query_params)
        until = await self._grants.until(looker, addresses.name_of(view))
        hide = page.hides(view, off=until is not None)
        row = view.transmitted.row if isinstance(view, Sent) else view.row
        values: dict[str, object] = {
            "message": page.top(row, self._site.names, now),
            "address": addresses.address(view),
            "asked": asked,
            "unmasked_until": clock_time(until) if until else "",
            "may_unmask": looker.may(Action.UNMASK),
            "may_open": looker.may(Action.READ_CONSOLE),
            "may_send": looker.may(Action.RESEND),
            "may_codes": looker.may(Action.PROPOSE_CODE),
            "reasons": REASONS,
            "faults": faults,
            "typed": typed or {"reason": "", "words": ""},
            "filters": FILTER_WORDS,
            "link": lambda **change: addresses.link(view, asked, **change),
            "inside": None,
            "understood": (),
            "sealed": None,
            "links_words": "",
            "issues": (),
            "sendings": (),
            "answers": (),
            "answer_given": None,
            "tree": None,
            "text": "",
            "parent": "",
            "replay": self._replay(view),
            "archived": getattr(view, "archived", False),
            "length_only": isinstance(view, KeptApart) and view.body is None,
            "configuration": "",
            "prescription": "",
        }
        match view:
            case Received():
                values |= await self._of_received(view, asked, hide)
            case KeptApart():
                values |= _of_apart(view, asked, hide)
            case Sent():
                values |= self._of_sent(view, asked, hide)
            case Answered():
                values |= self._of_answer(view, asked, hide)
        return self._site.page(request, "message.html", status, **values)

    async def _of_received(self, view: Received, asked: Asked, hide: Hiding) -> dict[str, object]:
        written, words = await self._rereading.links(view, asked.order)
        order = view.orders[asked.order] if asked.order < len(view.orders) else None
        found = [*(view.verdict.issues if view.verdict else ())]
        found += [issue for one in view.orders for issue in one.issues if issue not in found]
        names, now = self._site.names, self._site.now()
        return {
            "inside": inside.received(view, asked, hide, written, found) if not view.archived else None,
            "understood": page.understood(view, asked, hide),
            "sealed": journey.sealed(order.sealed[0], names) if order and order.sealed else None,
            "links_words": words,
            "issues": issues.faults(found, hide, issues.open_places(view)),
            "sendings": [journey.sending(one, names, hide, now) for one in view.transmitted],
            "answers": [journey.answer(one, names, hide) for one in view.answered],
            "answer_given": journey.answer_given(view.answer, hide),
            "configuration": view.configuration,
        }

    def _of_sent(self, view: Sent, asked: Asked, hide: Hiding) -> dict[str, object]:
        names = self._site.names
        tree, text = inside.body_shown(view.octets or b"", view.content_type, hide, start=asked.line)
        return {
            "tree": tree if view.octets is not None else None,
            "text": text,
            "sealed": journey.sealed(view.sealed, names) if view.sealed else None,
            "sendings": [journey.sending(view.transmitted, names, hide, self._site.now())],
            "answers": [journey.answer(one, names, hide) for one in view.answered],
            "parent": f"/console/messages/{view.received}" if view.received else "",
            "prescription": f"/console/prescriptions/{view.prescription_id}" if view.prescription_id else "",
        }

    def _of_answer(self, view: Answered, asked: Asked, hide: Hiding) -> dict[str, object]:
        tree, text = inside.body_shown(view.body, view.content_type, hide, start=asked.line)
        return {
            "tree": tree if not view.archived else None,
            "text": text,
            "issues": issues.faults(view.issues, hide),
            "answers": [journey.answer(view, self._site.names, hide)],
        }

    def _replay(self, view: MessageView) -> dict[str, object]:
        """Say which acts are open for a message, and why the others are not."""
        states = {state for order in view.orders for state in order.states} if isinstance(view, Received) else set()
        return {
            "read_again": self._rereading.may(view),
            "held": LineState.HELD.value in states,
            "send_again": [
                f"/console/prescriptions/{order.prescription_id}/send-again"
                for order in (view.orders if isinstance(view, Received) else ())
                if {LineState.READY.value, LineState.UNDELIVERABLE.value} & set(order.states)
            ],
            "uncertain": LineState.UNCERTAIN.value in states,
            "copy": isinstance(view, Received) and bool(view.body),
        }


def routes(site: Site) -> list[BaseRoute]:
    """Give the addresses of one message."""
    one = Inspector(site)
    return [
        Route("/messages/{name}", one.show, methods=["GET"]),
        Route("/messages/{name}/unmask", one.unmask, methods=["POST"]),
        Route("/messages/{name}/mask", one.mask, methods=["POST"]),
        Route("/messages/{name}/read-again", one.read_again, methods=["POST"]),
        Route("/messages/{name}/compare", one.compare, methods=["GET"]),
        Route("/messages/{name}/compare", one.golden, methods=["POST"]),
        Route("/messages/{name}/copy-to-test", one.copy, methods=["POST"]),
    ]


def _of_apart(view: KeptApart, asked: Asked, hide: Hiding) -> dict[str, object]:
    return {
        "inside": inside.apart(view, asked, hide) if view.body is not None else None,
        "issues": issues.faults(view.issues, hide),
    }
