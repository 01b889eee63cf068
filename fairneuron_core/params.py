"""Settings described once: a frozen dataclass whose fields carry label, help, range and unit.

Forms in the browser, flags on the command line and the checks of a stored spec are all derived from the fields, so
they cannot disagree.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from fairneuron_core.errors import SettingError

P = TypeVar("P")


def setting(
    default: Any,
    *,
    label: str,
    help: str = "",
    low: float | None = None,
    high: float | None = None,
    choices: Sequence[Any] = (),
    unit: str = "",
    expert: bool = False,
    empty: str = "default",
) -> Any:
    """Declare one field of a settings dataclass. `expert` ones are folded away in forms.

    `empty` says in a word what leaving an optional field empty means.
    """
    described = {
        "label": label,
        "help": help,
        "low": low,
        "high": high,
        "choices": tuple(choices),
        "unit": unit,
        "expert": expert,
        "empty": empty,
    }
    if default is dataclasses.MISSING:
        return dataclasses.field(metadata=described)
    return dataclasses.field(default=default, metadata=described)


def parse_params(kind: type[P], given: Mapping[str, Any]) -> P:
    """Build `kind` from plain values (JSON, or text from a command line), checking names, types, ranges and choices.

    Raises SettingError with one sentence that names the setting, the value and what is allowed.
    """
    fields = {f.name: f for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted(set(given) - set(fields)):
        raise SettingError(f"Unknown setting '{unknown[0]}': choose from {', '.join(fields)}.")
    hints = typing.get_type_hints(kind)
    values = {name: _checked(fields[name], hints[name], value) for name, value in given.items()}
    for name, f in fields.items():
        if name not in values and f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING:
            raise SettingError(f"The setting '{name}' is missing: give a value for it.")
    return kind(**values)


def params_json(params: Any) -> dict[str, Any]:
    """Return the settings as plain JSON values, defaults included."""
    return {
        f.name: list(v) if isinstance(v := getattr(params, f.name), tuple) else v for f in dataclasses.fields(params)
    }


def _checked(field: dataclasses.Field[Any], hint: Any, value: Any) -> Any:
    name, rules = field.name, field.metadata
    kinds = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if (
        type(None) in kinds
        and (value is None or value in ("none", "auto", ""))
        and "auto" not in rules.get("choices", ())
    ):
        return None
    value = _converted(name, next(k for k in kinds if k is not type(None)), value)
    if (choices := rules.get("choices")) and value not in choices:
        raise SettingError(f"The setting '{name}' cannot be '{value}': choose from {', '.join(map(str, choices))}.")
    for bound, wrong in (("low", lambda v, b: v < b), ("high", lambda v, b: v > b)):
        limit = rules.get(bound)
        if limit is not None and any(wrong(v, limit) for v in (value if isinstance(value, tuple) else (value,))):
            raise SettingError(
                f"The setting '{name}' is {value}, outside {rules.get('low')} to {rules.get('high')}: "
                "choose a value inside."
            )
    return value


def _converted(name: str, kind: Any, value: Any) -> Any:
    try:
        if kind is bool:
            return _boolean(value)
        if typing.get_origin(kind) is tuple:
            parts = value.split(",") if isinstance(value, str) else value
            return tuple(_converted(name, typing.get_args(kind)[0], part) for part in parts)
        if kind is int and (isinstance(value, bool) or float(value) != int(float(value))):
            raise ValueError
        number = int(float(value)) if kind is int else float(value) if kind is float else str(value)
        if isinstance(number, float) and number != number:
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        words = {int: "a whole number", float: "a number", bool: "yes or no"}.get(kind, "a list of values")
        raise SettingError(f"The setting '{name}' is '{value}', but it must be {words}.") from None
    return number


def _boolean(value: Any) -> bool:
    known = {"true": True, "yes": True, "1": True, "on": True, "false": False, "no": False, "0": False, "off": False}
    return known[str(value).lower()] if str(value).lower() in known else _refuse()


def _refuse() -> bool:
    raise ValueError
