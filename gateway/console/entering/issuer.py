"""The identity provider as this gateway meets it: where to send people, and what to make of those who come back.

Authorization code with PKCE, state and nonce. The issuer's addresses and keys are read from it, kept for a while, and
read again when a token names a key that is not known. Nothing is asked of an address that is not the issuer's own word,
nothing is followed anywhere else, and what comes back is bounded in time and size.

Source: OpenID Connect Core 3.1, Discovery 4; RFC 7636, RFC 9207, RFC 9700 2.1; reliability-security.md 8.
"""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final, TypeVar, cast
from urllib.parse import quote, urlsplit
from uuid import uuid4

import aiohttp
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, KeySetSerialization, RSAKey

from gateway.access.signing_in import IssuerSettings
from gateway.console.entering.arrivals import Arrival
from gateway.console.entering.id_token import (
    Claims,
    Expected,
    NotBelieved,
    UnknownKey,
    check_id_token,
    check_logout_token,
)
from gateway.domain.host import is_loopback

BACK: Final = "/console/sign-in/back"
_DISCOVERY: Final = "/.well-known/openid-configuration"
_SECONDS: Final = 10.0
_MOST_OCTETS: Final = 1 << 18
_KEPT_FOR: Final = timedelta(hours=1)
_NOT_ASKED_AGAIN: Final = timedelta(seconds=30)
"""A flood of tokens with unknown keys must not become a flood at the issuer's door."""
_ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


Checked = TypeVar("Checked")


