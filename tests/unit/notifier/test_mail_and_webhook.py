"""Mail and webhooks against real servers on real sockets: there, down, slow, refusing, and taking without saying so."""

import asyncio
import email
import hashlib
import hmac
import json
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from email import policy
from email.message import EmailMessage
from typing import Any
from uuid import UUID

import pytest
import trustme
from aiohttp import web
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from gateway.domain.escalation import Contact
from gateway.domain.notice import Channel, Item, NoticeKind, Outgoing, step_words
from gateway.domain.notice_rules import MailSecurity, MailServer, Webhooks
from gateway.notifier.mail import Mailer, written
from gateway.notifier.sender import Later, Letter, Never, Went
from gateway.notifier.webhook import Poster, signature
from tests.factories import MOMENT

pytestmark = [  # what the test's own mail server says of how it is set up
    pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS"),
    pytest.mark.filterwarnings("ignore:Session.login_data is deprecated"),
]
SECRET = "a shared secret"
PERRY = Contact(name="Perry Pharmacist", mail="perry@example.nhs.uk", webhook="http://127.0.0.1:1/hook")


def letter(*, to: Contact = PERRY, channel: Channel = Channel.MAIL, attempt: int = 1) -> Letter:
    notice = Outgoing(
        id=UUID("00000000-0000-4000-8000-000000000001"),
        kind=NoticeKind.STEP,
        circle="RBA",
        person=to.name,
        channel=channel,
        words=step_words([Item(alert=7, kind="safety-incident")]),
        written_at=MOMENT,
        lease="x",
        attempt=attempt,
    )
    return Letter(notice=notice, to=to, link="https://homecare.example.nhs.uk/console/work/7")


# ---- mail


@dataclass
class Postbox:
    """A mail server's mind: what it took, and what it does with the next."""

    taken: list[tuple[str, EmailMessage]] = field(default_factory=list)
    rcpt: str = "250 OK"
    data: str = "250 OK"
    slow_seconds: float = 0.0
    cut: bool = False

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.rcpt.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.rcpt

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - the same
        await asyncio.sleep(self.slow_seconds)
        octets = envelope.content
        assert isinstance(octets, bytes)
        message = email.message_from_bytes(octets, policy=policy.SMTP)
        assert isinstance(message, EmailMessage)
        if self.data.startswith("250"):
            self.taken.append((envelope.rcpt_tos[0], message))
        if self.cut:
            assert server.transport is not None
            server.transport.abort()  # type: ignore[attr-defined]
        return self.data


def let_in(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any) -> AuthResult:
    return AuthResult(success=data.login == b"gateway" and data.password == b"right", handled=False)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def contexts(authority: trustme.CA) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return server, client


@asynccontextmanager
async def mail_server(
    postbox: Postbox,
    *,
    context: ssl.SSLContext | None = None,
    implicit: bool = False,
    wants_login: bool = False,
    offers_tls: bool = True,
) -> AsyncIterator[int]:
    """Serve SMTP on a free port of loopback, and give it."""
    loop = asyncio.get_running_loop()

    def made() -> SMTP:
        return SMTP(
            postbox,
            loop=loop,
            hostname="localhost",
            tls_context=context if context and not implicit and offers_tls else None,
            require_starttls=bool(context and not implicit and offers_tls),
            authenticator=let_in if wants_login else None,
            auth_required=wants_login,
            auth_require_tls=False,
        )

    server = await loop.create_server(made, "127.0.0.1", 0, ssl=context if implicit else None)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


def server_at(port: int, **changes: Any) -> MailServer:
    plain = MailServer(
        host="localhost", port=port, security=MailSecurity.NONE, sender="homecare@gateway.example.nhs.uk", seconds=3.0
    )
    return replace(plain, **changes)


