"""Which of two label values is good news for a person: a first guess from the words, for a person to correct."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

BAD_NEWS = re.compile(r"recid|default|churn|fraud|delinq|readmi|reject|denied|charged_?off|arrest|risk|fail|bad|death")
YES_AND_NO = (
    ({"yes", "y"}, {"no", "n"}),
    ({"true", "t"}, {"false", "f"}),
    ({"ja", "j"}, {"nein", "nee", "nej", "n"}),
    ({"oui", "o"}, {"non", "n"}),
    ({"si", "s"}, {"no", "n"}),
    ({"sim", "s"}, {"nao", "n"}),
    ({"tak", "t"}, {"nie", "n"}),
    ({"wahr", "w"}, {"falsch", "f"}),
    ({"vrai", "v"}, {"faux", "f"}),
    ({"verdadero", "v"}, {"falso", "f"}),
)
YES = frozenset({"1", "y", "t", "j"}).union(*({w for w in yes if len(w) > 1} for yes, _ in YES_AND_NO))
NO = frozenset({"0", "n", "f"}).union(*({w for w in no if len(w) > 1} for _, no in YES_AND_NO))
LONGEST_WORD = 12
GOOD_VALUES = (YES - {"1"}) | frozenset(
    {"good", "approved", "accepted", "accept", "hired", "hire", "admitted", "admit", "granted", "grant", "passed"}
    | {"pass", "paid", "positive", "high", "favourable", "favorable", "success"}
)
BAD_VALUES = (NO - {"0"}) | frozenset(
    {"bad", "rejected", "reject", "denied", "negative", "low", "failed", "fail", "defaulted"}
)


def plain_name(name: object) -> str:
    """Write a name in lower case with single underscores: `maritalStatus`, `Marital status` -> `marital_status`."""
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"([a-z])([A-Z])", r"\1_\2", str(name)).lower()).strip("_")


def plain_word(value: str) -> str:
    """Write a value in plain lower case without accents: `N\u00e3o` -> `nao`."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", value) if not unicodedata.combining(c))
    return plain_name(bare.casefold())


def one_spelling(rows: Mapping[str, int]) -> dict[str, str]:
    """Return the spelling to use of each yes / no word where a column spells them in several ways, else nothing.

    rows : number of rows per value. The commonest spelling of yes and of no stays.

    >>> one_spelling({"Yes": 5, "yes": 2, "no": 4})
    {'Yes': 'Yes', 'yes': 'Yes', 'no': 'no'}
    >>> one_spelling({"yes": 2, "no": 4})
    {}
    """
    if len(rows) <= 2 or max(map(len, rows)) > LONGEST_WORD:
        return {}
    words = {value: plain_word(value) for value in rows}
    found = set(words.values())
    # Words of one language only: F, N and T in one column are codes of something else.
    pair = next((p for p in YES_AND_NO if found <= p[0] | p[1] and found & p[0] and found & p[1]), None)
    if pair is None:
        return {}
    top = {
        yes: max((v for v in rows if (words[v] in pair[0]) is yes), key=lambda v: (rows[v], v)) for yes in (True, False)
    }
    return {value: top[word in pair[0]] for value, word in words.items()}


def guess_favourable(target: str, values: tuple[str, ...]) -> str:
    """Return the value that reads as good news: by its word, as `>50K`, or 1 (0 where the target names bad news).

    >>> guess_favourable("income", ("<=50K", ">50K"))
    '>50K'
    >>> guess_favourable("two_year_recid", ("0", "1"))
    '0'
    """
    if not values:
        return ""
    words = {v: plain_word(v) for v in values}
    if set(words.values()) == {"1", "2"}:
        return values[0]
    if BAD_NEWS.search(plain_name(target)) and all(w in YES | NO for w in words.values()):
        return next((v for v in values if words[v] in NO), values[0])
    good = [v for v in values if words[v] in GOOD_VALUES or v.startswith(">")]
    not_bad = [v for v in values if words[v] not in BAD_VALUES and not v.startswith("<")]
    return (good or not_bad[-1:] or list(values[-1:]))[0]
