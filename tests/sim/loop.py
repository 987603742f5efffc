"""Virtual time: coroutines of the production code, driven one step at a time, in one order that a seed decides.

Nothing here sleeps or threads. A coroutine gives the loop one of three things: `Sleep`, `Write` (a closure for the
store's writer) or `Wait` (for a `Promise`), and is gone on with when its time comes.

Source: reliability-security.md 3.4.
"""

import heapq
from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass, field
from typing import Any, Final

Act = Callable[[], object]


@dataclass(slots=True)
class Sleep:
    """Go on after so many seconds of virtual time."""

    seconds: float

    def __await__(self) -> Generator[Any, Any, None]:
        yield self


@dataclass(slots=True)
class Write:
    """Hand a closure to the writer, and go on when its group has committed."""

    closure: Callable[[], Any]

    def __await__(self) -> Generator[Any, Any, Any]:
        return (yield self)


@dataclass(slots=True)
class Promise:
    """A value that comes later, or never."""

    value: Any = None
    kept: bool = False
    waiting: "Callable[[Any], None] | None" = None

    def keep(self, value: Any) -> None:
        """Give the value, once; a later one is dropped, as is one that nobody waits for any more."""
        if self.kept:
            return
        self.value, self.kept = value, True
        if self.waiting is not None:
            self.waiting(value)


@dataclass(slots=True)
class Wait:
    """Go on with the promised value, or with None when so many seconds have passed."""

    promise: Promise
    seconds: float

    def __await__(self) -> Generator[Any, Any, Any]:
        return (yield self)


@dataclass(slots=True, eq=False)
class Task:
    """One coroutine under way.

    Attributes:
        result: what it returned.
        ended: called with the result when it returns.
    """

    coroutine: Coroutine[Any, Any, Any]
    alive: bool = True
    result: Any = None
    ended: list[Callable[[Any], object]] = field(default_factory=list)

    def add_done_callback(self, act: Callable[[Any], object]) -> None:
        """Call `act` with the result at the end, or now if that was reached."""
        if self.alive:
            self.ended.append(act)
        else:
            act(self.result)

    def kill(self) -> None:
        """End it where it stands, as the death of its process does."""
        if self.alive:
            self.alive = False
            self.coroutine.close()


LATE: Final = float("inf")


class Loop:
    """Events in the order of their time; equal times in the order in which they were asked for."""

    def __init__(self, submit: Callable[[Task, Callable[[], Any]], None]) -> None:
        self.now = 0.0
        self._submit = submit
        self._events: list[tuple[float, int, Act]] = []
        self._asked = 0

    def after(self, seconds: float, act: Act) -> None:
        """Do something in so many seconds."""
        self._asked += 1
        heapq.heappush(self._events, (self.now + seconds, self._asked, act))

    def spawn(self, coroutine: Coroutine[Any, Any, Any]) -> Task:
        """Begin a coroutine; it runs to its first stop at once."""
        task = Task(coroutine)
        self.step(task)
        return task

    def step(self, task: Task, value: Any = None, error: BaseException | None = None) -> None:
        """Go on with a task until it stops or ends. What it raises, it raises here: a bug ends the run."""
        if not task.alive:
            return
        try:
            asked = task.coroutine.throw(error) if error is not None else task.coroutine.send(value)
        except StopIteration as end:
            task.alive, task.result = False, end.value
            for act in task.ended:
                act(end.value)
            return
        if isinstance(asked, Write):
            self._submit(task, asked.closure)
        elif isinstance(asked, Sleep):
            self.after(asked.seconds, lambda: self.step(task))
        else:
            self._await(task, asked)

    def _await(self, task: Task, wait: Wait) -> None:
        promise = wait.promise
        if promise.kept:
            self.after(0.0, lambda: self.step(task, promise.value))
            return
        open_ = [True]

        def go_on(value: Any) -> None:
            if open_[0]:
                open_[0] = False
                self.step(task, value)

        promise.waiting = go_on
        if wait.seconds != LATE:
            self.after(wait.seconds, lambda: go_on(None))

    def run(self, until: float) -> None:
        """Let everything happen up to a moment."""
        events = self._events
        while events and events[0][0] <= until:
            self.now, _, act = heapq.heappop(events)
            act()
        self.now = until
