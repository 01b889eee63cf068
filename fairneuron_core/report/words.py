"""Numbers, intervals and verdicts as text: one wording for the screen, the export and the command line."""

from __future__ import annotations

import html
import math
import textwrap
from dataclasses import dataclass
from typing import Literal

from fairneuron_core.types import Change, Estimate

Unit = Literal["percent", "points", "ratio", "number"]
UNDEFINED = "undefined"
MINUS = "\N{MINUS SIGN}"
_MARKUP = frozenset("\\`*_{}[]()<>#+-.!|~$:/@&^=")


def number(value: float, *, digits: int = 1, signed: bool = False) -> str:
    """Return `value` with a fixed number of decimals and a true minus sign; NaN is the word "undefined".

    >>> number(-0.256, digits=2), number(float("nan")), number(3, digits=0, signed=True)
    ('−0.26', 'undefined', '+3')
    """
    if value is None or math.isnan(value):
        return UNDEFINED
    if math.isinf(value):
        return "infinite"
    shown = f"{abs(value):,.{digits}f}"
    if float(shown.replace(",", "")) == 0:
        return shown
    return (MINUS if value < 0 else "+" if signed else "") + shown


def scale(unit: Unit) -> tuple[float, int]:
    """Return (factor, decimals) with which a value of this unit is printed: shares and gaps are multiplied by 100."""
    return {"percent": (100.0, 1), "points": (100.0, 1), "ratio": (1.0, 2), "number": (1.0, 3)}[unit]


def quantity(value: float, unit: Unit, *, signed: bool = False, short: bool = False) -> str:
    """Return one value with its unit. `short` leaves the word "points" out.

    >>> quantity(0.26, "points"), quantity(0.345, "percent"), quantity(0.567, "ratio")
    ('26.0 points', '34.5 %', '0.57')
    >>> quantity(-0.052, "points", signed=True)
    '−5.2 points'
    """
    factor, digits = scale(unit)
    shown = number(value * factor if value is not None else math.nan, digits=digits, signed=signed)
    if shown == UNDEFINED:
        return shown
    suffix = {"percent": " %", "points": "" if short else " points"}.get(unit, "")
    return shown + suffix


def interval(estimate: Estimate, unit: Unit, *, signed: bool = False) -> str:
    """Return "[21.3, 30.6]", or "" where the estimate has no interval."""
    if math.isnan(estimate.low) or math.isnan(estimate.high):
        return ""
    factor, digits = scale(unit)
    low, high = (number(bound * factor, digits=digits, signed=signed) for bound in (estimate.low, estimate.high))
    return f"[{low}, {high}]"


def estimate_text(
    estimate: Estimate, unit: Unit = "percent", *, signed: bool = False, with_n: bool = True, short: bool = False
) -> str:
    """Return value, unit, interval and n in one line.

    >>> estimate_text(Estimate(0.26, 0.213, 0.306, 200), "points")
    '26.0 points [21.3, 30.6], n = 200'
    >>> estimate_text(Estimate(math.nan, math.nan, math.nan, 0), "percent")
    'undefined, n = 0'
    """
    value = quantity(estimate.value, unit, signed=signed, short=short)
    parts = " ".join(part for part in (value, interval(estimate, unit, signed=signed)) if part)
    return f"{parts}, n = {count(estimate.n)}" if with_n else parts


def count(value: int) -> str:
    """Return a whole number with thousands separators.

    >>> count(22793)
    '22,793'
    """
    return f"{int(value):,}"


def counted(value: int, singular: str, plural: str | None = None) -> str:
    """Return a number with its noun.

    >>> counted(1, "row"), counted(4200, "row"), counted(2, "child", "children")
    ('1 row', '4,200 rows', '2 children')
    """
    return f"{count(value)} {singular if value == 1 else plural or singular + 's'}"


