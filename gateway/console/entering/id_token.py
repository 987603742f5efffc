"""What an identity provider's tokens must be before a word of them is believed. Pure: keys and time are handed in.

The checks, in order, of an ID token (OpenID Connect Core 3.1.3.7):

1. it is signed, by a key of the issuer, with an algorithm that the configuration names (never `none`, never a shared
   secret; RFC 8725 3.1);
2. it is of the issuer, for this gateway, and for nobody else unless it says by `azp` that it was made for this gateway;
3. it is not over, not from the future, and was made for this very sign-in (`nonce`);
4. the person authenticated lately enough and well enough, where the configuration asks for that;
5. it belongs to the access token that came with it (`at_hash`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from gateway.access.signing_in import IssuerSettings

_LEEWAY_SECONDS: Final = 60
_FRESH_SECONDS: Final = 600
"""How old a token may be that was made for the sign-in in hand."""
_MOST_CHARACTERS: Final = 32_768
_LOGOUT_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"

Claims = Mapping[str, object]


class NotBelieved(Exception):
    """A token or an answer that proves nothing.

    Args:
        why: one word or a few for the log and the audit; nothing of the token itself.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class UnknownKey(NotBelieved):
    """It names a key that is not among those of the issuer: they may have changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a token must fit.

    Attributes:
        nonce: of the sign-in in hand.
        access_token: that came with it.
    """

    nonce: str
    access_token: str


def check_id_token(token: str, keys: KeySet, settings: IssuerSettings, expected: Expected, *, now: datetime) -> Claims:
    """Give what an ID token says.

    Raises:
        UnknownKey: signed by a key that is not there.
        NotBelieved: for whatever reason.
    """
    header, claims = _signed(token, keys, settings)
    seconds = int(now.timestamp())
    try:
        checked = CodeIDToken(
            claims,
            header,
            options={
                "iss": {"essential": True, "value": settings.url},
                "sub": {"essential": True},
                "aud": {"essential": True, "value": settings.client_id},
            },
            params={
                "nonce": expected.nonce,
                "client_id": settings.client_id,
                "access_token": expected.access_token,
                "max_age": settings.oldest,
            },
        )
        checked.validate(now=seconds, leeway=_LEEWAY_SECONDS)
    except JoseError as error:
        raise NotBelieved(_why(error)) from error
    except (TypeError, ValueError) as error:
        raise NotBelieved("malformed") from error
    _refuse_old(claims, settings, seconds)
    if settings.levels and claims.get("acr") not in settings.levels:
        raise NotBelieved("acr")
    return cast("Claims", claims)


def check_logout_token(token: str, keys: KeySet, settings: IssuerSettings, *, now: datetime) -> tuple[str, str]:
    """Give whose sessions an issuer wants ended, and the token's own id, which counts once.

    Source: OpenID Connect Back-Channel Logout 1.0, 2.4 and 2.6.

    Raises:
        UnknownKey: signed by a key that is not there.
        NotBelieved: for whatever reason.
    """
    _, claims = _signed(token, keys, settings)
    seconds = int(now.timestamp())
    audience = claims.get("aud")
    if claims.get("iss") != settings.url:
        raise NotBelieved("iss")
    if settings.client_id not in (audience if isinstance(audience, list) else [audience]):
        raise NotBelieved("aud")
    issued, over, events = _number(claims, "iat"), claims.get("exp", seconds), claims.get("events")
    if abs(seconds - issued) > _FRESH_SECONDS or not isinstance(over, int | float) or over < seconds - _LEEWAY_SECONDS:
        raise NotBelieved("expired_token")
    if "nonce" in claims or not isinstance(events, Mapping) or _LOGOUT_EVENT not in events:
        raise NotBelieved("events")
    subject, own = claims.get("sub"), claims.get("jti")
    if not isinstance(subject, str) or not subject or not isinstance(own, str) or not own:
        raise NotBelieved("sub")
    return subject, own


def _signed(token: str, keys: KeySet, settings: IssuerSettings) -> tuple[dict[str, object], dict[str, object]]:
    """Give header and claims of a token whose signature is right."""
    if len(token) > _MOST_CHARACTERS:
        raise NotBelieved("too long")
    try:
        read = jwt.decode(token, keys, algorithms=list(settings.algorithms))
    except InvalidKeyIdError as error:
        raise UnknownKey("unknown key") from error
    except JoseError as error:
        raise NotBelieved(_why(error)) from error
    except (TypeError, ValueError, RecursionError) as error:
        raise NotBelieved("malformed") from error
    if not isinstance(read.claims, dict):
        raise NotBelieved("malformed")
    return read.header, read.claims


def _refuse_old(claims: Mapping[str, object], settings: IssuerSettings, seconds: int) -> None:
    """Refuse what was made long ago, or of a person who authenticated too long ago."""
    if abs(seconds - _number(claims, "iat")) > _FRESH_SECONDS:
        raise NotBelieved("iat")
    if settings.oldest is not None:
        age = seconds - _number(claims, "auth_time")
        if not -_LEEWAY_SECONDS <= age <= settings.oldest.total_seconds() + _LEEWAY_SECONDS:
            raise NotBelieved("auth_time")


def _number(claims: Mapping[str, object], name: str) -> float:
    value = claims.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise NotBelieved(name)
    return float(value)


def _why(error: JoseError) -> str:
    claim = getattr(error, "claim", "") or getattr(error, "claim_name", "")
    return f"{error.error} {claim}".strip()
