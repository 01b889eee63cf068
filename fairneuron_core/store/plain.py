"""Values as JSON can hold them: numpy numbers become numbers, NaN and infinity become null."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any


def plain(value: Any) -> Any:
    """Return `value` made of dict, list, str, bool, int, float and None only; the order of keys is kept.

    >>> plain({"gap": float("nan"), "groups": ("a", "b")})
    {'gap': None, 'groups': ['a', 'b']}
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in value]
    if hasattr(value, "tolist"):  # numpy and torch, without importing either
        return plain(value.tolist())
    return str(value)


def to_json(value: Any) -> str:
    """Return `plain(value)` as JSON text, keys in their own order."""
    return json.dumps(plain(value), separators=(",", ":"), allow_nan=False, ensure_ascii=False)
