"""What all repairs for individuals share: who is similar to whom, which rows are proved, and what their facts say.

A row is proved when the deployed decision is the same for all its similar individuals S(x). Where S(x) is finite all of
it is tried with the deployed forward pass; where the decision cannot see what differs, there is nothing to try.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fairneuron_core.errors import SettingError
from fairneuron_core.models import decide, linear_layers
from fairneuron_core.params import setting
from fairneuron_core.repair.gates import GateSettings, flips, gate_facts
from fairneuron_core.repair.task import RepairTask
from fairneuron_core.types import Batch, Classifier, DecisionRule, VoteRule
from fairneuron_core.verify import Freedom, SimilarSpace, similar_space

_NUMBERS_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class IndividualSettings(GateSettings):
    """What must not matter to a decision, and what the repaired network has to keep."""

    attributes: str | None = setting(
        None,
        label="Must not matter",
        help="Protected attributes that alone must not change a decision, with commas between; together they vary at "
        "once.",
        empty="the audited attribute",
    )
    within: str | None = setting(
        None,
        label="Nor small differences of",
        help="Columns of numbers with the difference that must not matter either, like hours=2, commas between.",
        empty="none",
        expert=True,
    )


def freedom_of(task: RepairTask, settings: IndividualSettings) -> Freedom:
    """Return what may differ between similar individuals; SettingError when `within` cannot be read."""
    within = {}
    for part in _parts(settings.within):
        name, _, reach = part.rpartition("=")
        try:
            within[name.strip()] = float(reach)
        except ValueError:
            raise SettingError(
                f"A small difference is written as column=number, not '{part}': write hours-per-week=2."
            ) from None
    return Freedom(_parts(settings.attributes) or (task.attribute,), within)


def _parts(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def space_of(task: RepairTask, settings: IndividualSettings) -> SimilarSpace:
    """Return S(x) as the task's network reads it, without the rule it decides by: a repair puts its own in place."""
    if task.schema is None:
        raise SettingError("This repair needs the domains of the data set's columns: give the task its schema.")
    return similar_space(task.schema, replace(task.classifier, rule=None), freedom_of(task, settings))


def cannot_see(classifier: Classifier, space: SimilarSpace) -> bool:
    """Say whether nothing that differs between similar individuals can reach the decision, whatever the row."""
    rule = classifier.rule
    if isinstance(rule, DecisionRule):
        return False
    left = set(space.positions.tolist()) - set(rule.positions if isinstance(rule, VoteRule) else ())
    return not linear_layers(classifier.network)[0].weight[:, sorted(left)].any()


def proved_rows(classifier: Classifier, space: SimilarSpace, features: np.ndarray) -> np.ndarray | None:
    """Return which rows (n,) bool have one decision on all of S(x); None where S(x) cannot be tried.

    That is so for real-valued columns, and for a rule that reads the group.
    """
    if cannot_see(classifier, space):
        return np.ones(len(features), bool)
    if not space.finite or isinstance(classifier.rule, DecisionRule):
        return None
    step = max(1, _NUMBERS_AT_ONCE // (space.size * features.shape[1]))
    found = [_one_decision(classifier, space, features[at : at + step]) for at in range(0, len(features), step)]
    return np.concatenate(found) if found else np.zeros(0, bool)


def _one_decision(classifier: Classifier, space: SimilarSpace, features: np.ndarray) -> np.ndarray:
    points = space.points(features)  # (n, m, d)
    decided = decide(classifier, points.reshape(-1, points.shape[2])).reshape(points.shape[:2])
    return (decided.max(1) == decided.min(1)) & (decided[:, 0] == decide(classifier, features))


def individual_facts(
    task: RepairTask,
    space: SimilarSpace,
    after: Classifier,
    settings: IndividualSettings,
    *,
    drawn: np.ndarray | None = None,
    seconds: Mapping[str, float] | None = None,
    words: str = "",
) -> dict[str, Any]:
    """Return what every repair for individuals reports: rows proved before and after, flips, gates, seconds.

    words   what the method says of its own work; scope and failed gates follow it
    drawn   positions in the training part of rows that the repair was fitted to; they are counted by themselves and
            not among the training rows
    """
    scopes = {"validation": _scope(task, space, after, task.validation)}
    if drawn is None:
        scopes["train"] = _scope(task, space, after, task.train)
    else:
        others = np.setdiff1d(np.arange(len(task.train.labels)), drawn)
        scopes["train"] = _scope(task, space, after, task.train, others)
        scopes["repair_rows"] = _scope(task, space, after, task.train, np.asarray(drawn, np.int64))
    sentence, gates = _sentence(space, after, scopes["validation"]), gate_facts(task, after, settings)
    return {
        "words": " ".join(part for part in (words, sentence, *gates["reasons"]) if part),
        "individual": {
            "attributes": list(space.freedom.protected),
            "within": dict(space.freedom.within),
            "unread": list(space.unread),
            "size": space.size if space.finite else None,
            "every_input": cannot_see(after, space),
            "sentence": sentence,
            **scopes,
        },
        "flips": flips(task, after),
        "gates": gates,
        "seconds": {name: round(value, 3) for name, value in (seconds or {}).items()},
    }


def _scope(
    task: RepairTask, space: SimilarSpace, after: Classifier, batch: Batch, rows: np.ndarray | None = None
) -> dict[str, int | None]:
    features = batch.features if rows is None else batch.features[rows]
    found = (proved_rows(classifier, space, features) for classifier in (task.classifier, after))
    before, now = (None if proved is None else int(proved.sum()) for proved in found)
    return {"rows": len(features), "proved_before": before, "proved_after": now}


def _sentence(space: SimilarSpace, after: Classifier, validation: Mapping[str, int | None]) -> str:
    """Say scope and answer together."""
    names = " and ".join((*space.freedom.protected, *(f"{n} by {e:g}" for n, e in space.freedom.within.items())))
    if cannot_see(after, space):
        return f"For every possible individual no change of {names} alters the decision: nothing of it reaches it."
    if validation["proved_after"] is None:
        return f"Not known: the similar individuals of a row by {names} cannot be tried one by one."
    return (
        f"{validation['proved_after']:,} of {validation['rows']:,} validation rows: no change of {names} alone alters "
        "the decision (every possibility tried)."
    )
