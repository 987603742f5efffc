"""What moved, told to every node that listens. Who was not listening hears nothing of it later."""

from collections.abc import AsyncGenerator
from typing import Any, Final
from uuid import UUID

from gateway.domain.identifiers import OdsCode
from gateway.joining.address import client
from gateway.joining.link import FAILURES, Command, Link
from gateway.ports.joining import Changed

ANYTHING: Final = Changed(subject=None)
_LISTEN_SECONDS: Final = 1.0


class Channel:
    """The channel of one gateway.

    Args:
        url: as `address.checked` takes it.
        name: of the channel.
        patience_seconds: how long an answer may take.
        link: knows whether the server is there.
    """

    def __init__(self, url: str, *, name: str, patience_seconds: float, link: Link) -> None:
        self._url, self._name, self._patience, self._link = url, name, patience_seconds, link

    def tell(self, change: Changed) -> Command:
        """Give the command that tells of a change."""
        return ("PUBLISH", self._name, f"{change.subject or ''} {change.tenant or ''}")

    async def listen(self) -> AsyncGenerator[Changed, None]:
        """Give changes; `ANYTHING` at first, and whenever some may have been missed."""
        while True:
            await self._link.came.wait()
            hears = client(self._url, patience_seconds=self._patience)
            try:
                async with hears.pubsub(ignore_subscribe_messages=True) as heard:
                    await heard.subscribe(self._name)
                    comings = -1
                    while True:
                        if comings != self._link.comings:
                            comings = self._link.comings
                            yield ANYTHING
                        message = await heard.get_message(timeout=_LISTEN_SECONDS)
                        if message is not None:
                            yield _changed(message["data"])
            except FAILURES as error:
                self._link.lost(error)
            finally:
                await hears.aclose()


def _changed(text: Any) -> Changed:
    subject, _, tenant = str(text).partition(" ")
    try:
        return Changed(subject=UUID(subject), tenant=OdsCode.parse(tenant))
    except ValueError:
        return ANYTHING
