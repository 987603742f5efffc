"""Notices by e-mail: SMTP over TLS, one message to one person, with the same Message-ID at every attempt.

What a server took without saying so is sent again: the id lets a mailbox show it once. Headers are written by the
standard library, which refuses a line break in any of them; nothing that others wrote stands in one.

Source: RFC 5321 4.2.1 (what a reply code means), RFC 3207 (STARTTLS), RFC 3834 5 (Auto-Submitted).
"""

import asyncio
import ssl
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

import aiosmtplib

from gateway.domain.notice import NoticeKind
from gateway.domain.notice_rules import MailSecurity, MailServer
from gateway.notifier.sender import Later, Letter, Never, Result, Went

_PERMANENT: Final = range(500, 600)
_ABOUT_US: Final = (aiosmtplib.SMTPAuthenticationError, aiosmtplib.SMTPHeloError, aiosmtplib.SMTPConnectError)
"""Refusals that concern us and not this message: a person can mend them, and then it goes."""


class Mailer:
    """Sends by one server.

    Args:
        server: which, and how.
        context: whom it may be; None for whom the system trusts.
    """

    def __init__(self, server: MailServer, *, context: ssl.SSLContext | None = None) -> None:
        self._server = server
        self._context = context or ssl.create_default_context()

    async def send(self, letter: Letter) -> Result:
        """See `Sender`."""
        try:
            async with asyncio.timeout(self._server.seconds), self._client() as client:
                await self._log_in(client)
                await client.send_message(
                    written(letter, self._server.sender), sender=self._server.sender, recipients=[letter.to.mail]
                )
        except aiosmtplib.SMTPRecipientsRefused as error:
            return _refused(error.recipients[0].code if error.recipients else 0)
        except aiosmtplib.SMTPResponseException as error:
            return Later(said=_said(error)) if isinstance(error, _ABOUT_US) else _refused(error.code)
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            return Later(said=_said(error))
        return Went(said="the mail server took it")

    async def look(self) -> str:
        """See `Sender`."""
        try:
            async with asyncio.timeout(self._server.seconds), self._client() as client:
                await self._log_in(client)
                await client.noop()
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            return _said(error)
        return ""

    async def close(self) -> None:
        """See `Sender`. Every attempt lets go of its own connection."""

    def _client(self) -> aiosmtplib.SMTP:
        return aiosmtplib.SMTP(
            hostname=self._server.host,
            port=self._server.port,
            use_tls=self._server.security is MailSecurity.TLS,
            start_tls=self._server.security is MailSecurity.STARTTLS,
            tls_context=self._context if self._server.security is not MailSecurity.NONE else None,
            timeout=self._server.seconds,
        )

    async def _log_in(self, client: aiosmtplib.SMTP) -> None:
        if self._server.user:
            await client.login(self._server.user, self._server.password)


def written(letter: Letter, sender: str) -> EmailMessage:
    """Write the message: plain text, no patient data, and how a reply is kept away from it."""
    notice = letter.notice
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = letter.to.mail
    message["Subject"] = f"Homecare prescriptions: {notice.words.subject}"
    message["Date"] = format_datetime(notice.written_at)
    message["Message-ID"] = f"<{notice.id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    if notice.kind is NoticeKind.STEP and "now" in notice.words.subject:
        message["Importance"] = "high"
    message.set_content(
        f"{notice.words.text}\n\n{letter.link}\n\n"
        "This message holds no patient data. Please put none into an answer: nobody reads answers to it.\n"
    )
    return message


def _refused(code: int) -> Result:
    said = f"the mail server answered {code}"
    return Never(said=said) if code in _PERMANENT else Later(said=said)


def _said(error: BaseException) -> str:
    code = getattr(error, "code", None)
    return f"{type(error).__name__}{f' {code}' if isinstance(code, int) else ''}"
