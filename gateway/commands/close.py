"""`gateway close`."""

from gateway.commands.person import By, Config, Data, Reason
from gateway.commands.pharmacist import Asked, OneLine, Which, carry_out
from gateway.settings import read_settings


def close(
    prescription: Which, *, reason: Reason, by: By, line: OneLine = None, data: Data = None, config: Config = None
) -> None:
    """Close lines that were rejected, returned or never sent. Say how the patient gets the medicine instead."""
    settings = read_settings(data=data, config=config)
    asked = Asked(prescription=prescription, by=by, reason=reason, line=line)
    carry_out(settings, asked, lambda at, act: at.store.close_lines(act), "closed")
