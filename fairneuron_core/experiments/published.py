"""The numbers that the paper prints, and nothing else; `paper.py` says what the names mean and compares.

Source: Gao et al., "FairNeuron", ICSE 2022, Tables 2 to 6.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

BASE = "base training"
"""Where an experiment keeps the seconds of the given networks' own training."""

_METRICS = {
    "Acc": "accuracy",
    "DP": "demographic_parity_difference",
    "DPR": "demographic_parity_ratio",
    "EO": "equal_opportunity_difference",
}


@dataclass(frozen=True)
class PublishedCell:
    """One printed number. `data` and `method` are our names (None: no such row here); `row` is the paper's."""

    table: int
    data: str
    row: str
    method: str | None
    prints_as: str
    metric: str
    printed: str

    @property
    def published(self) -> float:
        """The printed number; infinite for `inf`."""
        return float(self.printed.removesuffix("s"))

    @property
    def value(self) -> float:
        """The number in our definition: min(r, 1 / r) of a DPR, anything else as printed.

        >>> PublishedCell(4, "compas", "Naive model", "no_repair", "DPR", "demographic_parity_ratio", "1.600").value
        0.625
        """
        ratio = self.published
        if self.prints_as != "DPR":
            return ratio
        return 0.0 if math.isinf(ratio) else min(ratio, 1 / ratio)


_RATES = (
    # table, data set, row of the paper, our method, columns, printed
    (2, "compas", "Random", "random_group", "Acc DP DPR EO", "0.749 0.325 1.89 0.159"),
    (2, "compas", "Ours", "fairneuron", "Acc DP DPR EO", "0.799 0.013 1.02 0.058"),
    (3, "compas", "Ordinary", "plain_retraining", "Acc DP DPR EO", "0.575 0.733 0.183 0.683"),
    (3, "compas", "Dropout", "dropout_all", "Acc DP DPR EO", "0.621 0.341 1.860 0.095"),
    (3, "compas", "Selective", "fairneuron", "Acc DP DPR EO", "0.799 0.013 1.021 0.058"),
    (4, "census", "Naive model", "no_repair", "Acc DP EO DPR", "0.839 0.079 0.102 0.609"),
    (4, "census", "ROC", "reject_option", "Acc DP EO DPR", "0.597 0.044 0.051 0.773"),
    (4, "census", "Reweighing", "reweighing", "Acc DP EO DPR", "0.719 0.059 0.0141 1.497"),
    (4, "census", "FAD", "fad", "Acc DP EO DPR", "0.612 0.059 0.061 0.518"),
    (4, "census", "Ethical Adversaries", "ethical_adversaries", "Acc DP EO DPR", "0.814 0.031 0.179 0.784"),
    (4, "census", "FairNeuron", "fairneuron", "Acc DP EO DPR", "0.832 0.020 0.031 0.869"),
    (4, "german", "Naive model", "no_repair", "Acc DP EO DPR", "0.734 0.048 0.142 0.407"),
    (4, "german", "ROC", "reject_option", "Acc DP EO DPR", "0.646 0.041 0.073 1.273"),
    (4, "german", "Reweighing", "reweighing", "Acc DP EO DPR", "0.632 0.067 0.066 0.828"),
    (4, "german", "FAD", "fad", "Acc DP EO DPR", "0.710 0.000 0.000 inf"),
    (4, "german", "Ethical Adversaries", "ethical_adversaries", "Acc DP EO DPR", "0.715 0.041 0.031 2.442"),
    (4, "german", "FairNeuron", "fairneuron", "Acc DP EO DPR", "0.744 0.047 0.112 0.834"),
    (4, "compas", "Naive model", "no_repair", "Acc DP EO DPR", "0.621 0.341 0.095 1.860"),
    (4, "compas", "ROC", "reject_option", "Acc DP EO DPR", "0.618 0.083 0.069 0.890"),
    (4, "compas", "Reweighing", "reweighing", "Acc DP EO DPR", "0.671 0.193 0.176 1.406"),
    (4, "compas", "FAD", "fad", "Acc DP EO DPR", "0.567 0.057 0.114 0.926"),
    (4, "compas", "Ethical Adversaries", "ethical_adversaries", "Acc DP EO DPR", "0.759 0.095 0.095 1.203"),
    (4, "compas", "FairNeuron", "fairneuron", "Acc DP EO DPR", "0.799 0.013 0.058 1.021"),
)

_TIMES = (
    # table, columns of the paper, our names in `timing.seconds` (None: not timed apart), seconds per data set
    (
        5,
        ("Naive", "EA (/iteration)", "FairNeuron (/trial)"),
        (BASE, "ethical_adversaries", "fairneuron"),
        {
            "census": "115.74s 1439.96s 254.41s",
            "german": "3.07s 33.24s 31.49s",
            "compas": "11.92s 81.93s 44.31s",
        },
    ),
    (
        6,
        ("Para selection", "Slicing", "Clustering", "Training"),
        (None, None, None, None),
        {
            "census": "115.41s 25.37s 43.70s 74.37s",
            "german": "30.98s 0.20s 6.73e-4s 0.30s",
            "compas": "40.76s 2.09s 0.06s 1.40s",
        },
    ),
)


def _rates() -> tuple[PublishedCell, ...]:
    return tuple(
        PublishedCell(table, data, row, method, column, _METRICS[column], printed)
        for table, data, row, method, columns, numbers in _RATES
        for column, printed in zip(columns.split(), numbers.split(), strict=True)
    )


def _times() -> tuple[PublishedCell, ...]:
    return tuple(
        PublishedCell(table, data, row, method, "Time", "seconds", printed)
        for table, rows, methods, numbers in _TIMES
        for data, printed_all in numbers.items()
        for row, method, printed in zip(rows, methods, printed_all.split(), strict=True)
    )


CELLS: tuple[PublishedCell, ...] = (*_rates(), *_times())
"""Every printed number of Tables 2 to 6, in the paper's order."""
