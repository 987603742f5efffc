"""How people get in: what the sign-in pages need beyond what every page has.

What an identity provider says of a person is cut down here to a short name, a name for pages, and posts.
"""

import hashlib
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from gateway.access.posts import Identity, Organisations, RoleRule, posts_of
from gateway.access.signing_in import SigningIn
from gateway.console.entering.invented import Invented, invent
from gateway.console.entering.issuer import Issuer, Said

_MOST_OF_NAME: Final = 80
_PLAIN_SUBJECT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    """The way in.

    Attributes:
        issuer: None where nobody signs in by an identity provider.
        invented: whom a development session may become.
    """

    issuer: Issuer | None
    rules: tuple[RoleRule, ...]
    organisations: Organisations
    invented: tuple[Invented, ...] = ()

    def identity(self, said: Said) -> Identity:
        """Give who the issuer says it is, with the posts its words amount to here."""
        assert self.issuer is not None
        settings = self.issuer.settings
        posts = posts_of(said.roles, where=settings.claim, rules=self.rules, organisations=self.organisations)
        name = short_name(said.subject, settings.url)
        return Identity(name=name, person=shown_name(said.person) or name, posts=posts)


def entrance_of(
    signing_in: SigningIn, organisations: Organisations, now: Callable[[], datetime], *, development: bool
) -> Entrance:
    """Build the way in from the configuration.

    Args:
        signing_in: what the configuration says of it.
        organisations: every ODS code this gateway knows.
        now: the clock.
        development: whether there are invented people (D15).
    """
    return Entrance(
        issuer=Issuer(signing_in.issuer, now) if signing_in.issuer else None,
        rules=signing_in.rules,
        organisations=organisations,
        invented=invent(organisations) if development else (),
    )


def short_name(subject: str, issuer: str) -> str:
    """Give the name that stands in the audit: the issuer's name for the person, and whose it is.

    It holds an `@`, so that it is never the name of an operator of the command line. A subject that is not plain is
    told by its digest.
    """
    plain = subject if _PLAIN_SUBJECT.fullmatch(subject) else hashlib.sha256(subject.encode()).hexdigest()[:24]
    return f"{plain}@{urlsplit(issuer).hostname}"


def shown_name(claimed: object) -> str:
    """Give a person's name for pages: on one line, of bounded length, without characters that hide or turn others."""
    if not isinstance(claimed, str):
        return ""
    visible = "".join(one if one.isspace() or unicodedata.category(one)[0] != "C" else "" for one in claimed[:400])
    return " ".join(visible.split())[:_MOST_OF_NAME]
