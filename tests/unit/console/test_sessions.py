"""Sessions: who is let in, for how long, and what is kept for whom."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.posts import Identity, Post
from gateway.access.principal import Kind
from gateway.access.roles import Role
from gateway.console.entering.arrivals import Arrival, came_back
from gateway.console.entering.session import Session, Visit, digest_of
from gateway.console.entering.sessions import BY_LINK, WORDS, Opened
from gateway.domain.errors import Unavailable
from gateway.domain.identifiers import OdsCode
from gateway.domain.session import Why
from tests.sessions_at_hand import SessionsAtHand, at_once

RBA = OdsCode("RBA")
PHARMACIST = Post(role=Role.HOMECARE_PHARMACIST, tenant=RBA)
CHIEF = Post(role=Role.CHIEF_PHARMACIST, tenant=RBA)
START = datetime(2026, 11, 22, 9, tzinfo=UTC)
APPROVER = Post(role=Role.MAP_APPROVER, tenant=RBA, until=START + timedelta(minutes=5))
PERRY = Identity(name="perry", person="Perry Pharmacist", posts=(PHARMACIST, CHIEF, APPROVER))
ROBIN = Identity(name="robin", person="Robin Pharmacist", posts=(PHARMACIST,))
IDLE, ABSOLUTE = timedelta(minutes=15), timedelta(hours=12)
CANCEL = "/console/prescriptions/1/cancel"
TYPED = {"reason": ("duplicate",), "line": ("1", "2")}


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def passes(self, **span: float) -> None:
        self.now += timedelta(**span)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(clock: Clock) -> SessionsAtHand:
    return SessionsAtHand(clock, idle=IDLE, absolute=ABSOLUTE)


async def visited(sessions: SessionsAtHand, secret: str) -> Visit:
    return await sessions.visit(secret, asks=True)


async def found(sessions: SessionsAtHand, secret: str) -> Session:
    session = (await visited(sessions, secret)).session
    assert session is not None
    return session


async def why(sessions: SessionsAtHand, secret: str) -> Why:
    visit = await visited(sessions, secret)
    assert visit.session is None
    assert visit.ended is not None
    return visit.ended.why


async def test_a_person_s_session_holds_the_post_that_was_taken(sessions: SessionsAtHand) -> None:
    session = await found(sessions, (await sessions.sign_in(PERRY, PHARMACIST)).secret)
    assert session.principal == PHARMACIST.principal("perry")
    assert session.principal.kind is Kind.PERSON
    assert session.posts == PERRY.posts
    assert session.person == "Perry Pharmacist"
    assert "Perry Pharmacist" not in repr(session)
    assert session.csrf not in repr(session)


async def test_neither_the_secret_nor_what_forms_carry_is_kept(sessions: SessionsAtHand) -> None:
    secret = (await sessions.sign_in(PERRY, PHARMACIST)).secret
    csrf = (await found(sessions, secret)).csrf
    rows = str(list(sessions.kept.connection.execute("SELECT * FROM console_session")))
    assert digest_of(secret) in rows
    assert secret not in rows
    assert csrf not in rows


@given(st.text(max_size=60))
def test_no_other_secret_opens_it(secret: str) -> None:
    sessions = SessionsAtHand(Clock())
    right = at_once(sessions.sign_in(PERRY, PHARMACIST)).secret
    visit = at_once(sessions.visit(secret, asks=True))
    assert (visit.session is not None) is (secret == right)


async def test_a_session_ends_by_rest_and_says_when(sessions: SessionsAtHand, clock: Clock) -> None:
    secret = (await sessions.sign_in(PERRY, PHARMACIST)).secret
    assert sessions.ends_at(await found(sessions, secret)) == START + IDLE
    clock.passes(minutes=10)
    assert sessions.ends_at(await found(sessions, secret)) == START + timedelta(minutes=25)
    clock.passes(minutes=15, seconds=1)
    assert await why(sessions, secret) is Why.REST


async def test_what_a_page_asks_by_itself_does_not_make_it_last(sessions: SessionsAtHand, clock: Clock) -> None:
    secret = (await sessions.sign_in(PERRY, PHARMACIST)).secret
    for _ in range(15):
        clock.passes(minutes=1)
        assert await sessions.peek(secret) is not None
    clock.passes(seconds=1)
    assert await sessions.peek(secret) is None


async def test_that_a_person_asked_is_written_down_twice_a_minute_at_most(
    sessions: SessionsAtHand, clock: Clock
) -> None:
    secret = (await sessions.sign_in(PERRY, PHARMACIST)).secret
    clock.passes(seconds=29)
    assert (await found(sessions, secret)).seen_at == START
    clock.passes(seconds=1)
    assert (await found(sessions, secret)).seen_at == clock.now == sessions.newest().seen_at


async def test_no_session_outlasts_a_working_day(sessions: SessionsAtHand, clock: Clock) -> None:
    secret = (await sessions.sign_in(PERRY, PHARMACIST)).secret
    for _ in range(72):
        assert await found(sessions, secret)
        clock.passes(minutes=10)
    clock.passes(seconds=1)
    assert await why(sessions, secret) is Why.AGE


async def test_a_change_of_role_gives_a_new_secret_and_no_longer_a_day(sessions: SessionsAtHand, clock: Clock) -> None:
    first = (await sessions.sign_in(PERRY, PHARMACIST)).secret
    before = await found(sessions, first)
    key = await sessions.remember(before, "9990000077")
    assert await sessions.sought(before, key) == "9990000077"
    clock.passes(minutes=5)
    second = (await sessions.change(before, CHIEF.principal("perry"), person="Perry Pharmacist")).secret
    assert second != first
    assert await why(sessions, first) is Why.LEFT
    after = await found(sessions, second)
    assert after.principal.role is Role.CHIEF_PHARMACIST
    assert after.posts == PERRY.posts
    assert after.csrf != before.csrf
    assert after.opened_at == START
    assert await sessions.sought(before, key) is None
    assert await sessions.sought(after, key) is None


async def test_a_session_ends_with_the_post_it_stands_on(sessions: SessionsAtHand, clock: Clock) -> None:
    secret = (await sessions.sign_in(PERRY, APPROVER)).secret
    clock.passes(minutes=5, seconds=1)
    assert await why(sessions, secret) is Why.POST


async def test_one_person_has_one_session_and_is_told_why_the_other_ended(sessions: SessionsAtHand) -> None:
    first, other = (
        (await sessions.sign_in(PERRY, PHARMACIST)).secret,
        (await sessions.sign_in(ROBIN, PHARMACIST)).secret,
    )
    second = (await sessions.sign_in(PERRY, PHARMACIST)).secret
    assert await why(sessions, first) is Why.ELSEWHERE
    assert await found(sessions, second)
    assert await found(sessions, other)
    assert set(WORDS) == set(Why)


async def test_why_a_session_ended_is_told_for_half_a_day(sessions: SessionsAtHand, clock: Clock) -> None:
    secret = (await sessions.sign_in(PERRY, PHARMACIST)).secret
    await sessions.leave(await found(sessions, secret))
    clock.passes(hours=11)
    assert await why(sessions, secret) is Why.LEFT
    clock.passes(hours=1)
    assert (await visited(sessions, secret)).ended is None


async def test_a_session_of_a_role_that_this_version_does_not_know_lets_nobody_in(sessions: SessionsAtHand) -> None:
    secret = (await sessions.sign_in(PERRY, PHARMACIST)).secret
    who = sessions.newest().who.replace("homecare-pharmacist", "of-another-version")
    sessions.kept.connection.execute("DROP TRIGGER console_session_ends_once")
    sessions.kept.connection.execute("UPDATE console_session SET who = ?", (who,))
    assert await visited(sessions, secret) == Visit()


async def test_while_the_records_are_away_nobody_can_say_who_it_is(sessions: SessionsAtHand) -> None:
    secret = (await sessions.sign_in(PERRY, PHARMACIST)).secret
    sessions.kept.away = True
    assert await visited(sessions, secret) == Visit(away=True)
    with pytest.raises(Unavailable):
        await sessions.peek(secret)
    assert await visited(sessions, "") == Visit()


async def test_what_was_done_is_done_though_its_notice_cannot_be_kept(sessions: SessionsAtHand) -> None:
    visit = await visited(sessions, (await sessions.sign_in(PERRY, PHARMACIST)).secret)
    visit.notice, visit.once, visit.path = "Sent.", "token", "/console/x"
    sessions.kept.away = True
    await sessions.left(visit)
    sessions.kept.away = False
    assert sessions.newest().notice == ""


async def entered(sessions: SessionsAtHand) -> Opened:
    opened = await sessions.enter(sessions.link().rpartition("/")[2])
    assert opened is not None
    return opened


async def test_development_links_let_in_as_many_browsers_as_are_opened(sessions: SessionsAtHand) -> None:
    for opened in [await entered(sessions) for _ in range(2)]:
        session = await found(sessions, opened.secret)
        assert session.principal == BY_LINK
        assert session.developing
    assert await sessions.enter("unknown") is None


async def test_an_invented_person_has_one_session_too(sessions: SessionsAtHand) -> None:
    browsers = [await found(sessions, (await entered(sessions)).secret) for _ in range(2)]
    one = await sessions.change(browsers[0], PHARMACIST.principal("perry"), person="Perry")
    other = await sessions.change(browsers[1], PHARMACIST.principal("robin"), person="Robin")
    robin = await found(sessions, other.secret)
    again = await sessions.change(robin, PHARMACIST.principal("perry"), person="Perry")
    assert await why(sessions, one.secret) is Why.ELSEWHERE
    assert await found(sessions, again.secret)


async def test_a_role_is_changed_at_a_node_whose_clock_is_behind_that_of_the_one_that_let_somebody_in(
    sessions: SessionsAtHand, clock: Clock
) -> None:
    session = await found(sessions, (await sessions.sign_in(PERRY, PHARMACIST)).secret)
    clock.passes(seconds=-2)
    opened = await sessions.change(session, PHARMACIST.principal("perry"), person="Perry")
    assert (await found(sessions, opened.secret)).opened_at == session.opened_at


async def test_who_has_yet_to_pick_a_role_is_remembered_for_ten_minutes_and_let_into_nothing(
    sessions: SessionsAtHand, clock: Clock
) -> None:
    secret = await sessions.ask_role(PERRY, "/console/messages")
    assert await sessions.asked_role(secret) == (PERRY, "/console/messages")
    assert (await visited(sessions, secret)).session is None
    assert await sessions.asked_role("") is None
    let_in = (await sessions.sign_in(ROBIN, PHARMACIST)).secret
    assert await sessions.asked_role(let_in) is None
    clock.passes(minutes=10, seconds=1)
    assert await sessions.asked_role(secret) is None


async def test_taking_a_role_is_done_once_and_the_end_of_every_role_ends_the_asking(sessions: SessionsAtHand) -> None:
    first, second = [await sessions.ask_role(PERRY, "/console/") for _ in range(2)]
    await sessions.sign_in(PERRY, PHARMACIST)
    assert await sessions.asked_role(first) is None
    assert await sessions.asked_role(second) is None
    third = await sessions.ask_role(PERRY, "/console/")
    await sessions.end_all("perry", Why.POST)
    assert await sessions.asked_role(third) is None


async def late(sessions: SessionsAtHand, clock: Clock) -> tuple[Visit, str]:
    """Give a visit to a session of Perry's that has just ended by rest, and what its forms carried."""
    secret = (await sessions.sign_in(PERRY, PHARMACIST)).secret
    csrf = (await found(sessions, secret)).csrf
    clock.passes(minutes=16)
    return await visited(sessions, secret), csrf


