"""Sessions: who is let in, for how long, and what is kept for whom."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.posts import Identity, Post
from gateway.access.principal import Kind
from gateway.access.roles import Role
from gateway.console.entering.kept_forms import KeptForms
from gateway.console.entering.sessions import BY_LINK, Sessions, Why
from gateway.domain.identifiers import OdsCode

RBA = OdsCode("RBA")
PHARMACIST = Post(role=Role.HOMECARE_PHARMACIST, tenant=RBA)
CHIEF = Post(role=Role.CHIEF_PHARMACIST, tenant=RBA)
PERRY = Identity(name="perry", person="Perry Pharmacist", posts=(PHARMACIST, CHIEF))
ROBIN = Identity(name="robin", person="Robin Pharmacist", posts=(PHARMACIST,))
START = datetime(2026, 11, 22, 9, tzinfo=UTC)
IDLE, ABSOLUTE = timedelta(minutes=15), timedelta(hours=12)


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
def sessions(clock: Clock) -> Sessions:
    return Sessions(clock, idle=IDLE, absolute=ABSOLUTE)


def test_a_person_s_session_holds_the_post_that_was_taken(sessions: Sessions) -> None:
    session = sessions.find(sessions.sign_in(PERRY, PHARMACIST))
    assert session is not None
    assert session.principal == PHARMACIST.principal("perry")
    assert session.principal.kind is Kind.PERSON
    assert session.posts == PERRY.posts
    assert "Perry Pharmacist" not in repr(session)
    assert session.csrf not in repr(session)


@given(st.text(max_size=60))
def test_no_other_secret_opens_it(secret: str) -> None:
    sessions = Sessions(Clock())
    right = sessions.sign_in(PERRY, PHARMACIST)
    assert (sessions.find(secret) is not None) is (secret == right)


def test_a_session_ends_by_rest_and_says_when(sessions: Sessions, clock: Clock) -> None:
    secret = sessions.sign_in(PERRY, PHARMACIST)
    session = sessions.find(secret)
    assert session is not None
    assert sessions.ends_at(session) == START + IDLE
    clock.passes(minutes=10)
    assert sessions.find(secret) is session
    assert sessions.ends_at(session) == START + timedelta(minutes=25)
    clock.passes(minutes=15, seconds=1)
    assert sessions.find(secret) is None
    ended = sessions.ended(secret)
    assert ended is not None
    assert ended.why is Why.REST


def test_what_a_page_asks_by_itself_does_not_make_it_last(sessions: Sessions, clock: Clock) -> None:
    secret = sessions.sign_in(PERRY, PHARMACIST)
    for _ in range(15):
        clock.passes(minutes=1)
        assert sessions.peek(secret) is not None
    clock.passes(seconds=1)
    assert sessions.peek(secret) is None


def test_no_session_outlasts_a_working_day(sessions: Sessions, clock: Clock) -> None:
    secret = sessions.sign_in(PERRY, PHARMACIST)
    for _ in range(72):
        assert sessions.find(secret) is not None
        clock.passes(minutes=10)
    clock.passes(seconds=1)
    assert sessions.find(secret) is None
    ended = sessions.ended(secret)
    assert ended is not None
    assert ended.why is Why.AGE


def test_a_change_of_role_gives_a_new_secret_and_no_longer_a_day(sessions: Sessions, clock: Clock) -> None:
    first = sessions.sign_in(PERRY, PHARMACIST)
    before = sessions.find(first)
    assert before is not None
    before.remember("9990000077")
    clock.passes(minutes=5)
    second = sessions.change(first, CHIEF.principal("perry"), person="Perry Pharmacist")
    assert second
    assert second != first
    assert sessions.find(first) is None
    after = sessions.find(second)
    assert after is not None
    assert after.principal.role is Role.CHIEF_PHARMACIST
    assert after.csrf != before.csrf
    assert after.opened_at == START
    assert not after.searches
    assert sessions.change(first, CHIEF.principal("perry"), person="") is None


def test_a_session_ends_with_the_post_it_stands_on(sessions: Sessions, clock: Clock) -> None:
    post = Post(role=Role.MAP_APPROVER, tenant=RBA, until=START + timedelta(minutes=5))
    secret = sessions.sign_in(PERRY, post)
    clock.passes(minutes=5, seconds=1)
    assert sessions.find(secret) is None
    ended = sessions.ended(secret)
    assert ended is not None
    assert ended.why is Why.POST


def test_one_person_has_one_session_and_is_told_why_the_other_ended(sessions: Sessions) -> None:
    first, other = sessions.sign_in(PERRY, PHARMACIST), sessions.sign_in(ROBIN, PHARMACIST)
    second = sessions.sign_in(PERRY, PHARMACIST)
    assert sessions.find(first) is None
    assert sessions.find(second) is not None
    assert sessions.find(other) is not None
    ended = sessions.ended(first)
    assert ended is not None
    assert ended.why is Why.ELSEWHERE


def test_development_links_let_in_as_many_browsers_as_are_opened(sessions: Sessions) -> None:
    secrets = [sessions.enter(sessions.link().rpartition("/")[2]) for _ in range(2)]
    for secret in secrets:
        assert secret
        session = sessions.find(secret)
        assert session is not None
        assert session.principal == BY_LINK
        assert session.developing


def test_an_invented_person_has_one_session_too(sessions: Sessions) -> None:
    browsers = [sessions.enter(sessions.link().rpartition("/")[2]) or "" for _ in range(2)]
    one = sessions.change(browsers[0], PHARMACIST.principal("perry"), person="Perry")
    other = sessions.change(browsers[1], PHARMACIST.principal("robin"), person="Robin")
    assert one
    assert other
    again = sessions.change(other, PHARMACIST.principal("perry"), person="Perry")
    assert sessions.find(one) is None
    assert again
    assert sessions.find(again) is not None


def late(sessions: Sessions, clock: Clock, identity: Identity = PERRY) -> tuple[str, str]:
    """Give the secret and the forms' token of a session that has just ended by rest."""
    secret = sessions.sign_in(identity, PHARMACIST)
    session = sessions.find(secret)
    assert session is not None
    clock.passes(minutes=16)
    assert sessions.find(secret) is None
    return secret, session.csrf


