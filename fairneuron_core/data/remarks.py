"""What a reader did to columns on the way, one sentence per kind however many columns it concerns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MOST_NAMED = 6

LONGEST_EXAMPLE = 60


@dataclass(frozen=True)
class RemarkKind:
    """A sentence; {0}, {1} are parts of a remark's detail, `decided` the parts that make it another one (None: all)."""

    words: str
    decided: tuple[int, ...] | None = None


KINDS = {
    "style": RemarkKind("numbers like {0} were read as {1} ({2})", (2,)),
    "two readings": RemarkKind(
        "{0} can be read as {1} or as {2}; it was read with {3}: choose the other decimal mark if that is wrong",
        (3,),
    ),
    "codes": RemarkKind(
        "values like {0} were kept as text, since a number would lose their leading zeros or last digits", ()
    ),
    "gaps": RemarkKind("{0} among the numbers counts as missing"),
    "words among numbers": RemarkKind(
        "numbers, but words in {1} rows ({0}): kept as text, since a word may mean something; where it means missing, "
        "say so and the column is read as numbers"
    ),
    "spellings": RemarkKind("read as other spellings of {1}: {0}"),
}


@dataclass(frozen=True)
class Remark:
    """Something that was done to one column; `detail` fills the sentence of its kind."""

    kind: str
    column: str
    detail: tuple[str, ...] = ()


def sentences(remarks: Iterable[Remark]) -> list[str]:
    """Return one sentence per kind and decision; of several columns the first one's example is shown.

    >>> sentences([Remark("gaps", "age", ("-",)), Remark("gaps", "pay", ("-",))])
    ["Columns 'age', 'pay': - among the numbers counts as missing."]
    """
    found: dict[tuple[str, ...], list[Remark]] = {}
    for remark in remarks:
        parts = KINDS[remark.kind].decided
        decided = remark.detail if parts is None else tuple(remark.detail[part] for part in parts)
        found.setdefault((remark.kind, *decided), []).append(remark)
    return [_sentence(kind, group) for (kind, *_), group in found.items()]


def _sentence(kind: str, group: list[Remark]) -> str:
    names = [f"'{remark.column}'" for remark in group]
    listed = ", ".join(names[:MOST_NAMED]) + (f" and {len(names) - MOST_NAMED:,} more" * (len(names) > MOST_NAMED))
    said = KINDS[kind].words.format(*(clipped(part) for part in group[0].detail))
    return f"Column{'s' * (len(names) > 1)} {listed}: {said}."


def clipped(text: str, *, limit: int = LONGEST_EXAMPLE) -> str:
    """Return the text on one line, cut where it is too long to stand in a sentence.

    >>> clipped("a" * 9, limit=5)
    'aaaa…'
    """
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}\u2026"
