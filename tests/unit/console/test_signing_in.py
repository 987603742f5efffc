"""Signing in by an identity provider, which runs beside the console on a real socket."""

import base64
import hmac
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from starlette.applications import Starlette

from gateway.access.posts import RoleRule
from gateway.access.roles import Role
from gateway.access.signing_in import IssuerSettings, SigningIn
from gateway.config.load import load
from gateway.console.application import create_console
from gateway.console.entering.entrance import Entrance, entrance_of, short_name, shown_name
from gateway.console.site import Frame
from gateway.domain.identifiers import OdsCode, derived_id
from gateway.domain.person import Grant
from tests.doors import NAMES, NOW, RBA, VNE51, Enquiries, Notes, directory, served
from tests.issuer import CLIENT, SECRET, LocalIssuer, issuing
from tests.sessions_at_hand import SessionsAtHand

RULES = (
    RoleRule(value="hp", role=Role.HOMECARE_PHARMACIST, organisation=RBA),
    RoleRule(value="chief", role=Role.CHIEF_PHARMACIST, organisation=RBA),
    RoleRule(value="vp", role=Role.PROVIDER_PHARMACIST, organisation=VNE51),
    RoleRule(value="audit", role=Role.AUDITOR),
)
LOGOUT = "http://schemas.openid.net/event/backchannel-logout"


@dataclass
class Door:
    """A console that is joined to an identity provider."""

    address: str
    issuer: LocalIssuer
    sessions: SessionsAtHand
    notes: Notes
    enquiries: Enquiries
    clock: list[datetime]

    @asynccontextmanager
    async def browser(self) -> AsyncIterator["Browser"]:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
            yield Browser(self.address, client)


@dataclass
class Browser:
    """A browser that follows where it is led."""

    address: str
    client: aiohttp.ClientSession

    async def get(self, path: str) -> tuple[int, str, str]:
        """Give the status, the text and the path of the page that is reached."""
        url = path if path.startswith("http") else self.address + path
        async with self.client.get(url) as response:
            return response.status, await response.text(), response.url.path

    async def post(self, path: str, **form: str) -> tuple[int, str, str]:
        async with self.client.post(self.address + path, data=form) as response:
            return response.status, await response.text(), response.url.path

    async def led(self, path: str) -> str:
        """Give where one step leads."""
        async with self.client.get(self.address + path, allow_redirects=False) as response:
            assert response.status == 303, await response.text()
            return response.headers["Location"]

    async def sign_in(self, to: str = "") -> tuple[int, str, str]:
        return await self.get(f"/console/sign-in/begin{f'?to={to}' if to else ''}")


@asynccontextmanager
async def standing(*, development: bool = True, **settings: Any) -> AsyncIterator[Door]:
    clock = [NOW]
    async with issuing(lambda: clock[0]) as issuer:
        sessions, notes, enquiries = SessionsAtHand(lambda: clock[0], idle=timedelta(minutes=15)), Notes(), Enquiries()
        starlette = Starlette()
        async with served(starlette) as address:
            stated: dict[str, Any] = {"url": issuer.address, "client_id": CLIENT, "secret": SECRET, "back": address}
            signing_in = SigningIn(issuer=IssuerSettings(**(stated | settings)), rules=RULES)
            organisations = load(None).organisations
            entrance = entrance_of(signing_in, organisations, lambda: clock[0], development=False)
            starlette.router.routes.extend(
                create_console(
                    enquiries=enquiries,
                    notes=notes,
                    directory=directory(),
                    sessions=sessions,
                    frame=Frame(organisation="Example Gateway", environment="test", development=development),
                    names=NAMES,
                    now=lambda: clock[0],
                    services={Entrance: entrance},
                )
            )
            yield Door(address, issuer, sessions, notes, enquiries, clock)


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with standing() as door:
        yield door


