"""The quick tier: every target, a few hundred damaged messages each, the same ones every time."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.mutate import mutated
from tests.fuzz.targets import targets


@pytest.mark.parametrize("name", targets())
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(chance=st.randoms(use_true_random=False))
def test_damage_is_refused_or_read_and_never_breaks_anything(name: str, chance: random.Random) -> None:
    target = targets()[name]
    seed = chance.choice(target.seeds)
    target.check(seed, mutated(chance, seed, target.kinds))


@pytest.mark.parametrize("name", targets())
def test_the_undamaged_messages_hold(name: str) -> None:
    target = targets()[name]
    for seed in target.seeds:
        target.check(seed, seed)
