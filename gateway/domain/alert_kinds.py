"""Every kind of alert, as one row. A test walks the code and finds each kind it opens here, and no other.

Source: mapping.md 10 (who acts on what); reliability-security.md I3, I7, I10, I11, I19, I20, I22; console.md 10.
"""

from collections.abc import Mapping
from typing import Final

from gateway.domain.alert import Acts, AlertKind, Soon
from gateway.domain.custody import CUSTODY, Holder
from gateway.domain.labels import LABELS
from gateway.domain.lifecycle import LineState

_CALL, _RUN, _PHARMACIST, _SENDER = Acts.ON_CALL, Acts.OPERATOR, Acts.PHARMACIST, Acts.SENDER
_NOW, _MORNING, _DAY, _WEEK = Soon.NOW, Soon.MORNING, Soon.DAY, Soon.WEEK

_WITH: Final = "gateway resolve PRESCRIPTION-ID with-provider --evidence TEXT --by NAME"
_NEVER: Final = "gateway resolve PRESCRIPTION-ID never-arrived --evidence TEXT --by NAME"
_END: Final = "gateway close PRESCRIPTION-ID --reason TEXT --by NAME"
_REROUTE: Final = "gateway reroute PRESCRIPTION-ID --to auto --reason TEXT --by NAME --and SECOND"
_RESEND: Final = "gateway resend ID --reason TEXT --by NAME"
_DOCTOR: Final = "gateway doctor"


def _row(kind: str, acts: Acts, soon: Soon, means: str, do: str, *commands: str) -> AlertKind:
    return AlertKind(kind=kind, means=means, acts=acts, soon=soon, do=do, commands=commands)


_HARM: Final = (
    _row(
        "safety-incident",
        _CALL,
        _NOW,
        "A supply was reported of a line that should have none, or by a provider that should not have it.",
        "Ring the provider and stop what can be stopped; then the trust's pharmacist, who reaches the patient.",
    ),
    _row(
        "delivery-under-way",
        _PHARMACIST,
        _NOW,
        "A line ended while a delivery of it was on its way to the patient.",
        "Ring the provider: can the van be stopped? If not, tell the patient not to take it.",
    ),
    _row(
        "released-expired",
        _PHARMACIST,
        _MORNING,
        "A line came off hold after its prescription had run out: it may not be supplied.",
        "Ring the provider and stop the supply; ask the prescriber for a new prescription.",
    ),
    _row(
        "patient-died",
        _PHARMACIST,
        _MORNING,
        "The trust's system says that the patient has died; nothing was cancelled by that.",
        "Stop deliveries: cancel every open line from the trust's system, reason 0007.",
    ),
)

_LINE: Final = (
    _row(
        "overdue",
        _CALL,
        _MORNING,
        "Whoever should have acted on a line has not done so in time.",
        "Read the state in the text; ring whoever holds the line. The page has a row for each state.",
        _DOCTOR,
    ),
    _row(
        "line-held",
        _PHARMACIST,
        _MORNING,
        "An order was taken and stopped here: a code of it is not in the tables, or it contradicts itself.",
        "Read why: the trust resolves a code under Held codes; all else it corrects and sends again, or cancels.",
    ),
    _row(
        "line-uncertain",
        _CALL,
        _MORNING,
        "An order may have reached the provider, or not: no decisive answer came.",
        "Ring the provider and ask whether they have it; say what you were told. Never guess.",
        _WITH,
        _NEVER,
    ),
    _row(
        "line-undeliverable",
        _PHARMACIST,
        _MORNING,
        "An order never left: the provider could not be reached until the tries were spent.",
        "Give it to another provider, cancel it, or close it when the patient is supplied otherwise.",
        _REROUTE,
        _END,
    ),
    _row(
        "line-rejected",
        _PHARMACIST,
        _MORNING,
        "The provider refused an order: nobody is going to supply it.",
        "Read their reason; correct the order and send it again, give it to another, or close it.",
        _REROUTE,
        _END,
    ),
    _row(
        "line-returned",
        _PHARMACIST,
        _MORNING,
        "The provider gave an order back after it had taken it: nobody is going to supply it.",
        "Read their reason; write it anew, give it to another provider, or close it.",
        _REROUTE,
        _END,
    ),
    _row(
        "line-expired",
        _PHARMACIST,
        _DAY,
        "A prescription ran out before all its supplies were made.",
        "Ask the prescriber whether a new one is needed, before the patient's medicine ends.",
    ),
    _row(
        "validity-over",
        _PHARMACIST,
        _MORNING,
        "A prescription has run out, and a supply of it may be under way; nothing was changed.",
        "Ask the provider what is under way; then the trust cancels the line, or the supply is reported.",
    ),
    _row(
        "acceptance-missing",
        _RUN,
        _DAY,
        "The provider plans or supplies a line that it never said it accepted.",
        "Ask the provider for the missing answer; their reports may be lost or out of order.",
    ),
    _row(
        "balance-will-not-come",
        _PHARMACIST,
        _MORNING,
        "The rest of a part supply will not come: the patient may be without medicine.",
        "Reckon what the patient still has; arrange a supply, and say so with rescue if another makes it.",
        "gateway rescue PRESCRIPTION-ID --issue N --link TEXT --reason TEXT --told --by NAME",
    ),
    _row(
        "issue-not-supplied",
        _PHARMACIST,
        _MORNING,
        "One supply of several will not be made: the patient may be without medicine.",
        "Reckon what the patient still has; arrange this one supply otherwise.",
    ),
)