async def test_what_was_typed_when_a_session_ended_is_there_for_the_same_person(
    sessions: SessionsAtHand, clock: Clock
) -> None:
    visit, csrf = await late(sessions, clock)
    assert await sessions.keep_late(visit.ended, csrf, CANCEL, TYPED)
    robin = await sessions.sign_in(ROBIN, PHARMACIST)
    assert robin.typed == ""
    assert not (await found(sessions, robin.secret)).typed
    perry = await sessions.sign_in(PERRY, PHARMACIST)
    assert perry.typed == CANCEL
    again = await found(sessions, perry.secret)
    assert again.keep_typed(CANCEL) == TYPED
    assert not again.keep_typed("/console/prescriptions/2/cancel")
    assert "duplicate" not in repr(again)
    await sessions.forget(again, CANCEL)
    assert not (await found(sessions, perry.secret)).typed


async def test_a_form_without_the_session_s_own_token_is_not_kept(sessions: SessionsAtHand, clock: Clock) -> None:
    visit, csrf = await late(sessions, clock)
    assert not await sessions.keep_late(visit.ended, "", CANCEL, TYPED)
    assert not await sessions.keep_late(visit.ended, csrf + "x", CANCEL, TYPED)
    assert not await sessions.keep_late(None, csrf, CANCEL, TYPED)
    assert not await sessions.keep_late(visit.ended, csrf, CANCEL, {"reason": ("x" * 40_000,)})


