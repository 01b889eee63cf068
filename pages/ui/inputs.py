"""Form fields from a settings dataclass: label, help, range and choices come from the field itself."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Collection, Mapping
from typing import Any

import streamlit as st


def form_for(
    params: type, *, key: str, skip: Collection[str] = (), values: Mapping[str, Any] | None = None, columns: int = 3
) -> dict[str, Any]:
    """Draw one field per setting and return the values; those marked `expert` are folded away.

    `values` are shown instead of the defaults; fields named in `skip` are not drawn and not returned.
    """
    hints, shown = typing.get_type_hints(params), values or {}
    fields = [f for f in dataclasses.fields(params) if f.name not in skip]
    given: dict[str, Any] = {}
    for expert in (False, True):
        part = [f for f in fields if bool(f.metadata.get("expert")) == expert]
        if not part:
            continue
        with st.expander("More settings") if expert else st.container():
            # Row by row, so that a label of two lines does not push its column out of step with the others.
            for first in range(0, len(part), columns):
                cells = st.columns(columns, vertical_alignment="bottom")
                for cell, field in zip(cells, part[first : first + columns], strict=False):
                    start = shown.get(field.name, None if field.default is dataclasses.MISSING else field.default)
                    with cell:
                        given[field.name] = _field(field, hints[field.name], start, f"{key}.{field.name}")
    return given


def _field(field: dataclasses.Field[Any], hint: Any, start: Any, key: str) -> Any:
    rules = field.metadata
    kinds = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    optional, kind = type(None) in kinds, next(k for k in kinds if k is not type(None))
    label = f"{rules['label']} ({rules['unit']})" if rules.get("unit") else rules["label"]
    shared = {"label": label, "help": rules.get("help") or None, "key": key}
    if rules.get("choices"):
        options = list(rules["choices"])
        return st.selectbox(**shared, options=options, index=options.index(start) if start in options else 0)
    if kind is bool:
        return _yes_no(shared, start, optional=optional)
    if typing.get_origin(kind) is tuple or kind is str:
        text = ", ".join(f"{v:g}" for v in start) if isinstance(start, tuple | list) else (start or "")
        return st.text_input(**shared, value=text, placeholder=rules["empty"]) or None
    whole = kind is int
    cast = int if whole else float
    low, high = rules.get("low"), rules.get("high")
    return st.number_input(
        **shared,
        value=None if start is None else cast(start),
        min_value=None if low is None else cast(low),
        max_value=None if high is None else cast(high),
        step=1 if whole else _step(start),
        format=None if whole else "%g",
        placeholder=rules["empty"],
    )


def _yes_no(shared: Mapping[str, Any], start: bool | None, *, optional: bool) -> bool | None:
    if not optional:
        return st.toggle(**shared, value=bool(start))
    options = {"as published": None, "yes": True, "no": False}
    names = list(options)
    picked = st.selectbox(**shared, options=names, index=[None, True, False].index(start))
    return options[picked]


def _step(start: float | None) -> float:
    """One unit of the first digit, so that 0.001 and 0.3 both move by a sensible amount."""
    return 10.0 ** math.floor(math.log10(abs(start))) if start else 0.05
