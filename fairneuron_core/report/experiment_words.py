"""What an experiment says in words and tables: the answer in one sentence, the summary, the paper beside it."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from fairneuron_core.experiments.paper import PaperRow
from fairneuron_core.experiments.spec import GAPS, GIVEN
from fairneuron_core.experiments.statistics import over_seeds
from fairneuron_core.report.experiment_result import Experiment, Picked, heading
from fairneuron_core.report.names import in_sentence, metric_unit, short_label
from fairneuron_core.report.words import counted, difference_unit, interval, listed, number, quantity, verdict_words
from fairneuron_core.types import Estimate

_SUMMARY = ("accuracy", *GAPS)


def answer(found: Experiment, picked: Sequence[Picked], *, title: str, gap: str, budget: float) -> str:
    """Return which method repairs best within the budget and how sure that is, in at most four sentences.

    The best one is the one with the smallest gap on VALIDATION among those with one rule for all groups; the
    figures are of test rows. "Better" needs a paired interval over seeds that lies wholly on one side of 0.
    """
    what, limit = in_sentence(short_label(gap)), points_words(budget)
    given = next(one for one in picked if one.method.name == GIVEN)
    if given.degenerate:
        return (
            f"On {title}, the network as given is degenerate on {given.degenerate} of {counted(found.seeds, 'seed')}, "
            f"so that differences to it say nothing. {given.reason}"
        )
    best = next((one for one in picked if one.ranked and one.method.part == "blind"), None)
    if best is None:
        return f"On {title}, no method with one rule for all groups stays within {limit} of accuracy."
    if best.verdict[gap] != "improved":
        moved = f"{_moved(best.change[gap])} points"
        tell = "raises" if best.verdict[gap] == "worsened" else "cannot be said to lower"
        return (
            f"On {title}, within {limit} of accuracy {best.method.title} is the best one on validation, and on "
            f"test rows it {tell} the {what}: {moved}, over {counted(found.seeds, 'seed')}."
        )
    size = _size(best.change[gap])
    return (
        f"On {title}, {best.method.title} lowers the {what} by {size} points {_cost(best.change['accuracy'])}. "
        f"{_others(found, best, picked, gap=gap, limit=limit)}{_price(best, gap)}"
    )


def _price(best: Picked, gap: str) -> str:
    """Say which other gaps grew: gaps conflict with one another."""
    grown = [name for name in GAPS if name != gap and best.verdict[name] == "worsened"]
    if not grown:
        return ""
    sizes = [
        f"the {in_sentence(short_label(name))} by {_moved(best.change[name]).lstrip('+')} points" for name in grown
    ]
    return f" It raises {listed(sizes)}."


def points_words(share: float) -> str:
    """Return an accuracy budget in words.

    >>> points_words(0.01), points_words(0.005)
    ('1 point', '0.5 points')
    """
    size = f"{100 * share:.3g}"
    return f"{size} {'point' if size == '1' else 'points'}"


def _size(change: Estimate) -> str:
    bounds = Estimate(-change.value, -change.high, -change.low, change.n)
    return f"{quantity(bounds.value, 'points', short=True)} {interval(bounds, 'points')}".strip()


def _moved(change: Estimate) -> str:
    return f"{quantity(change.value, 'points', signed=True, short=True)} {interval(change, 'points')}".strip()


def _cost(change: Estimate) -> str:
    if change.high < 0:
        return f"for {_size(change)} points of accuracy"
    if change.low > 0:
        return f"and gains {_moved(change)} points of accuracy"
    return f"and these seeds cannot tell whether accuracy changes ({_moved(change)} points)"


def _others(found: Experiment, best: Picked, picked: Sequence[Picked], *, gap: str, limit: str) -> str:
    """Compare the best one with all that may be ranked, seed by seed: who does better, who cannot be told apart."""
    rivals = [one for one in picked if one is not best and one.ranked and not one.method.needs_protected]
    overlap, own = found.table.overlap, best.per_seed[gap]
    apart = {one.method.title: over_seeds(one.per_seed[gap] - own, overlap) for one in rivals}
    better = [name for name, e in apart.items() if e.high < 0]
    level = [name for name, e in apart.items() if not (e.high < 0 or e.low > 0)]
    if not rivals:
        return "No other method stays within that budget."
    if better:
        return f"On test rows {listed(better)} {'does' if len(better) == 1 else 'do'} better within {limit}."
    if level:
        return (
            f"Within {limit} no other method is measurably better; these seeds cannot tell it apart from "
            f"{_some(level)}."
        )
    return f"Within {limit} every other method with one rule for all groups leaves a larger gap."


def _some(names: Sequence[str]) -> str:
    return listed(list(names)) if len(names) <= 3 else f"{', '.join(names[:3])} and {len(names) - 3} others"


def by_verdict(picked: Sequence[Picked], metric: str) -> str:
    """Return which methods improved, worsened or cannot be told, in one sentence per verdict."""
    said = []
    for verdict in ("improved", "worsened", "changed", "cannot tell", "undefined"):
        names = [one.method.title for one in picked if one.verdict[metric] == verdict and one.method.name != GIVEN]
        if names:
            words = verdict_words(verdict).words
            said.append(f"{words[:1].upper()}{words[1:]}: {listed(names)}.")
    return " ".join(said)


def summary_table(found: Experiment, picked: Sequence[Picked]) -> pd.DataFrame:
    """Return one row per method as people read it: strength, differences with intervals and verdicts, remarks."""
    return pd.DataFrame(
        {
            "Method": one.method.title,
            **{short_label(metric): _cell(one, metric) for metric in _SUMMARY},
            "Strength": strength_words(one),
            "List": heading(one.method.part, found.attribute),
            "Remarks": remarks(one),
        }
        for one in picked
    )


def _cell(one: Picked, metric: str) -> str:
    if one.method.name == GIVEN:
        return f"{quantity(one.level[metric].value, metric_unit(metric))} (reference)"
    verdict, change = one.verdict[metric], one.change[metric]
    shown = verdict_words(verdict).text
    if verdict == "undefined":
        return shown
    moved = f"{quantity(change.value, difference_unit(metric_unit(metric)), signed=True, short=True)}"
    return f"{moved} {interval(change, 'points')} {shown}"


def remarks(one: Picked) -> str:
    """Return what has to be said beside a method's figures, as a sentence."""
    said = "; ".join(one.notes)
    reason = f" ({one.reason.rstrip('.')})" if one.reason else ""
    return f"{said[:1].upper()}{said[1:]}{reason}." if said else ""


