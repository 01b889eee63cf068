"""A made-up table whose bias is known exactly, for lessons and tests.

1. Half of the people are in group A (the reference), half in group B.
2. Exactly round((b + g/2) n_A) people of A and round((b - g/2) n_B) people of B have the favourable label, so the
   demographic parity gap of the LABELS is g to within one person.
3. `district` (north or south) equals the group in exactly round(proxy * n) rows: a network without `group` can still
   act on it.
4. Two honest features, `experience` and `test_score`, follow the label in the same way in both groups; `shoe_size`
   follows nothing.

b = base_rate, g = gap. All numbers are rounded, so that they are the same on every machine.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from fairneuron_core.data.schema import schema_of
from fairneuron_core.data.table import make_dataset
from fairneuron_core.errors import SettingError
from fairneuron_core.types import Dataset, DataSource

FEWEST_PEOPLE = 40


def planted_dataset(
    n: int = 2000,
    *,
    gap: float = 0.2,
    seed: int = 0,
    base_rate: float = 0.5,
    proxy: float = 0.9,
    signal: float = 1.0,
) -> Dataset:
    """Return a table of `n` people with a planted gap of the labels between groups A and B.

    gap : P(favourable | A) - P(favourable | B) of the labels, exact to one person; may be negative.
    proxy : share of rows in which `district` tells the group; 0.5 = nothing, 1 = everything.
    signal : distance of the honest features between the labels, in standard deviations.

    Raises
    ------
    SettingError : a number out of range, or a gap that the base rate cannot carry.
    """
    if n < FEWEST_PEOPLE:
        raise SettingError(f"A planted table of {n} people is too small: use at least {FEWEST_PEOPLE}.")
    if not 0.5 <= proxy <= 1:
        raise SettingError(f"The share of rows that the proxy gets right is {proxy}: choose it between 0.5 and 1.")
    if not abs(gap) / 2 < min(base_rate, 1 - base_rate):
        raise SettingError(f"A gap of {gap} does not fit around a base rate of {base_rate}: choose a smaller gap.")
    generator = np.random.default_rng(seed)
    in_a = np.arange(n) < n // 2
    label = np.zeros(n, dtype=bool)
    for members, rate in ((in_a, base_rate + gap / 2), (~in_a, base_rate - gap / 2)):
        rows = np.flatnonzero(members)
        label[generator.permutation(rows)[: round(rate * len(rows))]] = True
    told = np.zeros(n, dtype=bool)
    told[generator.permutation(n)[: round(proxy * n)]] = True
    shift = signal * (label - 0.5)
    frame = pd.DataFrame(
        {
            "group": np.where(in_a, "A", "B"),
            "district": np.where(in_a == told, "north", "south"),
            "experience": np.round(10 + 3 * (shift + generator.standard_normal(n)), 1),
            "test_score": np.round(60 + 10 * (shift + generator.standard_normal(n))).astype(int),
            "shoe_size": np.round(42 + 2 * generator.standard_normal(n)).astype(int),
            "hired": np.where(label, "yes", "no"),
        }
    )
    frame = frame.iloc[generator.permutation(n)].reset_index(drop=True)
    schema = schema_of(
        frame,
        target="hired",
        favourable="yes",
        protected=("group",),
        reference={"group": "A"},
        favourable_words="was hired",
        notes={"district": f"tells the group in {proxy:.0%} of the rows", "shoe_size": "follows nothing"},
    )
    source = DataSource(
        title="Made up by this program",
        url="",
        licence="MIT, as this program",
        citation="",
        traps=(
            f"Nobody real: the labels favour group {'A' if gap >= 0 else 'B'} by {abs(gap):.1%} by construction.",
            "Because the labels themselves are unequal, a network that is right about everybody has the same gap.",
        ),
    )
    return make_dataset(frame, schema, name="planted", title="Planted bias", source=source)
