"""The settings in which the literature measures repairs with a proof: which table, which attributes, which tolerance.

Source: the set-up of ProF ("Provable Fairness Repair for Deep Neural Networks", ASE 2025): nine settings with one
attribute, seven with two at once, six in which another column may differ a little too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from fairneuron_core.errors import SettingError
from fairneuron_core.params import setting

SettingKind = Literal["one attribute", "two attributes", "tolerance"]
KINDS: tuple[SettingKind, ...] = ("one attribute", "two attributes", "tolerance")

GIVEN = "given"
"""The network as it was trained, before any repair."""

PUBLISHED_METHOD = "prof"
OWN_METHODS = ("blind", "majority_vote", "spread", "exact_last_layer")
METHODS = (PUBLISHED_METHOD, *OWN_METHODS)
OURS = "ours"
"""The one of OWN_METHODS that is chosen on the validation rows of a seed; see `proof_table.chosen`."""

_TOLERANCE = {"adult": {"hours_per_week": 1.0}, "bank": {"duration": 1.0}, "german": {"credit_amount": 100.0}}
_IN_NAMES = {"age_group": "age", "hours_per_week": "hours", "credit_amount": "amount"}


@dataclass(frozen=True)
class ProofSetting:
    """One setting: a label-encoded table, the attributes that must not matter, columns that may differ by +-e too."""

    data: str
    attributes: tuple[str, ...]
    within: Mapping[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The table and what is free.

        >>> ProofSetting("adult", ("sex", "age_group"), {"hours_per_week": 1.0}).name
        'adult-sex-age+hours'
        """
        named = "-".join((self.data, *(_IN_NAMES.get(one, one) for one in self.attributes)))
        return "+".join((named, *(_IN_NAMES.get(one, one) for one in self.within)))

    @property
    def kind(self) -> SettingKind:
        return "tolerance" if self.within else "one attribute" if len(self.attributes) == 1 else "two attributes"


def _settings() -> tuple[ProofSetting, ...]:
    ones: dict[str, tuple[str, ...]] = {"adult": ("sex", "race", "age_group"), "compas": ("sex", "race", "age_group")}
    ones |= {"german": ("sex", "age_group"), "bank": ("age_group",)}
    single = [ProofSetting(data, (one,)) for data, names in ones.items() for one in names]
    pairs = [
        ProofSetting(data, (first, second))
        for data, names in ones.items()
        for position, first in enumerate(names)
        for second in names[position + 1 :]
    ]
    near = [ProofSetting(data, (one,), within) for data, within in _TOLERANCE.items() for one in ones[data]]
    return (*single, *pairs, *near)


SETTINGS: dict[str, ProofSetting] = {one.name: one for one in _settings()}


@dataclass(frozen=True)
class ProofsParams:
    """Which settings, how many networks each, and how much is tried."""

    settings: str = setting(
        "all",
        label="Settings",
        help="all, one (nine with one attribute), or names with commas between: adult-sex,compas-race.",
    )
    seeds: str = setting(
        "3", label="Seeds", help="How many (3 = 0 to 2), a range (10-12), or a list (1,5,7): one network each."
    )
    methods: str = setting("all", label="Methods", help="all, or names with commas between.")
    points: int = setting(
        100_000,
        label="Points of the whole space",
        help="Drawn uniformly; all similar individuals of each are tried.",
        low=100,
        high=10_000_000,
    )
    base_epochs: int | None = setting(
        None,
        label="Epochs of the networks at most",
        help="Early stopping usually ends sooner.",
        low=1,
        high=5000,
        expert=True,
        empty="as suits the table",
    )
    seconds: float = setting(
        10.0, label="Time limit of a solver", help="For each programme.", low=0.1, high=3600.0, unit="s", expert=True
    )


def settings_of(text: str) -> tuple[ProofSetting, ...]:
    """Return the settings of `all`, `one` or a list of names, in the order of SETTINGS; SettingError lists them all."""
    wanted = [part for part in text.lower().replace(" ", "").split(",") if part]
    if wanted in (["all"], ["one"]):
        return tuple(one for one in SETTINGS.values() if wanted == ["all"] or one.kind == "one attribute")
    if unknown := [name for name in wanted if name not in SETTINGS]:
        raise SettingError(f"There is no setting '{unknown[0]}': choose all, one, or from {', '.join(SETTINGS)}.")
    if not wanted:
        raise SettingError("No setting is named: write all, one, or names like adult-sex,compas-race.")
    return tuple(one for name, one in SETTINGS.items() if name in wanted)


def proof_methods(text: str) -> tuple[str, ...]:
    """Return the methods of `all` or of a list of names, in the order of METHODS; SettingError lists them."""
    wanted = [part for part in text.lower().replace(" ", "").split(",") if part]
    if wanted == ["all"]:
        return METHODS
    if not wanted or (unknown := [name for name in wanted if name not in METHODS]):
        named = f"There is no method '{unknown[0]}' here" if wanted else "No method is named"
        raise SettingError(f"{named}: choose all, or from {', '.join(METHODS)}.")
    return tuple(name for name in METHODS if name in wanted)