class IssuerAway(Exception):
    """The identity provider does not answer, or not as one does. This says nothing of who wanted to sign in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where the issuer says what is asked.

    Attributes:
        userinfo: empty if it has none.
        end: where people sign out of the issuer itself; empty if it has none.
        names_itself: whether it names itself in its answers (RFC 9207).
    """

    authorization: str
    token: str
    keys: str
    userinfo: str
    end: str
    names_itself: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the issuer said of a person, checked.

    Attributes:
        subject: its own name for the person.
        person: what people call them; as it came.
        roles: its claim about roles, as it came.
    """

    subject: str
    person: object = field(repr=False)
    roles: object = field(repr=False)


@dataclass(slots=True)
class _Known:
    addresses: Addresses
    keys: KeySet
    at: datetime


class Issuer:
    """One identity provider.

    Args:
        settings: who it is, and what we are to it.
        now: the clock.
    """

    def __init__(self, settings: IssuerSettings, now: Callable[[], datetime]) -> None:
        self.settings = settings
        self._now = now
        self._known: _Known | None = None

    async def begin(self, arrival: Arrival) -> str:
        """Give the address a person is sent to.

        Raises:
            IssuerAway: it cannot be asked where that is.
        """
        known = await self._about()
        settings = self.settings
        address: str = prepare_grant_uri(
            known.addresses.authorization,
            settings.client_id,
            "code",
            redirect_uri=self._back,
            scope=" ".join(settings.scopes),
            state=arrival.state,
            nonce=arrival.nonce,
            code_challenge=create_s256_code_challenge(arrival.verifier),
            code_challenge_method="S256",
            max_age=str(int(settings.oldest.total_seconds())) if settings.oldest else None,
            acr_values=" ".join(settings.levels) or None,
        )
        return address

    async def identify(self, arrival: Arrival, code: str, *, named: str = "") -> Said:
        """Give who came back.

        Args:
            arrival: what was sent along.
            code: what came back.
            named: the issuer's name in the answer; empty if it did not name itself.

        Raises:
            IssuerAway: it does not answer.
            NotBelieved: what it answers proves nothing.
        """
        known = await self._about()
        if (named or known.addresses.names_itself) and named != self.settings.url:
            raise NotBelieved("another issuer")
        answer = await self._redeem(known.addresses, arrival, code)
        token, access = answer.get("id_token"), answer.get("access_token")
        if not isinstance(token, str) or not isinstance(access, str):
            raise NotBelieved("no token")
        expected = Expected(nonce=arrival.nonce, access_token=access)
        claims = await self._checked(lambda keys: check_id_token(token, keys, self.settings, expected, now=self._now()))
        more = await self._userinfo(known.addresses, access, claims) if self.settings.userinfo else {}
        both = {**claims, **more}
        return Said(
            subject=str(claims["sub"]),
            person=both.get(self.settings.name_claim),
            roles=both.get(self.settings.claim.name),
        )

    async def signed_out(self, token: str) -> tuple[str, str]:
        """Give whose sessions the issuer wants ended, and the id of its token.

        Raises:
            IssuerAway: its keys cannot be had.
            NotBelieved: the token proves nothing.
        """
        return await self._checked(lambda keys: check_logout_token(token, keys, self.settings, now=self._now()))

    async def end(self) -> str:
        """Give where a person signs out of the issuer itself; empty if it says nothing of that, or nothing at all."""
        try:
            return (await self._about()).addresses.end
        except IssuerAway:
            return ""

    async def _checked(self, check: Callable[[KeySet], Checked]) -> Checked:
        """Check a token with the keys that are known, and once more with fresh ones if it names another."""
        known = await self._about()
        try:
            return check(known.keys)
        except UnknownKey:
            if self._now() - known.at < _NOT_ASKED_AGAIN:
                raise
        return check((await self._about(anew=True)).keys)

    async def _about(self, *, anew: bool = False) -> _Known:
        """Give the issuer's addresses and keys: those that are known, or read anew."""
        if self._known is None or anew or self._now() - self._known.at > _KEPT_FOR:
            addresses = self._addresses(await self._get(f"{self.settings.url.rstrip('/')}{_DISCOVERY}"))
            try:
                keys = KeySet.import_key_set(cast("KeySetSerialization", await self._get(addresses.keys)))
            except (JoseError, KeyError, TypeError, ValueError) as error:
                raise IssuerAway("its keys cannot be read") from error
            self._known = _Known(addresses=addresses, keys=keys, at=self._now())
        return self._known

    def _addresses(self, told: Mapping[str, object]) -> Addresses:
        """Read what the issuer says of itself; it must name itself as it is configured (mix-up)."""
        if told.get("issuer") != self.settings.url:
            raise IssuerAway("it names itself otherwise")
        return Addresses(
            authorization=self._address(told, "authorization_endpoint"),
            token=self._address(told, "token_endpoint"),
            keys=self._address(told, "jwks_uri"),
            userinfo=self._address(told, "userinfo_endpoint", must=self.settings.userinfo),
            end=self._address(told, "end_session_endpoint", must=False),
            names_itself=told.get("authorization_response_iss_parameter_supported") is True,
        )

    def _address(self, told: Mapping[str, object], name: str, *, must: bool = True) -> str:
        address = told.get(name, "")
        if not isinstance(address, str) or (must and not address):
            raise IssuerAway(f"no {name}")
        parts = urlsplit(address)
        plain = parts.scheme == "http" and is_loopback(parts.hostname or "") and self.settings.url.startswith("http:")
        if address and parts.scheme != "https" and not plain:
            raise IssuerAway(f"{name} is not https")
        return address

    async def _redeem(self, addresses: Addresses, arrival: Arrival, code: str) -> Mapping[str, object]:
        """Give what the issuer gives for a code."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._back,
            "code_verifier": arrival.verifier,
            "client_id": self.settings.client_id,
        }
        headers: dict[str, str] = {}
        if self.settings.key:
            form |= {"client_assertion_type": _ASSERTION, "client_assertion": self._assertion(addresses.token)}
        else:
            shown = ":".join(quote(part, safe="") for part in (self.settings.client_id, self.settings.secret))
            headers["Authorization"] = f"Basic {base64.b64encode(shown.encode()).decode()}"
        return await self._ask("POST", addresses.token, data=form, headers=headers, refusal="code refused")

    def _assertion(self, audience: str) -> str:
        """Sign what shows the issuer who we are (RFC 7523 2.2)."""
        try:
            key: RSAKey | ECKey = RSAKey.import_key(self.settings.key)
            algorithm = "RS512"
        except (JoseError, TypeError, ValueError):
            key, algorithm = ECKey.import_key(self.settings.key), "ES256"
        seconds = int(self._now().timestamp())
        who = self.settings.client_id
        claims = {"iss": who, "sub": who, "aud": audience, "iat": seconds, "exp": seconds + 120, "jti": str(uuid4())}
        return jwt.encode({"alg": algorithm, "kid": key.thumbprint()}, claims, key, algorithms=[algorithm])

    async def _userinfo(self, addresses: Addresses, access: str, claims: Claims) -> Mapping[str, object]:
        """Give what the issuer says at its userinfo address, of this very person."""
        headers = {"Authorization": f"Bearer {access}"}
        told = await self._ask("GET", addresses.userinfo, headers=headers, refusal="userinfo refused")
        if told.get("sub") != claims["sub"]:
            raise NotBelieved("userinfo of another")
        return {name: told[name] for name in (self.settings.name_claim, self.settings.claim.name) if name in told}

    async def _get(self, address: str) -> Mapping[str, object]:
        return await self._ask("GET", address)

    async def _ask(
        self,
        method: str,
        address: str,
        *,
        data: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        refusal: str = "",
    ) -> Mapping[str, object]:
        """Ask the issuer for a JSON object.

        Raises:
            IssuerAway: no answer, a server's error, or not JSON.
            NotBelieved: it refuses, where a refusal says something (`refusal`).
        """
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_SECONDS)) as session,
                session.request(method, address, data=data, headers=headers, allow_redirects=False) as response,
            ):
                octets = await response.content.read(_MOST_OCTETS + 1)
                while len(octets) <= _MOST_OCTETS and (more := await response.content.read(_MOST_OCTETS)):
                    octets += more
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise IssuerAway(type(error).__name__) from error
        if refusal and HTTPStatus.BAD_REQUEST <= response.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            raise NotBelieved(refusal)
        if response.status != HTTPStatus.OK or len(octets) > _MOST_OCTETS:
            raise IssuerAway(f"status {response.status}")
        try:
            told = json.loads(octets)
        except (ValueError, RecursionError) as error:
            raise IssuerAway("not JSON") from error
        if not isinstance(told, dict):
            raise IssuerAway("not a JSON object")
        return told

    @property
    def _back(self) -> str:
        return self.settings.back + BACK
