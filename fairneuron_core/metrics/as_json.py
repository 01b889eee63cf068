"""Audits as plain dictionaries for strict JSON: undefined and infinite numbers become null."""

from __future__ import annotations

import math
from typing import Any

from fairneuron_core.metrics.flips import flip_table
from fairneuron_core.types import Audit, Estimate, Metric, PairedAudit


def number_json(value: float) -> float | None:
    """Return a finite number, or None.

    >>> number_json(0.26), number_json(float("nan")), number_json(float("inf"))
    (0.26, None, None)
    """
    return float(value) if math.isfinite(value) else None


def estimate_json(estimate: Estimate) -> dict[str, Any]:
    """Return value, low, high and n of an estimate."""
    ends = {name: number_json(getattr(estimate, name)) for name in ("value", "low", "high")}
    return {**ends, "n": int(estimate.n)}


def audit_json(audit: Audit) -> dict[str, Any]:
    """Return one audit as a dictionary that `json.dumps(..., allow_nan=False)` accepts."""
    return {
        "attribute": audit.attribute,
        "reference": audit.reference,
        "n": int(audit.counts.sum()),
        "degenerate": audit.degenerate,
        "set_aside": list(audit.set_aside),
        "metrics": {name: _metric_json(metric) for name, metric in audit.metrics.items()},
        "groups": [
            {
                "group": group.group,
                "n": group.n,
                "positives": int(group.counts[1].sum()),
                "selected": int(group.counts[:, 1].sum()),
                "rates": {name: estimate_json(rate) for name, rate in group.rates.items()},
            }
            for group in audit.groups
        ],
    }


def _metric_json(metric: Metric) -> dict[str, Any]:
    pair = list(metric.pair) if metric.pair else None
    return {**estimate_json(metric.estimate), "pair": pair, "words": metric.words}


def compare_json(paired: PairedAudit) -> dict[str, Any]:
    """Return a paired comparison: every metric before and after, its change and verdict, and whose decision flipped."""
    return {
        "metrics": {
            name: {
                "before": estimate_json(change.before),
                "after": estimate_json(change.after),
                "difference": estimate_json(change.difference),
                "verdict": change.verdict,
            }
            for name, change in paired.changes.items()
        },
        "flips": flip_table(paired),
    }
