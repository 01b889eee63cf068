"""Audits and comparisons as strict JSON with the promised keys."""

import json
import subprocess
import sys

import numpy as np

from fairneuron_core.metrics import METRICS, audit_from_counts, audit_json, compare_from_counts, compare_json

COUNTS = np.array([[[30, 20], [10, 40]], [[60, 40], [0, 0]], [[3, 0], [1, 1]]])
GROUPS = {"levels": ("M", "F", "X"), "attribute": "sex", "reference": "M"}


def test_audit_is_strict_json_with_null_for_undefined():
    text = json.dumps(audit_json(audit_from_counts(COUNTS, **GROUPS)), allow_nan=False)
    found = json.loads(text)
    assert set(found) == {"attribute", "reference", "n", "degenerate", "set_aside", "metrics", "groups"}
    assert found["n"] == 205
    assert found["set_aside"] == ["X"]
    assert set(found["metrics"]) == set(METRICS)
    assert all(set(m) == {"value", "low", "high", "n", "pair", "words"} for m in found["metrics"].values())
    undefined = found["metrics"]["equal_opportunity_difference"]
    assert (undefined["value"], undefined["low"], undefined["high"], undefined["pair"]) == (None, None, None, None)
    assert found["metrics"]["demographic_parity_difference"]["pair"] == ["M", "F"]


def test_groups_carry_their_counts_and_rates():
    first = audit_json(audit_from_counts(COUNTS, **GROUPS))["groups"][0]
    assert (first["group"], first["n"], first["positives"], first["selected"]) == ("M", 100, 50, 60)
    assert first["rates"]["tpr"]["value"] == 0.8
    assert first["rates"]["tpr"]["n"] == 50


def test_comparison_is_strict_json_with_verdicts_and_flips():
    counts = np.zeros((3, 2, 2, 2), int)
    counts[..., 0, 0], counts[..., 1, 1] = COUNTS[..., 0], COUNTS[..., 1]
    counts[1, 0, 0] = [50, 10]
    found = json.loads(json.dumps(compare_json(compare_from_counts(counts, **GROUPS, replicates=300)), allow_nan=False))
    assert set(found) == {"metrics", "flips"}
    change = found["metrics"]["demographic_parity_difference"]
    assert set(change) == {"before", "after", "difference", "verdict"}
    assert set(change["difference"]) == {"value", "low", "high", "n"}
    assert found["metrics"]["equal_opportunity_difference"]["verdict"] == "undefined"
    assert found["metrics"]["equal_opportunity_difference"]["difference"]["value"] is None
    raised = next(row for row in found["flips"] if (row["group"], row["label"]) == ("F", 0))
    assert raised == {"group": "F", "label": 0, "n": 100, "to_favourable": 10, "to_unfavourable": 0}


def test_metrics_load_without_the_heavy_libraries():
    code = "import sys, fairneuron_core.metrics; print([m for m in ('torch', 'pandas', 'scipy') if m in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"
