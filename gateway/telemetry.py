"""Logs and metrics without patient data.

A log line is JSON on standard error. Only fields of the table below appear, and only values of the stated form:
whatever else is passed is withheld, and its *name* is listed, so that a forgotten field shows at once and a patient
never. Exceptions appear as their type and the places they passed, without their text, which may quote what was read.

Source: brief D16; reliability-security.md I8.
"""

import io
import logging
import re
import sys
import traceback
from collections.abc import Callable, Mapping, MutableMapping
from datetime import datetime
from pathlib import PurePath
from typing import Any, Final, TextIO, cast
from uuid import UUID

import msgspec
import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from gateway.domain.alert_kinds import ALERT_KINDS, about

Form = Callable[[object], bool]
_ENCODER: Final = msgspec.json.Encoder()

MOST_NUMBER: Final = 999_999_999
"""Ten digits could be an NHS number; no count or id of ours is that long."""


def _like(pattern: str) -> Form:
    compiled = re.compile(pattern, re.ASCII)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


def _number(value: object) -> bool:
    return isinstance(value, bool | int | float) and abs(value) <= MOST_NUMBER


_UUID_TEXT: Final = _like(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|")


def _uuid(value: object) -> bool:
    return isinstance(value, UUID) or _UUID_TEXT(value)


_WORD: Final = _like(r"[A-Za-z][A-Za-z_.-]{0,39}|")
_CODE: Final = _like(r"[A-Z][A-Z0-9]{2,11}|operator|")
_ADDRESS: Final = _like(r"[0-9a-fA-F:.%]{2,45}|[a-z][a-z0-9.-]{0,60}|")
_HEX: Final = _like(r"[0-9a-f]{64}|")

FIELDS: Final[dict[str, Form]] = {
    "event": _like(r"[A-Za-z][A-Za-z0-9 _.,'-]{0,99}"),
    "level": _WORD,
    "timestamp": _like(r"[0-9T:.Z+-]{10,40}"),
    "logger": _like(r"[a-z][a-z0-9_.]{0,60}"),
    **dict.fromkeys(("tenant", "destination", "provider", "trust", "principal"), _CODE),
    **dict.fromkeys(("correlation_id", "message", "prescription", "line"), _uuid),
    **dict.fromkeys(("digest", "key"), _HEX),
    **dict.fromkeys(("host", "peer"), _ADDRESS),
    **dict.fromkeys(("method", "outcome", "what", "kind", "error", "door"), _WORD),
    "format": _like(r"hl7v2|xml|fhir|"),
    "route": _like(r"/?[A-Za-z0-9_./{}$:-]{0,80}"),
    "worker": _like(r"[A-Za-z0-9_.:-]{1,60}"),
    "version": _like(r"[A-Za-z0-9_.-]{1,60}"),
    **dict.fromkeys(("status", "attempt", "rows", "row", "opened", "port", "pending", "bytes", "tls"), _number),
    **dict.fromkeys(("milliseconds", "seconds", "count", "development"), _number),
}
"""What may be logged, and in what form."""

_SET_HERE: Final = frozenset({"failed", "passed", "withheld"})
_ERRORS: Final = _SET_HERE | {"exc_info"}


def withhold(_: object, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Keep what `FIELDS` allows; name the rest. A structlog processor."""
    kept: dict[str, Any] = {}
    withheld: list[str] = []
    for name, value in event.items():
        if name in _SET_HERE or (name in FIELDS and FIELDS[name](value)):
            kept[name] = str(value) if isinstance(value, UUID) else value
        else:
            withheld.append(name)
    kept.setdefault("event", "unnamed")
    return kept | ({"withheld": sorted(withheld)} if withheld else {})


def places(_: object, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Replace an exception by its type and the places it passed. A structlog processor."""
    if _ERRORS.isdisjoint(event):
        return event
    event = {name: value for name, value in event.items() if name not in _SET_HERE}
    stated = event.pop("exc_info", None)
    error = stated if isinstance(stated, BaseException) else sys.exc_info()[1] if stated is True else None
    if isinstance(stated, tuple):
        error = stated[1]
    if error is not None:
        frames = traceback.extract_tb(error.__traceback__)
        event["failed"] = type(error).__name__
        event["passed"] = [f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames[-8:]]
    return event


def _encoded(_: object, __: str, event: MutableMapping[str, Any]) -> str:
    """Write a line as JSON. A structlog processor: what `withhold` has kept are words, numbers and lists of words."""
    return _ENCODER.encode(event).decode()


class _Redirect(logging.Handler):
    """Brings what libraries log under the same rules.

    Of the server's own log we keep the words of the template and none of its arguments; of any other library, no words
    at all, because some write what they were given into them.
    """

    def emit(self, record: logging.LogRecord) -> None:
        words = re.sub(r"[^A-Za-z ,.-]+", " ", str(record.msg)) if record.name.startswith("uvicorn") else "library"
        facts: dict[str, Any] = {"exc_info": record.exc_info} if record.exc_info else {}
        event = " ".join(words.split())[:100] or "unnamed"
        structlog.get_logger().log(record.levelno, event, logger=record.name.lower(), **facts)


class _StandardError(io.TextIOBase):
    """Standard error as it stands when a line is written, for it may be exchanged while the process runs."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def start_logging(level: str = "info", *, stream: TextIO | None = None) -> None:
    """Send every log line of the process, ours and the libraries', through the rules above.

    Args:
        level: debug, info, warning or error.
        stream: standard error if None.
    """
    threshold = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            places,
            withhold,
            _encoded,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(file=cast("TextIO", stream or _StandardError())),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[_Redirect()], level=max(threshold, logging.WARNING), force=True)


_ANSWER_BUCKETS: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Around the promise: 99 of 100 answers within 50 ms (brief 6)."""
_SEND_BUCKETS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_GROUP_BUCKETS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """Every figure the gateway publishes, with labels from closed lists only: tenants, routes, outcomes.

    Args:
        registry: where they are registered; a new one for each gateway, so that two may live in one process.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self.submissions = Counter(
            "gateway_submissions", "Submissions answered.", ("tenant", "format", "outcome"), registry=self.registry
        )
        self.answer_seconds = Histogram(
            "gateway_answer_seconds",
            "Time from a whole request to its answer.",
            ("door", "status"),
            buckets=_ANSWER_BUCKETS,
            registry=self.registry,
        )
        self.deliveries = Counter(
            "gateway_deliveries", "Transmissions tried.", ("destination", "outcome"), registry=self.registry
        )
        self.transmit_seconds = Histogram(
            "gateway_transmit_seconds",
            "Time of one transmission.",
            ("destination",),
            buckets=_SEND_BUCKETS,
            registry=self.registry,
        )
        self.commit_group = Histogram(
            "gateway_commit_group",
            "Transactions that shared one commit.",
            buckets=_GROUP_BUCKETS,
            registry=self.registry,
        )
        self.open_alerts = Gauge("gateway_open_alerts", "Prescriptions with an open alert.", registry=self.registry)
        self.alerts = Gauge(
            "gateway_alerts",
            "Open alerts, and how soon a person must act.",
            ("kind", "soon", "runbook"),
            registry=self.registry,
        )
        self.due_seconds = Gauge(
            "gateway_due_seconds", "How long the oldest message waits that could be sent.", registry=self.registry
        )
        self.prescriptions = Gauge(
            "gateway_prescriptions", "Distinct prescriptions by place in the books.", ("place",), registry=self.registry
        )
        self.joining_away = Gauge(
            "gateway_joining_away",
            "1 while this node cannot reach the server that joins it to others.",
            registry=self.registry,
        )
        self.watched_at = Gauge(
            "gateway_watched_timestamp_seconds", "When deadlines were last looked at.", registry=self.registry
        )

    def answered(self, door: str, status: int, seconds: float) -> None:
        """Note an answer: `door` is a route of the table or `mllp`."""
        self.answer_seconds.labels(door, f"{status // 100}xx").observe(seconds)

    def submitted(self, tenant: str, form: str, outcome: str) -> None:
        """Note what became of a submission."""
        self.submissions.labels(tenant, form, outcome).inc()

    def transmitted(self, destination: str, outcome: str, seconds: float) -> None:
        """Note one attempt to send."""
        self.deliveries.labels(destination, outcome).inc()
        self.transmit_seconds.labels(destination).observe(seconds)

    def joined(self, there: bool) -> None:  # noqa: FBT001 - the state is the one thing there is to tell
        """Note whether the server that joins the nodes is there."""
        self.joining_away.set(not there)

    def watched(self, at: datetime) -> None:
        """Note a complete sweep."""
        self.watched_at.set(at.timestamp())

    def counted(self, books: Mapping[str, int]) -> None:
        """Publish the books."""
        for place, count in books.items():
            self.prescriptions.labels(place).set(count)
        self.open_alerts.set(books.get("alerted", 0))

    def stands(self, *, alerts: Mapping[str, int], due_seconds: float) -> None:
        """Publish how the store stands.

        Args:
            alerts: open alerts by kind; a kind of another version counts as `other`.
            due_seconds: how long the oldest message waits that could be sent; 0 if none does.
        """
        self.alerts.clear()
        for kind, count in alerts.items():
            row = about(kind)
            named = kind if kind in ALERT_KINDS else "other"
            self.alerts.labels(named, row.soon.name.lower(), row.runbook).inc(count)
        self.due_seconds.set(due_seconds)
