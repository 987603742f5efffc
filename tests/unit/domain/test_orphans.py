"""A change that would leave an open line without a way on is told before it happens."""

from dataclasses import replace
from types import MappingProxyType
from uuid import UUID

import pytest

from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineState
from gateway.domain.orphans import Reach, Standing, orphans
from gateway.domain.partner import Environment, Provider, ReplyChannel, SignaturePolicy, Trust

RBA, VNE51 = OdsCode("RBA"), OdsCode("VNE51")
TRUST = Trust(
    ods=RBA,
    name="Trust",
    environment=Environment.TEST,
    signature_policy=SignaturePolicy.TRUST_ATTESTED,
    tells=ReplyChannel(kind="http", url="http://127.0.0.1/"),
)
PROVIDER = Provider(ods=VNE51, name="Provider", environment=Environment.TEST, adapter="fhir_push", endpoint="x")
BEFORE = Reach(
    environment=Environment.TEST,
    trusts=MappingProxyType({RBA: TRUST}),
    providers=MappingProxyType({VNE51: PROVIDER}),
    callers=frozenset({RBA, VNE51}),
)
ONE = Standing(tenant=RBA, provider=VNE51, state=LineState.ACCEPTED, lines=3, examples=(UUID(int=7),))


def with_provider(**change: object) -> Reach:
    return replace(BEFORE, providers={VNE51: replace(PROVIDER, **change)})  # type: ignore[arg-type]


CASES = {
    "trust removed": (ONE, replace(BEFORE, trusts={}), "no trust"),
    "trust without a credential": (ONE, replace(BEFORE, callers=frozenset({VNE51})), "no cancel"),
    "provider removed": (ONE, replace(BEFORE, providers={}), "no provider"),
    "provider live": (ONE, with_provider(environment=Environment.LIVE), "environment"),
    "provider closed with a line ready": (
        replace(ONE, state=LineState.READY),
        with_provider(active=False),
        "waits to be sent",
    ),
    "provider closed with a cancel queued": (replace(ONE, waits=True), with_provider(active=False), "waits to be sent"),
    "provider without a credential": (ONE, replace(BEFORE, callers=frozenset({RBA})), "answers could not come"),
    "provider with another adapter": (ONE, with_provider(adapter="sandbox"), "fhir_push"),
    "reply channel removed": (
        replace(ONE, untold=True),
        replace(BEFORE, trusts={RBA: replace(TRUST, tells=None)}),
        "no longer be told",
    ),
    "deadline removed": (ONE, replace(BEFORE, untimed=frozenset({LineState.ACCEPTED})), "no deadline"),
}

HARMLESS = {
    "nothing": (ONE, BEFORE),
    "provider closed, and nothing waits": (ONE, with_provider(active=False)),
    "endpoint moved": (replace(ONE, waits=True), with_provider(endpoint="y")),
    "another provider added": (ONE, replace(BEFORE, providers={VNE51: PROVIDER, OdsCode("VNCEL"): PROVIDER})),
    "no provider was chosen": (
        replace(ONE, provider=None, state=LineState.HELD),
        replace(BEFORE, providers={}),
    ),
    "reply channel removed, and nothing waits": (ONE, replace(BEFORE, trusts={RBA: replace(TRUST, tells=None)})),
    "another state untimed": (ONE, replace(BEFORE, untimed=frozenset({LineState.HELD}))),
}


@pytest.mark.parametrize(("one", "after", "words"), CASES.values(), ids=CASES.keys())
def test_what_would_be_lost_is_told_with_count_ids_and_what_to_do(one: Standing, after: Reach, words: str) -> None:
    (orphan,) = orphans([one], after, BEFORE)
    assert words in orphan.why
    assert orphan.act
    text = str(orphan)
    assert text.startswith("3 open lines of RBA")
    assert str(UUID(int=7)) in text
    assert text.endswith("…")


@pytest.mark.parametrize(("one", "after"), HARMLESS.values(), ids=HARMLESS.keys())
def test_what_loses_nothing_is_no_orphan(one: Standing, after: Reach) -> None:
    assert orphans([one], after, BEFORE) == ()


def test_what_was_never_there_is_not_lost() -> None:
    silent = replace(BEFORE, callers=frozenset(), trusts={RBA: replace(TRUST, tells=None)})
    assert orphans([replace(ONE, untold=True)], silent) == ()
