"""The same quantity as other tools print it: equal names hide different signs, groups and definitions.

Each row says which tool prints what under which name, and computes it from our counts. With more than two groups,
`group` chooses the one that is compared with the reference; without it, all other groups are taken together.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fairneuron_core.errors import SettingError
from fairneuron_core.metrics.rates import rate_parts, share
from fairneuron_core.types import Audit


@dataclass(frozen=True)
class Sides:
    """Rates of the reference, of the group compared with it, and of all groups (for tools that take extremes)."""

    reference: dict[str, float]
    group: dict[str, float]
    every: dict[str, np.ndarray]


@dataclass(frozen=True)
class Printed:
    """One number as one tool prints it. `metric` is the row of METRICS that it corresponds to."""

    tool: str
    prints_as: str
    metric: str
    note: str
    compute: Callable[[Sides], float]


@dataclass(frozen=True)
class PrintedValue:
    """A `Printed` with its value for one audit."""

    tool: str
    prints_as: str
    metric: str
    note: str
    value: float


def _minus(rate: str) -> Callable[[Sides], float]:
    return lambda s: s.group[rate] - s.reference[rate]


def _over(rate: str) -> Callable[[Sides], float]:
    return lambda s: float(share(s.group[rate], s.reference[rate]))


def _under(rate: str) -> Callable[[Sides], float]:
    return lambda s: float(share(s.reference[rate], s.group[rate]))


def _size(rate: str) -> Callable[[Sides], float]:
    return lambda s: abs(s.group[rate] - s.reference[rate])


def _spread(rate: str) -> Callable[[Sides], float]:
    return lambda s: float(np.ptp(s.every[rate]))


def _worst(s: Sides) -> float:
    # np.maximum, unlike max, keeps NaN: an undefined rate must not turn into a perfect 0.
    return float(np.maximum(_spread("tpr")(s), _spread("fpr")(s)))


def _mean_gap(s: Sides) -> float:
    return (_spread("tpr")(s) + _spread("fpr")(s)) / 2


def _average(s: Sides) -> float:
    return (_minus("tpr")(s) + _minus("fpr")(s)) / 2


def _both_ways(s: Sides) -> float:
    return float(np.minimum(_over("selection_rate")(s), _under("selection_rate")(s)))


def _loss(s: Sides) -> float:
    over = _over("selection_rate")(s)
    return abs(math.log(over)) if over > 0 else math.nan


_DP, _DPR, _EO, _ODDS = (
    "demographic_parity_difference",
    "demographic_parity_ratio",
    "equal_opportunity_difference",
    "equalized_odds_difference",
)
_AVERAGE, _FPR, _PAPER = "average_odds_difference", "false_positive_rate_difference", "demographic_parity_ratio_paper"
_SELECTED = "selection_rate"

CONVENTIONS: tuple[Printed, ...] = (
    Printed("fairlearn", "demographic_parity_difference", _DP, "max − min, never negative", _spread(_SELECTED)),
    Printed("aif360", "statistical_parity_difference", _DP, "unprivileged − privileged", _minus(_SELECTED)),
    Printed("aif360", "mean_difference", _DP, "another name of the same", _minus(_SELECTED)),
    Printed("holisticai", "statistical_parity", _DP, "first group − second, here group − reference", _minus(_SELECTED)),
    Printed(
        "holisticai", "statistical_parity (groups swapped)", _DP, "reference − group", lambda s: -_minus(_SELECTED)(s)
    ),
    Printed("FairNeuron", "DP", _DP, "absolute difference", _size(_SELECTED)),
    Printed("ProF", "DP", _DP, "absolute difference", _size(_SELECTED)),
    Printed(
        "fairlearn",
        "demographic_parity_ratio",
        _DPR,
        "min / max, never above 1",
        lambda s: float(share(s.every[_SELECTED].min(), s.every[_SELECTED].max())),
    ),
    Printed("aif360", "disparate_impact", _DPR, "unprivileged / privileged", _over(_SELECTED)),
    Printed("aif360", "disparate_impact (roles swapped)", _DPR, "privileged / unprivileged", _under(_SELECTED)),
    Printed("aequitas", "pprev_disparity", _DPR, 'group / reference; called "Impact Parity"', _over(_SELECTED)),
    Printed("aequitas", "pprev_disparity (other reference)", _DPR, "reference / group", _under(_SELECTED)),
    Printed("holisticai", "disparate_impact", _DPR, "first group / second, here group / reference", _over(_SELECTED)),
    Printed("holisticai", "four_fifths", _DPR, "the smaller one of both ways", _both_ways),
    Printed("dalex", "STP ratio", _DPR, "group / privileged", _over(_SELECTED)),
    Printed("dalex", "parity_loss of STP", _DPR, "|ln of the ratio|, 0 is equal", _loss),
    Printed("FairNeuron", "DP ratio (paper)", _PAPER, "S = 1 / S = 0, can exceed 1", _over(_SELECTED)),
    Printed("FairNeuron", "DP ratio (released code)", _PAPER, "S = 0 / S = 1, can exceed 1", _under(_SELECTED)),
    Printed("fairlearn", "equal_opportunity_difference", _EO, "max − min of TPR, never negative", _spread("tpr")),
    Printed("aif360", "equal_opportunity_difference", _EO, "unprivileged − privileged TPR", _minus("tpr")),
    Printed("aequitas", "tpr_disparity", _EO, "a ratio: TPR of group / reference", _over("tpr")),
    Printed("holisticai", "equal_opportunity_diff", _EO, "TPR of group − reference", _minus("tpr")),
    Printed("dalex", "TPR ratio", _EO, "TPR of group / privileged", _over("tpr")),
    Printed("FairNeuron", "EO (true-positive-rate gap)", _EO, "absolute difference of TPR", _size("tpr")),
    Printed("fairlearn", "equalized_odds_difference", _ODDS, "the worse one of the TPR and FPR gaps", _worst),
    Printed("fairlearn", 'equalized_odds_difference (agg="mean")', _ODDS, "mean of the two gaps", _mean_gap),
    Printed("aif360", "equalized_odds_difference", _ODDS, "absolute, the worse one", _worst),
    Printed("ProF", "EO (equalized odds difference)", _ODDS, "the worse one of the TPR and FPR gaps", _worst),
    Printed("aif360", "average_odds_difference", _AVERAGE, "signed mean, can cancel out", _average),
    Printed("holisticai", "average_odds_diff", _AVERAGE, "signed mean, can cancel out", _average),
    Printed("aequitas", "fpr_disparity", _FPR, "a ratio: FPR of group / reference", _over("fpr")),
)


def as_printed_by(audit: Audit, tool: str, prints_as: str, *, group: str | None = None) -> float:
    """Return a number as `tool` prints it under that name; NaN where it is undefined, whatever the tool prints then.

    Raises SettingError for a tool and name that are not in CONVENTIONS.
    """
    row = next((row for row in CONVENTIONS if (row.tool, row.prints_as) == (tool, prints_as)), None)
    if row is None:
        known = ", ".join(row.prints_as for row in CONVENTIONS if row.tool == tool)
        tools = ", ".join(dict.fromkeys(row.tool for row in CONVENTIONS))
        instead = f"choose one of {known}" if known else f"choose a tool of {tools}"
        raise SettingError(f"No number {prints_as!r} of {tool!r} is known: {instead}.")
    return row.compute(_sides(audit, group))


def conventions_table(audit: Audit, *, group: str | None = None, metric: str | None = None) -> list[PrintedValue]:
    """Return every number of CONVENTIONS for this audit, or those that correspond to one metric."""
    sides = _sides(audit, group)
    return [
        PrintedValue(row.tool, row.prints_as, row.metric, row.note, row.compute(sides))
        for row in CONVENTIONS
        if metric in (None, row.metric)
    ]


def _sides(audit: Audit, group: str | None) -> Sides:
    names = [rates.group for rates in audit.groups]
    if group is not None and (group not in names or group == audit.reference):
        raise SettingError(f"{group!r} is no group beside the reference {audit.reference!r}: choose one of {names}.")
    reference = names.index(audit.reference)
    chosen = [g for g, name in enumerate(names) if (g != reference if group is None else name == group)]
    filled = np.flatnonzero(audit.counts.sum(axis=(1, 2)))
    return Sides(
        {rate: float(_rate(audit.counts[reference], rate)) for rate in _RATES},
        {rate: float(_rate(audit.counts[chosen].sum(axis=0), rate)) for rate in _RATES},
        {rate: _rate(audit.counts[filled], rate) for rate in _RATES},
    )


_RATES = (_SELECTED, "tpr", "fpr")


def _rate(counts: np.ndarray, rate: str) -> np.ndarray:
    return share(*rate_parts(counts, rate))
