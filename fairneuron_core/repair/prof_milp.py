"""Step 2 of ProF in the vertex form: the smallest change of the last layer that its linear bounds prove sound.

Source: "Provable Fairness Repair for Deep Neural Networks" (ProF), ASE 2025.

Between linear bounds l_i(x) <= h(x) <= u_i(x) on S(x_i) the logit W' h(x) + b' is at least

    min over x of  b' + sum_j (p_j l_ij(x) - n_j u_ij(x)),     W' = p - n,  p, n >= 0

and at most the same with l and u exchanged. Both are linear in x, so that their extremes over the free inputs lie at
corners: the two ends of a number, every level of a category (no other point of its one-hot box is a person). Writing
one constraint per corner replaces the paper's dual variables; the optimum is the same.
"""

from __future__ import annotations

import itertools

import numpy as np

from fairneuron_core.errors import SettingError
from fairneuron_core.repair.last_layer import LastLayer
from fairneuron_core.repair.last_layer_milp import Forms, Problem
from fairneuron_core.verify import MARGIN, FreeColumn, SimilarSpace
from fairneuron_core.verify.crown import LinearBounds

BOX = 3.0
"""Largest change of a single weight, as published."""
_MOST_CORNERS = 4096


def vertex_problem(layer: LastLayer, bounds: LinearBounds, corners: np.ndarray) -> Problem:
    """Return the programme of all rows; corners (k, v, d) of their S(x). Its variables are p (h,), n (h,), b' - b."""
    lower, upper = (
        np.einsum("khd,kvd->kvh", slopes.detach().cpu().numpy(), corners.astype(np.float64))
        + constants.detach().cpu().numpy()[:, None]
        for slopes, constants in ((bounds.lower_slopes, bounds.lower), (bounds.upper_slopes, bounds.upper))
    )  # (k, v, h)
    h = len(layer.weight)
    return Problem(
        low=_forms(lower, -upper, layer),
        high=_forms(upper, -lower, layer),
        lower=np.concatenate([np.zeros(2 * h), [-BOX]]),
        upper=np.concatenate([np.maximum(layer.weight + BOX, 0), np.maximum(BOX - layer.weight, 0), [BOX]]),
        transform=np.block([[np.eye(h), -np.eye(h), np.zeros((h, 1))], [np.zeros((1, 2 * h)), np.ones((1, 1))]]),
        start=np.concatenate([layer.weight, [0.0]]),
        box=BOX,
        margin=MARGIN,
    )


def _forms(on_p: np.ndarray, on_n: np.ndarray, layer: LastLayer) -> Forms:
    k, v, _ = on_p.shape
    slopes = np.concatenate([on_p, on_n, np.ones((k, v, 1))], axis=2).reshape(k * v, -1)
    return Forms(slopes, np.full(k * v, layer.bias - layer.cut), np.repeat(np.arange(k), v))


def corners_of(space: SimilarSpace, features: np.ndarray) -> np.ndarray:
    """Return the corners (n, v, d) of S(x) of every row of features (n, d): S(x) lies between them, column by column.

    SettingError for more than 4,096 of them.
    """
    parts = [_ends(column, features) for column in space.columns]
    count = int(np.prod([part.shape[1] for part in parts]))
    if count > _MOST_CORNERS:
        raise SettingError(
            f"These attributes have {count:,} corners together, more than {_MOST_CORNERS:,}: free fewer at once."
        )
    found = np.repeat(features[:, None].astype(np.float32), count, axis=1)
    for place, chosen in enumerate(itertools.product(*(range(part.shape[1]) for part in parts))):
        for column, part, which in zip(space.columns, parts, chosen, strict=True):
            found[:, place, column.start : column.start + column.width] = part[:, which]
    return found


def _ends(column: FreeColumn, features: np.ndarray) -> np.ndarray:
    """Return the levels of a category, or the two ends of a number, as inputs (n or 1, v, width)."""
    inputs = column.inputs(features)
    if column.kind == "levels" and column.width > 1:
        return inputs
    return np.stack([inputs.min(1), inputs.max(1)], axis=1)
