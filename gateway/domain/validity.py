"""Until when a prescription may be supplied from.

Source: HMR 2012 reg 217; reliability-security.md 6.2 (`nva`); DECISIONS 0074.
"""

from datetime import datetime, time

from gateway.domain.calendar import LONDON
from gateway.domain.prescription import Prescription


def not_valid_after(prescription: Prescription) -> datetime:
    """Give the moment after which a provider must refuse the message: the last second of a London day.

    Six months from the appropriate date, or the end of the stated validity where that is sooner. Both are days of the
    United Kingdom's calendar (HMR 2012 reg 217 counts from the *appropriate date* and in months, and says no hour), so
    the day that a prescription was signed on and the end of its last day are those of London, whatever offset the
    sender's clock states. Six months end no later than the 28th of their month: early rather than late.

    Returns:
        23:59:59 of the last day, in London's zone.

    Source:
        HMR 2012 reg 217; reliability-security.md 6.2 (`nva`); DECISIONS 0074.
    """
    signed = prescription.authored.astimezone(LONDON).date()
    year, month = divmod(signed.month + 5, 12)
    latest = signed.replace(year=signed.year + year, month=month + 1, day=min(signed.day, 28))
    end = min(latest, prescription.valid_to) if prescription.valid_to else latest
    return datetime.combine(end, time(23, 59, 59), LONDON)