def csrf(page: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found
    return found[1]


async def test_a_person_with_one_role_is_let_in_and_named_on_every_page(door: Door) -> None:
    async with door.browser() as browser:
        status, page, path = await browser.sign_in()
    assert (status, path) == (200, "/console/")
    assert "Perry Pharmacist, Homecare pharmacist, Example Trust (RBA)" in page
    name = short_name("1234", door.issuer.address)
    assert (name, "console sign in", "homecare-pharmacist RBA") in door.notes.leaves
    assert not any("Perry" in part for leaf in door.notes.leaves for part in leaf)


async def test_what_is_sent_along_is_different_every_time_and_the_secret_never(door: Door) -> None:
    async with door.browser() as browser:
        asked = [parse_qs(urlsplit(await browser.led("/console/sign-in/begin")).query) for _ in range(2)]
    for name in ("state", "nonce", "code_challenge"):
        assert asked[0][name] != asked[1][name]
    assert not any("secret" in name or "verifier" in name for one in asked for name in one)


async def test_a_person_with_several_roles_picks_one_and_changes_it_without_signing_in_again(door: Door) -> None:
    door.issuer.person["roles"] = ["hp", "chief"]
    async with door.browser() as browser:
        status, page, path = await browser.sign_in()
        assert (status, path) == (200, "/console/sign-in/role")
        assert (await browser.get("/console/"))[0] == 401
        found = re.search(r'name="state" value="([^"]+)"', page)
        assert found
        status, page, _ = await browser.post("/console/sign-in/role", state=found[1])
        assert status == 422
        assert "Choose one of the roles" in page
        status, page, _ = await browser.post("/console/sign-in/role", state=found[1], post="operator.")
        assert status == 422
        status, page, path = await browser.post("/console/sign-in/role", state=found[1], post="chief-pharmacist.RBA")
        assert (status, path) == (200, "/console/")
        assert "Chief pharmacist" in page
        before = {cookie.value for cookie in browser.client.cookie_jar}
        form = {"csrf": csrf(page), "post": "homecare-pharmacist.RBA"}
        status, page, _ = await browser.post("/console/role", **form)
        assert status == 200
        assert "You are now Perry Pharmacist, Homecare pharmacist, Example Trust (RBA)." in page
        assert {cookie.value for cookie in browser.client.cookie_jar} != before
    assert len(door.issuer.seen) == 1


async def test_a_role_that_was_not_offered_cannot_be_taken(door: Door) -> None:
    door.issuer.person["roles"] = ["hp", "chief"]
    async with door.browser() as browser:
        _, page, _ = await browser.sign_in()
        found = re.search(r'name="state" value="([^"]+)"', page)
        assert found
        _, page, _ = await browser.post("/console/sign-in/role", state=found[1], post="chief-pharmacist.RBA")
        status, page, _ = await browser.post("/console/role", csrf=csrf(page), post="auditor.")
        assert status == 422
        assert "Chief pharmacist" in page


@pytest.mark.parametrize("roles", [[], ["other"], None, "HP", [{"role_code": "hp", "org_code": "RXX"}]])
async def test_a_person_without_a_role_sees_nothing_and_is_told_whom_to_ask(door: Door, roles: object) -> None:
    door.issuer.person["roles"] = roles
    async with door.browser() as browser:
        status, page, _ = await browser.sign_in()
        assert status == 403
        assert "You have no role here" in page
        assert (await browser.get("/console/"))[0] == 401
    assert door.notes.leaves[-1][1:] == ("console sign-in refused", "no role here")


async def test_a_role_without_patients_is_led_to_its_own_first_page(door: Door) -> None:
    door.issuer.person["roles"] = ["audit"]
    async with door.browser() as browser:
        status, page, path = await browser.sign_in()
        assert status == 200
        assert path != "/console/"
        assert "Auditor" in page


async def test_a_person_comes_back_to_the_page_they_wanted(door: Door) -> None:
    async with door.browser() as browser:
        _, page, _ = await browser.get("/console/help")
        found = re.search(r'href="(/console/sign-in/begin[^"]*)"', page)
        assert found
        _, _, path = await browser.get(found[1])
        assert path == "/console/help"


@pytest.mark.parametrize(
    "to",
    ["https://evil.example/", "//evil.example/console/", "/console/\\evil", "/console/a%0d%0ab", "/elsewhere", "é"],
)
async def test_nobody_is_led_anywhere_else(door: Door, to: str) -> None:
    async with door.browser() as browser:
        assert (await browser.sign_in(to))[2] == "/console/"


def given(door: Door, **change: Any) -> Grant:
    stated: dict[str, Any] = {
        "id": derived_id("grant", "a"),
        "name": short_name("1234", door.issuer.address),
        "person": "Perry",
        "role": "map-approver",
        "tenant": RBA,
        "reason": "Covers for leave.",
        "by": "charlie",
        "second_by": "olu",
        "at": NOW - timedelta(days=1),
        "until": NOW + timedelta(minutes=10),
    }
    return Grant(**(stated | change))


async def test_a_role_that_was_given_here_can_be_taken_and_ends_by_its_date(door: Door) -> None:
    door.issuer.person["roles"] = []
    door.enquiries.granted = (given(door),)
    async with door.browser() as browser:
        _, page, _ = await browser.sign_in()
        assert "Perry Pharmacist, Map approver, Example Trust (RBA)" in page
        assert door.notes.people == [(short_name("1234", door.issuer.address), "map-approver", RBA)]
        door.clock[0] += timedelta(minutes=10, seconds=1)
        status, page, _ = await browser.get("/console/help")
        assert status == 401
        assert "The role you had taken has ended" in page
        assert (await browser.sign_in())[0] == 403


async def test_a_role_that_ends_while_it_is_taken_lets_nobody_in_and_the_audit_says_so(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.issuer.person["roles"] = []
    answers = [(given(door),), ()]

    async def granted_to(_name: str, *, now: datetime) -> tuple[Grant, ...]:
        assert now == NOW
        return answers.pop(0)

    monkeypatch.setattr(door.enquiries, "granted_to", granted_to)
    async with door.browser() as browser:
        assert (await browser.sign_in())[0] == 401
    assert [action for _, action, place in door.notes.leaves if place == "map-approver RBA"] == [
        "console sign in",
        "console sign in: not let in, the role had ended",
    ]


@pytest.mark.parametrize(
    "change",
    [{"role": "gone"}, {"tenant": "RXX"}, {"role": "provider-pharmacist"}, {"name": "another"}, {"tenant": None}],
)
async def test_a_grant_that_fits_nothing_here_is_no_role(door: Door, change: dict[str, Any]) -> None:
    door.issuer.person["roles"] = []
    tenant = {"tenant": OdsCode(change["tenant"])} if change.get("tenant") else {}
    door.enquiries.granted = (given(door, **(change | tenant)),)
    async with door.browser() as browser:
        assert (await browser.sign_in())[0] == 403


# What comes back from the identity provider


def changed(**claims: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Change claims; None takes one away."""
    return lambda said: {name: value for name, value in (said | claims).items() if value is not None}


SECONDS = int(NOW.timestamp())
BAD_CLAIMS = {
    "of another issuer": changed(iss="https://id.example.org"),
    "of no issuer": changed(iss=None),
    "for another": changed(aud="another client"),
    "for another as well, and made for it": changed(aud=[CLIENT, "another"], azp="another"),
    "for nobody": changed(aud=None),
    "over": changed(exp=SECONDS - 120),
    "without an end": changed(exp=None),
    "with an end that is no number": changed(exp="tomorrow"),
    "from the future": changed(iat=SECONDS + 900),
    "made long ago": changed(iat=SECONDS - 900),
    "of another sign-in": changed(nonce="another"),
    "of no sign-in": changed(nonce=None),
    "of nobody": changed(sub=None),
    "of an empty name": changed(sub=""),
    "of a name that is a list": changed(sub=["1234"]),
    "for another access token": changed(at_hash="AAAAAAAAAAAAAAAAAAAAAA"),
    "not valid yet": changed(nbf=SECONDS + 900),
}


@pytest.mark.parametrize("alter", BAD_CLAIMS.values(), ids=BAD_CLAIMS)
async def test_a_token_that_says_the_wrong_thing_lets_nobody_in(
    door: Door, alter: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    door.issuer.alter = alter
    async with door.browser() as browser:
        status, page, _ = await browser.sign_in()
        assert status == 403, page
        assert "You were not signed in" in page
        assert (await browser.get("/console/"))[0] == 401
    assert door.notes.leaves[-1][:2] == ("nobody", "console sign-in refused")


async def test_whoever_knocks_often_does_not_fill_the_audit(door: Door) -> None:
    async with door.browser() as browser:
        for _ in range(5):
            assert (await browser.get("/console/sign-in/back?code=x&state=y"))[0] == 403
        refused = ("nobody", "console sign-in refused")
        assert [leaf for leaf in door.notes.leaves if leaf[:2] == refused] == [(*refused, "state")]
        door.clock[0] += timedelta(seconds=1)
        await browser.get("/console/sign-in/back?code=x&state=y")
    assert door.notes.leaves[-1] == (*refused, "state, and 4 more since the leaf before")


STRANGER = RSAKey.generate_key(2048, {"kid": "first", "use": "sig"})
ALIEN = RSAKey.generate_key(2048, {"kid": "alien", "use": "sig"})


def raw(header: dict[str, str], claims: dict[str, Any], secret: bytes | None) -> str:
    """Write a token as no library would."""
    said = ".".join(encoded(json.dumps(part).encode()) for part in (header, claims))
    return f"{said}.{encoded(hmac.digest(secret, said.encode(), 'sha256')) if secret else ''}"


def encoded(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


BAD_SIGNATURES: dict[str, Callable[[LocalIssuer, dict[str, Any]], str]] = {
    "by another under the same key's name": lambda _, claims: jwt.encode(
        {"alg": "RS256", "kid": "first"}, claims, STRANGER
    ),
    "by another under its own": lambda _, claims: jwt.encode({"alg": "RS256", "kid": "alien"}, claims, ALIEN),
    "with our own secret": lambda _, claims: raw({"alg": "HS256", "kid": "first"}, claims, SECRET.encode()),
    "with the public key as a secret": lambda issuer, claims: raw(
        {"alg": "HS256", "kid": "first"}, claims, issuer.key.as_pem(private=False)
    ),
    "not at all": lambda _, claims: raw({"alg": "none"}, claims, None),
    "not at all, under the key's name": lambda _, claims: raw({"alg": "none", "kid": "first"}, claims, None),
    "not at all, in capitals": lambda _, claims: raw({"alg": "NONE", "kid": "first"}, claims, None),
    "by a key it brings along": lambda _, claims: jwt.encode(
        {"alg": "RS256", "jwk": STRANGER.as_dict(private=False)}, claims, STRANGER
    ),
    "and then changed": lambda issuer, claims: tampered(issuer.token(claims)),
    "and cut": lambda issuer, claims: issuer.token(claims)[:-10],
    "as no token": lambda *_: "token",
    "as far too long a token": lambda issuer, claims: issuer.token({**claims, "more": "x" * 40_000}),
}


def tampered(token: str) -> str:
    head, body, signature = token.split(".")
    return ".".join((head, body[:-4] + ("AAAA" if not body.endswith("AAAA") else "BBBB"), signature))


@pytest.mark.parametrize("forged", BAD_SIGNATURES.values(), ids=BAD_SIGNATURES)
async def test_a_forged_token_lets_nobody_in(door: Door, forged: Callable[[LocalIssuer, dict[str, Any]], str]) -> None:
    door.issuer.signed = lambda claims: forged(door.issuer, claims)
    async with door.browser() as browser:
        status, page, _ = await browser.sign_in()
        assert status == 403, page
        assert (await browser.get("/console/"))[0] == 401


async def test_an_answer_counts_once_and_for_the_browser_that_asked(door: Door) -> None:
    async with door.browser() as browser, door.browser() as other:
        asked = await browser.led("/console/sign-in/begin")
        async with browser.client.get(asked, allow_redirects=False) as response:
            back = response.headers["Location"]
        assert (await other.get(back))[0] == 403  # somebody else's browser (login CSRF)
        assert (await browser.get(back))[0] == 200
        assert (await browser.get(back))[0] == 403  # replayed
    assert len(door.issuer.seen) == 1


async def test_an_answer_that_takes_too_long_is_too_late(door: Door) -> None:
    async with door.browser() as browser:
        asked = await browser.led("/console/sign-in/begin")
        async with browser.client.get(asked, allow_redirects=False) as response:
            back = response.headers["Location"]
        door.clock[0] += timedelta(minutes=11)
        assert (await browser.get(back))[0] == 403
    assert not door.issuer.seen


@pytest.mark.parametrize(
    "change", [("iss=", "iss=https%3A%2F%2Fevil.example&x="), ("&iss=", "&x="), ("state=", "state=x")]
)
async def test_an_answer_of_another_issuer_or_sign_in_is_not_redeemed(door: Door, change: tuple[str, str]) -> None:
    async with door.browser() as browser:
        asked = await browser.led("/console/sign-in/begin")
        async with browser.client.get(asked, allow_redirects=False) as response:
            back = response.headers["Location"]
        assert (await browser.get(back.replace(*change)))[0] == 403
    assert not door.issuer.seen


async def test_the_identity_provider_s_own_refusal_is_said(door: Door) -> None:
    async with door.browser() as browser:
        asked = await browser.led("/console/sign-in/begin")
        state = parse_qs(urlsplit(asked).query)["state"][0]
        status, page, _ = await browser.get(f"/console/sign-in/back?error=access_denied&state={state}")
        assert status == 403
        assert "You were not signed in" in page
        assert "access_denied" not in page


async def test_keys_may_rotate_between_two_sign_ins(door: Door) -> None:
    async with door.browser() as browser:
        assert (await browser.sign_in())[0] == 200
    door.issuer.rotate("second")
    door.clock[0] += timedelta(minutes=1)
    async with door.browser() as browser:
        assert (await browser.sign_in())[0] == 200
    assert door.issuer.asked_for_keys == 2


async def test_tokens_with_unknown_keys_do_not_flood_the_identity_provider(door: Door) -> None:
    door.issuer.signed = lambda claims: jwt.encode({"alg": "RS256", "kid": "alien"}, claims, ALIEN)
    async with door.browser() as browser:
        for _ in range(5):
            assert (await browser.sign_in())[0] == 403
    assert door.issuer.asked_for_keys == 1


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/keys", "/token"])
@pytest.mark.parametrize("status", [500, 503, 302])
async def test_while_the_identity_provider_is_away_the_page_says_what_to_do(door: Door, path: str, status: int) -> None:
    door.issuer.fails[path] = status
    async with door.browser() as browser:
        answered, page, _ = await browser.sign_in()
        assert answered == 503
        assert "does not answer" in page
        assert "ring the provider" in page
        assert "Traceback" not in page
        del door.issuer.fails[path]
        assert (await browser.sign_in())[0] == 200


async def test_an_identity_provider_that_is_not_there_at_all() -> None:
    async with standing(url="http://127.0.0.1:9") as door, door.browser() as browser:
        answered, page, _ = await browser.sign_in()
        assert answered == 503
        assert "does not answer" in page


@pytest.mark.parametrize(
    "told",
    [
        {"issuer": "https://id.example.org"},
        {"token_endpoint": "http://evil.example/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": None},
        {"authorization_endpoint": "javascript:alert(1)"},
    ],
)
async def test_an_identity_provider_that_describes_itself_wrongly_is_not_used(door: Door, told: dict[str, Any]) -> None:
    door.issuer.told = told
    async with door.browser() as browser:
        assert (await browser.sign_in())[0] == 503


async def test_how_well_and_how_lately_a_person_authenticated_can_be_asked_for() -> None:
    async with standing(levels=("AAL2", "AAL3"), oldest=timedelta(minutes=30)) as door, door.browser() as browser:
        asked = parse_qs(urlsplit(await browser.led("/console/sign-in/begin")).query)
        assert asked["acr_values"] == ["AAL2 AAL3"]
        assert asked["max_age"] == ["1800"]
        for change in (
            {},
            {"acr": "AAL1"},
            {"acr": "AAL2", "auth_time": SECONDS - 1900},
            {"acr": "AAL2", "auth_time": None},
        ):
            door.issuer.alter = changed(**change)
            assert (await browser.sign_in())[0] == 403, change
        door.issuer.alter = changed(acr="AAL3", auth_time=SECONDS - 1700)
        assert (await browser.sign_in())[0] == 200


@pytest.mark.parametrize("key", [RSAKey.generate_key(2048), ECKey.generate_key("P-256")], ids=["RSA", "EC"])
async def test_the_gateway_can_show_a_signature_in_place_of_a_secret(key: RSAKey | ECKey) -> None:
    async with standing(secret="", key=key.as_pem(private=True).decode()) as door, door.browser() as browser:
        door.issuer.client_key = key
        assert (await browser.sign_in())[0] == 200
        assert "client_assertion" in door.issuer.seen[0]


async def test_roles_can_come_from_the_userinfo_address() -> None:
    async with standing(userinfo=True) as door, door.browser() as browser:
        door.issuer.person = {"sub": "1234"}
        door.issuer.userinfo = {"sub": "1234", "name": "Robin", "roles": ["vp"], "email": "not kept"}
        status, page, _ = await browser.sign_in()
        assert status == 200
        assert "Robin, Provider pharmacist, Example Homecare Ltd (VNE51)" in page
        door.issuer.userinfo = {"sub": "5678", "roles": ["hp"]}
        assert (await browser.sign_in())[0] == 403


async def test_the_store_being_away_lets_nobody_in(door: Door) -> None:
    door.notes.away = True
    async with door.browser() as browser:
        assert (await browser.sign_in())[0] == 503
        door.notes.away = False
        assert (await browser.get("/console/"))[0] == 401


# The session, and its end


async def test_one_person_has_one_session(door: Door) -> None:
    async with door.browser() as first, door.browser() as second:
        await first.sign_in()
        await second.sign_in()
        status, page, _ = await first.get("/console/")
        assert status == 401
        assert "You signed in somewhere else" in page
        assert (await second.get("/console/"))[0] == 200


def logout(door: Door, **change: Any) -> str:
    seconds = int(door.clock[0].timestamp())
    claims = {"iss": door.issuer.address, "aud": CLIENT, "iat": seconds, "exp": seconds + 60, "jti": "1", "sub": "1234"}
    stated = {**claims, "events": {LOGOUT: {}}, **change}
    return door.issuer.token({name: value for name, value in stated.items() if value is not None})


async def test_the_identity_provider_ends_a_person_s_session(door: Door) -> None:
    async with door.browser() as browser, door.browser() as issuer:
        await browser.sign_in()
        token = logout(door)
        assert (await issuer.post("/console/sign-in/ended", logout_token=token))[0] == 200
        status, page, _ = await browser.get("/console/")
        assert status == 401
        assert "signed out of your organisation" in page
        await browser.sign_in()
        assert (await issuer.post("/console/sign-in/ended", logout_token=token))[0] == 400  # replayed
        assert (await browser.get("/console/"))[0] == 200


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://id.example.org"},
        {"aud": "another"},
        {"events": {}},
        {"events": None},
        {"nonce": "x"},
        {"sub": None},
        {"jti": None},
        {"iat": SECONDS - 900},
        {"exp": SECONDS - 120},
        {"iat": None},
    ],
    ids=str,
)
async def test_a_forged_sign_out_ends_nothing(door: Door, change: dict[str, Any]) -> None:
    async with door.browser() as browser:
        await browser.sign_in()
        assert (await browser.post("/console/sign-in/ended", logout_token=logout(door, **change)))[0] == 400
        assert (await browser.post("/console/sign-in/ended", logout_token="nonsense"))[0] == 400
        assert (await browser.post("/console/sign-in/ended"))[0] == 400
        assert (await browser.get("/console/"))[0] == 200


async def test_an_id_token_is_no_sign_out(door: Door) -> None:
    async with door.browser() as browser:
        await browser.sign_in()
        seconds = int(door.clock[0].timestamp())
        claims = {"iss": door.issuer.address, "aud": CLIENT, "iat": seconds, "exp": seconds + 60, "sub": "1234"}
        token = door.issuer.token(claims)
        assert (await browser.post("/console/sign-in/ended", logout_token=token))[0] == 400


async def test_signing_out_ends_the_session_and_says_so(door: Door) -> None:
    async with door.browser() as browser:
        _, page, _ = await browser.sign_in()
        status, page, path = await browser.post("/console/leave", csrf=csrf(page))
        assert (status, path) == (200, "/console/sign-in")
        assert "You signed out" in page
        assert (await browser.get("/console/"))[0] == 401


async def test_outside_development_the_cookie_is_bound_to_the_host_and_no_link_lets_in() -> None:
    async with standing(development=False) as door, door.browser() as browser:
        asked = await browser.led("/console/sign-in/begin")
        async with browser.client.get(f"{door.address}/console/sign-in/begin", allow_redirects=False) as response:
            cookie = response.headers["Set-Cookie"]
        assert cookie.startswith("__Host-console_arrival=")
        for word in ("Secure", "HttpOnly", "Path=/;", "SameSite=lax"):
            assert word in cookie
        assert "Domain" not in cookie
        assert asked.startswith(door.issuer.address)
        assert (await browser.get(door.sessions.link()))[0] == 404
        assert (await browser.post("/console/links"))[0] == 404


@pytest.mark.parametrize(
    ("claimed", "shown"),
    [
        ("Perry Pharmacist", "Perry Pharmacist"),
        ("  Perry \n Pharmacist ", "Perry Pharmacist"),
        ("Perry\u202etsicamrahP\u200b", "PerrytsicamrahP"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("x" * 200, "x" * 80),
        (None, ""),
        (["Perry"], ""),
        ("\x00\x1b[31m", "[31m"),
    ],
)
def test_a_person_s_name_hides_and_turns_nothing(claimed: object, shown: str) -> None:
    assert shown_name(claimed) == shown


def test_a_short_name_is_never_an_operator_s_and_never_carries_what_a_subject_hides() -> None:
    assert short_name("1234", "https://id.example.nhs.uk/realm") == "1234@id.example.nhs.uk"
    odd = short_name("a b\n<c>", "https://id.example.nhs.uk")
    assert re.fullmatch(r"[0-9a-f]{24}@id\.example\.nhs\.uk", odd)
    assert odd != short_name("a b\n<d>", "https://id.example.nhs.uk")


async def test_a_name_with_a_script_in_it_is_words(door: Door) -> None:
    door.issuer.person["name"] = "<script>alert(1)</script>"
    async with door.browser() as browser:
        _, page, _ = await browser.sign_in()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
