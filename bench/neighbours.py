"""One sick provider hurts nobody else, and an outage of all is over as soon as it is over.

The same load goes out three times to a gateway with seven providers: all well; one dead and one slow, where what the
others took is compared with what they took before; all dead for a while, where it is counted how soon after their
return the first message arrives and how fast the rest follows.
"""

import time
from statistics import median

from bench.parties import PROVIDERS, SHARES, Answered, Parties

DEAD, SLOW = "VNFKT", "VNCEL"
_SECONDS = 8.0
_OUTAGE_SECONDS = 12.0
_PATIENCE_SECONDS = 20.0
_WELL = tuple(ods for ods in PROVIDERS if ods not in {DEAD, SLOW})


def neighbours(parties: Parties, *, rate: float) -> dict[str, float]:
    """Measure at so many prescriptions a second.

    Returns:
        Milliseconds, seconds and ratios, by name.
    """
    count = int(rate * _SECONDS)
    before, _ = _median(parties, count, rate)
    parties.be("dead", DEAD)
    parties.be("slow", SLOW)
    during, share = _median(parties, count, rate)
    parties.be("well", "*")
    _settle(parties)
    return {
        "end to end p50 of the others, all well, ms": before * 1e3,
        "end to end p50 of the others, one dead and one slow, ms": during * 1e3,
        "ratio": during / before,
        "share of the others' messages acknowledged meanwhile": share,
        **_outage(parties, count, rate),
    }


def _median(parties: Parties, count: int, rate: float) -> tuple[float, float]:
    """Give the median of the well ones' end to end, and the share of their messages that was acknowledged."""
    known = parties.acknowledged()
    answered = parties.send(count, rate=rate, shares=SHARES, providers=PROVIDERS)
    wanted = round(len(answered.planned) * len(_WELL) / len(PROVIDERS))
    parties.until_acknowledged(known + wanted, patience=3.0)
    time.sleep(1.0)
    took = _took(parties, answered)
    return median(took), min(1.0, len(took) / wanted)


def _took(parties: Parties, answered: Answered) -> list[float]:
    rows = parties.report()["rows"]
    return [at - answered.planned[key] for key, who, _, at in rows if at and who in _WELL and key in answered.planned]


def _settle(parties: Parties) -> None:
    """Wait until what waited for the sick ones is through."""
    parties.until_acknowledged(1 << 40, patience=5.0)


def _outage(parties: Parties, count: int, rate: float) -> dict[str, float]:
    """Take every provider away while messages keep coming, and bring them back."""
    parties.be("dead", "*")
    began = time.monotonic()
    sending = parties.begin(count, rate=rate, shares=SHARES, providers=PROVIDERS)
    answered = sending.finish()
    time.sleep(max(0.0, _OUTAGE_SECONDS - (time.monotonic() - began)))
    known = parties.acknowledged()
    parties.be("well", "*")
    back = time.monotonic()
    parties.until_acknowledged(known + len(answered.planned), patience=_PATIENCE_SECONDS)
    rows = [row for row in parties.report()["rows"] if row[0] in answered.planned and row[2] > back]
    firsts = {who: min(at for _, one, at, _ in rows if one == who) - back for who in {row[1] for row in rows}}
    done = sorted(row[3] for row in rows if row[3])
    return {
        "outage of all, seconds": back - began,
        "prescriptions that waited": float(len(answered.planned)),
        "first delivery after recovery, s": min(firsts.values(), default=float("nan")),
        "last provider's first delivery after recovery, s": max(firsts.values(), default=float("nan")),
        "all of them acknowledged after, s": done[-1] - back if len(done) == len(rows) and done else float("nan"),
        "acknowledged a second while draining": len(done) / (done[-1] - back) if done else 0.0,
    }
