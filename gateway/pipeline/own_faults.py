"""Our own faults, logged: a message the gateway wrote and that did not pass the gateway's own check.

The order is held and its operator alerted in the store (brief D6); the log line is for those who mend the writer. It
carries ids and a count, never what the message says.

Source: brief D6 and D16.
"""

import structlog

from gateway.domain.submission import Submission
from gateway.pipeline.translation import TranslatedOrder, Translation

CODE = "MESSAGE_INVALID"

_log = structlog.get_logger("pipeline")


def log(submission: Submission, translation: Translation) -> None:
    """Log each order and each cancel of a translation that failed the check of what was written.

    Args:
        submission: what it was written from.
        translation: after every step.
    """
    for order in translation.orders:
        if count := _faults(order):
            _log.error(
                "message_invalid",
                tenant=submission.tenant.value,
                format=submission.format.value,
                digest=submission.digest,
                prescription=order.verdict.prescription_id or "",
                count=count,
            )


def _faults(order: TranslatedOrder) -> int:
    of_updates = [*(one.faults for one in order.cancels), *(one.faults for one in order.holds)]
    return sum(issue.code == CODE for issues in (order.verdict.issues, *of_updates) for issue in issues)
