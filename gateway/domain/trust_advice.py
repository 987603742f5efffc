"""What a trust's people do about an alert that the gateway's people see to, and about a line whose time is over.

`alert_kinds` speaks to whoever is called for the kind, and its runbook says the rest. A pharmacist who reads the same
alert is told here what is theirs: by the kind where somebody else sees to it, and by the state where the alert says no
more than that a line stands there for too long.

Source: console.md 6.1 (who acts, and the next step), 10; mapping.md 10.2.
"""

from collections.abc import Collection, Mapping
from typing import Final

from gateway.domain.alert_kinds import about
from gateway.domain.held_advice import held_advice
from gateway.domain.lifecycle import LineState
from gateway.domain.work_item import settled

S = LineState

OVER_TIME: Final[Mapping[LineState, str]] = {
    S.RECEIVED: "It is stored here and has not been judged. The gateway's operator sees to it; if the medicine runs out"
    " soon, ring the help number below.",
    S.HELD: held_advice(()).do,
    S.AWAITING_SCREENING: "Check it: pass it, or return it to the prescriber with a reason. Nothing has gone to the"
    " provider.",
    S.READY: "It has not left. If it waits for the order that it replaces, have the cancel of that one answered, or"
    " decide the late change. Otherwise the gateway's operator sees to it. If the medicine would run out first, give it"
    " to another provider, or cancel it and supply the patient otherwise.",
    S.UNDELIVERABLE: "It never left. Send it again, give it to another provider, or cancel it.",
    S.SENT: "Ring the provider: do they have it? Ask them to answer it in their system, and log what they say. Do not"
    " prescribe it anew before you know: they may have it.",
    S.UNCERTAIN: "Ring the provider: do they have it? Log what they state. Until then it is neither sent again nor"
    " prescribed anew, or the patient could be supplied twice.",
    S.WITH_PROVIDER: "Ring the provider: their system has it, and nobody there has accepted it. When will they? Log"
    " what they say.",
    S.ACCEPTED: "Ring the provider: their system accepted it, and we do not know that their pharmacist has checked it."
    " What holds it up? Log what they say.",
    S.VALIDATED: "Ring the provider: it is checked, and we know of no delivery. Can they reach the patient? Log what"
    " they say.",
    S.QUERIED: "Answer the provider's question, and ring them with the answer: no message carries it to them.",
    S.IN_SUPPLY: "Ask the provider where the supply stands, and when the next delivery comes: we have heard nothing of"
    " it for too long. Log what they say.",
    S.PART_SUPPLIED: "Ask the provider when the rest comes, and see until when the patient has medicine.",
    S.ON_HOLD: "Is the hold still wanted? Release it, or cancel it.",
    S.REJECTED: "Read the provider's reason. Correct it in your own system and send it again, give it to another"
    " provider, or close it.",
    S.RETURNED: "Read the provider's reason. Prescribe it anew, give it to another provider, or close it.",
}
"""By the state that a line has stood in for too long."""

_MOVED_ON: Final = "The line has moved on. If nothing is left to do, close this row with a reason."

_BY_KIND: Final[Mapping[str, str]] = {
    "safety-incident": "Ring the provider and stop what can be stopped. Reach the patient: what came, and what was"
    " taken of it? Tell your safety officer.",
    "line-uncertain": OVER_TIME[S.UNCERTAIN],
    "acceptance-missing": "Nothing is asked of you: the provider is supplying it. The gateway's operator asks them for"
    " the answer that is missing.",
    "transmission-stuck": "A message to the provider was given up, and the gateway's operator finds out why. Where it"
    " was a cancel or a hold, ring the provider now: it is not cancelled and not on hold.",
    "tell-stuck": "Your own system was not told, and may show an older state: go by this page. Have its supplier look;"
    " the message can then be sent again.",
    "message-invalid": "This is a fault of the gateway, and nothing was sent. Send the prescription to the provider by"
    " your usual other way; the gateway's operator has it mended.",
    "reroute-unfinished": "The first provider gave it up and the next does not have it: nobody supplies it. Ring the"
    " help number below. If the medicine runs out first, supply the patient otherwise.",
    "answer-not-understood": "The provider said something that we could not use, and nothing moved. Ring them"
    " and log what they meant.",
    "answer-unread": "The provider said something that we have not read, and nothing moved. Ring them and log"
    " what they meant.",
    "answer-id-reused": "The provider gave two different answers as if they were one; the second moved nothing. Ring"
    " them and log which holds.",
    "answer-unbound": "The provider's answer does not belong to this prescription as it was sent, and moved nothing."
    " Ring them and log what they meant.",
    "answer-wrong-provider": "Another provider answered for this one. Ring both: only one may supply it. Log what each"
    " says.",
    "answer-takes-back": "The provider takes back what cannot be taken back here. Ring them and log which holds.",
    "answer-unexpected": "The provider's answer does not fit where the prescription stands, and moved nothing. Ring"
    " them and log where it stands with them.",
    "submission-unreadable": "A message from your own system could not be read, and your system was told so. Find out"
    " which prescription it was, and whether it came again.",
    "submission-clash": "Your own system sent other content under a number that it had used, and was told so. Find out"
    " which prescription it was: it must be sent under a number of its own.",
    "lists-differ": "Your list of a day and ours name different things. What you sent and we do not have, send again.",
    "message-lost": "We told you that we had this message, and have lost it. Send it again from your own system, under"
    " the same number.",
    "act-lost": "We told you that this was cancelled or on hold, and have lost it. Do it again here, now: what you"
    " stopped could be sent when your orders are let go.",
    "restored": "What came and went since the backup is not here. Compare with your own system before you rely on a"
    " status; the gateway's operator asks every provider.",
    "holding-unknown": "The provider has a prescription that we lost. Send it again from your own system: it is not"
    " sent to them twice.",
    "holding-elsewhere": "Two providers may have this. Ring both, and have one of them give it up: the patient could be"
    " supplied twice.",
    "holding-missing": "The provider does not have it, and it may never be supplied. Ring them and log what they say;"
    " if the medicine runs out first, supply the patient otherwise.",
    "holding-differs": "The provider and we differ on what became of it. Ring them and log where it stands with them.",
}


def for_trust(kind: str, state: LineState | None = None, held_for: Collection[str] = ()) -> str:
    """Give what a trust's people do about an alert.

    Args:
        kind: of the alert.
        state: where its line stands now; None where it is about no line.
        held_for: codes of the issues for which its line is held.
    """
    if state is not None and settled(kind, state):
        return _MOVED_ON
    if state is S.HELD and kind in {"overdue", "line-held"}:
        return held_advice(held_for).do
    if kind == "overdue" or _names_a_state_alone(kind):
        return OVER_TIME.get(state, _MOVED_ON) if state is not None else _MOVED_ON
    return _BY_KIND.get(kind, about(kind).do)


def _names_a_state_alone(kind: str) -> bool:
    """Tell whether a configuration had somebody told of this state at once, and nothing else is known of it."""
    return kind.startswith("line-") and about(kind).page == "overdue"