def listed(words: list[str], *, joint: str = "and") -> str:
    """Return words as a list in a sentence.

    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {joint} {words[-1]}" if words else ""


def clipped(text: str, *, limit: int = 28) -> str:
    """Return `text`, shortened with an ellipsis when it is longer than `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def folded(text: str, *, width: int = 58) -> str:
    """Return a long sentence broken into lines for a hover box or a note in a chart, which do not wrap."""
    return "<br>".join(textwrap.wrap(text, width))


def plain(text: object) -> str:
    """Return user text so that plotly shows it as it is: its labels would read <b> and the like as markup."""
    return html.escape(str(text), quote=False)


def markdown_plain(text: object) -> str:
    """Return user text so that Markdown shows it as it is: no links, colours, formulas, icons or headings.

    >>> markdown_plain("[x](http://y) :red[z]")
    '\\\\[x\\\\]\\\\(http\\\\:\\\\/\\\\/y\\\\) \\\\:red\\\\[z\\\\]'
    """
    one_line = " ".join(str(text).split())
    return "".join("\\" + sign if sign in _MARKUP else sign for sign in one_line)


def duration(seconds: float) -> str:
    """Return a length of time for people.

    >>> duration(0.4), duration(47), duration(200), duration(7300)
    ('under 1 s', '47 s', '3 min 20 s', '2 h 1 min')
    """
    if seconds < 1:
        return "under 1 s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


Tone = Literal["good", "bad", "open", "none"]


@dataclass(frozen=True)
class VerdictWords:
    """How a verdict is shown: the word, a shape that repeats it, and the tone that picks the colour."""

    words: str
    shape: str
    tone: Tone

    @property
    def text(self) -> str:
        return f"{self.shape} {self.words}"


VERDICTS: dict[str, VerdictWords] = {
    "improved": VerdictWords("improved", "▲", "good"),
    "worsened": VerdictWords("worsened", "▼", "bad"),
    "changed": VerdictWords("changed", "◇", "none"),
    "cannot tell": VerdictWords("cannot tell", "◆", "open"),
    "undefined": VerdictWords("undefined", "○", "none"),
    "meets": VerdictWords("meets your line", "✓", "good"),
    "meets your line": VerdictWords("meets your line", "✓", "good"),
    "does not meet": VerdictWords("does not meet your line", "✕", "bad"),
    "does not meet your line": VerdictWords("does not meet your line", "✕", "bad"),
    "not enough evidence": VerdictWords("not enough evidence", "◆", "open"),
}


def verdict_words(verdict: str) -> VerdictWords:
    """Return how `verdict` is shown; a verdict this table does not know keeps its words with a neutral shape."""
    return VERDICTS.get(verdict, VerdictWords(verdict, "○", "none"))


def difference_unit(unit: Unit) -> Unit:
    """Return the unit of a difference of two values: percents are points apart."""
    return "points" if unit == "percent" else unit


def change_text(change: Change, *, label: str, unit: Unit) -> str:
    """Return one sentence on a paired change.

    >>> e = Estimate(0.26, 0.2, 0.3, 200)
    >>> change_text(Change("d", e, e, Estimate(-0.05, -0.08, -0.02, 200), "improved"), label="Gap", unit="points")
    'Gap improved by 5.0 points [−8.0, −2.0] (26.0 → 26.0 points).'
    """
    before, after = quantity(change.before.value, unit, short=True), quantity(change.after.value, unit)
    difference, apart = change.difference, difference_unit(unit)
    if change.verdict == "undefined":
        return f"{label} is undefined on one of the two sides ({before} → {after})."
    if change.verdict == "cannot tell":
        moved = f"{quantity(difference.value, apart, signed=True)} {interval(difference, apart)}".strip()
        return f"{label}: these rows cannot tell whether it changed, {moved} ({before} → {after})."
    size = f"{quantity(abs(difference.value), apart)} {interval(difference, apart)}".strip()
    return f"{label} {change.verdict} by {size} ({before} → {after})."
