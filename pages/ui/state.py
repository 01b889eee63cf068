"""What the viewer has chosen: data set, model, protected attribute, run. The only user of st.session_state.

The address carries it (`?data=census&model=...`), so a link opens to the same numbers and a reload loses nothing. The
navigation's own links drop the address's parameters; the session then gives them back.
"""

from __future__ import annotations

from typing import Any, Literal

import streamlit as st

Choice = Literal["data", "model", "protected", "run", "after", "gap", "budget"]
CHOICES: tuple[Choice, ...] = ("data", "model", "protected", "run", "after", "gap", "budget")
_PREFIX = "chosen."


def restore() -> None:
    """Bring the address and the session to one mind: the address wins where it says something."""
    for name in CHOICES:
        if given := st.query_params.get(name):
            st.session_state[_PREFIX + name] = given
        elif kept := st.session_state.get(_PREFIX + name):
            st.query_params[name] = kept


def chosen(name: Choice) -> str | None:
    """Return what is chosen, or None."""
    value = st.session_state.get(_PREFIX + name)
    return str(value) if value else None


def choose(**values: str | None) -> None:
    """Choose, or with None forget. Another data set forgets the model, attribute and comparison of the old one."""
    if "data" in values and values["data"] != chosen("data"):
        values = {"model": None, "protected": None, "after": None, **values}
    for name, value in values.items():
        if value:
            st.session_state[_PREFIX + name] = value
            st.query_params[name] = value
        else:
            st.session_state.pop(_PREFIX + name, None)
            st.query_params.pop(name, None)


def remember(name: str, value: Any) -> None:
    """Keep something for this session only (a half-filled form, an uploaded table): it may be lost on reload."""
    st.session_state["kept." + name] = value


def remembered(name: str, default: Any = None) -> Any:
    """Return what `remember` kept, or the default."""
    return st.session_state.get("kept." + name, default)


def forget(name: str) -> None:
    """Drop what `remember` kept."""
    st.session_state.pop("kept." + name, None)


def widget(key: str, default: Any = None) -> Any:
    """Return the present value of a widget by its key."""
    return st.session_state.get(key, default)


def set_widget(key: str, value: Any) -> None:
    """Give a widget a value before it is drawn in this run."""
    st.session_state[key] = value
