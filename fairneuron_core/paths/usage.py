"""Which neurons serve whom: how often every hidden neuron is on the activation path of each group's rows.

1. A neuron is used by a row when it is on the row's path, followed down to the inputs. Counts are added up chunk by
   chunk, (groups, neurons); no row's neurons are kept.
2. Share of a group = rows of the group that use the neuron / rows of the group, with Wilson's interval.
3. Test: Fisher's exact p value of a group's share against the reference group's (two groups), or against everyone
   else's (more groups), corrected by Holm over all neurons and groups tested. Neurons that no row or every row uses
   have nothing to test.
4. A neuron SERVES ONE GROUP ONLY when rows of one group alone use it and Holm's p value says that this is no chance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fairneuron_core.errors import DataError, SettingError
from fairneuron_core.metrics.intervals import difference, simultaneous, wilson
from fairneuron_core.metrics.multiple import holm, two_share_p_value
from fairneuron_core.paths.settings import Reading, SlicingSetting
from fairneuron_core.paths.slicer import Slicer, check_features, make_slicer
from fairneuron_core.paths.slicing import in_chunks
from fairneuron_core.types import Classifier, Estimate, Progress, ProgressCallback

if TYPE_CHECKING:
    from torch import nn

NOBODY, EVERYBODY, NO_DIFFERENCE = "on nobody's path", "on everybody's path", "no difference shown"


@dataclass(frozen=True)
class NeuronRow:
    """One hidden neuron: layer from 1, neuron from 0, per group how many rows use it and which share that is.

    group: the group that differs most (smallest p value; NaN where there is nothing to test); difference: its share
    minus that of `against`, with an interval that holds for all tests together; p, p_holm: Fisher's, as it is and
    corrected.
    """

    layer: int
    neuron: int
    counts: tuple[int, ...]
    shares: tuple[Estimate, ...]
    group: str
    difference: Estimate
    p: float
    p_holm: float
    verdict: str


@dataclass(frozen=True)
class NeuronUsage:
    """Every hidden neuron, layer by layer, with the groups' rows, what groups are compared with, and one sentence."""

    groups: tuple[str, ...]
    rows: tuple[int, ...]
    against: str
    coverage: float
    reading: str
    tests: int
    neurons: tuple[NeuronRow, ...]
    sentence: str

    @property
    def different(self) -> tuple[NeuronRow, ...]:
        """The neurons with a difference that is no chance, largest difference first."""
        found = [row for row in self.neurons if row.p_holm <= 0.05]
        return tuple(sorted(found, key=lambda row: -abs(row.difference.value)))

    @property
    def one_group_only(self) -> tuple[NeuronRow, ...]:
        return tuple(row for row in self.different if _users(row.counts) == 1)


def neuron_usage(
    network: nn.Sequential | Classifier,
    features: np.ndarray,
    codes: np.ndarray,
    *,
    levels: Sequence[str],
    coverage: float,
    reading: Reading = "delta",
    means: Any = None,
    reference: str | None = None,
    threads: int | None = None,
    progress: ProgressCallback | None = None,
) -> NeuronUsage:
    """Return how often each hidden neuron is on the paths of each group, with intervals and corrected tests.

    features (n, inputs), codes (n,) = place of each row's group in `levels`. Groups without rows are left out.
    reference: with two groups, the one whose share is subtracted (default: the first with rows).
    network, coverage, reading, means, threads, progress: as for `slice_paths`.

    Raises DataError (no group or only one has rows; features and codes of different lengths), SettingError (an unknown
    reference group) and what `slice_paths` raises.
    """
    SlicingSetting(float(coverage), reading)
    slicer = make_slicer(network, reading=reading, means=means)
    check_features(slicer, features)
    if len(codes) != len(features):
        raise DataError(f"There are {len(features):,} rows and {len(codes):,} group codes: pass one code per row.")
    present = [code for code in range(len(levels)) if (codes == code).any()]
    groups = tuple(str(levels[code]) for code in present)
    if len(groups) < 2:
        raise DataError(f"Only {len(groups)} of the groups has rows: comparing how neurons are used needs two.")
    if reference is not None and reference not in groups:
        raise SettingError(f"The reference group '{reference}' has no rows: choose one of {', '.join(groups)}.")
    counts = _counts(slicer, features, codes, present, float(coverage), threads, progress)
    rows = np.array([(codes == code).sum() for code in present])
    widths = [int(width) for width in slicer.network.widths[1:-1]]
    places = [(layer, neuron) for layer, width in enumerate(widths, start=1) for neuron in range(width)]
    return _usage(groups, rows, counts, places, reference or groups[0], float(coverage), reading)


