"""The metrics of one audit: overall shares, the largest gap between any two groups, and gaps to the reference group."""

from __future__ import annotations

import math

import numpy as np

from fairneuron_core.metrics import words
from fairneuron_core.metrics.intervals import (
    difference,
    fold,
    fold_ratio,
    largest_of,
    ratio,
    simultaneous,
    smallest_of,
    weighted_sum,
    wilson,
)
from fairneuron_core.metrics.rates import RATES, rate_parts, share
from fairneuron_core.metrics.row import AuditView, MetricRow
from fairneuron_core.types import Estimate, Metric


def overall_rate(row: MetricRow, view: AuditView) -> Metric:
    """Measure one rate over all rows, groups of any size included."""
    part, whole = (int(v) for v in rate_parts(view.counts.sum(axis=0), row.rates[0]))
    low, high = wilson(part, whole, confidence=view.confidence)
    estimate = Estimate(float(share(part, whole)), float(low), float(high), whole, view.confidence)
    said = f"{words.of_n(part, whole)} {RATES[row.rates[0]].words}."
    return Metric(row.name, estimate, None, words.sentence(said, words.favourable(view)))


def balanced_accuracy(row: MetricRow, view: AuditView) -> Metric:
    """Measure (TPR + 1 - FPR) / 2 over all rows."""
    parts = np.array([rate_parts(view.counts.sum(axis=0), rate) for rate in row.rates])  # (rates, 2)
    low, high = wilson(parts[:, 0], parts[:, 1], confidence=view.confidence)
    values, weights = share(parts[:, 0], parts[:, 1]), np.array([0.5, -0.5])
    below, above = weighted_sum(values, low, high, weights)
    value = 0.5 + float(weights @ values)
    estimate = Estimate(value, 0.5 + float(below), 0.5 + float(above), int(parts[:, 1].sum()), view.confidence)
    (selected, positives), (wrongly, negatives) = parts.tolist()
    said = (
        f"Mean of {words.of_n(selected, positives)} right among rows with the favourable label and "
        f"{words.of_n(negatives - wrongly, negatives)} right among the others."
    )
    return Metric(row.name, estimate, None, said)


def largest_difference(row: MetricRow, view: AuditView) -> Metric:
    """Measure the largest absolute difference of a rate between any two groups (the larger one of several rates)."""
    groups = view.usable(row.rates)
    if groups.size < 2:
        return _undefined(row, view)
    first, second = (groups[side] for side in np.triu_indices(groups.size, 1))  # (pairs,)
    x, n = np.moveaxis(np.array([rate_parts(view.counts, rate) for rate in row.rates]), 1, 0)  # (rates, groups) each
    gaps = share(x, n)[:, first] - share(x, n)[:, second]  # (rates, pairs)
    which, pair = np.unravel_index(np.argmax(np.abs(gaps)), gaps.shape)
    sides = (first[pair], second[pair]) if gaps[which, pair] >= 0 else (second[pair], first[pair])
    tables = x[:, first], n[:, first], x[:, second], n[:, second]
    levels = (view.confidence, simultaneous(view.confidence, gaps.size))
    plain, joint = (fold(*difference(*tables, confidence=level)) for level in levels)
    low, high = largest_of(plain, joint)
    evidence = int(n[:, groups].sum())
    estimate = Estimate(float(abs(gaps[which, pair])), low, high, evidence, view.confidence)
    names = (view.levels[sides[0]], view.levels[sides[1]])
    return Metric(row.name, estimate, names, _gap_words(row, view, sides, int(which), gaps))


def _gap_words(row: MetricRow, view: AuditView, sides: tuple[int, int], which: int, gaps: np.ndarray) -> str:
    rate = row.rates[which]
    said = [f"{words.two_groups(view, *sides, rate)}. Gap {words.points(float(np.abs(gaps).max()))}."]
    if gaps.shape[0] > 1:
        said.insert(0, f"The larger one of {len(row.rates)} gaps, here of the {RATES[rate].label.lower()}.")
        others = [i for i in range(len(row.rates)) if i != which]
        said += [
            f"Gap of the {RATES[row.rates[i]].label.lower()}: {words.points(np.abs(gaps[i]).max())}." for i in others
        ]
    if gaps.shape[1] > 1:
        said.append(f"Largest of {gaps.shape[1]} pairs of groups.")
    return words.sentence(*said, words.left_out(view, row.rates), words.favourable(view))