_SENDING: Final = (
    _row(
        "transmission-blocked",
        _PHARMACIST,
        _MORNING,
        "An order may no longer be sent: it is out of date, or another line of its message has moved on.",
        "Cancel it and send it anew from the trust's system, or give it to a provider afresh.",
        _REROUTE,
    ),
    _row(
        "transmission-stuck",
        _CALL,
        _MORNING,
        "A message to a provider was given up.",
        "Find out why the provider does not take it; a cancel or hold is then sent once more.",
        _RESEND,
    ),
    _row(
        "tell-stuck",
        _RUN,
        _MORNING,
        "A trust's system could not be told of news: the trust believes an older state.",
        "Ring the trust with the news; have its system mended, then send it once more.",
        _RESEND,
    ),
    _row(
        "message-invalid",
        _RUN,
        _MORNING,
        "The gateway wrote a message that fails its own check; it was not sealed and not sent.",
        "A fault of the gateway: tell its makers the place named. The trust sends the order by its old way.",
    ),
)

_CANCEL: Final = (
    _row(
        "cancel-not-sent",
        _PHARMACIST,
        _NOW,
        "A cancel could not be sent, or may not have arrived: NOT cancelled.",
        "Ring the provider and cancel by voice; then send the cancel once more if it was given up.",
        _RESEND,
    ),
    _row(
        "cancel-overdue",
        _PHARMACIST,
        _NOW,
        "The provider has not answered a cancel in time: NOT cancelled.",
        "Ring the provider; ask them to answer the cancel in their system as well.",
    ),
    _row(
        "cancel-pending",
        _PHARMACIST,
        _MORNING,
        "The provider has a cancel and has not decided on it: NOT cancelled.",
        "Ring the provider before their next dispatch.",
    ),
    _row(
        "cancel-too-late",
        _PHARMACIST,
        _NOW,
        "The provider says that it supplied before the cancel came.",
        "Tell the patient what not to take; ring the provider if the parcel may still be stopped.",
    ),
    _row(
        "cancel-last-delivered",
        _PHARMACIST,
        _NOW,
        "The last supply was delivered while a cancel was waiting: too late.",
        "Tell the patient what not to take.",
    ),
    _row(
        "cancel-unknown",
        _PHARMACIST,
        _MORNING,
        "The provider says that it does not know the order it is asked to cancel: NOT cancelled.",
        "Ring the provider with the order number; it may lie in another queue of theirs.",
    ),
    _row(
        "cancel-by-other",
        _PHARMACIST,
        _MORNING,
        "The provider has another's cancel of the line: whose, the gateway does not know.",
        "Ask the provider who cancelled it, and whether it is stopped.",
    ),
    _row(
        "cancel-reply-error",
        _PHARMACIST,
        _NOW,
        "The provider's system could not use the cancel: NOT cancelled.",
        "Ring the provider and cancel by voice.",
    ),
    _row(
        "cancel-order-unknown",
        _PHARMACIST,
        _DAY,
        "A cancel names an order that never came here. If it comes, it is cancelled and not sent.",
        "Ask the trust which order was meant: its number may be wrong, and the right one still live.",
    ),
    _row(
        "cancelled-on-arrival",
        _PHARMACIST,
        _DAY,
        "An order came after its own cancel: it was cancelled and not sent.",
        "Ask the trust whether that was meant; if not, it writes a new order under a new number.",
    ),
    _row(
        "change-awaits-ruling",
        _PHARMACIST,
        _MORNING,
        "A changed order waits: the one it replaces could not be cancelled in time.",
        "Decide whether the patient needs both: send the new one as well, or drop it.",
        "gateway rule NEW-PRESCRIPTION-ID send --reason TEXT --by NAME",
        "gateway rule NEW-PRESCRIPTION-ID drop --reason TEXT --by NAME",
    ),
)

