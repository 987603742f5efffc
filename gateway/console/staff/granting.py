"""Giving a role here, until a date: what is asked, and what a second person agrees to.

A role for a trust is proposed in that trust; one for a provider or for the gateway as a whole by its operators.

Source: console.md 6.10.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from uuid import uuid4

from gateway.access.policy import Action
from gateway.access.posts import Organisations, Post, fits
from gateway.access.principal import Kind, Principal
from gateway.access.roles import ROLES, Role, Serves
from gateway.console.acting.shape import LONGEST, Task
from gateway.console.entering.entrance import Entrance, shown_name
from gateway.console.site import Form, Names, Site
from gateway.console.words import LONDON, day
from gateway.domain.identifiers import OdsCode
from gateway.domain.person import Grant, why_not_granted
from gateway.domain.proposal import Proposal, ProposalView, same_person

PATH: Final = "/console/people"
KIND: Final = "role"
_LAPSES: Final = timedelta(days=7)
_LONGEST_NAME: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A role that somebody wants to give, as the proposal keeps it."""

    name: str
    person: str = field(repr=False)
    post: Post
    until: datetime

    def payload(self) -> bytes:
        """Write it for the proposal."""
        return json.dumps(
            {
                "name": self.name,
                "person": self.person,
                "role": self.post.role,
                "tenant": str(self.post.tenant or ""),
                "until": self.until.isoformat(),
            },
            sort_keys=True,
        ).encode()

    @classmethod
    def of(cls, payload: bytes) -> "Wanted":
        """Read it from the proposal."""
        said = json.loads(payload)
        tenant = OdsCode(said["tenant"]) if said["tenant"] else None
        until = datetime.fromisoformat(said["until"])
        return cls(
            name=said["name"], person=said["person"], post=Post(role=Role(said["role"]), tenant=tenant), until=until
        )


def proposable(who: Principal, organisations: Organisations) -> tuple[Post, ...]:
    """Give every role for every organisation that somebody may propose to give."""
    posts = [Post(role=role, tenant=None) for role in Role if Serves.WHOLE in ROLES[role].serves]
    tenants = {one.tenant: one for one in organisations.values()}
    for code in sorted(tenants, key=str):
        posts += [Post(role=role, tenant=code) for role in Role if fits(role, tenants[code])]
    return tuple(post for post in posts if _may_propose(who, post, organisations))


def _may_propose(who: Principal, post: Post, organisations: Organisations) -> bool:
    if who.kind is Kind.OPERATOR or post.tenant == who.tenant:
        return True
    organisation = organisations.get(post.tenant) if post.tenant else None
    return who.tenant is None and organisation is not None and organisation.serves is Serves.PROVIDER


def wanted(form: Form, who: Principal, organisations: Organisations, now: datetime) -> Wanted | Mapping[str, str]:
    """Read what was asked for; where something is wrong, gives for each field what."""
    wrong: dict[str, str] = {}
    name, person, until = form.one("name"), shown_name(form.one("person")), _end_of(form.one("until"))
    post = next((one for one in proposable(who, organisations) if one.key == form.one("post")), None)
    if not name or len(name) > _LONGEST_NAME or not name.isprintable() or " " in name:
        wrong["name"] = "Enter the person's reference, as they see it when they sign in without a role"
    elif same_person(name, who.name):
        wrong["name"] = "Nobody can give a role to themselves"
    if not person:
        wrong["person"] = "Enter what people call them"
    if post is None:
        wrong["post"] = "Choose a role"
    if until is None:
        wrong["until"] = "Enter the last day"
    elif faults := why_not_granted("", until=until, now=now, people=()):
        wrong["until"] = faults[0]
    if not form.one("reason") or len(form.one("reason")) > LONGEST:
        wrong["reason"] = f"Give a reason of up to {LONGEST} letters"
    if wrong or post is None or until is None:
        return wrong
    return Wanted(name=name, person=person, post=post, until=until)


def proposal_of(what: Wanted, *, by: str, reason: str, now: datetime) -> Proposal:
    """Give the proposal of a role."""
    return Proposal(
        id=uuid4(),
        kind=KIND,
        subject=hashlib.sha256(f"{what.name} {what.post.key}".encode()).hexdigest()[:32],
        payload=what.payload(),
        tenant=what.post.tenant,
        by=by,
        reason=" ".join(reason.split()),
        at=now,
        expires_at=min(now + _LAPSES, what.until),
    )


class SecondRole:
    """What a second person sees of a role to be given, and what their agreement does. See `acting/waiting.py`."""

    kind = KIND
    action = Action.CHANGE_SETTINGS
    words = "Give a role"

    async def shows(self, site: Site, view: ProposalView, by: str) -> tuple[tuple[str, ...], tuple[Task, ...]]:
        """Give what would happen now, and the checklist as it stands now."""
        what = Wanted.of(view.proposal.payload)
        last = day((what.until - timedelta(seconds=1)).astimezone(LONDON).date())
        will = (
            f"{what.person} ({what.name}) can be {in_words(what.post, site.names)}, from the next sign-in to {last}.",
            f"In that role they see: {ROLES[what.post.role].sees.lower()}.",
        )
        return will, tuple(_tasks(site, what, view.proposal.by, by))

    async def carry_out(self, site: Site, view: ProposalView, by: str) -> tuple[bool, str]:
        """Give the role, on the facts of this moment."""
        what, proposal = Wanted.of(view.proposal.payload), view.proposal
        if not _fits(site, what.post):
            return False, "the organisation is no longer one of this gateway"
        faults = await site.store.grant(
            Grant(
                id=proposal.id,
                name=what.name,
                person=what.person,
                role=what.post.role,
                tenant=what.post.tenant,
                reason=proposal.reason,
                by=proposal.by,
                second_by=by,
                at=site.now(),
                until=what.until,
            )
        )
        return not faults, " ".join(faults) or f"{what.name} has the role from the next sign-in"

    def href(self, view: ProposalView) -> str:  # noqa: ARG002 - one page for all
        """Give the page of what it is about."""
        return PATH


def in_words(post: Post, names: Names) -> str:
    """Give a post as `Map approver, Example Trust (RBA)`."""
    if post.tenant is None:
        return f"{ROLES[post.role].words}, the gateway as a whole"
    where = f"{names[post.tenant]} ({post.tenant})" if post.tenant in names else str(post.tenant)
    return f"{ROLES[post.role].words}, {where}"


def _tasks(site: Site, what: Wanted, first: str, second: str) -> Iterable[Task]:
    faults = why_not_granted(what.name, until=what.until, now=site.now(), people=(first, second))
    yield Task(
        words="Three different people", status="Open" if faults else "Settled", hint=" ".join(faults), open=bool(faults)
    )
    known = _fits(site, what.post)
    yield Task(words="The organisation is one of this gateway", status="Settled" if known else "Open", open=not known)


def _fits(site: Site, post: Post) -> bool:
    """Tell whether a post can still be taken: its organisation may be gone."""
    organisation = site.service(Entrance).organisations.get(post.tenant) if post.tenant else None
    return fits(post.role, organisation) and (organisation is not None) is (post.tenant is not None)


def _end_of(text: str) -> datetime | None:
    """Give the end of a day in London; None where the text is no day."""
    try:
        last = date.fromisoformat(text)
        return datetime.combine(last + timedelta(days=1), time(), LONDON).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
