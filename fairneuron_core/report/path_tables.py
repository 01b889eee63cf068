"""Activation paths as tables: synapses of one path, of two paths, all distinct paths, all settings tried."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from fairneuron_core.paths import PathFrequency, SettingRow, SynapseRow


def synapses_table(rows: Sequence[SynapseRow]) -> pd.DataFrame:
    """Return the synapses of one path, in the order given; share and cumulative are shares of the target's change."""
    return pd.DataFrame(
        {
            "from": [row.source_name for row in rows],
            "to": [row.target_name for row in rows],
            "contribution": [row.contribution for row in rows],
            "share": [row.share for row in rows],
            "cumulative": [row.cumulative for row in rows],
            "weight": [row.weight for row in rows],
            "layer": [row.layer for row in rows],
        }
    )


def compared_synapses(
    first: Sequence[SynapseRow], second: Sequence[SynapseRow], *, names: tuple[str, str]
) -> pd.DataFrame:
    """Return the synapses of either path, largest |contribution| first; NaN where a path does not have the synapse."""
    sides = [{(row.layer, row.source, row.target): row for row in side} for side in (first, second)]
    either = {**sides[1], **sides[0]}
    size = {key: max(abs(side[key].contribution) for side in sides if key in side) for key in either}
    order = sorted(either, key=lambda key: (-size[key], key))
    found = [[side[key].contribution if key in side else float("nan") for key in order] for side in sides]
    return pd.DataFrame(
        {
            "from": [either[key].source_name for key in order],
            "to": [either[key].target_name for key in order],
            names[0]: found[0],
            names[1]: found[1],
            "on": ["both" if all(key in s for s in sides) else names[key not in sides[0]] for key in order],
            "layer": [key[0] for key in order],
        }
    )


def counts_table(
    frequency: PathFrequency, codes: np.ndarray, *, levels: Sequence[str], threshold_count: int
) -> pd.DataFrame:
    """Return one row per distinct path, most frequent first: key (hexadecimal), samples, side of theta, groups.

    codes (n,) whole numbers into `levels`, the group of every row. Shares are shares of the path's samples.
    """
    groups, paths = len(levels), len(frequency.count)
    cells = frequency.path_of_row * groups + np.asarray(codes, np.int64)
    counts = np.bincount(cells, minlength=paths * groups).reshape(paths, groups)
    shares = counts / np.maximum(frequency.count, 1)[:, None]
    return pd.DataFrame(
        {
            "path": [f"{high:016x}{low:016x}" for high, low in frequency.key.tolist()],
            "samples": frequency.count,
            "side of theta": np.where(frequency.count <= threshold_count, "rare", "ordinary"),
            "one row that has it": frequency.first_row,
            **{f"samples: {level}": counts[:, i] for i, level in enumerate(levels)},
            **{f"share: {level}": shares[:, i] for i, level in enumerate(levels)},
        }
    )


def settings_table(rows: Sequence[SettingRow], *, coverage: float, first_layer: int) -> pd.DataFrame:
    """Return every setting that was tried for the suggestion; the suggested one is marked."""
    return pd.DataFrame(
        {
            "coverage": [row.coverage for row in rows],
            "first layer": [row.first_layer for row in rows],
            "synapses per path": [row.synapses for row in rows],
            "distinct paths": [row.unique_paths for row in rows],
            "most frequent": [row.most_frequent for row in rows],
            "samples on shared paths": [row.shared_share for row in rows],
            "suggested": ["●" if (r.coverage, r.first_layer) == (coverage, first_layer) else "" for r in rows],
        }
    )