_HOLD: Final = (
    _row(
        "hold-not-sent",
        _PHARMACIST,
        _NOW,
        "A hold could not be sent, or may not have arrived: NOT on hold.",
        "Ring the provider and put it on hold by voice.",
    ),
    _row(
        "hold-overdue",
        _PHARMACIST,
        _NOW,
        "The provider has not answered a hold in time: NOT on hold.",
        "Ring the provider; ask them to answer the hold in their system as well.",
    ),
    _row(
        "hold-refused",
        _PHARMACIST,
        _NOW,
        "The provider did not put the line on hold: NOT on hold.",
        "Ring them and ask why; if the supply must stop, cancel it.",
    ),
    _row(
        "hold-reply-error",
        _PHARMACIST,
        _NOW,
        "The provider's system could not use a hold or a release: nothing has changed there.",
        "Ring the provider and say it by voice.",
    ),
    _row(
        "release-not-sent",
        _PHARMACIST,
        _MORNING,
        "A release could not be sent, or may not have arrived: still on hold.",
        "Ring the provider, or the patient may be without medicine.",
    ),
    _row(
        "release-overdue",
        _PHARMACIST,
        _MORNING,
        "The provider has not answered a release in time: still on hold.",
        "Ring the provider, or the patient may be without medicine.",
    ),
    _row(
        "release-refused",
        _PHARMACIST,
        _MORNING,
        "The provider did not release the line: still on hold.",
        "Ring them and ask why; the patient may need another supply.",
    ),
)

_REROUTES: Final = (
    _row(
        "reroute-waits",
        _PHARMACIST,
        _MORNING,
        "A provider has not given a line up for a re-route, or says that it is too late: it stays there.",
        "Ring them. Nothing goes to another before they have given it up.",
    ),
    _row(
        "reroute-overdue",
        _PHARMACIST,
        _MORNING,
        "A provider has not answered in time whether it gives a line up: it stays there.",
        "Ring them. Nothing goes to another before they have given it up.",
    ),
    _row(
        "reroute-unfinished",
        _CALL,
        _MORNING,
        "A provider gave a line up for a re-route, and the gateway cannot give it to the next: nobody has it.",
        "Look at the log for why it fails (an adapter, the key, the disk); or call it off and write it anew.",
    ),
    _row(
        "reroute-stopped",
        _PHARMACIST,
        _MORNING,
        "A re-route was called off. Where the provider had given the line up, nobody will supply it.",
        "See where the line stands; give it to a provider again, or write it anew.",
        _REROUTE,
    ),
)

_TASKS: Final = (
    _row(
        "renewal-requested",
        _PHARMACIST,
        _WEEK,
        "A new prescription is asked for, before the supplies of an old one end.",
        "Pass it to the prescriber, and say what became of it.",
        "gateway renewal PRESCRIPTION-ID passed_on --reason TEXT --by NAME",
        "gateway renewal PRESCRIPTION-ID approved --new NEW-PRESCRIPTION-ID --reason TEXT --by NAME",
        "gateway renewal PRESCRIPTION-ID declined --reason TEXT --by NAME",
    ),
    _row(
        "paper-overdue",
        _PHARMACIST,
        _DAY,
        "A prescription went without an electronic signature, and its signed paper original is not registered.",
        "Find the paper and register it in the console, or ask the prescriber to sign another.",
    ),
    _row(
        "answer-not-told",
        _PHARMACIST,
        _MORNING,
        "A provider's question was answered here, and nobody has told the provider.",
        "Ring the provider with the answer; then close the alert.",
    ),
    _row(
        "rescue-not-told",
        _PHARMACIST,
        _MORNING,
        "Another made a supply in the provider's place, and the provider does not know.",
        "Ring the provider, or the patient is supplied twice; then close the alert.",
    ),
    _row(
        "patient-merged",
        _PHARMACIST,
        _DAY,
        "Two patient records were joined or parted in the trust's system.",
        "Check for whom each open prescription is; cancel what is for the wrong person.",
    ),
    _row(
        "patient-updated",
        _PHARMACIST,
        _DAY,
        "The patient's details changed; what was signed and sent was not.",
        "Tell the provider a new name, address or phone before the next delivery.",
    ),
)

