"""The sandbox provider's words, and what each means here. A word that is not here is an issue, never a guess."""

from gateway.domain.lifecycle import LineEvent

STATUSES: dict[str, LineEvent] = {
    "arrived": LineEvent.ARRIVED,
    "accepted": LineEvent.ACCEPTED,
    "checked": LineEvent.VALIDATED,
    "rejected": LineEvent.REJECTED,
    "queried": LineEvent.QUERIED,
    "returned": LineEvent.RETURNED,
    "planned": LineEvent.SUPPLY_PLANNED,
    "postponed": LineEvent.POSTPONED,
    "being-made-up": LineEvent.DISPENSING_STARTED,
    "dispensed": LineEvent.DISPENSED,
    "dispatched": LineEvent.DISPATCHED,
    "delivered": LineEvent.DELIVERED,
    "not-delivered": LineEvent.DELIVERY_FAILED,
    "short": LineEvent.SUPPLY_SHORT,
    "balance-delivered": LineEvent.BALANCE_SUPPLIED,
    "balance-will-not-come": LineEvent.BALANCE_WILL_NOT_COME,
    "not-supplied": LineEvent.NOT_SUPPLIED,
    "delivery-withdrawn": LineEvent.SUPPLY_WITHDRAWN,
    "renewal-wanted": LineEvent.RENEWAL_REQUESTED,
    "on-hold": LineEvent.HOLD_CONFIRMED,
    "hold-refused": LineEvent.HOLD_REFUSED,
    "released": LineEvent.RELEASE_CONFIRMED,
    "release-refused": LineEvent.RELEASE_REFUSED,
    "cancelled": LineEvent.CANCEL_CONFIRMED,
    "cancel-too-late": LineEvent.CANCEL_TOO_LATE,
    "cancel-pending": LineEvent.CANCEL_PENDING,
    "cancel-unknown": LineEvent.CANCEL_UNKNOWN,
}
