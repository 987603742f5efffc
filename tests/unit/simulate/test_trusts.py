"""A simulated trust resends until it is answered and notices whatever a correct gateway would not do."""

import asyncio
import random
from datetime import UTC, datetime

import pytest

from gateway.simulate import er7
from gateway.simulate.channels import Answer, MllpChannel, NotAnsweredError
from gateway.simulate.journal import Answered, Journal, Sent, Surprise, Told, TrustEntry
from gateway.simulate.messages import Style
from gateway.simulate.mllp_line import listen
from gateway.simulate.profile import Profile
from gateway.simulate.standing import Reply, Standing
from gateway.simulate.trusts import Trust
from gateway.simulate.written import Flaw, write_prescriptions

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ACCEPTED = Answer(b"accepted", Reply(standing=Standing.ACCEPTED))
REFUSED = Answer(b"refused", Reply(standing=Standing.REFUSED, codes=("CONTROL_ID_REUSED",)))
AGAIN = Answer(b"busy", Reply(standing=Standing.AGAIN))


class Scripted:
    """A channel that answers from a list; None is silence."""

    def __init__(self, *answers: Answer | None) -> None:
        self._answers = list(answers)
        self.sent: list[bytes] = []

    async def send(self, message: bytes, style: Style) -> Answer:  # noqa: ARG002 - one script for all
        self.sent.append(message)
        answer = self._answers.pop(0)
        if answer is None:
            raise NotAnsweredError
        return answer

    async def close(self) -> None:
        """Nothing is open."""


def trust(
    channel: Scripted, *, flaw: Flaw = Flaw.NONE, repeats_in: int = 99, changes_in: int = 99, refuses_news_in: int = 0
) -> Trust:
    profile = Profile(
        ods="RBA",
        system="EPMA",
        site="RBA11",
        styles=(Style.V2_ENHANCED,),
        flaws=(flaw,),
        providers=("VNE51",),
        repeats_in=repeats_in,
        changes_in=changes_in,
        refuses_news_in=refuses_news_in,
    )
    journal: Journal[TrustEntry] = Journal()
    source = random.Random(1)
    written = write_prescriptions(
        source, trust="RBA", run="T", flaws=(flaw,), providers=("VNE51",), now=NOW, flawed_in=1
    )
    return Trust(
        profile,
        prescriptions=written,
        channels=(channel,),
        journal=journal,
        names={},
        now=lambda: NOW,
        source=source,
    )


def surprises(one: Trust) -> list[str]:
    return [surprise.what for surprise in one.journal.all(Surprise)]


async def test_silence_and_not_taken_are_answered_with_the_same_bytes() -> None:
    channel = Scripted(None, AGAIN, ACCEPTED)
    one = trust(channel)
    await one.prescribe(1)
    assert len(set(channel.sent)) == 1
    assert [sent.attempt for sent in one.journal.all(Sent)] == [1, 2, 3]
    assert [answer.reply.standing for answer in one.journal.all(Answered)] == [Standing.ACCEPTED]
    assert surprises(one) == []


async def test_a_repeat_that_gets_another_answer_is_a_surprise() -> None:
    one = trust(Scripted(ACCEPTED, Answer(b"other", ACCEPTED.reply)), repeats_in=1)
    await one.prescribe(1)
    assert surprises(one) == ["a repeat got another answer than the first"]


async def test_a_repeat_that_gets_the_same_answer_is_none() -> None:
    one = trust(Scripted(ACCEPTED, ACCEPTED), repeats_in=1)
    await one.prescribe(1)
    assert surprises(one) == []


async def test_a_reused_control_id_must_be_refused_for_that_reason() -> None:
    one = trust(Scripted(ACCEPTED, REFUSED), changes_in=1)
    await one.prescribe(1)
    assert surprises(one) == []
    one = trust(Scripted(ACCEPTED, ACCEPTED), changes_in=1)
    await one.prescribe(1)
    assert len(surprises(one)) == 1


