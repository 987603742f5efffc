"""The addresses of one message: its page, unmasking it, and the acts of replay, each under its own name.

*Read again* stores and sends nothing. *Re-run held* is the work of those who approve codes, and *Send again* that of
those who may send: this page leads there, and says when neither is open. *Copy to test* gives a file.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.access.policy import Action
from gateway.console.inspector import page
from gateway.console.inspector.comparing import compare
from gateway.console.inspector.copying import copy_of
from gateway.console.inspector.grants import REASONS, Grants
from gateway.console.inspector.hiding import Hiding
from gateway.console.inspector.links import Links
from gateway.console.inspector.names import OUTCOME_WORDS
from gateway.console.inspector.page import Asked
from gateway.console.inspector.source import lines
from gateway.console.inspector.tracing import FILTER_WORDS, Filter
from gateway.console.inspector.tree import flat
from gateway.console.site import HEADERS, Looker, Site
from gateway.console.words import clock_time
from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import Issue
from gateway.domain.lifecycle import LineState
from gateway.domain.message import FhirMessage
from gateway.domain.submission import Outcome, Submission, WireFormat
from gateway.pipeline.reading_again import Again, ReadAgain
from gateway.ports.inspection import Answered, KeptApart, MessageId, MessageView, Received, Sent

_READ_AT_ONCE: Final = 256 * 1024
"""Bytes up to which a message is read again for the links of its page; a larger one, only when somebody asks."""
_REMEMBERED: Final = 64
_THE_SAME: Final = (
    "The links from the source were made again just now, and the message that they are of is byte for byte what was "
    "sealed."
)
_ANOTHER: Final = (
    "The links from the source were made again by today's maps, whose message differs from what was sealed: where a "
    "value moved, its link is missing or stands beside it."
)
_LEAST_REASON: Final = 5
_MOST_REASON: Final = 500


class Inspector:
    """The pages of one message. Made once for a site.

    Args:
        site: what every page stands on.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._grants = Grants(site.now)
        self._written: OrderedDict[MessageId, tuple[tuple[FhirMessage, ...], ...]] = OrderedDict()

    async def show(self, request: Request) -> Response:
        """Show a message."""
        looker, view = await self._view(request)
        until = self._grants.until(looker, _name(view))
        await self._site.note(looker, "view unmasked" if until else "view", _subject(view))
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
            return await self._page(request, looker, view, 422, faults=faults, typed={"reason": code, "words": words})
        digest = hashlib.sha256(words.encode()).hexdigest()
        await self._site.note(looker, f"unmask, {code}", f"{_subject(view)} reason-digest:{digest}")
        self._grants.give(looker, _name(view))
        return self._site.to(
            request, _address(view), "Patient data is shown on this page for 15 minutes. This is in the audit."
        )

    async def mask(self, request: Request) -> Response:
        """Mask a message again."""
        looker, view = await self._view(request)
        await self._site.form(request)
        self._grants.end(looker, _name(view))
        return self._site.to(request, _address(view), "Patient data is masked again.")

    async def read_again(self, request: Request) -> Response:
        """Read the stored bytes by today's maps, and show what differs."""
        looker, view = await self._view(request)
        await self._site.form(request)
        again = self._again()
        if again is None or not isinstance(view, (Received, KeptApart)) or not _bytes(view):
            raise HTTPException(404)
        await self._site.note(looker, "read again", _subject(view))
        now = self._site.now()
        result = await self._reread(view, again)
        hide = self._hides(looker, view)
        return self._site.page(
            request,
            "message_again.html",
            message=page.top(view.row, self._site.names, now),
            address=_address(view),
            **_differences(view, result, hide),
            now_words=clock_time(now),
        )

    async def compare(self, request: Request) -> Response:
        """Show two messages line by line."""
        looker, view = await self._view(request)
        other_name = MessageId.parse(request.query_params.get("with", "").strip())
        other = await self._site.enquiries.message(other_name, tenant=looker.tenant) if other_name else None
        await self._site.note(looker, "compare", f"{_subject(view)} {_subject(other) if other else ''}".strip())
        now = self._site.now()
        values: dict[str, object] = {
            "message": page.top(
                view.row if not isinstance(view, Sent) else view.transmitted.row, self._site.names, now
            ),
            "address": _address(view),
            "asked": request.query_params.get("with", "")[:40],
            "other": None,
        }
        if other is not None:
            first = await self._lines(view, self._hides(looker, view))
            second = await self._lines(other, self._hides(looker, other))
            row = other.transmitted.row if isinstance(other, Sent) else other.row
            values |= {
                "other": page.top(row, self._site.names, now),
                "other_address": _address(other),
                "source": compare(first[0], second[0]),
                "fhir": compare(first[1], second[1]) if first[1] or second[1] else None,
            }
        return self._site.page(request, "message_compare.html", 200 if other or not values["asked"] else 422, **values)

    async def copy(self, request: Request) -> Response:
        """Give the message with an invented patient, as a file."""
        looker, view = await self._view(request)
        await self._site.form(request)
        if not isinstance(view, Received) or not view.body:
            raise HTTPException(404)
        copied = copy_of(view)
        if copied is None:
            raise HTTPException(404)
        await self._site.note(looker, "copy to test", _subject(view))
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

    def _hides(self, looker: Looker, view: MessageView) -> Hiding:
        return page.hides(view, off=self._grants.until(looker, _name(view)) is not None)

    def _again(self) -> ReadAgain | None:
        found = self._site.services.get(ReadAgain)
        return found if isinstance(found, ReadAgain) else None

    async def _reread(self, view: Received | KeptApart, again: ReadAgain) -> Again | None:
        """Read again; None where the trust is in this configuration no more."""
        tenant = OdsCode.parse(view.row.partner)
        if tenant is None or not again.may(tenant):
            return None
        submission = Submission(
            tenant=tenant,
            format=WireFormat(view.row.form),
            body=_bytes(view),
            content_type=view.content_type,
            received_at=view.row.at,
            idempotency_key=view.row.control_id,
        )
        own = frozenset(order.prescription_id for order in view.orders) if isinstance(view, Received) else frozenset()
        return await again.read(submission, own)

    async def _links(self, view: Received, order: int) -> tuple[tuple[FhirMessage, ...], str]:
        """Give an order's messages as written anew, and in words how far they stand for what was sealed."""
        if order >= len(view.orders) or not view.orders[order].sealed:
            return (), ""
        again = self._again()
        if again is None or view.archived:
            return (), "What each value comes from cannot be worked out here."
        if len(view.body) > _READ_AT_ONCE and view.row.id not in self._written:
            return (), "The message is large: what each value comes from was not worked out. Read it again for that."
        written = await self._remembered(view, again)
        mine = written[order] if order < len(written) else ()
        stored = view.orders[order].sealed[0].body
        same = any(stored.startswith(message.body[:-2]) for message in mine)
        if not mine:
            return (), "Read again today it is held or refused: what each value comes from cannot be shown."
        return mine, _THE_SAME if same else _ANOTHER

    async def _remembered(self, view: Received, again: ReadAgain) -> tuple[tuple[FhirMessage, ...], ...]:
        found = self._written.get(view.row.id)
        if found is None:
            result = await self._reread(view, again)
            orders = result.translation.orders if result and result.translation else ()
            found = tuple(order.messages for order in orders)
            self._written[view.row.id] = found
            while len(self._written) > _REMEMBERED:
                self._written.popitem(last=False)
        return found

    async def _lines(self, view: MessageView, hide: Hiding) -> tuple[Sequence[str], Sequence[str]]:
        """Give a message as lines for comparing: its source, and its FHIR."""
        if isinstance(view, Received):
            written, _ = await self._links(view, 0)
            order = view.orders[0] if view.orders else None
            links = Links.of(order.trace if order else (), [pair for one in written for pair in one.explained])
            body = order.sealed[0].body if order and order.sealed else b""
            return lines(view.body, WireFormat(view.row.form), links, view.leftovers, hide), flat(body, links, hide)
        octets = _bytes(view)
        nothing = Links.of(())
        if isinstance(view, KeptApart) and view.row.form == WireFormat.HL7V2.value:
            return lines(octets, WireFormat.HL7V2, nothing, (), hide), ()
        return (), flat(octets, nothing, hide)

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
        asked = _asked(request.query_params)
        until = self._grants.until(looker, _name(view))
        hide = self._hides(looker, view)
        row = view.transmitted.row if isinstance(view, Sent) else view.row
        values: dict[str, object] = {
            "message": page.top(row, self._site.names, now),
            "address": _address(view),
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
            "link": lambda **change: _link(view, asked, **change),
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
        written, words = await self._links(view, asked.order)
        order = view.orders[asked.order] if asked.order < len(view.orders) else None
        found = [*(view.verdict.issues if view.verdict else ())]
        found += [issue for one in view.orders for issue in one.issues if issue not in found]
        names, now = self._site.names, self._site.now()
        return {
            "inside": page.received(view, asked, hide, written, found) if not view.archived else None,
            "understood": page.understood(view, asked, hide),
            "sealed": page.sealed(order.sealed[0], names) if order and order.sealed else None,
            "links_words": words,
            "issues": page.faults(found, hide, page.open_places(view)),
            "sendings": [page.sending(one, names, hide, now) for one in view.transmitted],
            "answers": [page.answer(one, names, hide) for one in view.answered],
            "answer_given": page.answer_given(view.answer, hide),
            "configuration": view.configuration,
        }

    def _of_sent(self, view: Sent, asked: Asked, hide: Hiding) -> dict[str, object]:
        names = self._site.names
        tree, text = page.body_shown(view.octets or b"", view.content_type, hide, start=asked.line)
        return {
            "tree": tree if view.octets is not None else None,
            "text": text,
            "sealed": page.sealed(view.sealed, names) if view.sealed else None,
            "sendings": [page.sending(view.transmitted, names, hide, self._site.now())],
            "answers": [page.answer(one, names, hide) for one in view.answered],
            "parent": f"/console/messages/{view.received}" if view.received else "",
            "prescription": f"/console/prescriptions/{view.prescription_id}" if view.prescription_id else "",
        }

    def _of_answer(self, view: Answered, asked: Asked, hide: Hiding) -> dict[str, object]:
        tree, text = page.body_shown(view.body, view.content_type, hide, start=asked.line)
        return {
            "tree": tree if not view.archived else None,
            "text": text,
            "issues": page.faults(view.issues, hide),
            "answers": [page.answer(view, self._site.names, hide)],
        }

    def _replay(self, view: MessageView) -> dict[str, object]:
        """Say which acts are open for a message, and why the others are not."""
        states = {state for order in view.orders for state in order.states} if isinstance(view, Received) else set()
        readable = isinstance(view, (Received, KeptApart)) and bool(_bytes(view))
        tenant = OdsCode.parse(view.row.partner) if isinstance(view, (Received, KeptApart)) else None
        again = self._again()
        return {
            "read_again": readable and again is not None and tenant is not None and again.may(tenant),
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
        Route("/messages/{name}/copy-to-test", one.copy, methods=["POST"]),
    ]


def _of_apart(view: KeptApart, asked: Asked, hide: Hiding) -> dict[str, object]:
    return {
        "inside": page.apart(view, asked, hide) if view.body is not None else None,
        "issues": page.faults(view.issues, hide),
    }


def _differences(view: Received | KeptApart, result: Again | None, hide: Hiding) -> dict[str, object]:
    """Say what differs between what was made of a message and what would be made of it now."""
    if result is None:
        return {"again": None}
    then = view.row.outcome
    words, colour = OUTCOME_WORDS.get(result.outcome.value, (result.outcome.value, "grey"))
    earlier = {issue.code for issue in _issues(view)}
    orders = result.translation.orders if result.translation else ()
    diffs = []
    for number, order in enumerate(view.orders if isinstance(view, Received) else ()):
        written = orders[number].messages if number < len(orders) else ()
        links = Links.of(order.trace, [pair for one in written for pair in one.explained])
        stored = tuple(line for one in order.sealed[:1] for line in flat(one.body, links, hide))
        fresh = tuple(line for one in written[:1] for line in flat(one.body, links, hide))
        diffs.append({"number": number + 1, "diff": compare(_unsealed(stored), fresh), "written": bool(written)})
    return {
        "again": {
            "then": OUTCOME_WORDS.get(then, (then, ""))[0],
            "now": words,
            "colour": colour,
            "same": then == result.outcome.value
            or (then in {"unreadable", "clash"} and result.outcome is Outcome.REFUSED),
            "issues": page.faults(result.issues, hide),
            "new": sorted({issue.code for issue in result.issues} - earlier),
            "gone": sorted(earlier - {issue.code for issue in result.issues}),
            "reference": result.reference,
            "orders": diffs,
            "changes": any(order.action not in {"new", "replace"} for order in getattr(view, "orders", ())),
        }
    }


def _unsealed(lines_of: Sequence[str]) -> tuple[str, ...]:
    """Leave out the seal, which is the last entry of a stored message and never of one that was not sealed."""
    entries = [line.split("]", 1)[0] for line in lines_of if line.startswith("Bundle.entry[")]
    last = entries[-1] if entries else ""
    return tuple(line for line in lines_of if not last or not line.startswith(f"{last}]"))


def _issues(view: Received | KeptApart) -> list[Issue]:
    if isinstance(view, KeptApart):
        return list(view.issues)
    return [*(view.verdict.issues if view.verdict else ()), *(issue for one in view.orders for issue in one.issues)]


def _asked(query: Mapping[str, str]) -> Asked:
    only = query.get("only", "")
    return Asked(
        at=query.get("at", "")[:200],
        to=query.get("to", "")[:300],
        only=Filter(only) if only in set(Filter) else Filter.ALL,
        order=_number(query.get("order", "")),
        source=_number(query.get("source", "")),
        line=_number(query.get("line", "")),
    )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0  # noqa: PLR2004 - beyond any message


def _link(view: MessageView, asked: Asked, **change: object) -> str:
    """Give the address of the same page with something else chosen, short: a page has a thousand of them."""
    now: dict[str, object] = {
        "at": asked.at,
        "to": asked.to,
        "only": asked.only.value,
        "order": asked.order,
        "source": asked.source,
        "line": asked.line,
    }
    if "at" in change:
        now["to"] = ""
    elif "to" in change:
        now["at"] = ""
    values = {**now, **change}
    if values["only"] == Filter.ALL.value:
        values["only"] = ""
    part = str(values.pop("part", ""))
    query = urlencode({name: value for name, value in values.items() if value}, safe="[]/@:")
    return (f"?{query}" if query else _address(view)) + (f"#{part}" if part else "")


def _name(view: MessageView) -> MessageId:
    return view.transmitted.row.id if isinstance(view, Sent) else view.row.id


def _address(view: MessageView) -> str:
    return f"/console/messages/{_name(view)}"


def _subject(view: MessageView) -> str:
    """Give what a view is about, for the audit: the message and the prescriptions it carries."""
    match view:
        case Received():
            ids = [str(order.prescription_id) for order in view.orders]
        case Sent():
            ids = [str(view.prescription_id)] if view.prescription_id else []
        case Answered():
            ids = [str(one.prescription_id) for one in view.happened]
        case KeptApart():
            ids = []
    return " ".join(dict.fromkeys((str(_name(view)), *ids)))


def _bytes(view: MessageView) -> bytes:
    match view:
        case Received() | Answered():
            return view.body
        case KeptApart():
            return view.body or b""
        case Sent():
            return view.octets or b""