def _counts(
    slicer: Slicer,
    features: np.ndarray,
    codes: np.ndarray,
    present: Sequence[int],
    coverage: float,
    threads: int | None,
    progress: ProgressCallback | None,
) -> np.ndarray:
    """Return how many rows of each group use each hidden neuron, (groups, neurons)."""
    net = slicer.network
    hidden = np.concatenate([np.arange(net.units)[net.level(i)] for i in range(1, len(net.widths) - 1)] or [[]])
    parts: list[np.ndarray] = []

    def run(rows: slice) -> None:
        used = slicer.active(np.asarray(features[rows]), coverage=coverage)[:, hidden.astype(np.int64)]
        parts.append(np.stack([used[codes[rows] == code].sum(axis=0) for code in present]))

    for share in in_chunks(run, rows=len(features), chunk=slicer.chunk_rows, threads=threads):
        if progress:
            progress(Progress(share, f"Following paths: {share * len(features):,.0f} of {len(features):,} rows"))
    return np.sum(parts, axis=0)


def _usage(
    groups: tuple[str, ...],
    rows: np.ndarray,
    counts: np.ndarray,
    places: Sequence[tuple[int, int]],
    reference: str,
    coverage: float,
    reading: str,
) -> NeuronUsage:
    two = len(groups) == 2
    tested = [g for g, group in enumerate(groups) if not two or group != reference]
    testable = (counts.sum(axis=0) > 0) & (counts.sum(axis=0) < rows.sum())
    p = np.full((len(tested), counts.shape[1]), np.nan)
    for place, g in enumerate(tested):
        others = np.arange(len(groups)) != g
        x, n = counts[others].sum(axis=0), int(rows[others].sum())
        for neuron in np.flatnonzero(testable):
            p[place, neuron] = two_share_p_value(int(counts[g, neuron]), int(rows[g]), int(x[neuron]), n)
    adjusted = holm(p.ravel()).reshape(p.shape)
    tests = int(np.isfinite(p).sum())
    level = simultaneous(0.95, max(tests, 1))
    low, high = wilson(counts, rows[:, None])
    found = []
    for neuron, (layer, number) in enumerate(places):
        place = int(np.nanargmin(p[:, neuron])) if testable[neuron] else 0
        g = tested[place]
        shares = tuple(
            Estimate(counts[i, neuron] / rows[i], float(low[i, neuron]), float(high[i, neuron]), int(rows[i]), 0.95)
            for i in range(len(groups))
        )
        row = NeuronRow(
            layer, number, tuple(map(int, counts[:, neuron])), shares, groups[g],
            _difference(counts[:, neuron], rows, g, level), float(p[place, neuron]), float(adjusted[place, neuron]), "",
        )  # fmt: skip
        found.append(replace(row, verdict=_verdict(row, groups, int(rows.sum()))))
    against = reference if two else "everyone else"
    usage = NeuronUsage(groups, tuple(map(int, rows)), against, coverage, reading, tests, tuple(found), "")
    return replace(usage, sentence=_sentence(usage))


def _difference(counts: np.ndarray, rows: np.ndarray, g: int, level: float) -> Estimate:
    x, n = int(counts[g]), int(rows[g])
    others, all_others = int(counts.sum()) - x, int(rows.sum()) - n
    low, high = difference(x, n, others, all_others, confidence=level)
    return Estimate(x / n - others / all_others, float(low), float(high), n + all_others, 0.95)


def _users(counts: Sequence[int]) -> int:
    return sum(count > 0 for count in counts)


def _verdict(row: NeuronRow, groups: Sequence[str], total: int) -> str:
    if sum(row.counts) == 0:
        return NOBODY
    if sum(row.counts) == total:
        return EVERYBODY
    if not row.p_holm <= 0.05:
        return NO_DIFFERENCE
    if _users(row.counts) == 1:
        return f"serves {groups[int(np.argmax(row.counts))]} only"
    if row.difference.value < 0 and len(groups) == 2:
        return f"more often for {next(group for group in groups if group != row.group)}"
    return f"{'more' if row.difference.value > 0 else 'less'} often for {row.group}"


def _sentence(usage: NeuronUsage) -> str:
    total, only, differ = len(usage.neurons), usage.one_group_only, usage.different
    if not total:
        return "The network has no hidden neurons."
    serving = (
        f"{len(only)} of {total} hidden neurons serve one group only" if only else "No neuron serves one group only"
    )
    if not differ:
        return f"{serving}, and none is shown to be used more by one group than by another."
    first = differ[0]
    share = first.shares[usage.groups.index(first.group)].value
    rest = share - first.difference.value
    return (
        f"{serving}; {len(differ)} of {total} are used more by one group than by another. The largest difference: "
        f"neuron {first.neuron} of hidden layer {first.layer}, on the path of {_percent(share)} of {first.group} "
        f"against {_percent(rest)} of {usage.against}."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if math.isfinite(share) else "none"