_ANSWERS: Final = (
    _row(
        "answer-not-understood",
        _RUN,
        _MORNING,
        "A provider's answer could not be read, or holds a word that is not in the tables: it moved nothing.",
        "Ring the provider and ask what they meant; have the adapter's table mended.",
    ),
    _row(
        "answer-unread",
        _RUN,
        _MORNING,
        "A provider's answer was kept without having been read: it moved nothing.",
        "Ask the provider what they meant; tell the gateway's makers.",
    ),
    _row(
        "answer-id-reused",
        _RUN,
        _DAY,
        "A provider gave two different answers under one id: the second moved nothing.",
        "Ask the provider which holds, and to send that under an id of its own.",
    ),
    _row(
        "answer-unbound",
        _RUN,
        _MORNING,
        "An answer does not belong to a message of ours, or contradicts it: it moved nothing.",
        "Ask the provider which order they meant, and to answer it again.",
    ),
    _row(
        "answer-wrong-provider",
        _CALL,
        _NOW,
        "A provider answered a message that was sent to another: it moved nothing.",
        "Ask both providers what they have. One may supply what is not theirs, or a credential is in wrong hands.",
        "gateway destination pause ODS --reason TEXT --by NAME",
    ),
    _row(
        "answer-takes-back",
        _RUN,
        _MORNING,
        "A provider corrected an earlier answer, and what it takes back cannot be taken back here.",
        "Ring the provider: which of the two holds? The line stands as it stood.",
    ),
    _row(
        "answer-unexpected",
        _RUN,
        _MORNING,
        "An answer does not fit where the line stands, or what its provider had said before.",
        "Compare with the provider where the line stands; ask for the answers that are missing.",
    ),
)

_INTAKE: Final = (
    _row(
        "submission-unreadable",
        _SENDER,
        _MORNING,
        "A trust sent what could not be read; it was kept apart, and the sender was told so.",
        "Ask the trust whether the order came again. If many come, its system was changed: ring its supplier.",
    ),
    _row(
        "submission-clash",
        _SENDER,
        _MORNING,
        "A trust sent other content under an id that it had used: it was not taken.",
        "Find the order behind the second; it must be sent under an id of its own.",
    ),
)

_BOOKS: Final = (
    _row(
        "books-out",
        _CALL,
        _NOW,
        "What was accepted is not all accounted for.",
        "Keep everything as it is, make a backup, and wake those who make the gateway.",
        "gateway reconcile --json",
        "gateway backup FOLDER",
    ),
    _row(
        "lists-differ",
        _RUN,
        _DAY,
        "A party's list of a day and ours name different things.",
        "Ask the party about each; what a trust sent and we have not, it sends again.",
        "gateway reconcile --list ODS --day DAY --theirs FILE",
    ),
    _row(
        "restored",
        _CALL,
        _NOW,
        "The store was put back from a backup: what came and went since is not here, and no order leaves.",
        "Get each provider's list of what it holds and each trust's list of what it sent, and reconcile them.",
        "gateway reconcile --destination ODS --holdings FILE --reason TEXT --by NAME",
        "gateway reconcile --destination ODS --messages FILE --reason TEXT --by NAME",
        "gateway destination list",
    ),
    _row(
        "message-lost",
        _SENDER,
        _NOW,
        "A trust was told that a message is held, and a restore lost it.",
        "The trust sends it again, under the control id that the alert says; then compare once more.",
        "gateway reconcile --destination ODS --messages FILE --reason TEXT --by NAME",
    ),
    _row(
        "act-lost",
        _PHARMACIST,
        _NOW,
        "A trust was told that a line is cancelled or on hold, and a restore lost it: its order may leave.",
        "Cancel it or hold it again, before the trust's orders are let go; then the lists are compared once more.",
        "gateway reconcile --destination ODS --messages FILE --told FILE --reason TEXT --by NAME",
    ),
    _row(
        "holding-unknown",
        _CALL,
        _MORNING,
        "A provider holds a line that a restore lost.",
        "Its trust sends the order again: it is not sent twice. Compare what both have.",
    ),
    _row(
        "holding-elsewhere",
        _CALL,
        _NOW,
        "A provider holds a line that here is another's: it could be supplied twice.",
        "Ask one of the two to give it up, and say so; until then it is sent to nobody.",
        "gateway reconcile --destination ODS --given-up LINE --reason TEXT --by NAME",
    ),
    _row(
        "holding-missing",
        _CALL,
        _MORNING,
        "A provider does not have a line that here is with them: it may never be supplied.",
        "Find out with the provider what became of it; it is sent again only when that is known.",
        _NEVER,
    ),
    _row(
        "holding-differs",
        _RUN,
        _DAY,
        "A provider and we know a line, and what became of it differs.",
        "Ask the provider to send its answers since the backup once more.",
    ),
)