async def test_what_was_typed_is_kept_half_a_day_and_no_longer(sessions: SessionsAtHand, clock: Clock) -> None:
    visit, csrf = await late(sessions, clock)
    assert await sessions.keep_late(visit.ended, csrf, CANCEL, TYPED)
    clock.passes(hours=12, seconds=1)
    assert (await sessions.sign_in(PERRY, PHARMACIST)).typed == ""


async def test_a_form_s_token_works_once_in_its_own_session(sessions: SessionsAtHand) -> None:
    perry = await found(sessions, (await sessions.sign_in(PERRY, PHARMACIST)).secret)
    robin = await found(sessions, (await sessions.sign_in(ROBIN, PHARMACIST)).secret)
    token = perry.token()
    assert token != perry.token()
    assert await sessions.use(perry, token)
    assert not await sessions.use(perry, token)
    assert await sessions.use(robin, token)


async def test_the_second_click_waits_for_what_the_first_one_does(sessions: SessionsAtHand) -> None:
    visit = await visited(sessions, (await sessions.sign_in(PERRY, PHARMACIST)).secret)
    session = visit.session
    assert session is not None
    visit.once, visit.path = session.token(), "/console/prescriptions/1"
    assert await sessions.use(session, visit.once)
    waiting = asyncio.create_task(sessions.led(session, visit.once, seconds=5))
    await asyncio.sleep(0.01)
    assert not waiting.done()
    await sessions.left(visit)
    assert await waiting == "/console/prescriptions/1"
    assert await sessions.led(session, "another", seconds=0.01) == ""


