"""Which results of experiments there are (shipped ones and finished runs), and one of them, read and checked once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from fairneuron_core.data import ALIASES
from fairneuron_core.errors import NotFoundError
from fairneuron_core.report.style import Chart, Mode
from fairneuron_core.store import get_run, list_runs, open_store
from pages.ui import cache, state, theme
from pages.ui.pickers import data_titles

if TYPE_CHECKING:
    from fairneuron_core.report.experiment_result import Experiment, Picked

KIND = "experiment"
_STORED, _AIM = "stored:", "|"


def available() -> dict[str, str]:
    """Return the key of every result with its label: shipped results first, then finished runs, newest first."""
    from fairneuron_core.experiments import stored

    titles = data_titles()
    found = {
        f"{_STORED}{name}": f"{titles.get(name, name)} · comes with the product"
        for name in stored.stored_names(stored.FOLDER)
    }
    runs = list_runs(open_store(cache.workspace()), limit=50, kind=KIND, state="done")
    return found | {
        run.id: f"{titles.get(data_of(run.params.get('data')), '?')} · run {run.id[:6]} of {run.created:%Y-%m-%d}"
        for run in runs
    }


def data_of(ref: object) -> str:
    """Return the data set's own name for a name or alias."""
    return ALIASES.get(str(ref).lower(), str(ref))


def chosen_key(options: dict[str, str]) -> str | None:
    """Return the result that the address means: its run, else that of its data set, else, without one, the first."""
    if (run := state.chosen("run")) in options:
        return run
    data = state.chosen("data")
    if not data:
        return next(iter(options), None)
    if (stored := f"{_STORED}{data_of(data)}") in options:
        return stored
    return next((key for key in options if not key.startswith(_STORED) and data_of_key(key) == data_of(data)), None)


def choose(key: str) -> None:
    """Write a result into the address, with the data set that it is about."""
    if key.startswith(_STORED):
        state.choose(data=key.removeprefix(_STORED), run=None)
    else:
        state.choose(data=data_of_key(key), run=key)
    # Another result has another budget and gap of its own.
    state.choose(gap=None, budget=None)


def data_of_key(key: str) -> str:
    """Return the data set that a result is about."""
    if key.startswith(_STORED):
        return key.removeprefix(_STORED)
    return data_of(get_run(open_store(cache.workspace()), key).params.get("data"))


def aimed_at(key: str, gap: str) -> str:
    """Return the key of the shipped result on the same data that aims at `gap`; the key itself where there is none."""
    from fairneuron_core.experiments import stored

    if not key.startswith(_STORED):
        return key
    name = key.removeprefix(_STORED)
    return f"{_STORED}{name}{_AIM}{gap}" if gap in stored.stored_gaps(name, stored.FOLDER) else key


def load(key: str) -> Experiment:
    """Return a result by its key (DataError when it is damaged, NotFoundError when it is gone)."""
    return _load(key, str(cache.workspace().home))


@st.cache_resource(max_entries=8, show_spinner="Reading the experiment")
def _load(key: str, home: str) -> Experiment:
    from fairneuron_core.experiments import stored
    from fairneuron_core.report.experiment_result import read_experiment

    if key.startswith(_STORED):
        name, _, gap = key.removeprefix(_STORED).partition(_AIM)
        return read_experiment(stored.load_stored(name, stored.FOLDER, **({"gap": gap} if gap else {})))
    run = get_run(open_store(cache.workspace()), key)
    if run.kind != KIND or run.state != "done":
        raise NotFoundError(f"The run {key} is no finished experiment: choose another result.")
    return read_experiment(run.results)


@st.cache_resource(max_entries=64, show_spinner=False)
def _points(key: str, gap: str, budget: float, home: str) -> tuple[Picked, ...]:
    from fairneuron_core.report.experiment_result import pick_all

    return pick_all(_load(key, home), gap=gap, budget=budget)


@dataclass(frozen=True)
class Asked:
    """What the viewer asks of a result: which one, which gap, and how much accuracy it may cost (a share)."""

    key: str
    gap: str
    budget: float

    @property
    def picked(self) -> tuple[Picked, ...]:
        """The point of every method within the budget; equal questions are answered once."""
        return _points(self.key, self.gap, self.budget, str(cache.workspace().home))


@st.cache_resource(max_entries=200, show_spinner=False)
def _chart(
    key: str, name: str, gap: str, budget: float, mode: Mode, given: tuple[tuple[str, str], ...], home: str
) -> Chart:
    from fairneuron_core.report import figures_budgets, figures_experiment, figures_seeds

    found, picked, more = _load(key, home), _points(key, gap, budget, home), dict(given)
    if name == "front":
        return figures_experiment.pareto_front(found, gap, picked, part=more["part"], mode=mode)  # type: ignore[arg-type]
    if name == "seeds":
        return figures_seeds.seed_strips(found, picked, more["metric"], mode=mode)
    if name == "rates":
        one = next(one for one in picked if one.method.name == more["method"])
        return figures_seeds.rate_shifts(one, more["rate"], mode=mode)
    if name == "time":
        return figures_budgets.time_bars(found, mode=mode)
    draw = {"budgets": figures_budgets.gaps_at_budgets, "areas": figures_budgets.front_areas}[name]
    return draw(found, gap, mode=mode)


def chart(asked: Asked, name: str, **given: str) -> Chart:
    """Return one chart of the page: front, seeds, rates, budgets, areas or time. Equal questions are drawn once."""
    # The last three do not depend on the budget, nor time on the gap.
    budget = asked.budget if name in ("front", "seeds", "rates") else 0.0
    more, home = tuple(sorted(given.items())), str(cache.workspace().home)
    return _chart(asked.key, name, asked.gap, budget, theme.mode(), more, home)
