"""The words for messages and what became of them: one table, for the list, the page and what follows from them.

Sent, taken and accepted are not one word, and nothing is green here: that a system took bytes accepts no prescription.
"""

from collections.abc import Mapping
from typing import Final

from gateway.ports.inspection import Channel

CHANNELS: Final[Mapping[Channel, str]] = {
    Channel.RECEIVED: "In, from a trust",
    Channel.APART: "In, kept apart",
    Channel.SENT: "Out",
    Channel.ANSWER: "In, a provider's answer",
}
OUTCOME_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "translated": ("Translated", "grey"),
    "held": ("Held", "orange"),
    "refused": ("Refused", "red"),
    "task": ("Made a task for a person", "grey"),
    "duplicate": ("The same as an earlier one", "grey"),
    "unreadable": ("Could not be read", "red"),
    "clash": ("Control id used before", "red"),
    "not sent yet": ("Not sent yet", "grey"),
    "taken": ("Taken by their system", "blue"),
    "try_later": ("Not taken, to be tried later", "orange"),
    "in_doubt": ("Not known if it arrived", "orange"),
    "on_wire": ("Sent, no response yet", "grey"),
    "moved": ("Moved a line", "grey"),
    "changed nothing": ("Changed nothing", "orange"),
    "not understood": ("Not understood", "red"),
}
"""Words and colour of the tag."""
STATE_WORDS: Final[Mapping[str, str]] = {
    "due": "Waiting to be sent",
    "claimed": "About to be sent",
    "on_wire": "Being sent",
    "done": "Finished",
    "stuck": "Stopped: a person must act",
}
