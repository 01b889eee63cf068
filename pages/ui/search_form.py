"""The form that starts a search: the engine first, then the settings that this engine reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from fairneuron_core.report.names import short_label
from pages.ui import views
from pages.ui.inputs import form_for

TITLES = {"grid": "Grid", "optuna": "Optuna", "ray": "Ray cluster"}
CAPTIONS = {
    "grid": "Every pair of theta and gamma, trained together as one program: 36 trials, nothing left to chance.",
    "optuna": "A sampler that learns from the trials so far; also varies dropout, first layer and learning rate.",
    "ray": "The same points, shared out over the processors of a Ray that this server starts.",
}
_DRAWN = ("trials", "batch", "dropouts", "learning_rates")
# The page names no address: whoever opens it should not make the server call other machines.
_NEVER = ("engine", "rarity", "coverage", "gaps", "address")
_SKIPPED = {"grid": (*_DRAWN, "ray_points"), "optuna": ("dropout", "learning_rate", "ray_points"), "ray": ()}


def search_fields(common: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
    """Draw the form; return the settings in the run in which it is sent, {} before. `common` draws shared fields."""
    from fairneuron_core.experiments import SearchParams

    views.quiet(
        "Selective training at many settings, each scored on the VALIDATION part: score = weights times (parity gap, "
        "equal opportunity gap, 1 - parity ratio, lost accuracy). The lowest score wins; degenerate networks and "
        "undefined rates cannot. The test part is read once, for the winner."
    )
    engine = st.radio(
        "Engine",
        list(TITLES),
        format_func=TITLES.__getitem__,
        captions=list(CAPTIONS.values()),
        key="repair.search.engine",
    )
    with st.form(f"repair.search.{engine}", border=True):
        lowered = {} if engine == "grid" else {"gaps": _gaps(SearchParams, key=f"repair.search.{engine}.gaps")}
        own = form_for(SearchParams, key=f"repair.search.{engine}", skip=(*_NEVER, *_SKIPPED[engine]))
        shared = common()
        pressed = st.form_submit_button("Start the search", type="primary", icon=":material/grid_on:")
    return {"engine": engine, **lowered, **own, **shared} if pressed else {}


def _gaps(params: type, *, key: str) -> list[str]:
    from fairneuron_core.experiments.search_settings import GAPS

    field = params.__dataclass_fields__["gaps"]
    return st.multiselect(
        field.metadata["label"],
        list(GAPS),
        default=list(field.default),
        format_func=short_label,
        key=key,
        help="The objectives beside accuracy; the frontier is taken over all of them.",
    )
