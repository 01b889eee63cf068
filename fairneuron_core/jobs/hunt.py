"""Search, within a time budget, for individuals who are decided differently when only what must not matter changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fairneuron_core.jobs.certify import freedom_of
from fairneuron_core.jobs.context import JobContext, JobResult, job_of
from fairneuron_core.jobs.material import find_classifier, find_dataset
from fairneuron_core.jobs.predictions import require_network
from fairneuron_core.jobs.question import QuestionParams
from fairneuron_core.metrics.as_json import estimate_json
from fairneuron_core.params import params_json, setting
from fairneuron_core.store.plain import plain
from fairneuron_core.types import Dataset
from fairneuron_core.verify.hunt import MOST_TRIES, STRATEGIES, Hunt, hunt
from fairneuron_core.verify.pairs import MOST_PAIRS, Pair, pairs_text


@dataclass(frozen=True)
class HuntParams(QuestionParams):
    """Whose decisions are searched, what may differ, and for how long."""

    budget: float = setting(20.0, label="Time budget", help="Of the search.", low=0.1, high=86_400.0, unit="s")
    strategies: tuple[str, ...] = setting(
        tuple(STRATEGIES),
        label="Strategies",
        help=f"Of {', '.join(STRATEGIES)}; they take turns, and only uniform points give a rate.",
        expert=True,
    )
    seed: int = setting(0, label="Seed", help="Fixes every draw.", low=0, high=2**31 - 1)
    tries: int = setting(
        MOST_TRIES,
        label="Individuals per strategy",
        help="No strategy tries more, however much time is left.",
        low=1,
        high=100_000_000,
        expert=True,
    )
    most: int = setting(200, label="Pairs kept at most", low=1, high=MOST_PAIRS, expert=True)


def _work(params: HuntParams, context: JobContext) -> JobResult:
    dataset = find_dataset(params.data, context.workspace)
    classifier = find_classifier(params.model, context.workspace, dataset=dataset)
    require_network(classifier)
    found = hunt(
        dataset,
        classifier,
        freedom_of(dataset, params.protected, params.within),
        budget=params.budget,
        strategies=params.strategies,
        seed=params.seed,
        tries=params.tries,
        most=params.most,
        progress=context.progress,
    )
    return JobResult(hunt_json(found, params, dataset))


def hunt_json(found: Hunt, params: HuntParams, dataset: Dataset) -> dict[str, Any]:
    """Return what was found as JSON values; undefined is null."""
    return plain(
        {
            "data": params.data,
            "data_sha256": dataset.sha256,
            "model": params.model,
            "protected": list(found.freedom.protected),
            "within": dict(found.freedom.within),
            "unread": list(found.unread),
            "tried": found.tried,
            "found": found.found,
            "rate": estimate_json(found.rate),
            "complete": found.complete,
            "by_strategy": {
                name: {
                    "title": STRATEGIES[name].title,
                    "tried": count.tried,
                    "found": count.found,
                    "seconds": round(count.seconds, 3),
                    "note": count.note,
                }
                for name, count in found.by_strategy.items()
            },
            "by_attribute": {
                name: {"found": one.found, "rate": estimate_json(one.rate)} for name, one in found.by_attribute.items()
            },
            "together": found.together,
            "impossible": found.impossible,
            "excluded": found.excluded,
            "pairs": [_pair_json(pair) for pair in found.pairs],
            "sentence": found.sentence,
            "params": params_json(params),
            "seconds": round(found.seconds, 3),
        }
    )


def _pair_json(pair: Any) -> dict[str, Any]:
    return {
        "strategy": pair.strategy,
        "this": dict(pair.this),
        "other": dict(pair.other),
        "differs": list(pair.differs),
        "scores": list(pair.scores),
        "decisions": list(pair.decisions),
        "draw": pair.draw,
    }


def pairs_file_text(results: Mapping[str, Any], dataset: Dataset) -> str:
    """Return the pairs file of a search's results: the tests that later networks have to pass."""
    pairs = [Pair(one["this"], one["other"], one["draw"]) for one in results["pairs"]]
    return pairs_text(pairs, dataset=dataset, protected=results["protected"], within=results["within"])


HUNT = job_of(
    "hunt", HuntParams, title=lambda p: f"Search for discrimination of {p.get('model')} on {p.get('data')}", work=_work
)
