"""The long fuzz run: `python -m tests.fuzz --minutes 10`.

One target after another, in short turns, until the time is over. A crash is told with its seed, which alone tells the
damaged message again: `python -m tests.fuzz --target NAME --seed N`.
"""

import argparse
import random
import sys
import time
import traceback
from collections import Counter

from tests.fuzz.mutate import mutated
from tests.fuzz.targets import Target, targets

SLOW_SECONDS = 2.0
TURN_SECONDS = 5.0


def main() -> int:
    """Run until the time is over; give 1 if anything was found."""
    options = _options()
    chosen = {name: target for name, target in targets().items() if options.target in {"", name}}
    if options.seed is not None:
        return sum(_once(name, target, options.seed, Counter()) for name, target in chosen.items())
    for target in chosen.values():
        target.check(target.seeds[0], target.seeds[0])  # loads the tables, so that no message is blamed for it
    seed = options.start
    done: Counter[str] = Counter()
    found: Counter[str] = Counter()
    end = time.monotonic() + 60 * options.minutes
    while time.monotonic() < end:
        for name, target in chosen.items():
            turn = time.monotonic() + TURN_SECONDS
            while time.monotonic() < min(turn, end):
                seed += 1
                done[name] += 1
                _once(name, target, seed, found)
    for name in chosen:
        print(f"{name:20} {done[name]:9}")
    print(f"{'in all':20} {done.total():9}, of which {found.total()} failed in {len(found)} ways")
    return 1 if found else 0


def _once(name: str, target: Target, seed: int, found: "Counter[str]") -> bool:
    chance = random.Random(seed)
    whole = chance.choice(target.seeds)
    body = mutated(chance, whole, target.kinds)
    began = time.process_time()
    try:
        target.check(whole, body)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
        return _tell(name, seed, error, found)
    took = time.process_time() - began
    if took > SLOW_SECONDS:
        return _tell(name, seed, TimeoutError(f"{len(body)} bytes took {took:.1f} s"), found)
    return False


def _tell(name: str, seed: int, error: BaseException, found: "Counter[str]") -> bool:
    last = traceback.extract_tb(error.__traceback__)[-1:]
    kind = f"{name}: {type(error).__name__} in {last[0].name if last else ''}:{last[0].lineno if last else 0}"
    found[kind] += 1
    if found[kind] == 1:
        print(f"--- {kind}, seed {seed}", file=sys.stderr)
        traceback.print_exception(error)
    return True


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--target", choices=["", *targets()], default="")
    parser.add_argument("--start", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="one seed only")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