@pytest.mark.parametrize(
    ("flaw", "standing", "code"),
    [
        (Flaw.NHS_NUMBER, Standing.REFUSED, "NHSNO_CHECK_DIGIT"),
        (Flaw.DRUG_UNKNOWN, Standing.HELD, "DRUG_UNKNOWN"),
        (Flaw.CONTROLLED, Standing.REFUSED, "CD_SCHEDULE_NOT_ALLOWED"),
    ],
)
async def test_a_flaw_must_be_found_for_its_own_reason(flaw: Flaw, standing: Standing, code: str) -> None:
    one = trust(Scripted(Answer(b"a", Reply(standing=standing, codes=(code,)))), flaw=flaw)
    await one.prescribe(1)
    assert surprises(one) == []
    one = trust(Scripted(Answer(b"a", Reply(standing=standing, codes=("VALUE_INVALID",)))), flaw=flaw)
    await one.prescribe(1)
    assert len(surprises(one)) == 1
    one = trust(Scripted(ACCEPTED), flaw=flaw)
    await one.prescribe(1)
    assert len(surprises(one)) == 1


async def test_a_later_answer_is_matched_and_acknowledged() -> None:
    one = trust(Scripted(Answer(b"commit", Reply(standing=Standing.COMMITTED))))
    await one.prescribe(1)
    control = str(one.written[0].message)
    header = "MSH|^~\\&|HCGATEWAY|X9HGW|EPMA|RBA|20261122||RRE^O12^RRE_O12|G1|T|2.5.1|||{}\r"
    tail = f"MSA|AA|{control}\rORC|OK|RX1|||SC\r"
    reply = one.hear((header.format("AL") + tail).encode())
    msa = er7.first(er7.split(reply), "MSA")
    assert msa is not None
    assert (msa.get(1), msa.get(2)) == ("CA", "G1")
    assert [(answer.reply.standing, answer.later) for answer in one.journal.all(Answered)][-1] == (
        Standing.ACCEPTED,
        True,
    )
    assert b"MSA|AA|" in one.hear((header.format("") + tail).encode())


async def test_an_answer_to_what_was_never_sent_is_a_surprise() -> None:
    one = trust(Scripted())
    one.hear(b"MSH|^~\\&|A|B|C|D|20261122||RRE^O12|G1|T|2.5.1\rMSA|AA|nobody\r")
    assert len(surprises(one)) == 1


async def test_news_of_an_order_is_written_down() -> None:
    one = trust(Scripted())
    one.hear(b"MSH|^~\\&|A|B|C|D|20261122||OMP^O09|G1|T|2.5.1\rORC|SC|RX1|||IP\r")
    assert [told.about for told in one.journal.all(Told)] == ["RX1"]


@pytest.mark.parametrize(("enhanced", "code"), [("AL", "CR"), ("", "AE")])
def test_some_news_is_refused_and_not_written_down_as_told(enhanced: str, code: str) -> None:
    one = trust(Scripted(), refuses_news_in=3)
    news = f"MSH|^~\\&|A|B|C|D|20261122||OMP^O09|G1|T|2.5.1|||{enhanced}\rORC|SC|RX1|||IP\r".encode()
    said = [segment.get(1) for _ in range(6) if (segment := er7.first(er7.split(one.hear(news)), "MSA"))]
    assert [place for place, one in enumerate(said, 1) if one == code] == [3, 6]
    assert len(list(one.journal.all(Told))) == 4


async def test_an_mllp_line_that_was_cut_is_opened_again() -> None:
    answers = iter([None, b"MSH|^~\\&|A|B|C|D|20261122||ACK|G1|T|2.5.1\rMSA|CA|C1\r"])

    def answer(_: bytes) -> bytes:
        said = next(answers)
        if said is None:
            raise ConnectionResetError
        return said

    server = await listen("127.0.0.1", 0, answer)
    async with server:
        port = server.sockets[0].getsockname()[1]
        channel = MllpChannel("127.0.0.1", port, patience_seconds=2)
        with pytest.raises(NotAnsweredError):
            await channel.send(b"MSH|", Style.V2_ENHANCED)
        assert (await channel.send(b"MSH|", Style.V2_ENHANCED)).reply.standing is Standing.COMMITTED
        await channel.close()
        await asyncio.sleep(0)