_MACHINE: Final = (
    _row(
        "watch-stopped",
        _CALL,
        _NOW,
        "Nobody looks at deadlines: of what is late from now on, no person is told.",
        "Start the watch again, and see that its heartbeat moves.",
        _DOCTOR,
        "gateway serve --only watch",
    ),
    _row(
        "clock-jumped",
        _CALL,
        _NOW,
        "The clock is where it cannot have come to since deadlines were last looked at: nothing ends by it.",
        "Set the clock by its time service; once it is right, close the alert: then limits count and lines end by it.",
        _DOCTOR,
    ),
    _row(
        "room-low",
        _CALL,
        _NOW,
        "The disk is nearly full: new prescriptions are refused, what was taken goes on.",
        "Make room on the disk of the data folder; delete nothing inside it.",
        _DOCTOR,
    ),
    _row(
        "notice-not-delivered",
        _CALL,
        _NOW,
        "A notice to a named person did not leave: whoever relies on being told does not know what waits.",
        "Tell them by telephone to look at the console; then mend the way, and try it.",
        "gateway notices show",
        "gateway notices test --to NAME",
    ),
    _row(
        "reference-old",
        _RUN,
        _WEEK,
        "The tables of medicines and organisations are older than they may be.",
        "Load a release of this month, and restart the gateway.",
        "gateway reference load FOLDER",
    ),
    _row(
        "partner-unknown",
        _RUN,
        _DAY,
        "A trust or provider of the configuration is not in the national list of organisations.",
        "Check its code; load a newer list, or correct the configuration.",
        "gateway config check",
    ),
    _row(
        "partner-closed",
        _RUN,
        _DAY,
        "A trust or provider of the configuration was closed, says the national list.",
        "Find out who has taken over; correct the configuration. Until then its check refuses it when it is live.",
        "gateway config check",
    ),
    _row(
        "certificate-ends",
        _RUN,
        _DAY,
        "The certificate of a provider's system ends within thirty days, or has ended, as its file states.",
        "Ask the provider for the new one; put its day into the provider's file, check it, and restart the gateway.",
        "gateway config check FOLDER",
    ),
    _row(
        "outage-near",
        _RUN,
        _DAY,
        "A provider told us of an outage that begins within a day.",
        "See what must reach it before. Pause it when it begins, and let it go on when it ends.",
        "gateway destination pause ODS --reason TEXT --by NAME",
        "gateway destination resume ODS --reason TEXT --by NAME",
    ),
    _row(
        "calendar-ends",
        _RUN,
        _WEEK,
        "The bank holidays are known for less than ninety days or the longest limit ahead; then deadlines come early.",
        "Add the coming years to calendar.toml, check it, and restart the gateway.",
        "gateway config check FOLDER",
    ),
)

_BY_HOLDER: Final = {Holder.GATEWAY: _CALL, Holder.TRUST: _PHARMACIST, Holder.PROVIDER: _PHARMACIST}


def _told_at_once(state: LineState) -> AlertKind:
    """Give the kind of a state that a configuration wants told at once; what to do is on the page of `overdue`."""
    return AlertKind(
        kind=f"line-{state.lower().replace('_', '-')}",
        means=f"A line is where your deadlines.toml has somebody told at once: {LABELS[state].lower()}.",
        acts=_BY_HOLDER[CUSTODY[state].holder],
        soon=_MORNING,
        do="Ring whoever holds the line, as for one that is overdue in this state.",
        page="overdue",
    )


_WRITTEN: Final = (
    *_HARM,
    *_LINE,
    *_SENDING,
    *_CANCEL,
    *_HOLD,
    *_REROUTES,
    *_TASKS,
    *_ANSWERS,
    *_INTAKE,
    *_BOOKS,
    *_MACHINE,
)
_NAMED: Final = frozenset(one.kind for one in _WRITTEN)
_AT_ONCE: Final = tuple(_told_at_once(state) for state in LineState if CUSTODY[state].holder in _BY_HOLDER)

ALERT_KINDS: Final[Mapping[str, AlertKind]] = {
    one.kind: one for one in (*_WRITTEN, *(one for one in _AT_ONCE if one.kind not in _NAMED))
}
"""Every kind, by its name: harm first, the machine last."""

_UNKNOWN: Final = (
    "An alert of a kind that this version of the gateway does not have: another version opened it.",
    "Go by its text; close it when what it tells is done.",
)


def about(kind: str) -> AlertKind:
    """Give what is known of a kind. Rows outlive versions: one that is not known here gets the general page."""
    known = ALERT_KINDS.get(kind)
    if known is not None:
        return known
    means, do = _UNKNOWN
    return AlertKind(kind=kind, means=means, acts=_CALL, soon=_MORNING, do=do, page="other")
