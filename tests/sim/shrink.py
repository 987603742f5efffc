"""Making a failure smaller: leave out what it does not need, by halves, then quarters, down to single acts."""

from collections.abc import Callable, Sequence


def smallest(items: Sequence[int], fails: Callable[[Sequence[int]], bool], *, tries: int = 300) -> list[int]:
    """Give few items that still fail; `items` themselves do.

    Args:
        items: all of them.
        fails: whether these alone still end in the failure.
        tries: how often `fails` may be asked.

    Source:
        Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002 (ddmin).
    """
    left, parts, asked = list(items), 2, 0
    while len(left) > 1 and asked < tries:
        size = -(-len(left) // parts)
        chunks = [left[start : start + size] for start in range(0, len(left), size)]
        for chunk in chunks:
            asked += 1
            dropped = set(chunk)
            rest = [item for item in left if item not in dropped]
            if rest and fails(rest):
                left, parts = rest, max(parts - 1, 2)
                break
        else:
            if size == 1:
                break
            parts = min(2 * parts, len(left))
    return left