def strength_words(one: Picked) -> str:
    """Return the strengths that the seeds chose, the most frequent one first."""
    known = [s for s in one.strengths if s is not None]
    if not known:
        return "none fits" if one.kept else "–"
    values = sorted(set(known), key=lambda s: (-known.count(s), s))
    if len(values) == 1:
        return f"{values[0]:g}"
    return ", ".join(f"{value:g} ({known.count(value)}×)" for value in values[:4])


def numbers_table(found: Experiment, picked: Sequence[Picked]) -> pd.DataFrame:
    """Return the same table with plain numbers, one row per method and metric, for a download."""
    rows = []
    for one in picked:
        for metric in one.change:
            level, change = one.level[metric], one.change[metric]
            rows.append(
                {
                    "method": one.method.name,
                    "title": one.method.title,
                    "list": heading(one.method.part, found.attribute),
                    "strengths": " ".join("none" if s is None else f"{s:g}" for s in one.strengths),
                    "metric": metric,
                    "mean": level.value,
                    "mean low": level.low,
                    "mean high": level.high,
                    "difference": change.value,
                    "difference low": change.low,
                    "difference high": change.high,
                    "seeds": change.n,
                    "verdict": one.verdict[metric],
                    "remarks": remarks(one),
                }
            )
    return pd.DataFrame(rows)


def rows_table(found: Experiment) -> pd.DataFrame:
    """Return every measured row: one per method, strength, seed and part; undefined is empty."""
    fixed = ("method", "strength", "seed", "split", "n")
    return pd.DataFrame(
        {**{name: getattr(row, name) for name in fixed}, **row.metrics, "degenerate": row.degenerate}
        for row in found.table.rows
    )


def paper_table(lines: Sequence[PaperRow]) -> pd.DataFrame:
    """Return what the paper prints beside what was measured here, in the paper's order."""
    return pd.DataFrame(
        {
            "Table": line.table,
            "Row in the paper": line.row,
            "It prints": "Seconds" if line.metric == "seconds" else line.prints_as,
            "Paper says": line.printed,
            "Measured here": "not measured" if line.measured is None else number(line.measured, digits=3),
            "95 % interval": _bounds(line),
            "In words": line.words,
        }
        for line in lines
    )


def _bounds(line: PaperRow) -> str:
    if line.low is None or line.high is None:
        return ""
    return f"[{number(line.low, digits=3)}, {number(line.high, digits=3)}]"
