"""Which of two label values is good news for a person: a first guess from the words, for a person to correct."""

from __future__ import annotations

import re

BAD_NEWS = re.compile(r"recid|default|churn|fraud|delinq|readmi|reject|denied|charged_?off|arrest|risk|fail|bad|death")
GOOD_VALUES = frozenset(
    {"good", "approved", "accepted", "accept", "hired", "hire", "admitted", "admit", "granted", "grant", "passed"}
    | {"pass", "paid", "yes", "y", "true", "t", "positive", "high", "favourable", "favorable", "success"}
)
BAD_VALUES = frozenset(
    {"bad", "rejected", "reject", "denied", "no", "n", "false", "f", "negative", "low", "failed", "fail", "defaulted"}
)
NO = frozenset({"no", "n", "false", "f", "0"})
YES = frozenset({"yes", "y", "true", "t", "1"})


def plain_name(name: object) -> str:
    """Write a name in lower case with single underscores: `maritalStatus`, `Marital status` -> `marital_status`."""
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"([a-z])([A-Z])", r"\1_\2", str(name)).lower()).strip("_")


def guess_favourable(target: str, values: tuple[str, ...]) -> str:
    """Return the value that reads as good news: by its word, as `>50K`, or 1 (0 where the target names bad news).

    >>> guess_favourable("income", ("<=50K", ">50K"))
    '>50K'
    >>> guess_favourable("two_year_recid", ("0", "1"))
    '0'
    """
    if not values:
        return ""
    words = {v: plain_name(v) for v in values}
    if set(words.values()) == {"1", "2"}:
        return values[0]
    if BAD_NEWS.search(plain_name(target)) and all(w in YES | NO for w in words.values()):
        return next((v for v in values if words[v] in NO), values[0])
    good = [v for v in values if words[v] in GOOD_VALUES or v.startswith(">")]
    not_bad = [v for v in values if words[v] not in BAD_VALUES and not v.startswith("<")]
    return (good or not_bad[-1:] or list(values[-1:]))[0]
