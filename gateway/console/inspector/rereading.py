"""Reading a stored message again by today's maps: for the links of its page, and to say what would differ.

Nothing is stored and nothing is sent by it.

Source: console.md 6.7.
"""

from collections import OrderedDict
from typing import Final

from gateway.console.inspector.addresses import octets
from gateway.console.inspector.comparing import compare, without_seal
from gateway.console.inspector.hiding import Hiding
from gateway.console.inspector.issues import faults
from gateway.console.inspector.links import Links
from gateway.console.inspector.names import OUTCOME_WORDS
from gateway.console.inspector.tree import flat
from gateway.console.site import Site
from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import Issue
from gateway.domain.message import FhirMessage
from gateway.domain.submission import Outcome, Submission, WireFormat
from gateway.pipeline.reading_again import Again, ReadAgain
from gateway.ports.inspection import KeptApart, MessageId, MessageView, Received

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


class Rereading:
    """Reads messages again, and remembers for a few of them what each value comes from.

    Args:
        site: what every page stands on.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._written: OrderedDict[MessageId, tuple[tuple[FhirMessage, ...], ...]] = OrderedDict()

    @property
    def is_here(self) -> bool:
        """Whether this gateway can read messages again at all."""
        return self._again() is not None

    def may(self, view: MessageView) -> bool:
        """Tell whether a message can be read again here."""
        again = self._again()
        if again is None or not isinstance(view, (Received, KeptApart)) or not octets(view):
            return False
        tenant = OdsCode.parse(view.row.partner)
        return tenant is not None and again.may(tenant)

    def _again(self) -> ReadAgain | None:
        found = self._site.services.get(ReadAgain)
        return found if isinstance(found, ReadAgain) else None

    async def read(self, view: Received | KeptApart) -> Again | None:
        """Read again; None where it cannot be: the trust is in this configuration no more."""
        again = self._again()
        if again is None:
            return None
        tenant = OdsCode.parse(view.row.partner)
        if tenant is None or not again.may(tenant):
            return None
        submission = Submission(
            tenant=tenant,
            format=WireFormat(view.row.form),
            body=octets(view),
            content_type=view.content_type,
            received_at=view.row.at,
            idempotency_key=view.row.control_id,
        )
        own = frozenset(order.prescription_id for order in view.orders) if isinstance(view, Received) else frozenset()
        return await again.read(submission, own)

    async def links(self, view: Received, order: int) -> tuple[tuple[FhirMessage, ...], str]:
        """Give an order's messages as written anew, and in words how far they stand for what was sealed."""
        if order >= len(view.orders) or not view.orders[order].sealed:
            return (), ""
        if self._again() is None or view.archived:
            return (), "What each value comes from cannot be worked out here."
        if len(view.body) > _READ_AT_ONCE and view.row.id not in self._written:
            return (), "The message is large: what each value comes from was not worked out. Read it again for that."
        written = await self._remembered(view)
        mine = written[order] if order < len(written) else ()
        stored = view.orders[order].sealed[0].body
        same = any(stored.startswith(message.body[:-2]) for message in mine)
        if not mine:
            return (), "Read again today it is held or refused: what each value comes from cannot be shown."
        return mine, _THE_SAME if same else _ANOTHER

    async def _remembered(self, view: Received) -> tuple[tuple[FhirMessage, ...], ...]:
        found = self._written.get(view.row.id)
        if found is None:
            result = await self.read(view)
            orders = result.translation.orders if result and result.translation else ()
            found = tuple(order.messages for order in orders)
            self._written[view.row.id] = found
            while len(self._written) > _REMEMBERED:
                self._written.popitem(last=False)
        return found


def differences(view: Received | KeptApart, result: Again | None, hide: Hiding) -> dict[str, object]:
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
        diffs.append({"number": number + 1, "diff": compare(without_seal(stored), fresh), "written": bool(written)})
    return {
        "again": {
            "then": OUTCOME_WORDS.get(then, (then, ""))[0],
            "now": words,
            "colour": colour,
            "same": then == result.outcome.value
            or (then in {"unreadable", "clash"} and result.outcome is Outcome.REFUSED),
            "issues": faults(result.issues, hide),
            "new": sorted({issue.code for issue in result.issues} - earlier),
            "gone": sorted(earlier - {issue.code for issue in result.issues}),
            "reference": result.reference,
            "orders": diffs,
            "changes": any(order.action not in {"new", "replace"} for order in getattr(view, "orders", ())),
        }
    }


def _issues(view: Received | KeptApart) -> list[Issue]:
    if isinstance(view, KeptApart):
        return list(view.issues)
    return [*(view.verdict.issues if view.verdict else ()), *(issue for one in view.orders for issue in one.issues)]
