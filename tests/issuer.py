"""An identity provider on a real socket: the code flow with PKCE, keys that rotate, and faults to order."""

import base64
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.doors import served

CLIENT, SECRET = "the gateway", "colon:and space"
Claims = dict[str, Any]


@dataclass
class LocalIssuer:
    """An identity provider that believes everybody.

    Attributes:
        person: claims of whoever signs in next.
        alter: changes an ID token's claims before it is signed.
        signed: signs a token in place of the current key.
        fails: path to the status that is answered there instead.
        told: what discovery says besides, or otherwise.
        client_key: public key of a client that signs what it shows.
        seen: every request for a token, as the form it was.
    """

    now: Callable[[], datetime]
    address: str = ""
    person: Claims = field(default_factory=lambda: {"sub": "1234", "name": "Perry Pharmacist", "roles": ["hp"]})
    userinfo: Claims | None = None
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "first", "use": "sig"}))
    keys: list[Any] = field(default_factory=list)
    alter: Callable[[Claims], Claims] = lambda claims: claims
    signed: Callable[[Claims], str] | None = None
    fails: dict[str, int] = field(default_factory=dict)
    told: Claims = field(default_factory=dict)
    client_key: RSAKey | ECKey | None = None
    issues: bool = True
    seen: list[Mapping[str, str]] = field(default_factory=list)
    asked_for_keys: int = 0
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def rotate(self, kid: str) -> None:
        """Sign with another key from now on, and publish no other."""
        self.key = RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})

    def token(self, claims: Claims) -> str:
        """Sign claims with the current key."""
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)

    def application(self) -> Starlette:
        """Give the provider as an application."""
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._discovery),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
                Route("/keys", self._keys),
                Route("/userinfo", self._userinfo),
            ]
        )

    async def _discovery(self, request: Request) -> Response:
        return self._failing(request) or JSONResponse(
            {
                "issuer": self.address,
                "authorization_endpoint": f"{self.address}/authorize",
                "token_endpoint": f"{self.address}/token",
                "jwks_uri": f"{self.address}/keys",
                "userinfo_endpoint": f"{self.address}/userinfo",
                "authorization_response_iss_parameter_supported": True,
                **self.told,
            }
        )

    async def _authorize(self, request: Request) -> Response:
        """Believe whoever comes, and send them back with a code."""
        asked = dict(request.query_params)
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        code = f"code-{len(self._codes)}"
        self._codes[code] = asked
        back = {"code": code, "state": asked["state"], **({"iss": self.address} if self.issues else {})}
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(back)}", 303)

    async def _token(self, request: Request) -> Response:
        """Give tokens for a code, once, to the client that asked for it."""
        if failing := self._failing(request):
            return failing
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        self.seen.append(form)
        asked = self._codes.pop(form.get("code", ""), None)
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).rstrip(b"=").decode()
        fits = asked is not None and (asked["code_challenge"], asked["redirect_uri"]) == (
            challenge,
            form["redirect_uri"],
        )
        if not fits or asked is None or not self._client(request, form):
            return JSONResponse({"error": "invalid_grant"}, 400)
        seconds = int(self.now().timestamp())
        claims = self.alter(
            {
                "iss": self.address,
                "aud": CLIENT,
                "iat": seconds,
                "exp": seconds + 300,
                "auth_time": seconds - 5,
                "nonce": asked["nonce"],
                **self.person,
            }
        )
        token = self.signed(claims) if self.signed else self.token(claims)
        return JSONResponse({"access_token": "access", "token_type": "Bearer", "id_token": token})

    def _client(self, request: Request, form: Mapping[str, str]) -> bool:
        """Tell whether the client shows what it should."""
        if self.client_key is not None:
            read = jwt.decode(form["client_assertion"], self.client_key, algorithms=["RS512", "ES256"])
            return read.claims["aud"] == f"{self.address}/token" and read.claims["sub"] == CLIENT
        shown = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
        return [unquote(part) for part in shown.split(":")] == [CLIENT, SECRET]

    async def _keys(self, request: Request) -> Response:
        self.asked_for_keys += 1
        return self._failing(request) or JSONResponse(KeySet([self.key, *self.keys]).as_dict(private=False))

    async def _userinfo(self, request: Request) -> Response:
        assert request.headers["authorization"] == "Bearer access"
        return self._failing(request) or JSONResponse(self.userinfo or self.person)

    def _failing(self, request: Request) -> Response | None:
        status = self.fails.get(request.url.path)
        return Response("<html>not now</html>", status) if status else None


@asynccontextmanager
async def issuing(now: Callable[[], datetime]) -> AsyncIterator[LocalIssuer]:
    """Serve an identity provider on a free port of loopback."""
    issuer = LocalIssuer(now=now)
    async with served(issuer.application()) as address:
        issuer.address = address
        yield issuer
