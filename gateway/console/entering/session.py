"""One browser that was let in: who looks, what its forms must carry, what is said to it next.

It is read anew for each request and never changed: what a request leaves for the next one stands in its `Visit`.
"""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from gateway.access.posts import Identity, Post
from gateway.access.principal import Kind, Principal
from gateway.access.roles import Role
from gateway.domain.identifiers import OdsCode
from gateway.domain.session import KeptSession, Why
from gateway.wire.strict_json import JSON, dumps, loads

Typed = Mapping[str, tuple[str, ...]]
"""What was typed into a form: each field with its values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One browser.

    Attributes:
        digest: of the cookie's secret: the session's name among those that are kept.
        csrf: what a form of this session must carry.
        seen_at: when its owner last asked for something, to within half a minute.
        notice: what the next page is to say once.
        person: the human being's own name; empty where only the short name is known.
        posts: what the person may be here; one of them at a time.
        until: when the post that is taken ends, if it does.
        developing: let in by the development link, and free to be any invented person.
        typed: what was typed where and could not be sent; by the page it stood on, the oldest first.
    """

    principal: Principal
    digest: str = field(repr=False)
    csrf: str = field(repr=False)
    opened_at: datetime
    seen_at: datetime
    notice: str = field(default="", repr=False)
    person: str = field(default="", repr=False)
    posts: tuple[Post, ...] = ()
    until: datetime | None = None
    developing: bool = False
    typed: Mapping[str, Typed] = field(default_factory=lambda: MappingProxyType({}), repr=False)

    def token(self) -> str:
        """Give a token for one form: what is sent with it is done once, however often it is sent."""
        return secrets.token_urlsafe(16)

    def keep_typed(self, path: str) -> Typed:
        """Give what was typed on a page and not sent; nothing where nothing was."""
        return self.typed.get(path, MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What is remembered of a session that is over.

    Attributes:
        name: short name of the person it belonged to.
        csrf: what its forms carried.
    """

    name: str
    csrf: str = field(repr=False)
    why: Why
    at: datetime


@dataclass(slots=True, kw_only=True)
class Visit:
    """One request: who makes it, and what it leaves for the next one.

    Attributes:
        session: the one that its cookie opens; None where it opens none.
        ended: what is remembered of one that is over.
        away: nobody can say who it is, because the records cannot be read.
        shown: the session's notice stands on the page.
        notice: what the next page is to say once.
        once: the token of the form that was sent, and `path` where it led.
    """

    session: Session | None = None
    ended: Ended | None = None
    away: bool = False
    shown: bool = False
    notice: str = ""
    once: str = ""
    path: str = ""


def digest_of(secret: str) -> str:
    """Give the form in which a secret of 256 random bits is kept."""
    return hashlib.sha256(secret.encode()).hexdigest()


def derived(secret: str, use: str) -> str:
    """Give what follows from a secret for one use: 256 bits from which nobody learns the secret, or another use's."""
    return urlsafe_b64encode(hmac.digest(secret.encode(), use.encode(), "sha256")).rstrip(b"=").decode()


def form_token(secret: str) -> str:
    """Give what the forms of a session carry, from the secret of its cookie."""
    return derived(secret, "form")


def written_who(
    principal: Principal | None, person: str, posts: tuple[Post, ...], until: datetime | None, *, developing: bool
) -> str:
    """Write down who a session's person is; without a principal, who has yet to pick a role."""
    who: dict[str, JSON] = {
        "kind": principal.kind.value if principal else "",
        "tenant": _code(principal.tenant) if principal else "",
        "role": principal.role.value if principal and principal.role else "",
        "person": person,
        "until": until.isoformat() if until else "",
        "developing": developing,
        "posts": [
            [post.role.value, _code(post.tenant), post.until.isoformat() if post.until else ""] for post in posts
        ],
    }
    return dumps(who).decode()


def read_session(kept: KeptSession, secret: str) -> Session | None:
    """Read a session as it was written down.

    Returns:
        None where its person has yet to pick a role, or has one that this version of the gateway does not know.
    """
    who = _read(kept.who)
    if not who["kind"]:
        return None
    try:
        principal = Principal(
            kind=Kind(str(who["kind"])),
            tenant=_tenant(who["tenant"]),
            name=kept.name,
            role=Role(str(who["role"])) if who["role"] else None,
        )
        posts = _posts(who)
    except ValueError:
        return None
    return Session(
        principal=principal,
        digest=kept.digest,
        csrf=form_token(secret),
        opened_at=kept.opened_at,
        seen_at=kept.seen_at,
        notice=kept.notice,
        person=str(who["person"]),
        posts=posts,
        until=_moment(who["until"]),
        developing=bool(who["developing"]),
        typed={path: read_typed(fields) for path, fields in kept.typed.items()},
    )


def read_identity(kept: KeptSession) -> Identity | None:
    """Read who it is that has yet to pick a role; None where some role is not known to this version."""
    who = _read(kept.who)
    try:
        return Identity(name=kept.name, person=str(who["person"]), posts=_posts(who))
    except ValueError:
        return None


def written_typed(typed: Typed) -> str:
    """Write down what was typed."""
    return dumps({name: list(values) for name, values in typed.items()}).decode()


def read_typed(written: str) -> Typed:
    """Read what was typed."""
    fields = _read(written)
    return MappingProxyType({name: tuple(map(str, _list(values))) for name, values in fields.items()})


def _posts(who: Mapping[str, JSON]) -> tuple[Post, ...]:
    """Give the posts that were written down.

    Raises:
        ValueError: one is of a role that is not known.
    """
    rows = (_list(row) for row in _list(who["posts"]))
    return tuple(Post(role=Role(str(role)), tenant=_tenant(code), until=_moment(until)) for role, code, until in rows)


def _read(written: str) -> Mapping[str, JSON]:
    read = loads(written.encode())
    assert isinstance(read, dict)
    return read


def _list(value: JSON) -> list[JSON]:
    assert isinstance(value, list)
    return value


def _code(tenant: OdsCode | None) -> str:
    return tenant.value if tenant else ""


def _tenant(code: JSON) -> OdsCode | None:
    return OdsCode(str(code)) if code else None


def _moment(written: JSON) -> datetime | None:
    return datetime.fromisoformat(str(written)) if written else None