TYPED = {"reason": ("duplicate",), "line": ("1", "2")}


def test_what_was_typed_when_a_session_ended_is_there_for_the_same_person(sessions: Sessions, clock: Clock) -> None:
    secret, csrf = late(sessions, clock)
    assert sessions.keep(secret, csrf, "/console/prescriptions/1/cancel", TYPED)
    stranger = sessions.find(sessions.sign_in(ROBIN, PHARMACIST))
    assert stranger is not None
    assert not stranger.typed
    again = sessions.find(sessions.sign_in(PERRY, PHARMACIST))
    assert again is not None
    assert again.keep_typed("/console/prescriptions/1/cancel") == TYPED
    assert not again.keep_typed("/console/prescriptions/2/cancel")
    assert "duplicate" not in repr(again)


def test_a_form_without_the_session_s_own_token_is_not_kept(sessions: Sessions, clock: Clock) -> None:
    secret, csrf = late(sessions, clock)
    assert not sessions.keep(secret, "", "/console/a", TYPED)
    assert not sessions.keep(secret, csrf + "x", "/console/a", TYPED)
    assert not sessions.keep("unknown", csrf, "/console/a", TYPED)
    assert not sessions.keep(secret, csrf, "/console/a", {"reason": ("x" * 40_000,)})


def test_what_was_typed_is_kept_half_a_day_and_no_longer(sessions: Sessions, clock: Clock) -> None:
    secret, csrf = late(sessions, clock)
    assert sessions.keep(secret, csrf, "/console/a", TYPED)
    clock.passes(hours=12, seconds=1)
    session = sessions.find(sessions.sign_in(PERRY, PHARMACIST))
    assert session is not None
    assert not session.typed


def test_the_memory_of_forms_is_bounded() -> None:
    forms = KeptForms(Clock(), lasts=ABSOLUTE)
    for person in range(300):
        for page in range(6):
            assert forms.keep(f"person {person}", f"/console/{page}", TYPED)
    assert forms.take("person 0") == {}
    assert list(forms.take("person 299")) == [f"/console/{page}" for page in (2, 3, 4, 5)]


def test_the_memory_of_ended_sessions_is_bounded(sessions: Sessions) -> None:
    first = sessions.sign_in(PERRY, PHARMACIST)
    for _ in range(1100):
        last = sessions.sign_in(PERRY, PHARMACIST)
    assert sessions.ended(first) is None
    assert sessions.find(last) is not None


def test_a_form_s_token_works_once_and_an_invented_one_never(sessions: Sessions) -> None:
    session = sessions.find(sessions.sign_in(PERRY, PHARMACIST))
    assert session is not None
    token = session.token()
    assert session.use(token)
    assert not session.use(token)
    assert not session.use("invented")
    tokens = [session.token() for _ in range(600)]
    assert not session.use(tokens[0])
    assert session.use(tokens[-1])


async def test_the_second_click_waits_for_what_the_first_one_does(sessions: Sessions) -> None:
    session = sessions.find(sessions.sign_in(PERRY, PHARMACIST))
    assert session is not None
    token = session.token()
    assert session.use(token)
    waiting = asyncio.create_task(session.led(token, seconds=5))
    await asyncio.sleep(0)
    session.lead(token, "/console/prescriptions/1")
    assert await waiting == "/console/prescriptions/1"
    assert await session.led("invented", seconds=5) == ""
    other = session.token()
    session.use(other)
    assert await session.led(other, seconds=0.01) == ""
