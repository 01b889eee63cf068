"""What is published of ProF and what a replication of it measured, as numbers and nothing else.

Source: "Provable Fairness Repair for Deep Neural Networks" (ProF), ASE 2025: its abstract gives the two largest
reductions and no table. The other numbers are those of a replication from the formulas with the published networks,
three seeds each: shares of discriminatory individuals before and after, reductions, and accuracies on test rows.
"""

from __future__ import annotations

from dataclasses import dataclass

UP_TO = {"data": 0.9593, "space": 0.9316}
"""Printed in the abstract: largest reductions on the full data and on the entire input space."""


@dataclass(frozen=True)
class Replicated:
    """Shares in percent, means over three seeds; None where only part of it is known.

    data, space        discriminatory individuals (before, after), on all rows and at uniform points
    data_reduction, space_reduction   mean over seeds of 1 - after / before, in percent
    accuracy           on test rows (before, after)
    constant           of how many of the three seeds the repaired network decides the same for everybody
    """

    data: tuple[float, float] | None = None
    space: tuple[float, float] | None = None
    data_reduction: float | None = None
    space_reduction: float | None = None
    accuracy: tuple[float, float] | None = None
    constant: int | None = None


REPLICATED: dict[str, Replicated] = {
    "adult-sex": Replicated((2.74, 0.51), (0.66, 0.12), 81.2, 81.6, (85.24, 82.19), 0),
    "adult-race": Replicated((4.15, 1.28), (0.56, 0.26), 69.1, 53.6, (85.24, 81.83), 0),
    "adult-age": Replicated((21.64, 0.32), (3.70, 0.24), 98.5, 93.5, (85.24, 84.05), 0),
    "compas-sex": Replicated((6.25, 0.19), (1.79, 0.04), 96.9, 97.5, (73.85, 72.52), 0),
    "compas-race": Replicated((8.77, 0.02), (2.67, 0.05), 99.8, 98.1, (73.85, 72.71), 0),
    "compas-age": Replicated((44.86, 1.60), (10.6, 1.33), 96.4, 87.5, (73.85, 70.88), 0),
    "german-sex": Replicated((2.60, 0.0), (7.40, 0.0), 100.0, 100.0, (72.67, 69.67), 3),
    "german-age": Replicated((2.90, 0.0), (8.93, 0.0), 100.0, 100.0, (72.67, 69.67), 3),
    "bank-age": Replicated((1.12, 0.22), (6.62, 0.83), 80.0, 87.4, (89.53, 89.19), 0),
    "adult-sex-race": Replicated(data_reduction=72.8, space_reduction=71.8, accuracy=(85.24, 81.45), constant=0),
    "adult-sex-age": Replicated(data_reduction=90.4, space_reduction=83.2, accuracy=(85.24, 63.26), constant=1),
    "adult-race-age": Replicated(data_reduction=91.5, space_reduction=84.0, accuracy=(85.24, 63.12), constant=1),
    "german-sex-age": Replicated(constant=3),
    "adult-sex+hours": Replicated(data_reduction=72.0, space_reduction=73.5),
    "adult-race+hours": Replicated(data_reduction=73.5, space_reduction=46.8),
    "adult-age+hours": Replicated(data_reduction=97.2, space_reduction=91.9),
    "bank-age+duration": Replicated(data_reduction=92.4, space_reduction=93.3),
    "german-sex+amount": Replicated(data_reduction=100.0, space_reduction=100.0),
    "german-age+amount": Replicated(data_reduction=100.0, space_reduction=100.0),
}

REPLICATED_MEANS: dict[str, Replicated] = {
    "one attribute": Replicated(data_reduction=91.3, space_reduction=88.8),
    "two attributes": Replicated(data_reduction=92.0, space_reduction=85.2),
    "tolerance": Replicated(data_reduction=88.2, space_reduction=83.3),
}
"""Means over all settings of a kind."""

REPLICATED_ACCURACY_LOST = 2.16
"""Points of test accuracy, mean over the nine settings with one attribute."""
