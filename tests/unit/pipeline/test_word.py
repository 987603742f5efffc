"""What the other nodes are told of a commit: ids and ODS codes, and nothing a prescriber wrote."""

from dataclasses import replace
from uuid import UUID

from gateway.domain.acknowledgement import Acknowledgement, LineReport
from gateway.domain.cancel import CancelState
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.pipeline.word import due, moved, moved_by
from gateway.ports.acceptance import CancelRequest
from gateway.ports.joining import Changed, Hint
from tests.contract.store_engines import (
    PROVIDER,
    TRUST,
    make_acceptance,
    make_incomplete,
    make_order,
    make_prescription,
    seal,
)


def test_an_order_that_goes_at_once_is_due() -> None:
    order = make_order(make_prescription())
    assert order.message is not None
    assert list(due(make_acceptance("A", order))) == [Hint(destination=PROVIDER, messages=(order.message.id,))]


def test_an_order_that_waits_for_anything_is_not_due() -> None:
    screened = make_order(make_prescription(), state=LineState.AWAITING_SCREENING)
    assert screened.message is not None
    assert list(due(make_acceptance("A", screened, make_incomplete("B")))) == []


def test_a_cancel_is_due_where_there_is_something_to_send() -> None:
    message = seal(make_prescription("C"))
    asked = CancelRequest(line_id=UUID(int=1), seen=LineState.SENT, state=CancelState.ASKED, message=message)
    silent = CancelRequest(line_id=UUID(int=2), seen=LineState.READY, state=CancelState.CONFIRMED)
    acceptance = replace(make_acceptance("A"), orders=(), cancels=(asked, silent))
    assert list(due(acceptance)) == [Hint(destination=PROVIDER, messages=(message.id,))]
    assert list(moved(acceptance)) == [Changed(subject=UUID(int=number), tenant=TRUST) for number in (1, 2)]


def test_a_trust_that_is_told_later_is_due_for_it() -> None:
    assert Hint(destination=TRUST) in list(due(make_acceptance("A", later=b"MSH|later")))


def test_every_line_of_an_order_moved_and_so_did_what_it_replaces() -> None:
    what = make_prescription(lines=2)
    order = replace(make_order(what), supersedes=(UUID(int=9),))
    told = {change.subject for change in moved(make_acceptance("A", order))}
    assert told == {line.id for line in what.lines} | {UUID(int=9)}
    assert {change.tenant for change in moved(make_acceptance("A", order))} == {TRUST}


def test_of_an_answer_its_message_and_the_lines_it_names_moved() -> None:
    reports = (
        LineReport(line_id=UUID(int=2), event=LineEvent.REJECTED, reason="for Aoife TESTPATIENT"),
        LineReport(line_id=None, event=LineEvent.ACCEPTED),
    )
    answer = Acknowledgement(id="1", correlation=UUID(int=1), reports=reports, nhs_number="9990000077")
    assert list(moved_by(answer)) == [Changed(subject=UUID(int=1)), Changed(subject=UUID(int=2))]
    assert list(moved_by(replace(answer, correlation=None, reports=()))) == []


def test_no_word_holds_more_than_ids_and_ods_codes() -> None:
    acceptance = make_acceptance("A", make_order(make_prescription(lines=2)), later=b"later")
    for hint in due(acceptance):
        assert isinstance(hint.destination, OdsCode)
        assert all(isinstance(message, UUID) for message in hint.messages)
    for change in moved(acceptance):
        assert (type(change.subject), type(change.tenant)) == (UUID, OdsCode)
