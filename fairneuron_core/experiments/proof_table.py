"""The table "ProF as published / ours": per setting and over settings, from the rows that were measured.

Reductions are 1 - after / before of the shares of discriminatory individuals, each a mean over seeds; a mean over
settings counts every setting once. Accuracy lost is in points of the test part, against the network as it was given.

"ours" is, for each seed, the method with the highest accuracy on VALIDATION rows among those of OWN_METHODS that are
proved for every input and not degenerate; at equal accuracy the first in the order of OWN_METHODS. A method that only
tries rows is never chosen, however few of them it leaves refuted.
"""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from fairneuron_core.data.csv_cells import safe_cell
from fairneuron_core.experiments.proof_published import (
    REPLICATED,
    REPLICATED_ACCURACY_LOST,
    REPLICATED_MEANS,
    UP_TO,
    Replicated,
)
from fairneuron_core.experiments.proof_setting import ProofRow
from fairneuron_core.experiments.proof_spec import GIVEN, KINDS, OURS, OWN_METHODS, PUBLISHED_METHOD, SETTINGS

_DIGITS = 6
Rows = Sequence[ProofRow]


def chosen(rows: Iterable[ProofRow]) -> ProofRow | None:
    """Return the row of one setting and seed that "ours" stands for, None when no method is proved for every input."""
    order = {name: position for position, name in enumerate(OWN_METHODS)}
    fit = [row for row in rows if row.method in order and row.proof and row.accuracy and not row.degenerate]
    return min(fit, key=lambda row: (-row.accuracy["validation"], order[row.method]), default=None)  # type: ignore[index]


def summary(rows: Rows) -> list[dict[str, Any]]:
    """Return one line per setting and method, "ours" last; `by` counts over seeds which method that was."""
    lines = []
    for name in dict.fromkeys(row.setting for row in rows):
        here = [row for row in rows if row.setting == name]
        given = {row.seed: row for row in here if row.method == GIVEN}
        for method in dict.fromkeys(row.method for row in here):
            own = [row for row in here if row.method == method]
            lines.append(_line(name, method, given, own))
        ours = [found for seed in given if (found := chosen(row for row in here if row.seed == seed))]
        by = dict(Counter(row.method for row in ours).most_common())
        lines.append({**_line(name, OURS, given, ours), "by": by})
    return lines


def _line(setting: str, method: str, given: Mapping[int, ProofRow], rows: Rows) -> dict[str, Any]:
    known = [row for row in rows if row.failed is None]
    before = [given[row.seed] for row in known]
    return {
        "setting": setting,
        "kind": SETTINGS[setting].kind,
        "method": method,
        "by": None,
        "seeds": len(known),
        "failed": next((row.failed for row in rows if row.failed), None),
        "degenerate": sum(row.degenerate is not None for row in known),
        "every_input": sum(row.proof is not None for row in known),
        **{part: _rate(known, part) for part in ("data", "test", "space", "cells")},
        **{f"{part}_reduction": _reduction(before, known, part) for part in ("data", "test", "space", "cells")},
        "accuracy": _mean(row.accuracy["test"] for row in known if row.accuracy),
        "accuracy_lost": _lost(before, known),
        "selection_rate": _mean(row.selection_rate for row in known if row.selection_rate is not None),
        "flipped": _mean(sum(row.flips.values()) / row.test["n"] for row in known if row.flips and row.test),
        "seconds": _mean(row.seconds for row in known),
    }


def _rate(rows: Rows, part: str) -> float | None:
    counts = [found for row in rows if (found := getattr(row, part))]
    return _mean(one["refuted"] / one["n"] for one in counts)


def _reduction(before: Rows, after: Rows, part: str) -> float | None:
    """Return 1 - mean after / mean before; None where nothing was discriminated before, or nothing was counted."""
    first, last = _rate(before, part), _rate(after, part)
    return None if not first or last is None else round(1 - last / first, _DIGITS)


def _lost(before: Rows, after: Rows) -> float | None:
    """Return the accuracy lost on test rows in points, mean over seeds."""
    return _mean(
        100 * (old.accuracy["test"] - new.accuracy["test"])
        for old, new in zip(before, after, strict=True)
        if old.accuracy and new.accuracy
    )


def _mean(values: Iterable[float | None]) -> float | None:
    known = [float(value) for value in values if value is not None]
    return round(math.fsum(known) / len(known), _DIGITS) if known else None


