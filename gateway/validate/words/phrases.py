"""The phrases that the grammar of directions is made of, as regular expressions: an amount, a frequency, a time of day.

Source: mapping.md 8.3.
"""

import re
from collections.abc import Iterable

from gateway.validate.words import vocabulary as v


def any_of(words: Iterable[str]) -> str:
    """Give a pattern that takes any of some words, the longest first."""
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


WORD = any_of(v.NUMBERS)
N = (
    r"(?>\d+ \d+/0*[1-9]\d*|\d+/0*[1-9]\d*|\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
    rf"|(?:{WORD}) and a half\b|(?:{WORD})\b)"
)
COUNT = rf"(?:{N}|half(?: of)?(?: an?| one)?|an?)"
TO = r"(?: ?- ?| to | or )"
MEASURE = rf"(?:{any_of(v.UNIT_CODES)})\b"
THING = rf"(?:{any_of(v.PRESENTED)})s?\b"
PER = rf"(?:{any_of(word for word in v.PERIODS if not word.endswith('ly'))})\b"
ADVERB = rf"(?:{any_of(word for word in v.PERIODS if word.endswith('ly'))})\b"
TIMES = rf"(?:once or twice\b|once\b|twice\b|thrice\b|{N}(?:{TO}{N})? ?(?:times?\b|x(?= )))"
HOW_OFTEN = (
    rf"(?:{TIMES} (?:an?|per|each|every|in an?|/) ?{PER}|(?:{TIMES} )?{ADVERB}|(?:every|each) (?:{N} )?{PER}"
    rf"|{N}[ -](?:weekly|monthly)\b)(?: for {N} {PER})?"
)
DONE_BESIDE = (
    r"(?:bloods?|blood tests?|blood monitoring|monitoring|fbcs?|lfts?|u&es?|deliver(?:y|ies|ed)?|review(?:ed)?)"
    r"(?: and (?:fbcs?|lfts?|u&es?))?(?: to be)?(?: (?:done|taken|checked|due|needed|required))?"
)
GIVEN = r"(?:take|taken|use|used|give|given|inject|injected)"
UP = r"(?P<up>(?:for )?(?:up to|at most|no more than|not more than|maximum(?: of)?|max) )?"
WEEKDAY = rf"(?:{any_of(v.WEEKDAYS)})s?\b"
CLOCK = r"(?:[01]?\d|2[0-3])(?::[0-5]\d(?::[0-5]\d)?| ?[ap]m\b|:[0-5]\d ?[ap]m\b)"
TIME_OF_DAY = (
    r"(?:night|bedtime|bed|sleep|morning|evening|noon|midday|lunchtime|lunch|teatime|breakfast|dinner|afternoon|waking"
    r"|12:00pm)"
)
EVENT = (
    rf"(?:(?:at|every|each|before|after|upon|on|in the|during the) (?:early |late )?{TIME_OF_DAY}\b|around 12:00pm"
    r"|nightly\b)"
)
BETWEEN = " ,:;-("
DOSE_NEXT = re.compile(rf"[{re.escape(BETWEEN)}]*(?:take |inject )?{COUNT} ?(?:{MEASURE}|{THING})")
FILL = r"(?:(?:the )?contents? of )?"
HEAD = rf"(?P<up>up to )?(?P<least>at least )?(?P<n>{COUNT})(?:{TO}(?P<to>{N}))?"
FOLLOWS = (
    rf"at|in|on|to be|with|before|after|every|each|once|twice|thrice|{N} times|"
    rf"{any_of(v.LATIN)}|morning|evening|night|when|if|as|up to|prn|{ADVERB}"
)
"""What may follow a number that has no unit, so that it is a dose: "take 2 at night"."""
