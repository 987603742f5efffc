"""The tree over the leaves, against the definition in RFC 9162 2.1.1."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from gateway.audit.tree import Tree, leaf_hash, node_hash


def by_definition(leaves: list[bytes]) -> bytes:
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaf_hash(leaves[0])
    cut = 1
    while cut * 2 < len(leaves):
        cut *= 2
    return node_hash(by_definition(leaves[:cut]), by_definition(leaves[cut:]))


@given(st.lists(st.binary(max_size=8), max_size=70))
def test_the_root_is_the_one_that_is_defined_at_every_size(leaves: list[bytes]) -> None:
    tree = Tree()
    assert tree.root == by_definition([])
    for size, body in enumerate(leaves, start=1):
        tree.add(leaf_hash(body))
        assert (tree.size, tree.root) == (size, by_definition(leaves[:size]))


@given(st.lists(st.binary(max_size=4), min_size=1, max_size=20), st.data())
def test_a_leaf_that_is_changed_gives_another_root(leaves: list[bytes], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(leaves) - 1))
    other = [*leaves[:place], leaves[place] + b"!", *leaves[place + 1 :]]
    assert by_definition(other) != by_definition(leaves)
    one, two = Tree(), Tree()
    for first, second in zip(leaves, other, strict=True):
        one.add(leaf_hash(first))
        two.add(leaf_hash(second))
    assert one.root != two.root


def test_the_known_roots_of_the_rfc_s_first_implementation() -> None:
    leaves = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    roots = {
        1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    }
    tree = Tree()
    for size, leaf in enumerate(leaves, start=1):
        tree.add(leaf_hash(bytes.fromhex(leaf)))
        if size in roots:
            assert tree.root.hex() == roots[size]