def means(lines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return one line per kind of setting and method: means over its settings, each counted once."""
    found = []
    for kind in KINDS:
        for method in dict.fromkeys(line["method"] for line in lines):
            here = [line for line in lines if (line["kind"], line["method"]) == (kind, method) and line["seeds"]]
            if not here:
                continue
            told: dict[str, Any] = {"kind": kind, "method": method, "settings": len(here)}
            for name in ("data_reduction", "space_reduction", "accuracy_lost", "flipped", "seconds"):
                told[name] = _mean(line[name] for line in here)
            for name in ("seeds", "degenerate", "every_input"):
                told[name] = sum(line[name] for line in here)
            found.append(told)
    return found


def side_by_side(lines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return one line per setting: the replicated figures, ProF on our networks, ours; shares and points in percent."""
    by_key = {(line["setting"], line["method"]): line for line in lines}
    return [
        {
            "setting": name,
            "kind": SETTINGS[name].kind,
            "replicated": _replicated(REPLICATED.get(name)),
            "given": by_key.get((name, GIVEN)),
            PUBLISHED_METHOD: by_key.get((name, PUBLISHED_METHOD)),
            OURS: by_key.get((name, OURS)),
        }
        for name in dict.fromkeys(line["setting"] for line in lines)
    ]


def _replicated(one: Replicated | None) -> dict[str, Any] | None:
    if one is None:
        return None
    lost = None if one.accuracy is None else round(one.accuracy[0] - one.accuracy[1], 2)
    return {
        "data": one.data,
        "space": one.space,
        "data_reduction": one.data_reduction,
        "space_reduction": one.space_reduction,
        "accuracy": one.accuracy,
        "accuracy_lost": lost,
        "constant": one.constant,
    }


def goals(averages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return what is compared over settings: the published and the replicated figure, ProF here, and ours.

    Reductions in percent, accuracy in points; None = unknown or not measured.
    """
    by_key = {(line["kind"], line["method"]): line for line in averages}

    def of(kind: str, method: str, name: str, scale: float = 1.0) -> float | None:
        value = by_key.get((kind, method), {}).get(name)
        return None if value is None else round(scale * value, 3)

    def line(kind: str, name: str, words: str, published: float | None, replicated: float | None) -> dict[str, Any]:
        scale = 1.0 if name == "accuracy_lost" else 100.0
        here, own = (of(kind, method, name, scale) for method in (PUBLISHED_METHOD, OURS))
        return {"what": words, "published": published, "replicated": replicated, "prof": here, "ours": own}

    found = []
    for kind in KINDS:
        for part, words in (("data", "on all rows"), ("space", "at uniform points of the space")):
            printed = 100 * UP_TO[part] if kind == KINDS[0] else None
            measured = getattr(REPLICATED_MEANS[kind], f"{part}_reduction")
            found.append(line(kind, f"{part}_reduction", f"{kind}: reduction {words}, %", printed, measured))
        known = REPLICATED_ACCURACY_LOST if kind == KINDS[0] else None
        found.append(line(kind, "accuracy_lost", f"{kind}: test accuracy lost, points", None, known))
        counts = [of(kind, method, "degenerate") for method in (PUBLISHED_METHOD, OURS)]
        words = f"{kind}: degenerate networks"
        found.append({"what": words, "published": None, "replicated": None, "prof": counts[0], "ours": counts[1]})
    return found


def rows_csv(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the rows as CSV, one line per setting, seed and method; what is undefined is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    plain = ("setting", "seed", "method", "selection_rate", "proof", "proved", "seconds", "degenerate", "failed")
    nested: dict[str, Callable[[Mapping[str, Any]], Any]] = {
        **{f"accuracy_{part}": _inner("accuracy", part) for part in ("validation", "test")},
        **{f"{part}_{name}": _inner(part, name) for part in ("data", "test", "space", "cells") for name in _COUNTED},
        **{name: _inner("flips", name) for name in ("to_favourable", "to_unfavourable")},
    }
    writer.writerow((*plain, *nested))
    for row in rows:
        cells = [*(row[name] for name in plain), *(read(row) for read in nested.values())]
        writer.writerow([safe_cell(cell) for cell in cells])
    return text.getvalue()


_COUNTED = ("refuted", "n")


def _inner(outer: str, name: str) -> Callable[[Mapping[str, Any]], Any]:
    return lambda row: (row[outer] or {}).get(name)