@given(
    st.text(max_size=30).map(lambda text: f"/console/{text}"),
    st.integers(min_value=0, max_value=600),
)
def test_an_attempt_to_sign_in_comes_back_as_it_went_from_any_node(path: str, seconds: int) -> None:
    arrival = Arrival(path=path, at=START)
    now = START + timedelta(seconds=seconds)
    assert came_back(arrival.carried(), arrival.state, now) == arrival
    assert came_back(arrival.carried(), arrival.nonce, now) is None
    assert came_back(Arrival(path=path, at=START).carried(), arrival.state, now) is None


def test_what_is_sent_along_says_nothing_of_the_secret_or_of_each_other() -> None:
    arrival = Arrival(path="/console/", at=START)
    sent = (arrival.state, arrival.nonce, arrival.verifier)
    assert len({arrival.secret, *sent}) == 4
    assert all(43 <= len(one) <= 128 for one in sent)  # RFC 7636 4.1
    assert arrival.secret not in repr(arrival)


@pytest.mark.parametrize("minutes", [-2, 10.1])
def test_an_attempt_that_is_too_old_or_not_begun_yet_is_none(minutes: float) -> None:
    arrival = Arrival(path="/console/", at=START)
    assert came_back(arrival.carried(), arrival.state, START + timedelta(minutes=minutes)) is None


@given(st.text(max_size=120))
def test_whatever_else_a_browser_carries_is_no_attempt(carried: str) -> None:
    assert came_back(carried, "", START) is None


@pytest.mark.parametrize("carried", [f"{'a' * 43}.99999999999.", f"{'a' * 43}.0._w", f"{'a' * 43}.0.a", "a.0."])
def test_a_cookie_that_was_written_by_hand_is_refused_in_peace(carried: str) -> None:
    assert came_back(carried, "", START) is None
