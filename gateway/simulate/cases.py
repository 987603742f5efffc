"""One line as the provider that has it sees it: what is handed over, whether it may go on, what is said when."""

import asyncio

from gateway.simulate.answers import Line, Message, Word


class Case:
    """One line of one message at one provider.

    Whatever is decided here is decided at once, before anything is said of it; what is said of a line is said in the
    order in which it was decided, so that a supply is told before the rest is given up.

    Attributes:
        message: it came in; `line`: the line.
        turn: whoever speaks of the line holds it.
        asked: whether the trust or the gateway has asked anything of it since.
        settled: of an answer to such a question, whether the line had been given up before it was asked.
    """

    def __init__(self, message: Message, line: Line) -> None:
        self.message = message
        self.line = line
        self.turn = asyncio.Lock()
        self.asked = False
        self.settled = False
        self.made = 0
        self.stopped = False
        self._may_supply = asyncio.Event()
        self._may_supply.set()

    @property
    def live(self) -> bool:
        """Whether more of it may be handed over here."""
        return not self.stopped and self.made < self.line.supplies

    @property
    def on_hold(self) -> bool:
        """Whether nothing is handed over for the time being."""
        return not self._may_supply.is_set()

    async def until_free(self) -> None:
        """Wait while it is on hold."""
        await self._may_supply.wait()

    def stop(self) -> Word:
        """Hand over no more, and give the answer to whoever asked for that."""
        if self.made >= self.line.supplies:
            return Word.CANCEL_TOO_LATE
        self.stopped = True
        self._may_supply.set()
        return Word.CANCELLED

    def hold(self) -> Word:
        """Hand over nothing for the time being, and give the answer to that."""
        if not self.live:
            return Word.HOLD_REFUSED
        self._may_supply.clear()
        return Word.ON_HOLD

    def release(self) -> Word:
        """Go on, and give the answer to that."""
        if not self.on_hold:
            return Word.RELEASE_REFUSED
        self._may_supply.set()
        return Word.RELEASED
