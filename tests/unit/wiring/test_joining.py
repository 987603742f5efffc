"""How a node is joined to others by its settings, and what the doctor says of it."""

from collections.abc import Iterator

import pytest

from gateway.config.configuration import Configuration
from gateway.config.load import load
from gateway.domain.errors import ConfigurationError
from gateway.joining.over_redis import Joined
from gateway.settings import Settings, read_settings
from gateway.telemetry import Metrics
from gateway.wiring.doctor.finding import Finding, Grade
from gateway.wiring.doctor.joined import joined as looked
from gateway.wiring.joining import Teller, join, why_not_joined
from tests.joined import Valkey, valkey


@pytest.fixture(scope="module")
def configuration() -> Configuration:
    return load(None, environ={})


@pytest.fixture(scope="module")
def server() -> Iterator[Valkey]:
    with valkey(password="right") as running:
        yield running


def at(url: str) -> Settings:
    return read_settings(redis_url=url)


def found(settings: Settings, configuration: Configuration) -> list[Finding]:
    return list(looked(settings, configuration))


def test_without_a_setting_a_node_is_alone_and_there_is_nothing_to_look_at(configuration: Configuration) -> None:
    settings = read_settings()
    assert join(settings, configuration, tell=lambda _: None).alone
    assert found(settings, configuration) == []


async def test_two_nodes_have_two_names(configuration: Configuration, server: Valkey) -> None:
    nodes = [join(at(server.url), configuration, tell=lambda _: None) for _ in range(2)]
    for node in nodes:
        assert isinstance(node, Joined)
        await node.start()
        await node.share({})
    assert not any(node.alone for node in nodes)
    for node in nodes:
        await node.close()


def test_an_address_that_may_not_be_used_stops_the_start(configuration: Configuration) -> None:
    with pytest.raises(ConfigurationError, match="GATEWAY_REDIS_URL: another machine is reached over TLS alone"):
        join(at("redis://cache.example"), configuration, tell=lambda _: None)
    (one,) = found(at("redis://cache.example"), configuration)
    assert one.grade is Grade.WRONG


def test_the_password_is_not_in_what_settings_print(server: Valkey) -> None:
    assert "right" not in repr(at(server.url))


def test_a_server_that_answers_is_good(configuration: Configuration, server: Valkey) -> None:
    assert [one.grade for one in found(at(server.url), configuration)] == [Grade.GOOD]


def test_a_wrong_password_is_told_with_what_to_do(configuration: Configuration, server: Valkey) -> None:
    (one,) = found(at(server.url.replace("right", "wrong")), configuration)
    assert (one.grade, "user and password" in one.do) == (Grade.LOOK, True)


def test_a_server_that_is_not_there_is_for_working_hours(configuration: Configuration, server: Valkey) -> None:
    settings = at(f"{server.url}-gone")
    assert why_not_joined(settings, configuration) == "ConnectionError"
    (one,) = found(settings, configuration)
    assert (one.grade, "nothing is lost" in one.says) == (Grade.LOOK, True)


def test_a_server_that_flaps_is_logged_once_a_minute(capsys: pytest.CaptureFixture[str]) -> None:
    moment = 0.0
    tell = Teller(Metrics(), monotonic=lambda: moment)
    for _ in range(30):
        tell("TimeoutError")
        tell("")
        moment += 1.0
    assert capsys.readouterr().out.count("joining_away") == 1
    moment = 61.0
    tell("TimeoutError")
    assert "joining_away" in capsys.readouterr().out
    tell("")
    assert "joining_there" in capsys.readouterr().out


async def test_a_node_that_never_listened_leaves_without_a_word(
    configuration: Configuration, server: Valkey, capsys: pytest.CaptureFixture[str]
) -> None:
    node = join(at(server.url), configuration, tell=Teller(Metrics()))
    await node.start()
    await node.close()
    assert "joining_away" not in capsys.readouterr().out
    assert node.trouble == ""


async def test_the_metric_says_when_the_server_is_away(configuration: Configuration, server: Valkey) -> None:
    metrics = Metrics()

    def away() -> float | None:
        return metrics.registry.get_sample_value("gateway_joining_away")

    assert away() == 0
    gone = join(at(f"{server.url}-gone"), configuration, tell=Teller(metrics))
    await gone.start()
    assert away() == 1
    there = join(at(server.url), configuration, tell=Teller(metrics))
    await there.start()
    assert away() == 0
    await gone.close()
    await there.close()
