"""The compose file and the manifests under docs/deploy name only what the gateway has, and agree with each other."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped,unused-ignore]

from gateway.settings import LEFT_TO_THE_FOLDER, Settings
from gateway.wiring.application import LAST_WORD_SECONDS
from gateway.wiring.build import Part

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "docs" / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
MANIFESTS: list[dict[str, Any]] = [
    document
    for file in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    for document in yaml.safe_load_all(file.read_text(encoding="utf-8"))
]
OURS = {name: one for name, one in COMPOSE["services"].items() if one["image"].startswith("homecare-gateway")}
DEPLOYMENTS = {one["metadata"]["name"]: one for one in MANIFESTS if one["kind"] == "Deployment"}
IMAGE_USER = re.compile(r"--uid (\d+)").findall((ROOT / "Dockerfile").read_text(encoding="utf-8"))[0]


def of_kind(kind: str) -> list[dict[str, Any]]:
    return [one for one in MANIFESTS if one["kind"] == kind]


def pod(deployment: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = deployment["spec"]["template"]["spec"]
    return found


def container(deployment: Mapping[str, Any]) -> dict[str, Any]:
    (found,) = pod(deployment)["containers"]
    return dict(found)


def environment(deployment: Mapping[str, Any]) -> dict[str, str]:
    """Give every variable of a node; what is secret stands as a placeholder that such a setting could have."""
    one = container(deployment)
    (shared,) = of_kind("ConfigMap")
    assert {"configMapRef": {"name": shared["metadata"]["name"]}} in one["envFrom"]
    secret = {each["name"]: "postgresql://u@h/d" for each in one["env"] if "secretKeyRef" in each["valueFrom"]}
    return {**shared["data"], **secret}


def parts(words: list[str]) -> set[Part]:
    assert words[:2] == ["serve", "--only"]
    return {Part(name) for name in words[2].split(",")}


def nodes() -> Iterator[tuple[str, dict[str, str], set[Part], float]]:
    """Give every node's name, variables, parts, and seconds before it is killed."""
    for name, one in OURS.items():
        yield name, one["environment"], parts(one["command"]), float(one["stop_grace_period"].removesuffix("s"))
    for name, one in DEPLOYMENTS.items():
        grace = float(pod(one)["terminationGracePeriodSeconds"])
        waits = container(one).get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", ["sleep", "0"])
        yield name, environment(one), parts(container(one)["args"]), grace - float(waits[1])


NODES = {name: (variables, runs, grace) for name, variables, runs, grace in nodes()}


@pytest.mark.parametrize("name", NODES)
def test_every_variable_is_a_setting_with_a_value_it_may_have(name: str) -> None:
    variables, _, _ = NODES[name]
    settings = {
        key.removeprefix("GATEWAY_").lower(): value
        for key, value in variables.items()
        if not key.startswith(LEFT_TO_THE_FOLDER)
    }
    assert settings.keys() <= Settings.model_fields.keys()
    assert not Settings.model_validate(settings).in_development


@pytest.mark.parametrize("name", NODES)
def test_a_node_is_not_killed_before_it_could_finish(name: str) -> None:
    variables, _, grace = NODES[name]
    drain = Settings.model_validate({"drain_seconds": variables["GATEWAY_DRAIN_SECONDS"]}).drain_seconds
    assert drain + LAST_WORD_SECONDS < grace


@pytest.mark.parametrize("family", [OURS, DEPLOYMENTS], ids=["compose", "kubernetes"])
def test_the_nodes_together_run_every_part_that_must_run(family: Mapping[str, Any]) -> None:
    run = set[Part]().union(*(NODES[name][1] for name in family))
    assert run >= set(Part) - {Part.CONSOLE}


def test_published_ports_are_those_that_the_doors_listen_on() -> None:
    for one in OURS.values():
        variables = one["environment"]
        listens = {variables["GATEWAY_PORT"]: Part.HTTP, variables["GATEWAY_MLLP_PORT"]: Part.MLLP}
        for published in one.get("ports", ()):
            assert listens[published.rpartition(":")[2]] in parts(one["command"])


def test_container_ports_probes_and_services_agree() -> None:
    for one in DEPLOYMENTS.values():
        variables, runs = environment(one), parts(container(one)["args"])
        ports = {port["name"]: str(port["containerPort"]) for port in container(one).get("ports", ())}
        wanted = {Part.HTTP: variables["GATEWAY_PORT"], Part.MLLP: variables["GATEWAY_MLLP_PORT"]}
        assert ports == {part.value: port for part, port in wanted.items() if part in runs}
        probes = {name: probe["httpGet"] for name, probe in container(one).items() if name.endswith("Probe")}
        assert bool(probes) is (Part.HTTP in runs)
        assert all(probe["port"] in ports for probe in probes.values())
    for service in of_kind("Service"):
        (to,) = [one for one in DEPLOYMENTS.values() if selected(service["spec"]["selector"], one)]
        names = {port["name"] for port in container(to)["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= names


def selected(labels: Mapping[str, str], deployment: Mapping[str, Any]) -> bool:
    has: dict[str, str] = deployment["spec"]["template"]["metadata"]["labels"]
    return labels.items() <= has.items()


def test_probes_ask_for_pages_that_there_are() -> None:
    text = (ROOT / "gateway" / "web" / "app.py").read_text(encoding="utf-8")
    for one in DEPLOYMENTS.values():
        for name, probe in container(one).items():
            if name.endswith("Probe"):
                assert f'"{probe["httpGet"]["path"]}"' in text


def test_a_budget_keeps_one_of_what_has_more_than_one() -> None:
    for one in DEPLOYMENTS.values():
        assert one["spec"]["selector"]["matchLabels"] == one["spec"]["template"]["metadata"]["labels"]
    for budget in of_kind("PodDisruptionBudget"):
        labels = budget["spec"]["selector"]["matchLabels"]
        (kept,) = [one for one in DEPLOYMENTS.values() if selected(labels, one)]
        assert budget["spec"]["minAvailable"] < kept["spec"]["replicas"]


def test_whatever_is_mounted_is_a_volume_and_whatever_file_is_named_is_mounted() -> None:
    for one in DEPLOYMENTS.values():
        volumes = {volume["name"] for volume in pod(one)["volumes"]}
        mounts = {
            mount["name"]: mount["mountPath"]
            for each in (*pod(one).get("initContainers", ()), *pod(one)["containers"])
            for mount in each["volumeMounts"]
        }
        assert mounts.keys() == volumes
        if Part.MLLP in parts(container(one)["args"]):
            files = [value for name, value in environment(one).items() if name.startswith("GATEWAY_MLLP_C")]
            assert files
            assert all(file.startswith(tuple(mounts.values())) for file in files)


def test_the_pods_run_as_the_images_own_user() -> None:
    for one in DEPLOYMENTS.values():
        assert str(pod(one)["securityContext"]["runAsUser"]) == IMAGE_USER
    assert f"uid {IMAGE_USER}" in (DEPLOY / "compose.yaml").read_text(encoding="utf-8")


def test_secrets_are_named_and_never_stated() -> None:
    told = (DEPLOY / "kubernetes" / "settings.yaml").read_text(encoding="utf-8")
    for one in DEPLOYMENTS.values():
        named = re.findall(r"'(?:secretName|name)': '(gateway-(?:keys|mllp|tokens|database|redis))'", str(one))
        assert named
        assert all(f"#   {name} " in told for name in named)
    assert not of_kind("Secret")
