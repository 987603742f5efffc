"""The tree over the audit's leaves, whose root stands for every one of them and for their order.

Whoever noted a root and its size earlier can tell later whether any leaf below that size was changed, taken out or put
in: the root over as many leaves is then another. The leaves alone cannot tell that, for whoever can write the whole
table can write every leaf and its hash anew.

Source: RFC 9162 2.1.1; reliability-security.md 7, I5.
"""

import hashlib


def leaf_hash(body: bytes) -> bytes:
    """Give SHA-256(0x00 || body). Source: RFC 9162 2.1.1."""
    return hashlib.sha256(b"\x00" + body).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Give SHA-256(0x01 || left || right). Source: RFC 9162 2.1.1."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """Grows leaf by leaf, and keeps no more than one hash for each of its full subtrees."""

    def __init__(self) -> None:
        self.size = 0
        self._full: list[bytes] = []
        """Roots of the full subtrees that the size is the sum of, the largest first."""

    def add(self, leaf: bytes) -> None:
        """Append the hash of the next leaf."""
        self.size += 1
        self._full.append(leaf)
        merges = (self.size & -self.size).bit_length() - 1
        for _ in range(merges):
            right = self._full.pop()
            self._full.append(node_hash(self._full.pop(), right))

    @property
    def root(self) -> bytes:
        """The root over the leaves so far; of none of them, the hash of nothing."""
        if not self._full:
            return hashlib.sha256(b"").digest()
        root = self._full[-1]
        for left in reversed(self._full[:-1]):
            root = node_hash(left, root)
        return root
