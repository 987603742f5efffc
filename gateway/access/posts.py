"""From what an identity provider says of a person to the posts that person may take here.

A post is one role for one organisation. What the identity provider says counts only where a rule of the configuration
names it word for word; anything else is no post, never a lesser one.

Source: console.md 3; reliability-security.md 8.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from gateway.access.principal import Kind, Principal
from gateway.access.roles import ROLES, Role, Serves
from gateway.domain.identifiers import OdsCode
from gateway.domain.person import Grant

MOST: Final = 64
"""Posts of one person that are looked at; nobody chooses from more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One role for one organisation.

    Attributes:
        tenant: None for the gateway as a whole.
        until: when a local grant ends; None where the identity provider says it at every sign-in.
    """

    role: Role
    tenant: OdsCode | None
    until: datetime | None = None

    @property
    def key(self) -> str:
        """Name it in a form: `homecare-pharmacist.RBA`."""
        return f"{self.role}.{self.tenant or ''}"

    def principal(self, name: str) -> Principal:
        """Give the principal of a person in this post."""
        return Principal(kind=Kind.PERSON, tenant=self.tenant, name=name, role=self.role)


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """What an ODS code stands for here.

    Attributes:
        tenant: whose data; of a trust's site the trust itself.
    """

    tenant: OdsCode
    serves: Serves


Organisations = Mapping[OdsCode, Organisation]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleRule:
    """What one word of the identity provider means.

    Attributes:
        value: the word, exactly.
        organisation: whom the role is for, when the rule says so.
        stated: the identity provider says whom the role is for, in the same breath.
    """

    value: str
    role: Role
    organisation: OdsCode | None = None
    stated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleClaim:
    """Where the identity provider says it: a list of words, or of tables with a word and an organisation.

    Attributes:
        name: of the claim: `groups`, `nhsid_nrbac_roles`.
        role_key: which entry of a table holds the word.
        organisation_key: which holds the organisation's ODS code.
    """

    name: str = "roles"
    role_key: str = "role_code"
    organisation_key: str = "org_code"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who somebody is by the word of the identity provider; nothing else of its token is kept.

    Attributes:
        name: short name for the audit: the same for ever, and another's never.
        person: what people call them; for pages, never for logs.
    """

    name: str
    person: str = field(repr=False)
    posts: tuple[Post, ...]


def fits(role: Role, organisation: Organisation | None) -> bool:
    """Tell whether a role can be for an organisation, or for the gateway as a whole where there is none."""
    return (organisation.serves if organisation else Serves.WHOLE) in ROLES[role].serves


def posts_of(
    claim: object, *, where: RoleClaim, rules: Iterable[RoleRule], organisations: Organisations
) -> tuple[Post, ...]:
    """Give the posts that a claim amounts to, without repetition, in the order of the roles.

    Args:
        claim: its value as it came; anything at all.
        where: how to read it.
        rules: what each word means.
        organisations: every ODS code this gateway knows.
    """
    by_word: dict[str, list[RoleRule]] = {}
    for rule in rules:
        by_word.setdefault(rule.value, []).append(rule)
    found = {
        post
        for word, stated in _said(claim, where)
        for rule in by_word.get(word, ())
        if (post := _post(rule, stated, organisations)) is not None
    }
    return tuple(sorted(found, key=_order))


def with_grants(posts: tuple[Post, ...], grants: Iterable[Grant], organisations: Organisations) -> tuple[Post, ...]:
    """Give a person's posts with those that were granted here; one that the identity provider says does not end.

    Args:
        posts: what the identity provider's words amount to.
        grants: those in force of the same person.
        organisations: every ODS code this gateway knows; a grant for one that is gone is no post.
    """
    found = {(post.role, post.tenant): post for post in posts}
    for grant in grants:
        if (post := post_of(grant, organisations)) is None:
            continue
        known = found.setdefault((post.role, post.tenant), post)
        if known.until is not None and known.until < grant.until:
            found[post.role, post.tenant] = post
    return tuple(sorted(found.values(), key=_order))


def post_of(grant: Grant, organisations: Organisations) -> Post | None:
    """Give the post of a grant; None where its role or organisation is no longer one of ours."""
    organisation = organisations.get(grant.tenant) if grant.tenant else None
    if grant.role not in set(Role) or (grant.tenant and organisation is None):
        return None
    role = Role(grant.role)
    return Post(role=role, tenant=grant.tenant, until=grant.until) if fits(role, organisation) else None


def _order(post: Post) -> tuple[int, str]:
    return list(Role).index(post.role), str(post.tenant or "")


def _said(claim: object, where: RoleClaim) -> list[tuple[str, str]]:
    """Give each word with the organisation that stands beside it, empty where none does."""
    items = claim if isinstance(claim, Sequence) and not isinstance(claim, str | bytes) else [claim]
    said: list[tuple[str, str]] = []
    for item in items[:MOST]:
        if isinstance(item, str):
            said.append((item, ""))
        elif isinstance(item, Mapping):
            word, stated = item.get(where.role_key), item.get(where.organisation_key, "")
            if isinstance(word, str) and isinstance(stated, str):
                said.append((word, stated))
    return said


def _post(rule: RoleRule, stated: str, organisations: Organisations) -> Post | None:
    """Give the post a rule makes of a word, or None where the two do not agree on whom it is for."""
    code = OdsCode.parse(stated) if stated else None
    beside = organisations.get(code) if code else None
    if rule.stated:
        return _filled(rule.role, beside)
    named = organisations.get(rule.organisation) if rule.organisation else None
    if rule.organisation and (named is None or (stated and beside != named)):
        return None
    post = Post(role=rule.role, tenant=named.tenant if named else None)
    return post if fits(rule.role, named) else None


def _filled(role: Role, organisation: Organisation | None) -> Post | None:
    """Give the post for the organisation the identity provider states; none for one that is not known here."""
    if organisation is None or not fits(role, organisation):
        return None
    return Post(role=role, tenant=organisation.tenant)