async def test_a_mail_holds_what_waits_and_where_to_sign_in_and_says_that_it_is_a_machine_s() -> None:
    postbox = Postbox()
    async with mail_server(postbox) as port:
        assert await Mailer(server_at(port)).send(letter()) == Went(said="the mail server took it")
    ((to, message),) = postbox.taken
    assert to == message["To"] == "perry@example.nhs.uk"
    assert message["Subject"].strip() == "Homecare prescriptions: 1 prescription needs you now, reference 0007-07"
    assert message["Message-ID"] == "<00000000-0000-4000-8000-000000000001@gateway.example.nhs.uk>"
    assert message["Auto-Submitted"] == "auto-generated"
    body = message.get_content()
    assert "https://homecare.example.nhs.uk/console/work/7" in body
    assert "no patient data" in body


async def test_a_repetition_bears_the_same_id() -> None:
    assert (
        written(letter(attempt=1), "a@b.example")["Message-ID"]
        == written(letter(attempt=2), "a@b.example")["Message-ID"]
    )


@pytest.mark.parametrize("implicit", [True, False])
async def test_mail_goes_over_tls_with_a_password(authority: trustme.CA, implicit: bool) -> None:  # noqa: FBT001 - a case
    postbox = Postbox()
    served, trusts = contexts(authority)
    security = MailSecurity.TLS if implicit else MailSecurity.STARTTLS
    async with mail_server(postbox, context=served, implicit=implicit, wants_login=True) as port:
        server = server_at(port, security=security, user="gateway", password="right")
        mailer = Mailer(server, context=trusts)
        assert await mailer.look() == ""
        assert isinstance(await mailer.send(letter()), Went)
        wrong = Mailer(replace(server, password="wrong"), context=trusts)
        assert isinstance(await wrong.send(letter()), Later)
        assert "535" in await wrong.look()
    assert len(postbox.taken) == 1


@pytest.mark.parametrize("offers_tls", [True, False])
async def test_nothing_is_said_to_a_server_that_is_not_who_it_should_be_or_speaks_in_the_clear(
    authority: trustme.CA,
    offers_tls: bool,  # noqa: FBT001 - a case
) -> None:
    postbox = Postbox()
    served, _ = contexts(authority)
    stranger = contexts(trustme.CA())[1]
    async with mail_server(postbox, context=served, offers_tls=offers_tls) as port:
        mailer = Mailer(server_at(port, security=MailSecurity.STARTTLS), context=stranger)
        assert isinstance(await mailer.send(letter()), Later)
        assert await mailer.look() != ""
    assert postbox.taken == []


@pytest.mark.parametrize(
    ("rcpt", "data", "expected"),
    [
        ("550 no such mailbox", "250 OK", Never),
        ("451 come again", "250 OK", Later),
        ("250 OK", "554 refused", Never),
        ("250 OK", "452 no room", Later),
    ],
)
async def test_a_refusal_for_good_is_told_from_one_for_now(rcpt: str, data: str, expected: type) -> None:
    postbox = Postbox(rcpt=rcpt, data=data)
    async with mail_server(postbox) as port:
        result = await Mailer(server_at(port)).send(letter())
    assert isinstance(result, expected)
    assert rcpt[:3] in result.said or data[:3] in result.said
    assert "mailbox" not in result.said


async def test_a_server_that_is_down_slow_or_silent_is_tried_again() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = taken.getsockname()[1]
        assert isinstance(await Mailer(server_at(nobody)).send(letter()), Later)
    async with mail_server(Postbox(slow_seconds=5)) as port:
        begun = asyncio.get_running_loop().time()
        assert isinstance(await Mailer(server_at(port, seconds=0.5)).send(letter()), Later)
        assert asyncio.get_running_loop().time() - begun < 3


async def test_what_was_taken_without_a_word_is_sent_again_under_the_same_id() -> None:
    postbox = Postbox(cut=True)
    async with mail_server(postbox) as port:
        assert isinstance(await Mailer(server_at(port)).send(letter()), Later)
        postbox.cut = False
        assert isinstance(await Mailer(server_at(port)).send(letter(attempt=2)), Went)
    ids = [message["Message-ID"] for _, message in postbox.taken]
    assert len(ids) == 2
    assert len(set(ids)) == 1


@pytest.mark.parametrize("broken", ["a@b.example\r\nBcc: all@b.example", "a@b.example\nX: y"])
def test_no_header_can_be_smuggled_in(broken: str) -> None:
    with pytest.raises(ValueError, match=r"linefeed|newline|Header"):
        written(letter(to=replace(PERRY, mail=broken)), "a@b.example")
    with pytest.raises(ValueError, match=r"linefeed|newline|Header"):
        written(letter(), broken)


