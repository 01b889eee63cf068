"""The smallest change of the last layer that gives every listed row one decision: a mixed-integer linear programme.

    min  sum |change| + keep * mean slack
    s.t. for every row i, Z_i in {0, 1}:   Z_i = 1  =>  low_i(y) >= margin       (all of S(x_i) favourable)
                                           Z_i = 0  =>  high_i(y) <= -margin     (none of S(x_i) favourable)
         for every benign decision:        sign * benign(y) >= margin - slack,  slack >= 0
         change = transform y - start,  |change| <= box

low_i, high_i, benign are affine in the variables y and stand for the logit minus the cut: several forms a row, one for
every point (or vertex) of S(x_i). Which decision a row gets is free: Z_i chooses the nearer one.

The indicator is written with the smallest constant M that the bounds of y allow. A solver holds Z to 1e-6 only, which M
would stretch to more than the margin: so with Z fixed the remaining linear programme is solved once more without M.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy  # its parts are loaded at their first use: importing the solver takes half a second

Status = Literal["optimal", "infeasible", "time-out", "failed"]
_STATUS: dict[int, Status] = {0: "optimal", 1: "time-out", 2: "infeasible"}


@dataclass(frozen=True, eq=False)
class Forms:
    """Affine forms slopes @ y + constants, slopes (r, v), constants (r,); `owner` (r,) says which row each belongs to.

    For benign decisions the owner is the index of the slack; `sign` +-1 says which decision is to be kept.
    """

    slopes: np.ndarray
    constants: np.ndarray
    owner: np.ndarray
    sign: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Problem:
    """What is solved; y has v variables between `lower` and `upper`, transform (c, v), start (c,)."""

    low: Forms
    high: Forms
    lower: np.ndarray
    upper: np.ndarray
    transform: np.ndarray
    start: np.ndarray
    box: float
    margin: float
    benign: Forms | None = None
    keep: float = 0.0

    @property
    def rows(self) -> int:
        return int(self.low.owner.max(initial=-1)) + 1

    @property
    def slacks(self) -> int:
        return 0 if self.benign is None else int(self.benign.owner.max(initial=-1)) + 1


@dataclass(frozen=True, eq=False)
class Answer:
    """Status first: `change` (c,), its L1 norm and the rows' decisions Z exist for "optimal" only."""

    status: Status
    seconds: float
    change: np.ndarray | None = None
    norm: float | None = None
    decisions: np.ndarray | None = None


def solve(problem: Problem, *, seconds: float) -> Answer:
    """Solve with HiGHS within `seconds`; a time-out gives no change, even if some solution was found."""
    began = time.perf_counter()
    found = _milp(problem, seconds=seconds)
    status = _STATUS.get(found.status, "failed")
    if status != "optimal":
        return Answer(status, time.perf_counter() - began)
    chosen = np.rint(_parts(problem, found.x)[1]).astype(int)
    exact = _milp(problem, seconds=seconds, fixed=chosen)
    if exact.status != 0:
        return Answer(_STATUS.get(exact.status, "failed"), time.perf_counter() - began)
    change = problem.transform @ _parts(problem, exact.x)[0] - problem.start
    return Answer("optimal", time.perf_counter() - began, change, float(np.abs(change).sum()), chosen)


def _parts(problem: Problem, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return y and Z of a solution; the variables are y, Z, slack, size of the change."""
    v = len(problem.lower)
    return x[:v], x[v : v + problem.rows]


def _milp(problem: Problem, *, seconds: float, fixed: np.ndarray | None = None) -> scipy.optimize.OptimizeResult:
    v, k, s, c = len(problem.lower), problem.rows, problem.slacks, len(problem.start)
    cost = np.concatenate([np.zeros(v + k), np.full(s, problem.keep / max(s, 1)), np.ones(c)])
    z_low, z_high = (np.zeros(k), np.ones(k)) if fixed is None else (fixed, fixed)
    lower = np.concatenate([problem.lower, z_low, np.zeros(s + c)])
    upper = np.concatenate([problem.upper, z_high, np.full(s, np.inf), np.full(c, problem.box)])
    return scipy.optimize.milp(
        cost,
        integrality=np.concatenate([np.zeros(v), np.ones(k), np.zeros(s + c)]),
        bounds=scipy.optimize.Bounds(lower, upper),
        constraints=[
            _one_side(problem, problem.low, favourable=True, fixed=fixed),
            _one_side(problem, problem.high, favourable=False, fixed=fixed),
            *_benign(problem),
            *_sizes(problem),
        ],
        options={"time_limit": seconds},
    )


def _one_side(
    problem: Problem, forms: Forms, *, favourable: bool, fixed: np.ndarray | None
) -> scipy.optimize.LinearConstraint:
    """Return Z = 1 => form >= margin (favourable), or Z = 0 => -form >= margin."""
    sign = 1.0 if favourable else -1.0
    slopes, constants = sign * forms.slopes, sign * forms.constants
    if fixed is not None:
        counts = fixed[forms.owner] == int(favourable)
        slopes, constants, owner = slopes[counts], constants[counts], forms.owner[counts]
        at = scipy.sparse.csr_array((len(owner), problem.rows))
        return scipy.optimize.LinearConstraint(_wide(problem, slopes, at), problem.margin - constants, np.inf)
    # The lowest value that the form can take within the bounds says how far the other case must let it fall.
    least = np.minimum(slopes * problem.lower, slopes * problem.upper).sum(1) + constants
    fall = np.maximum(problem.margin - least, 0.0)
    at = scipy.sparse.csr_array((-sign * fall, (np.arange(len(fall)), forms.owner)), shape=(len(fall), problem.rows))
    bound = problem.margin - constants - (fall if favourable else 0.0)
    return scipy.optimize.LinearConstraint(_wide(problem, slopes, at), bound, np.inf)


def _wide(problem: Problem, slopes: np.ndarray, at_z: scipy.sparse.sparray) -> scipy.sparse.sparray:
    rest = scipy.sparse.csr_array((len(slopes), problem.slacks + len(problem.start)))
    return scipy.sparse.hstack([scipy.sparse.csr_array(slopes), at_z, rest], format="csr")


def _benign(problem: Problem) -> list[scipy.optimize.LinearConstraint]:
    forms = problem.benign
    if forms is None or not len(forms.owner):
        return []
    assert forms.sign is not None
    n = len(forms.owner)
    slack = scipy.sparse.csr_array((np.ones(n), (np.arange(n), forms.owner)), shape=(n, problem.slacks))
    slopes = scipy.sparse.csr_array(forms.sign[:, None] * forms.slopes)
    columns = [
        slopes,
        scipy.sparse.csr_array((n, problem.rows)),
        slack,
        scipy.sparse.csr_array((n, len(problem.start))),
    ]
    return [
        scipy.optimize.LinearConstraint(
            scipy.sparse.hstack(columns, format="csr"), problem.margin - forms.sign * forms.constants
        )
    ]


def _sizes(problem: Problem) -> list[scipy.optimize.LinearConstraint]:
    """Return -size <= transform y - start <= size."""
    c = len(problem.start)
    transform, between = (
        scipy.sparse.csr_array(problem.transform),
        scipy.sparse.csr_array((c, problem.rows + problem.slacks)),
    )
    size = scipy.sparse.eye_array(c, format="csr")
    above = scipy.sparse.hstack([transform, between, -size], format="csr")
    below = scipy.sparse.hstack([transform, between, size], format="csr")
    return [
        scipy.optimize.LinearConstraint(above, -np.inf, problem.start),
        scipy.optimize.LinearConstraint(below, problem.start, np.inf),
    ]
