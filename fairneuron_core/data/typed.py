"""What the texts of one column are: numbers in one way of writing, or words; and what was decided on the way.

1. Texts lose the white space around them; words for missing values become gaps.
2. Where every known text is a plain number, the column is numeric (the fast way).
3. Else the distinct texts are tried with the other ways of writing numbers (`number_styles`). A column that two of
   them read differently waits until the whole file is known: the other columns decide, else the habit of its delimiter.
4. What is left are words. Codes that only look like numbers (00501, 17 digits) are words too.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from fairneuron_core.data.columns import as_numbers
from fairneuron_core.data.favourable import one_spelling
from fairneuron_core.data.number_styles import PLAIN, POINT_GROUPS, STYLES, Decimal, NumberStyle, numbers_of, readings
from fairneuron_core.data.remarks import Remark

MISSING_WORDS = frozenset({"", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NULL", "null"})
NUMBER_GAPS = frozenset({"?", "-", "--", ".", "#DIV/0!", "#VALUE!", "#REF!", "#NUM!", "#NAME?", "#NULL!"})
"""Missing among numbers, values of their own among texts."""

MOSTLY_NUMBERS = 0.9
MOST_WORDS = 20
"""A column of numbers with more different words than this is text, and nothing is offered."""

WHOLE_NUMBERS = 2**53
"""Above it a float64 no longer tells neighbours apart."""


@dataclass(frozen=True)
class TypedColumn:
    """A column as numbers or text, or (`texts` and `choices` set) one that waits for the rest of the file.

    decimal : the decimal mark that this column proves, "" when it proves none.
    words : the words that keep a column of numbers from being numeric, with their rows.
    """

    name: str
    values: pd.Series | None
    decimal: str = ""
    remarks: tuple[Remark, ...] = ()
    words: dict[str, int] = field(default_factory=dict)
    texts: pa.DictionaryArray | None = None
    choices: tuple[NumberStyle, ...] = ()


def typed_column(
    raw: pa.ChunkedArray, *, name: str = "", numbers: bool = True, missing: Collection[str] = ()
) -> TypedColumn:
    """Return what a column of texts (strings, or a dictionary of them) holds.

    numbers : False keeps numbers as words (the file says that they are categories).
    missing : further words that stand for a missing value in this column.
    """
    if not len(raw):
        return TypedColumn(name, pd.Series([], dtype=str))
    if numbers and not pa.types.is_dictionary(raw.type):
        raw = pc.utf8_trim_whitespace(raw)
        found = _plain_numbers(raw, name, missing)
        if found is not None:
            return found
    texts = _encoded(raw)
    gaps = pa.array(sorted(MISSING_WORDS | set(missing)))
    texts = _with_words(texts, pc.if_else(pc.is_in(texts.dictionary, gaps), None, texts.dictionary))
    return _numbers_or_words(texts, name) if numbers else _words(texts, name)


def decided(column: TypedColumn, decimal: Decimal | None, *, usual: Decimal) -> TypedColumn:
    """Return the column that waited, read with this decimal mark (None: unknown, the usual one is taken)."""
    if column.values is not None or column.texts is None:
        return column
    mark = decimal or ("." if column.choices[0] is PLAIN else usual)
    style = next((c for c in column.choices if c.decimal == mark), column.choices[0])
    words = column.texts.dictionary
    example = next(w for w in words.drop_null().to_pylist() if "," in w or "." in w)
    values = sorted(numbers_of(pa.array([example]), choice)[0] for choice in column.choices[:2])
    remark = Remark("two readings", column.name, (example, *(f"{v:.10g}" for v in values), style.words))
    return TypedColumn(column.name, _number_series(column.texts, style), style.decimal, (remark,))


def _encoded(raw: pa.ChunkedArray) -> pa.DictionaryArray:
    """Return the column as one dictionary of trimmed texts; gaps in the column point nowhere."""
    encoded = raw if pa.types.is_dictionary(raw.type) else raw.dictionary_encode()
    array = encoded.unify_dictionaries().combine_chunks()
    array = array.chunk(0) if isinstance(array, pa.ChunkedArray) else array
    return _with_words(array, pc.utf8_trim_whitespace(array.dictionary.cast(pa.string())))


def _with_words(texts: pa.DictionaryArray, words: pa.Array) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(texts.indices, words)


def _plain_numbers(texts: pa.ChunkedArray, name: str, missing: Collection[str]) -> TypedColumn | None:
    gaps = pa.array(sorted(MISSING_WORDS | {"?"} | set(missing)))
    for part in (texts.slice(0, 200), texts):
        known = pc.if_else(pc.is_in(part, gaps), None, part)
        try:
            numbers = known.cast(pa.float64())
        except pa.ArrowInvalid:
            return None
    if known.null_count == len(known):
        return None
    values = numbers.to_numpy()
    # "inf", "nan" and 1e999 are no numbers of a table: the slow way sorts them out.
    if np.isfinite(values).sum() != len(known) - known.null_count or _are_codes(known, values):
        return None
    series = as_numbers(pd.Series(values))
    whole = pd.api.types.is_integer_dtype(series)
    if not whole and _could_be_thousands(known):
        return None
    return TypedColumn(name, series, "" if whole or _all_whole(series) else ".")


def _all_whole(values: pd.Series) -> bool:
    return bool((values.dropna() % 1 == 0).all())


def _are_codes(known: pa.ChunkedArray | pa.Array, values: np.ndarray) -> bool:
    """True when a text begins with a zero that a number would lose, or has more digits than a number can hold."""
    led = known.filter(pc.starts_with(known, "0"))
    if pc.any(pc.match_substring_regex(led, r"^0\d+$")).as_py():
        return True
    if not (np.abs(values[~np.isnan(values)]) >= WHOLE_NUMBERS).any():
        return False
    return bool(pc.any(pc.match_substring_regex(known, r"^[+-]?\d{16,}$")).as_py())


def _could_be_thousands(known: pa.ChunkedArray) -> bool:
    for part in (known.slice(0, 200), known):
        if not pc.all(pc.match_substring_regex(part, POINT_GROUPS.pattern), min_count=0).as_py():
            return False
    return True


def _numbers_or_words(texts: pa.DictionaryArray, name: str) -> TypedColumn:
    words = texts.dictionary
    known = words.filter(pc.invert(pc.is_in(words, pa.array(sorted(NUMBER_GAPS)))), null_selection_behavior="drop")
    known = known.drop_null()
    found = readings(known)
    if not found:
        return _mixed_or_words(texts, name)
    if _are_codes(known, numbers_of(known, found[0])) and found[0] is PLAIN:
        kept = _words(texts, name)
        example = pc.max(pc.utf8_length(known)).as_py()
        shown = next(w for w in known.to_pylist() if len(w) == example or (w.startswith("0") and len(w) > 1))
        return TypedColumn(name, kept.values, remarks=(Remark("codes", name, (shown,)),))
    if len(found) > 1:
        return TypedColumn(name, None, texts=texts, choices=tuple(found))
    style = found[0]
    gaps = _gap_remarks(texts, name)
    if style is PLAIN:
        return TypedColumn(name, _number_series(texts, style), remarks=gaps)
    example = max(known.slice(0, 1000).to_pylist(), key=lambda text: (len(text), text))
    remark = Remark("style", name, (example, f"{numbers_of(pa.array([example]), style)[0]:.12g}", style.words))
    # Spaces and apostrophes between whole numbers say nothing about the decimal mark.
    proved = style.decimal if style.marks in (",", r"\.") or "," in example or "." in example else ""
    return TypedColumn(name, _number_series(texts, style), proved, (remark, *gaps))


def _gap_remarks(texts: pa.DictionaryArray, name: str) -> tuple[Remark, ...]:
    """Say which marks count as missing among numbers; `?` is the custom of such files and is not worth a word."""
    used = [word for word in texts.dictionary.to_pylist() if word in NUMBER_GAPS and word != "?"]
    return (Remark("gaps", name, (", ".join(used),)),) if used else ()


def _number_series(texts: pa.DictionaryArray, style: NumberStyle) -> pd.Series:
    words = texts.dictionary
    known = pc.if_else(pc.is_in(words, pa.array(sorted(NUMBER_GAPS))), None, words)
    numbers = np.append(numbers_of(known, style), np.nan)
    places = texts.indices.fill_null(len(words)).to_numpy(zero_copy_only=False)
    return as_numbers(pd.Series(numbers[places]))


def _mixed_or_words(texts: pa.DictionaryArray, name: str) -> TypedColumn:
    """Keep a column as text; where it is numbers but for a few words, name the words."""
    words = texts.dictionary
    head = words.slice(0, 1000).drop_null()
    if not pc.any(pc.match_substring_regex(head, r"^\W?\d")).as_py():
        return _words(texts, name)
    style = max(STYLES, key=lambda one: pc.sum(pc.match_substring_regex(head, one.pattern)).as_py() or 0)
    is_number = pc.fill_null(pc.match_substring_regex(words, style.pattern), False).to_numpy(zero_copy_only=False)
    counts = np.bincount(texts.indices.drop_null().to_numpy(zero_copy_only=False), minlength=len(words))
    is_word = ~is_number & words.is_valid().to_numpy(zero_copy_only=False)
    strange = {words[int(i)].as_py(): int(counts[i]) for i in np.flatnonzero(is_word)[: MOST_WORDS + 1]}
    share = counts[is_number].sum() / max(1, counts[is_number].sum() + counts[is_word].sum())
    kept = _words(texts, name)
    if share < MOSTLY_NUMBERS or not 0 < len(strange) <= MOST_WORDS:
        return kept
    shown = ", ".join(list(strange)[:5]) + (", ..." if len(strange) > 5 else "")
    remark = Remark("words among numbers", name, (shown, f"{sum(strange.values()):,}"))
    return TypedColumn(name, kept.values, remarks=(remark, *kept.remarks), words=strange)


def _words(texts: pa.DictionaryArray, name: str) -> TypedColumn:
    words, remarks = texts.dictionary, ()
    if len(words) <= MOST_WORDS:
        counts = np.bincount(texts.indices.drop_null().to_numpy(zero_copy_only=False), minlength=len(words))
        rows = {word: int(counts[i]) for i, word in enumerate(words.to_pylist()) if word is not None}
        merged = one_spelling(rows)
        if merged:
            words = pa.array([merged.get(word, word) for word in words.to_pylist()], pa.string())
            shown = ", ".join(word for word in rows if merged.get(word, word) != word)
            remarks = (Remark("spellings", name, (shown, " and ".join(sorted(set(merged.values()))))),)
    # Missing words point to a null of the dictionary, gaps of the column nowhere: both come out as NaN.
    return TypedColumn(name, words.cast(pa.large_string()).take(texts.indices).to_pandas(), remarks=remarks)
