"""The table of repair methods: controls, methods, peers, then the methods that aim at individuals.

Pages, flags and experiments derive from it.
"""

from __future__ import annotations

from fairneuron_core.errors import SettingError
from fairneuron_core.repair.blind import BLIND
from fairneuron_core.repair.conflict import CONFLICT
from fairneuron_core.repair.controls import DROPOUT_ALL, NO_REPAIR, PLAIN_RETRAINING, RANDOM_GROUP
from fairneuron_core.repair.ethical_adversaries import ETHICAL_ADVERSARIES
from fairneuron_core.repair.exact_last_layer import EXACT_LAST_LAYER
from fairneuron_core.repair.fad import FAD
from fairneuron_core.repair.fairneuron import FAIRNEURON
from fairneuron_core.repair.fairneuron_released import FAIRNEURON_RELEASED
from fairneuron_core.repair.majority_vote import MAJORITY_VOTE
from fairneuron_core.repair.matched_threshold import MATCHED_THRESHOLD
from fairneuron_core.repair.peers.adversarial_fairness import ADVERSARIAL_FAIRNESS
from fairneuron_core.repair.peers.exponentiated_gradient import EXPONENTIATED_GRADIENT
from fairneuron_core.repair.peers.threshold_optimizer import THRESHOLD_OPTIMIZER
from fairneuron_core.repair.prof import PROF
from fairneuron_core.repair.reject_option import REJECT_OPTION
from fairneuron_core.repair.reweighing import REWEIGHING
from fairneuron_core.repair.spread import SPREAD
from fairneuron_core.repair.task import RepairRow

REPAIRS: dict[str, RepairRow] = {
    row.name: row
    for row in (
        NO_REPAIR,
        PLAIN_RETRAINING,
        DROPOUT_ALL,
        RANDOM_GROUP,
        MATCHED_THRESHOLD,
        FAIRNEURON,
        FAIRNEURON_RELEASED,
        CONFLICT,
        REWEIGHING,
        REJECT_OPTION,
        FAD,
        ETHICAL_ADVERSARIES,
        EXPONENTIATED_GRADIENT,
        THRESHOLD_OPTIMIZER,
        ADVERSARIAL_FAIRNESS,
        BLIND,
        MAJORITY_VOTE,
        SPREAD,
        EXACT_LAST_LAYER,
        PROF,
    )
}


def repair_row(name: str) -> RepairRow:
    """Return the method of that name; SettingError lists the table when there is none."""
    if name not in REPAIRS:
        raise SettingError(f"Unknown repair method '{name}': choose one of {', '.join(REPAIRS)}.")
    return REPAIRS[name]
