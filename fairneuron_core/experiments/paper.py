"""The published tables of FairNeuron as data, lined up with what an experiment measured.

Source: Gao, Zhai, Ma, Shen, Chen, Wang, "FairNeuron", ICSE 2022, Tables 2 to 6 (Table 7 is about images).

Names differ. Their EO is the equal opportunity difference (the gap of the true positive rates). Their DPR is the
selection rate of S = 1 divided by that of S = 0 and can exceed 1; ours is the smaller rate divided by the larger, so
theirs is converted by min(r, 1 / r), and both stand in the row. An infinite DPR (nobody selected in S = 0) becomes 0.
Their times are seconds of one trial on 32 cores with a TITAN V; ours are seconds of one seed on the machine of the
experiment. Means are means over seeds with the corrected resampled t interval (`statistics.py`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from fairneuron_core.experiments.published import BASE, CELLS, PublishedCell


@dataclass(frozen=True)
class PaperRow:
    """One published cell beside ours.

    published   as printed, None where it is infinite (`printed` has the text)
    value       the same in our definition (DPR converted)
    measured    mean over the seeds, low and high its 95 % interval; None where nothing was measured or is undefined
    words       one neutral sentence
    """

    table: int
    data: str
    row: str
    method: str | None
    metric: str
    prints_as: str
    printed: str
    published: float | None
    value: float
    measured: float | None
    low: float | None
    high: float | None
    seeds: int
    words: str

    def as_json(self) -> dict[str, Any]:
        """Return the row as JSON values."""
        return asdict(self)


def paper_rows(results: Mapping[str, Any] | None, *, data: str | None = None) -> tuple[PaperRow, ...]:
    """Line up every published cell of the experiment's data set with what it measured.

    results   JSON of an experiment; None = the published cells alone, of `data` or of all data sets
    """
    name = data if results is None else str(results["spec"]["data"])
    cells = [cell for cell in CELLS if name is None or cell.data == name]
    return tuple(_row(cell, _measured(cell, results)) for cell in cells)


@dataclass(frozen=True)
class _Measured:
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    seeds: int = 0


def _measured(cell: PublishedCell, results: Mapping[str, Any] | None) -> _Measured:
    if results is None or cell.method is None:
        return _Measured()
    if cell.metric == "seconds":
        return _seconds(cell.method, results)
    for row in results["summary"]:
        if (row["method"], row["metric"]) == (cell.method, cell.metric) and row["mean"] is not None:
            reach = _reach(row, results)
            low, high = (None, None) if reach is None else (row["mean"] - reach, row["mean"] + reach)
            return _Measured(row["mean"], low, high, int(row["seeds"]))
    return _Measured()


def _seconds(method: str, results: Mapping[str, Any]) -> _Measured:
    """Return seconds of one seed: an experiment adds them up over its seeds."""
    seeds = max(len(results["spec"]["seeds"]), 1)
    total = results.get("timing", {}).get("seconds", {}).get(method)
    return _Measured() if total is None else _Measured(total / seeds, None, None, seeds)


def _reach(row: Mapping[str, Any], results: Mapping[str, Any]) -> float | None:
    """Return t sd sqrt(1 / J + n_test / n_train), half the interval of the mean; None for one seed."""
    interval, seeds, spread = results.get("interval"), int(row["seeds"]), row["sd"]
    if interval is None or seeds < 2 or spread is None:
        return None
    from scipy.special import stdtrit  # imported late: it costs the first page 0.3 s

    quantile = float(stdtrit(seeds - 1, 0.5 + interval["confidence"] / 2))
    return quantile * float(spread) * math.sqrt(1 / seeds + float(interval["test_to_train"]))


def _row(cell: PublishedCell, found: _Measured) -> PaperRow:
    return PaperRow(
        table=cell.table,
        data=cell.data,
        row=cell.row,
        method=cell.method,
        metric=cell.metric,
        prints_as=cell.prints_as,
        printed=cell.printed,
        published=cell.published if math.isfinite(cell.published) else None,
        value=cell.value,
        measured=found.mean,
        low=found.low,
        high=found.high,
        seeds=found.seeds,
        words=_words(cell, found),
    )


def _words(cell: PublishedCell, found: _Measured) -> str:
    said = f"The paper prints {cell.printed}"
    if cell.prints_as == "DPR" and cell.value != cell.published:
        said += f", which is {cell.value:.3f} as the smaller rate divided by the larger"
    if cell.metric == "seconds":
        return f"{said}; {_time_words(cell, found)}"
    if cell.method is None:
        return f"{said}; this dashboard has no such row."
    if found.mean is None:
        return f"{said}; it was not measured in this experiment, or is undefined."
    seeds = f"{found.seeds} {'seed' if found.seeds == 1 else 'seeds'}"
    if found.low is None or found.high is None:
        return f"{said}; measured here: {found.mean:.3f} ({seeds}, no interval)."
    half_digit = 0.0005  # a printed value stands for all that round to it
    inside = found.low - half_digit <= cell.value <= found.high + half_digit
    side = "above" if cell.value > found.mean else "below"
    where = "inside it" if inside else f"{abs(cell.value - found.mean):.3f} {side} the mean"
    interval = f"{found.mean:.3f} [{found.low:.3f}, {found.high:.3f}], {seeds}"
    return f"{said}; measured here: {interval}; the printed value is {where}."


def _time_words(cell: PublishedCell, found: _Measured) -> str:
    if cell.method is None:
        return "an experiment does not time this step by itself."
    if found.mean is None:
        return "it was not timed in this experiment."
    what = "the network's training" if cell.method == BASE else "the method with all its strengths"
    return f"here {what} took {found.mean:.2f} s a seed, on another machine."


def paper_table(rows: Sequence[PaperRow], table: int) -> tuple[PaperRow, ...]:
    """Return the rows of one table, in the paper's order."""
    return tuple(row for row in rows if row.table == table)
