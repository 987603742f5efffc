"""Until when a prescription may be supplied from.

Source: HMR 2012 reg 217; reliability-security.md 6.2 (`nva`).
"""

from datetime import datetime

from gateway.domain.prescription import Prescription


def not_valid_after(prescription: Prescription) -> datetime:
    """Give the moment after which a provider must refuse the message.

    Six months from the appropriate date, or the end of the stated validity where that is sooner; the end of that day.

    Source: HMR 2012 reg 217; reliability-security.md 6.2 (`nva`).
    """
    year, month = divmod(prescription.authored.month + 5, 12)
    latest = prescription.authored.date().replace(
        year=prescription.authored.year + year, month=month + 1, day=min(prescription.authored.day, 28)
    )
    end = min(latest, prescription.valid_to) if prescription.valid_to else latest
    return datetime(end.year, end.month, end.day, 23, 59, 59, tzinfo=prescription.authored.tzinfo)
