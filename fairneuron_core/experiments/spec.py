"""What an experiment compares: data, methods, seeds, how long is trained, and what it may cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fairneuron_core.errors import SettingError
from fairneuron_core.params import setting
from fairneuron_core.repair import REPAIRS, RepairRow, repair_row
from fairneuron_core.repair.fine_tuning import TrainingSettings

GAPS = ("demographic_parity_difference", "equal_opportunity_difference", "equalized_odds_difference")
METRIC_NAMES = (
    "accuracy",
    "demographic_parity_difference",
    "demographic_parity_ratio",
    "equal_opportunity_difference",
    "equalized_odds_difference",
)
GIVEN = "no_repair"
PLAIN = "plain_retraining"
BUDGETS = (0.005, 0.01, 0.02)
_AIM_FIELDS = {"gap", "constraint"}
_AIMS = {
    GAPS[0]: (GAPS[0], "demographic_parity"),
    GAPS[1]: (GAPS[1], "equal_opportunity", "true_positive_rate_parity"),
    GAPS[2]: (GAPS[2], "equalized_odds"),
}
"""What the methods call the gaps in the field that says which one they lower."""
_USUAL_EPOCHS = TrainingSettings().epochs
_MOST_SEEDS = 1000
_LARGEST_SEED = 2**31 - 1


@dataclass(frozen=True)
class ExperimentParams:
    """One experiment: every method starts from the same network of every seed and sees the same split."""

    data: str = setting("census", label="Data set", help="Built-in name, stored id or file.")
    protected: str | None = setting(None, label="Protected attribute", help="Empty = the first one of the data set.")
    methods: str = setting(
        "all",
        label="Methods",
        help="all that lower gaps between groups, or names with commas between; the controls are always among them.",
    )
    seeds: str = setting(
        "10", label="Seeds", help="How many (10 = 0 to 9), a range (100-109), or a list (1,5,7): one split each."
    )
    epochs: int = setting(
        10,
        label="Epochs of the repairs",
        help="Passes over the training rows; a method whose recipe has a number of its own keeps that.",
        low=1,
        high=500,
    )
    budget: float = setting(
        0.01,
        label="Accuracy budget",
        help="A strength may cost at most this much validation accuracy.",
        low=0.0,
        high=1.0,
        unit="share",
    )
    gap: str = setting(
        GAPS[0],
        label="Gap",
        help="The gap that shall fall within the budget, and that methods aim at which can choose.",
        choices=GAPS,
    )
    include_protected: bool | None = setting(
        None,
        label="The network reads the protected attribute",
        help="Empty = as in the published set-up of this data set.",
        expert=True,
    )
    hidden: tuple[int, ...] | None = setting(
        None,
        label="Hidden layers",
        help="Neurons per hidden layer; empty = the published sizes.",
        low=1,
        high=2048,
        expert=True,
    )
    base_epochs: int = setting(
        40, label="Epochs of the network at most", help="Early stopping usually ends sooner.", low=1, high=500
    )
    learning_rate: float = setting(
        1e-3, label="Learning rate of the network", help="Adam's step size.", low=1e-6, high=1.0, expert=True
    )
    batch_size: int = setting(
        128, label="Batch size of the network", help="", low=1, high=8192, unit="rows", expert=True
    )
    stop_patience: int = setting(
        6, label="Early stopping after", help="Epochs without a lower validation loss.", low=1, high=500, expert=True
    )
    plateau_patience: int = setting(
        2,
        label="Smaller steps after",
        help="Epochs without progress until the rate is divided by 10.",
        low=0,
        high=500,
        expert=True,
    )
    device: str = setting("auto", label="Device", choices=("auto", "gpu", "cpu", "cuda", "mps"), expert=True)
    threads: int | None = setting(
        None,
        label="CPU threads",
        help="That many seeds are worked on at the same time, each with one thread.",
        low=1,
        high=256,
        expert=True,
    )


@dataclass(frozen=True)
class Chosen:
    """The methods of an experiment, controls first, and a sentence for each one of `all` that cannot run here."""

    rows: tuple[RepairRow, ...]
    left_out: tuple[tuple[str, str], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(row.name for row in self.rows)


def seeds_of(text: str) -> tuple[int, ...]:
    """Return the seeds that a text names.

    >>> seeds_of("3"), seeds_of("100-102"), seeds_of("1,5,7")
    ((0, 1, 2), (100, 101, 102), (1, 5, 7))
    """
    wrong = SettingError(
        f"The seeds are '{text}': write how many (10), a range (100-109) or a list (1,5,7) of at most {_MOST_SEEDS}."
    )
    parts = text.replace(" ", "").split(",")
    try:
        if len(parts) == 1 and "-" not in parts[0]:
            found: Sequence[int] = range(int(parts[0]))
        else:
            ranges = [(int(first), int(last or first)) for first, _, last in (part.partition("-") for part in parts)]
            if sum(max(last - first, 0) for first, last in ranges) > _MOST_SEEDS:
                raise wrong
            found = [seed for first, last in ranges for seed in range(first, last + 1)]
    except ValueError:
        raise wrong from None
    if not 1 <= len(found) <= _MOST_SEEDS or len(set(found)) != len(found) or max(found) > _LARGEST_SEED:
        raise wrong
    return tuple(found)


def methods_of(text: str) -> Chosen:
    """Return the methods of `all` or of a list of names, in the order of REPAIRS; the controls cannot be left out.

    `all` means the methods whose aim an experiment measures, gaps between groups: those that aim at individuals take
    part when they are named.

    Raises SettingError for an unknown name, and for a named method whose extra is not installed.
    """
    if text.strip().lower() != "all":
        return _named(text)
    every = [row for row in REPAIRS.values() if not row.individual]
    missing = {row.name: why for row in every if (why := row.missing())}
    rows = tuple(row for row in every if row.name not in missing)
    return Chosen(rows, tuple(missing.items()))


def _named(text: str) -> Chosen:
    named = {repair_row(name).name for part in text.split(",") if (name := part.strip())}
    for name in named:
        if why := REPAIRS[name].missing():
            raise SettingError(why)
    return Chosen(tuple(row for row in REPAIRS.values() if row.kind == "control" or row.name in named))


def settings_for(row: RepairRow, params: ExperimentParams) -> object:
    """Return the method's own settings: its defaults, with the experiment's epochs and the gap it shall aim at.

    A method whose recipe has a number of epochs of its own keeps that; one that can only aim at other gaps aims at its
    default.
    """
    fields = row.Params.__dataclass_fields__
    given: dict[str, object] = {}
    if "epochs" in fields and fields["epochs"].default == _USUAL_EPOCHS:
        given["epochs"] = params.epochs
    for name in _AIM_FIELDS & set(fields):
        aims = [aim for aim in _AIMS[params.gap] if aim in fields[name].metadata.get("choices", ())]
        given |= {name: aims[0]} if aims else {}
    return row.Params(**given)


def trains_like_plain(row: RepairRow) -> bool:
    """Say whether the method retrains the given network with the settings of plain retraining."""
    usual = TrainingSettings()
    names = usual.__dataclass_fields__
    return issubclass(row.Params, TrainingSettings) and all(
        getattr(row.Params(), name) == getattr(usual, name) for name in names
    )


def budget_words(budget: float) -> str:
    """Return a budget in points.

    >>> budget_words(0.01), budget_words(0.005)
    ('1 point', '0.5 points')
    """
    points = round(100 * budget, 6)
    return f"{points:g} point" + ("" if points == 1 else "s")


def fallback_words(budget: float) -> str:
    """Say what happens where no strength fits the budget."""
    return f"No strength costs at most {budget_words(budget)} of validation accuracy: the network stays as it was."
