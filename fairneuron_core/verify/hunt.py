"""A budgeted search for individuals whose decision changes when only what must not matter changes.

Strategies take turns by the time they are entitled to; every individual that one of them proposes is examined with all
its similar ones by the deployed classifier. Only the uniform points give a RATE: what the guided strategies find says
that it exists and where, never how common it is. An individual counts once, whoever finds it: two are the same when
they share every column that the classifier reads.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fairneuron_core.errors import SettingError
from fairneuron_core.metrics.intervals import clopper_pearson
from fairneuron_core.types import Classifier, Dataset, Estimate, Progress, ProgressCallback
from fairneuron_core.verify.enumeration import one_torch_thread
from fairneuron_core.verify.examine import Examiner
from fairneuron_core.verify.hunt_gradient import Gradient
from fairneuron_core.verify.hunt_random import Perturbation, Strategy, Uniform
from fairneuron_core.verify.hunt_solver import Solver
from fairneuron_core.verify.hunt_tally import Count, FoundPair, Tally, attributes, write_down
from fairneuron_core.verify.similar import Freedom

MOST_TRIES = 200_000
"""Individuals tried by one strategy at most, where nothing else is asked for: more would not move the rate."""


@dataclass(frozen=True)
class StrategyRow:
    """How a strategy is built, and its share of the time."""

    build: Callable[[Examiner, np.ndarray, np.random.Generator], Strategy]
    weight: float
    title: str


STRATEGIES: dict[str, StrategyRow] = {
    "uniform": StrategyRow(Uniform, 1.0, "uniform random points"),
    "perturbation": StrategyRow(Perturbation, 1.0, "rows changed at random"),
    "gradient": StrategyRow(Gradient, 2.0, "rows moved along the gradient"),
    "solver": StrategyRow(Solver, 1.0, "a solver over the whole space"),
}


@dataclass(frozen=True)
class Alone:
    """A freed attribute on its own: individuals found for which changing it alone suffices, and their uniform rate."""

    found: int
    rate: Estimate


@dataclass(frozen=True, eq=False)
class Hunt:
    """What a search found.

    tried, found   individuals examined, and different ones among them whose decision is not constant
    rate           of such individuals among the uniform points alone, Clopper-Pearson interval
    by_attribute   for each freed attribute that is read: how far it suffices alone; `together` counts the individuals
                   for which no single one does
    complete       every similar individual of each one tried was decided, so that the rate is one of the whole S(x);
                   otherwise it counts what was found, at the least
    impossible     why nothing can be found: nobody reads what may differ; None otherwise
    excluded       the solver's statement that no pair exists in the whole space; None where it did not say so
    """

    freedom: Freedom
    unread: tuple[str, ...]
    tried: int
    found: int
    rate: Estimate
    by_strategy: Mapping[str, Count]
    by_attribute: Mapping[str, Alone]
    together: int
    pairs: tuple[FoundPair, ...]
    complete: bool
    impossible: str | None
    excluded: str | None
    seconds: float
    sentence: str


def hunt(
    dataset: Dataset,
    classifier: Classifier,
    freedom: Freedom,
    *,
    budget: float = 20.0,
    rows: np.ndarray | None = None,
    strategies: Sequence[str] = tuple(STRATEGIES),
    seed: int = 0,
    tries: int = MOST_TRIES,
    most: int = 200,
    progress: ProgressCallback | None = None,
) -> Hunt:
    """Search for at most `budget` seconds and return what was found.

    rows    positions in the data set's frame from which the guided strategies start; all rows by default
    tries   individuals that one strategy tries at most: with a budget that does not end first, equal seeds give equal
            results
    most    pairs kept at most, shared out over the strategies

    Raises SettingError for an unknown strategy or a freedom that the data set does not allow; `progress` may raise
    `Cancelled`.
    """
    if unknown := [name for name in strategies if name not in STRATEGIES]:
        raise SettingError(f"Unknown strategy '{unknown[0]}': choose from {', '.join(STRATEGIES)}.")
    began = time.perf_counter()
    examiner = Examiner(dataset, classifier, freedom, seed=seed)
    tally = Tally({name: Count() for name in strategies})
    if not examiner.varied:
        return _result(examiner, tally, began, excluded=None)
    frame = dataset.frame if rows is None else dataset.frame.iloc[rows]
    started = examiner.people.of_rows(frame)
    players = {
        name: STRATEGIES[name].build(examiner, started, np.random.default_rng([seed, 2, position]))
        for position, name in enumerate(STRATEGIES)
        if name in strategies
    }
    solver = players.get("solver")
    with one_torch_thread():
        while (name := _next(players, tally)) is not None and (left := budget - (time.perf_counter() - began)) > 0:
            if progress:
                progress(_so_far(tally, 1 - left / budget))
            _turn(
                name,
                players,
                examiner,
                tally,
                seconds=_share(name, players, left),
                tries=tries,
                most=-(-most // len(strategies)),
            )
    excluded = solver.note if isinstance(solver, Solver) and solver.none else None
    return _result(examiner, tally, began, excluded=excluded)


def _next(players: Mapping[str, Strategy], tally: Tally) -> str | None:
    """Return the strategy that has used the least of its share of the time; None when all have ended."""
    return min(players, key=lambda name: tally.counts[name].seconds / STRATEGIES[name].weight, default=None)


def _share(name: str, players: Mapping[str, Strategy], left: float) -> float:
    return left * STRATEGIES[name].weight / sum(STRATEGIES[other].weight for other in players)


def _turn(
    name: str,
    players: dict[str, Strategy],
    examiner: Examiner,
    tally: Tally,
    *,
    seconds: float,
    tries: int,
    most: int,
) -> None:
    """Let one strategy propose individuals, examine them, and write down what was found."""
    count, player, began = tally.counts[name], players[name], time.perf_counter()
    values = player.propose(min(examiner.at_once, tries - count.tried), seconds)[: tries - count.tried]
    if len(values):
        found = examiner.examine(values, np.arange(count.tried, count.tried + len(values)))
        player.learn(found)
        write_down(name, found, examiner, tally, most=most)
    count.note = player.note
    count.tried += len(values)
    count.seconds += time.perf_counter() - began
    if not len(values) or count.tried >= tries:
        del players[name]


def _so_far(tally: Tally, share: float) -> Progress:
    found = len(tally.seen)
    said = f"{tally.tried:,} individuals tried, {found:,} different ones found that are decided differently"
    counts = {name: count.found for name, count in tally.counts.items()}
    return Progress(min(share, 1.0), said, {"tried": tally.tried, "found": found, **counts})


def _result(examiner: Examiner, tally: Tally, began: float, *, excluded: str | None) -> Hunt:
    n = tally.counts["uniform"].tried if "uniform" in tally.counts else 0
    rate = _rate(tally.hits, n)
    impossible = None
    if not examiner.varied:
        names = " or ".join(examiner.space.unread)
        impossible = f"Nothing can be found: neither the network nor its rule reads {names}."
    by_attribute = {
        name: Alone(tally.alone.get(name, 0), _rate(tally.uniform_alone.get(name, 0), n))
        for name in attributes(examiner)
    }
    each = [pairs for pairs in tally.pairs.values() if pairs]
    return Hunt(
        examiner.freedom,
        examiner.space.unread,
        tally.tried,
        len(tally.seen),
        rate,
        tally.counts,
        by_attribute,
        tally.together,
        tuple(pair for pairs in each for pair in pairs),
        examiner.complete,
        impossible,
        excluded,
        time.perf_counter() - began,
        impossible or _sentence(examiner, tally, rate, excluded),
    )


def _rate(hits: int, n: int) -> Estimate:
    low, high = clopper_pearson(hits, n)
    return Estimate(hits / n if n else float("nan"), float(low), float(high), n)


def _sentence(examiner: Examiner, tally: Tally, rate: Estimate, excluded: str | None) -> str:
    """Say what was tried and found, and apart from it the rate at uniform points."""
    freed = [*examiner.freedom.protected, *(f"{c} by {e:g}" for c, e in examiner.freedom.within.items())]
    found, changes = len(tally.seen), " and ".join(freed)
    said = f"{tally.tried:,} individuals were tried; "
    said += (
        f"{found:,} different ones get another decision when only {changes} may change."
        if found
        else f"none gets another decision when only {changes} may change."
    )
    if rate.n:
        least = "" if examiner.complete else " at least"
        said += (
            f" Among {rate.n:,} uniform random points the rate is{least} {rate.value:.2%} "
            f"[{rate.low:.2%}, {rate.high:.2%}]."
        )
    return said + (f" {excluded}" if excluded and not found else "")
