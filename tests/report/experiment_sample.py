"""A small experiment with the shape of a real one: made from a formula, so that its figures are known."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from fairneuron_core.experiments.spec import BUDGETS, GAPS
from fairneuron_core.experiments.statistics import Overlap, over_seeds, spread, verdict_over_seeds

OVERLAP = Overlap(2 / 7)
# name: title, kind, reads the attribute when it decides, (lost accuracy, share of the gap that is left) per strength
METHODS: dict[str, tuple[str, str, bool, dict[float | None, tuple[float, float]]]] = {
    "no_repair": ("No repair", "control", False, {None: (0.0, 1.0)}),
    "plain_retraining": ("Plain retraining", "control", False, {None: (-0.0005, 1.02)}),
    "matched_threshold": ("Matched threshold", "control", False, {None: (0.006, 0.85)}),
    "conflict": ("Conflict repair", "method", False, {0.0: (0.0, 1.0), 0.4: (0.008, 0.25), 0.8: (0.03, 0.05)}),
    "reweighing": ("Reweighing", "method", False, {None: (0.004, 0.62)}),
    "reject_option": ("Reject option", "method", True, {0.0: (0.0, 1.0), 0.5: (0.009, 0.4), 1.0: (0.02, 0.1)}),
}
START = {"accuracy": 0.85, "gap": 0.18}
SHARES = {"Male": 0.67, "Female": 0.33}
BASE_RATES = {"Male": 0.31, "Female": 0.11}
TEST_ROWS = 9000


def sample_experiment(
    *, seeds: int = 3, methods: dict[str, Any] | None = None, data: str = "census", failing: str | None = None
) -> dict[str, Any]:
    """Return the JSON of an experiment; `failing` names a method whose model is degenerate on the first seed."""
    table = METHODS if methods is None else methods
    rows = [row for name in table for seed in range(seeds) for row in _rows(name, table[name], seed, name == failing)]
    return {
        "spec": {
            "data": data,
            "protected": "sex",
            "methods": list(table),
            "seeds": list(range(seeds)),
            "epochs": 10,
            "budget": 0.01,
            "gap": GAPS[0],
            "threads": 1,
        },
        "data_sha256": "0" * 64,
        "left_out": [{"method": "exponentiated_gradient", "reason": "Install the extra `peers` to measure it."}],
        "interval": {"method": "corrected", "confidence": 0.95, "test_to_train": 2 / 7},
        "rows": rows,
        "summary": [_summary(name, table, rows, metric) for name in table for metric in ("accuracy", *GAPS)],
        "pareto": {gap: [_front(name, table, rows, gap) for name in table] for gap in GAPS},
        "timing": {
            "seconds": {"base training": 41.0, **{name: 3.0 + 9 * len(row[3]) for name, row in table.items()}},
            "total": 60.0 + 20 * len(table),
            "versions": {"torch": "2.13"},
            "machine": "Linux x86_64, 2 cores",
        },
    }


def damaged_experiment() -> dict[str, Any]:
    """Return an experiment that lost the rows of its first seed."""
    found = copy.deepcopy(sample_experiment())
    found["rows"] = [row for row in found["rows"] if row["seed"] != 0]
    return found


def _rows(name: str, described: Any, seed: int, failing: bool) -> list[dict[str, Any]]:
    luck = np.random.default_rng([seed, *name.encode()])
    start = np.random.default_rng(seed).normal(0, 1, 2)
    found = []
    for strength, (lost, left) in described[3].items():
        noise = luck.normal(0, 1, 2) * (0.0 if name == "no_repair" else 1.0)
        accuracy = START["accuracy"] + 0.002 * start[0] - lost + 0.001 * noise[0]
        gap = abs((START["gap"] + 0.006 * start[1]) * left + 0.004 * noise[1])
        reason = "It decides nearly always the same." if failing and seed == 0 else None
        for split, n in (("validation", TEST_ROWS // 2), ("test", TEST_ROWS)):
            shift = 0.0005 if split == "test" else 0.0
            metrics = _metrics(round(accuracy - shift, 6), round(gap + shift, 6))
            found.append(
                {
                    "method": name,
                    "strength": strength,
                    "seed": seed,
                    "split": split,
                    "n": n,
                    "metrics": metrics,
                    "groups": _groups(n, gap + shift),
                    "degenerate": reason,
                }
            )
    return found


def _metrics(accuracy: float, gap: float) -> dict[str, float]:
    return {
        "accuracy": accuracy,
        "demographic_parity_difference": gap,
        "demographic_parity_ratio": round(1 - gap / 0.25, 6),
        "equal_opportunity_difference": round(abs(0.12 - gap / 2), 6),
        "equalized_odds_difference": round(abs(0.12 - gap / 2) + 0.01, 6),
    }


def _groups(n: int, gap: float) -> list[dict[str, Any]]:
    found = []
    for group, side in (("Male", 1), ("Female", -1)):
        selected = 0.18 + side * gap / 2
        found.append(
            {
                "group": group,
                "n": round(n * SHARES[group]),
                "base_rate": BASE_RATES[group],
                "selection_rate": round(selected, 6),
                "tpr": round(0.6 + side * gap / 4, 6),
                "fpr": round(0.07 + side * gap / 8, 6),
            }
        )
    return found


def _values(rows: list[dict[str, Any]], metric: str, **where: Any) -> list[float | None]:
    return [
        None if row["degenerate"] else row["metrics"][metric]
        for row in rows
        if all(row[key] == value for key, value in where.items())
    ]


def _estimate(values: Any) -> dict[str, float]:
    found = over_seeds(values, OVERLAP)
    return {"value": _plain(found.value), "low": _plain(found.low), "high": _plain(found.high)}


def _plain(value: float) -> float | None:
    """Undefined is null in JSON."""
    return None if np.isnan(value) else value


def _summary(name: str, table: Any, rows: list[dict[str, Any]], metric: str) -> dict[str, Any]:
    strength = 0.4 if name == "conflict" else 0.5 if name == "reject_option" else next(iter(table[name][3]))
    after = _values(rows, metric, method=name, strength=strength, split="test")
    before = _values(rows, metric, method="no_repair", split="test")
    change = over_seeds([None if None in (a, b) else a - b for a, b in zip(after, before, strict=True)], OVERLAP)
    return {
        "method": name,
        **dict(zip(("title", "kind", "needs_protected"), table[name], strict=False)),
        "metric": metric,
        "mean": _plain(over_seeds(after, OVERLAP).value),
        "sd": _plain(spread(after)),
        "seeds": sum(value is not None for value in after),
        "strengths": [strength] * len(after),
        "paired_difference": {"value": _plain(change.value), "low": _plain(change.low), "high": _plain(change.high)},
        "verdict": verdict_over_seeds(metric, change),
    }


def _front(name: str, table: Any, rows: list[dict[str, Any]], gap: str) -> dict[str, Any]:
    points = []
    for split in ("validation", "test"):
        for strength in table[name][3]:
            where = {"method": name, "strength": strength, "split": split}
            accuracy, found = (_values(rows, metric, **where) for metric in ("accuracy", gap))
            points.append(
                {
                    "strength": strength,
                    "split": split,
                    "accuracy": _estimate(accuracy),
                    "gap": _estimate(found),
                    "seeds": sum(value is not None for value in found),
                    "degenerate": sum(value is None for value in found) / len(found),
                }
            )
    test = [point for point in points if point["split"] == "test"]
    budgets = {}
    for budget in BUDGETS:
        fits = [p for p in test if p["accuracy"]["value"] >= START["accuracy"] - budget - 0.003] or test[:1]
        best = min(fits, key=lambda p: p["gap"]["value"])
        budgets[f"{budget:g}"] = {"gap": best["gap"], "reduction": 0.5, "accuracy_change": best["accuracy"]}
    area = 0.02 * len(test) / 3
    return {
        "method": name,
        **dict(zip(("title", "kind", "needs_protected"), table[name], strict=False)),
        "points": points,
        "hypervolume": {"value": area, "low": area * 0.8, "high": area * 1.2},
        "budgets": budgets,
    }
