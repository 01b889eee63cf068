"""The setting that slicing should start from: as much of the path as rows still share.

1. For every coverage 0, 0.1, ..., 0.9 walk back once and keep one key per layer; the key of "layers >= l" is the sum
   of the layers' keys, so one walk serves every first layer.
2. A setting is usable when at least half of the rows lie on paths that 10 or more rows share.
3. Suggested: the usable setting with the most synapses per path.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fairneuron_core.paths.frequency import count_keys
from fairneuron_core.paths.settings import Granularity, Reading
from fairneuron_core.paths.slicer import check_features, make_slicer
from fairneuron_core.paths.slicing import in_chunks
from fairneuron_core.types import Classifier, Progress, ProgressCallback

if TYPE_CHECKING:
    from torch import nn

COVERAGES = tuple(step / 10 for step in range(10))
MAX_ROWS = 6_000
SHARED_BY = 10
NEEDED_SHARE = 0.5
THETA = 0.03


@dataclass(frozen=True)
class SettingRow:
    """One setting tried: mean synapses per path, distinct paths, M, and the share of rows on shared paths."""

    first_layer: int
    coverage: float
    synapses: float
    unique_paths: int
    most_frequent: int
    shared_share: float


@dataclass(frozen=True)
class SuggestedSetting:
    """The suggested setting, why, and every setting that was tried (`rows` rows were sliced)."""

    coverage: float
    first_layer: int
    theta: float
    reason: str
    table: tuple[SettingRow, ...]
    rows: int


def suggest_setting(
    network: nn.Sequential | Classifier,
    features: np.ndarray,
    *,
    reading: Reading = "delta",
    granularity: Granularity = "synapses",
    means: Any = None,
    seed: int = 0,
    threads: int | None = None,
    progress: ProgressCallback | None = None,
) -> SuggestedSetting:
    """Return the setting with the most synapses per path at which rows still share paths.

    Above 6,000 rows a subset drawn from `seed` is sliced, and the reason says so. Arguments and errors as for
    `slice_paths`.
    """
    slicer = make_slicer(network, reading=reading, means=means)
    check_features(slicer, features)
    total, layers = len(features), len(slicer.network.layers)
    if total > MAX_ROWS:
        features = features[np.sort(np.random.default_rng(seed).choice(total, MAX_ROWS, replace=False))]
    keys = np.empty((len(COVERAGES), len(features), layers, 2), np.uint64)
    counts = np.empty(keys.shape[:3], np.int64)

    def run(rows: slice) -> None:
        keys[:, rows], counts[:, rows] = slicer.keys(
            features[rows], coverages=COVERAGES, neurons=granularity == "neurons"
        )

    for share in in_chunks(run, rows=len(features), chunk=slicer.chunk_rows, threads=threads):
        if progress:
            progress(Progress(share, f"Trying {len(COVERAGES) * layers} settings on {len(features):,} rows"))
    lowest = 2 if reading == "released" else 1
    table = tuple(
        _row(keys[index, :, first - 1 :], counts[index, :, first - 1 :], first_layer=first, coverage=coverage)
        for first in range(lowest, layers + 1)
        for index, coverage in enumerate(COVERAGES)
    )
    return _choose(table, rows=len(features), total=total)


def _row(keys: np.ndarray, counts: np.ndarray, *, first_layer: int, coverage: float) -> SettingRow:
    frequency = count_keys(keys.sum(axis=1, dtype=np.uint64)).frequency
    if not len(frequency):
        return SettingRow(first_layer, coverage, float("nan"), 0, 0, float("nan"))
    return SettingRow(
        first_layer=first_layer,
        coverage=coverage,
        synapses=float(counts.sum(axis=1).mean()),
        unique_paths=round(float((1.0 / frequency).sum())),
        most_frequent=int(frequency.max()),
        shared_share=float((frequency >= SHARED_BY).mean()),
    )


def _choose(table: tuple[SettingRow, ...], *, rows: int, total: int) -> SuggestedSetting:
    usable = [row for row in table if row.shared_share >= NEEDED_SHARE]
    best = max(usable or table, key=lambda row: (row.synapses if usable else row.shared_share, row.first_layer))
    where = "all layers" if best.first_layer == 1 else f"layers from {best.first_layer} up"
    counted = f"{rows:,} rows" if rows == total else f"{rows:,} rows drawn from {total:,}"
    found = (
        f"{best.synapses:,.1f} synapses per path, {best.unique_paths:,} different paths, and "
        f"{100 * best.shared_share:.0f} % of {counted} lie on paths that {SHARED_BY} or more rows share"
    )
    if usable:
        reason = f"Coverage {best.coverage:g} with {where}: {found}. No setting with longer paths is shared by half."
    else:
        reason = (
            f"No setting tried has half of the rows on paths that {SHARED_BY} or more rows share. "
            f"Coverage {best.coverage:g} with {where} comes nearest: {found}."
        )
    return SuggestedSetting(best.coverage, best.first_layer, THETA, reason, table, rows)