def smallest_ratio(row: MetricRow, view: AuditView) -> Metric:
    """Measure the smallest rate of any group divided by the largest one."""
    groups = view.usable(row.rates)
    x, n = rate_parts(view.counts, row.rates[0])
    if groups.size < 2 or not x[groups].any():
        return _undefined(row, view, "No group has anybody selected." if groups.size >= 2 else "")
    values = share(x, n)
    high_group, low_group = groups[np.argmax(values[groups])], groups[np.argmin(values[groups])]
    first, second = (groups[side] for side in np.triu_indices(groups.size, 1))
    levels = (view.confidence, simultaneous(view.confidence, first.size))
    plain, joint = (fold_ratio(*ratio(x[first], n[first], x[second], n[second], confidence=c)) for c in levels)
    low, high = smallest_of(plain, joint)
    value = float(values[low_group] / values[high_group])
    estimate = Estimate(value, low, high, int(n[groups].sum()), view.confidence)
    said = f"{words.two_groups(view, low_group, high_group, row.rates[0])}. Lower divided by higher: {value:.3f}."
    pairs = f"Smallest of {first.size} pairs of groups." if first.size > 1 else ""
    aside, pair = words.left_out(view, row.rates), (view.levels[high_group], view.levels[low_group])
    return Metric(row.name, estimate, pair, words.sentence(said, pairs, aside, words.favourable(view)))


def compared_with_reference(row: MetricRow, view: AuditView) -> int | None:
    """Return the group whose mean difference to the reference is largest in absolute value, None if there is none."""
    groups, reference = view.usable(row.rates), view.reference_index
    others = groups[groups != reference]
    if reference not in groups or not others.size:
        return None
    mean = np.mean([view.rate(rate) for rate in row.rates], axis=0)
    return int(others[np.argmax(np.abs(mean[others] - mean[reference]))])


def difference_to_reference(row: MetricRow, view: AuditView) -> Metric:
    """Measure the signed mean of the rates' differences, group minus reference, where it is largest in size."""
    group = compared_with_reference(row, view)
    if group is None:
        return _undefined(row, view, f"Reference group: {view.reference}.")
    reference, others = view.reference_index, view.usable(row.rates).size - 1
    parts = np.array([rate_parts(view.counts[[group, reference]], rate) for rate in row.rates])  # (rates, x|n, side)
    values = share(parts[:, 0], parts[:, 1])
    low, high = wilson(parts[:, 0], parts[:, 1], confidence=simultaneous(view.confidence, others))
    weights = np.tile([1.0, -1.0], len(row.rates)) / len(row.rates)
    below, above = weighted_sum(values.ravel(), low.ravel(), high.ravel(), weights)
    value = float(np.mean(values[:, 0] - values[:, 1]))
    estimate = Estimate(value, float(below), float(above), int(parts[:, 1].sum()), view.confidence)
    terms = [
        f"{words.two_groups(view, group, reference, rate)}: {words.points(float(v[0] - v[1]))}."
        for rate, v in zip(row.rates, values, strict=True)
    ]
    said = f"Mean of the {len(row.rates)} differences, {view.levels[group]} minus {view.reference} (reference): "
    said += f"{words.points(value)}. Opposite signs cancel out in it."
    return _signed(row, view, estimate, group=group, above=value >= 0, said=words.sentence(*terms, said))


def ratio_to_reference(row: MetricRow, view: AuditView) -> Metric:
    """Measure the rate of the group that is farthest from the reference, divided by the reference group's rate."""
    group = compared_with_reference(row, view)
    x, n = rate_parts(view.counts, row.rates[0])
    reference = view.reference_index
    if group is None or not x[reference]:
        nobody = f"Nobody in the reference group {view.reference} is selected." if group is not None else ""
        return _undefined(row, view, nobody or f"Reference group: {view.reference}.")
    value = float(view.rate(row.rates[0])[group] / view.rate(row.rates[0])[reference])
    level = simultaneous(view.confidence, view.usable(row.rates).size - 1)
    low, high = ratio(x[group], n[group], x[reference], n[reference], confidence=level)
    estimate = Estimate(value, float(low), float(high), int(n[group] + n[reference]), view.confidence)
    said = f"{words.two_groups(view, group, reference, row.rates[0])} (reference). "
    said += f"{view.levels[group]} divided by {view.reference}: {value:.3f}."
    return _signed(row, view, estimate, group=group, above=value >= 1, said=said)


def _signed(row: MetricRow, view: AuditView, estimate: Estimate, *, group: int, above: bool, said: str) -> Metric:
    others = view.usable(row.rates).size - 1
    chosen = f"{view.levels[group]} is the group farthest from the reference, of {others}." if others > 1 else ""
    pair = (view.levels[group], view.reference) if above else (view.reference, view.levels[group])
    aside = words.left_out(view, row.rates)
    return Metric(row.name, estimate, pair, words.sentence(said, chosen, aside, words.favourable(view)))


def _undefined(row: MetricRow, view: AuditView, why: str = "") -> Metric:
    groups = view.usable(row.rates)
    n = int(sum(rate_parts(view.counts, rate)[1][groups].sum() for rate in row.rates))
    said = words.sentence(f"Undefined. {why}", words.left_out(view, row.rates)) if groups.size >= 2 else ""
    said = said or words.sentence(words.undefined_gap(view, row.rates), why)
    return Metric(row.name, Estimate(math.nan, math.nan, math.nan, n, view.confidence), None, said)
