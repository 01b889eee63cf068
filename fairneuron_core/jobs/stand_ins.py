"""Which columns that a network reads tell a protected attribute: what is left of it when it alone is taken away."""

from __future__ import annotations

from typing import Any

from fairneuron_core.data import groups_of
from fairneuron_core.data.dependence import cells_of, guess_by
from fairneuron_core.types import Classifier, Dataset
from fairneuron_core.verify.similar import read_columns, root_of

MOST = 5


def stand_ins(dataset: Dataset, classifier: Classifier, attribute: str) -> list[dict[str, Any]]:
    """Return the columns that guess the attribute best, best first: column, accuracy, base, n.

    accuracy = share of all rows whose group is guessed right by the commonest group per value, learnt on one half of
    the rows and judged on the other; base = the same without the column. Columns that guess no better are left out.
    """
    schema, target = dataset.schema, groups_of(dataset, attributes=[attribute])[:, 0]
    own = root_of(schema, attribute)
    read = [c.name for c, _ in read_columns(classifier) if root_of(schema, c.name) != own and c.name in dataset.frame]
    guesses = [(name, guess_by(cells_of(dataset.frame[name]), target)) for name in read]
    better = sorted((one for one in guesses if one[1].accuracy > one[1].base), key=lambda one: -one[1].accuracy)
    return [
        {"column": name, "accuracy": guess.accuracy, "base": guess.base, "n": guess.n} for name, guess in better[:MOST]
    ]