# ---- webhooks

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Hook:
    """What a webhook was asked."""

    answer: Answer
    asked: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((dict(request.headers), await request.read()))
        return await self.answer(request)


@asynccontextmanager
async def hooked(answer: Answer) -> AsyncIterator[tuple[Hook, str]]:
    hook = Hook(answer)
    app = web.Application()
    app.router.add_post("/hook", hook.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    try:
        yield hook, f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}/hook"  # type: ignore[attr-defined]
    finally:
        await runner.cleanup()


def status(code: int, **headers: str) -> Answer:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=code, headers=headers)

    return answer


@asynccontextmanager
async def poster(*hosts: str, seconds: float = 3.0) -> AsyncIterator[Poster]:
    found = Poster(
        Webhooks(hosts=frozenset(hosts or {"127.0.0.1"}), secret=SECRET, seconds=seconds),
        now=lambda: datetime.fromtimestamp(1_795_000_000, MOMENT.tzinfo),
    )
    try:
        yield found
    finally:
        await found.close()


def to_hook(address: str) -> Letter:
    return letter(to=replace(PERRY, webhook=address), channel=Channel.WEBHOOK)


async def test_a_post_is_signed_over_its_time_and_body_and_holds_no_patient_data() -> None:
    async with hooked(status(204)) as (hook, address), poster() as sender:
        assert await sender.send(to_hook(address)) == Went(said="the webhook answered 204")
    ((headers, body),) = hook.asked
    expected = hmac.new(SECRET.encode(), b"1795000000." + body, hashlib.sha256).hexdigest()
    assert headers["Homecare-Signature"] == f"v1={expected}" == signature(SECRET, 1_795_000_000, body)
    assert headers["Homecare-Timestamp"] == "1795000000"
    assert headers["Homecare-Notice"] == json.loads(body)["id"] == str(letter().notice.id)
    assert set(json.loads(body)) == {"id", "kind", "circle", "person", "text", "subject", "link", "written_at"}
    assert json.loads(body)["text"].startswith("1 prescription needs you now, reference 0007-07.")


@pytest.mark.parametrize(
    ("code", "expected"),
    [(200, Went), (302, Later), (400, Never), (404, Never), (410, Never), (429, Later), (500, Later), (503, Later)],
)
async def test_each_answer_has_its_meaning(code: int, expected: type) -> None:
    async with hooked(status(code, Location="/elsewhere")) as (hook, address), poster() as sender:
        assert isinstance(await sender.send(to_hook(address)), expected)
    assert len(hook.asked) == 1  # nobody is led elsewhere


async def test_no_host_is_asked_that_is_not_named() -> None:
    async with hooked(status(200)) as (hook, address), poster("hooks.example.nhs.uk") as sender:
        assert isinstance(await sender.send(to_hook(address)), Never)
    assert hook.asked == []


async def test_a_webhook_that_is_down_or_slow_is_tried_again() -> None:
    async def slow(_: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    async with poster(seconds=0.3) as sender:
        assert isinstance(await sender.send(to_hook("http://127.0.0.1:1/hook")), Later)
        async with hooked(slow) as (_, address):
            assert isinstance(await sender.send(to_hook(address)), Later)


async def test_a_webhook_that_is_cut_off_after_it_took_the_post_is_asked_again_under_the_same_id() -> None:
    async def cut(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with hooked(cut) as (hook, address), poster() as sender:
        assert isinstance(await sender.send(to_hook(address)), Later)
        assert isinstance(await sender.send(to_hook(address)), Later)
    assert len({headers["Homecare-Notice"] for headers, _ in hook.asked}) == 1


def test_addresses_stand_in_no_repr() -> None:
    assert "perry@" not in repr(letter())
    assert "127.0.0.1" not in repr(PERRY)
    assert SECRET not in repr(Webhooks(hosts=frozenset({"x"}), secret=SECRET))
    assert "right" not in repr(server_at(1, user="gateway", password="right"))
