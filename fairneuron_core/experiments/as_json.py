"""An experiment as one JSON object: what job, command line, page and shipped results share.

Equal specs give byte-identical JSON on one machine, apart from `timing`.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

from fairneuron_core.data.csv_cells import safe_cell
from fairneuron_core.errors import SettingError
from fairneuron_core.experiments.fronts import POINTS
from fairneuron_core.experiments.protocol import Finished
from fairneuron_core.experiments.rows import row_of
from fairneuron_core.experiments.spec import METRIC_NAMES, ExperimentParams, methods_of, seeds_of
from fairneuron_core.experiments.statistics import Overlap
from fairneuron_core.experiments.tables import Table, pareto, summary
from fairneuron_core.params import params_json

CONFIDENCE = 0.95


def spec_json(params: ExperimentParams, *, protected: str) -> dict[str, Any]:
    """Return the settings with methods and seeds written out."""
    written = {"methods": list(methods_of(params.methods).names), "seeds": list(seeds_of(params.seeds))}
    return params_json(params) | written | {"protected": protected}


def experiment_json(
    spec: Mapping[str, Any],
    finished: Sequence[Finished],
    *,
    data_sha256: str,
    train_rows: int,
    left_out: Sequence[tuple[str, str]] = (),
    timing: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the whole experiment: spec, rows, summary, fronts and, in an object of its own, what differs each time."""
    rows = tuple(row for one in finished for row in one.rows)
    test_rows = next(row.n for row in rows if row.split == "test")
    overlap = Overlap(test_rows / train_rows, CONFIDENCE)
    table = Table(rows, tuple(spec["seeds"]), tuple(spec["methods"]), overlap)
    return {
        "spec": dict(spec),
        "data_sha256": data_sha256,
        "left_out": [{"method": name, "reason": reason} for name, reason in left_out],
        "interval": {
            "method": "corrected resampled t (Nadeau and Bengio)",
            "confidence": CONFIDENCE,
            "test_to_train": round(overlap.test_to_train, 6),
        },
        "hypervolume": {
            "reference": "accuracy of the more frequent label, 1 - gap of the given network, on a seed's test rows",
            "points": POINTS,
            "rule": f"of a longer sweep {POINTS} strengths, evenly by position with both ends; fewer stay as they are",
        },
        "rows": [row.as_json() for row in rows],
        "summary": summary(table, gap=spec["gap"], budget=spec["budget"]),
        "pareto": pareto(table),
        "timing": {**_seconds(finished), **timing},
    }


def _seconds(finished: Sequence[Finished]) -> dict[str, Any]:
    names = dict.fromkeys(one.method for one in finished)
    seconds = {name: round(math.fsum(o.seconds for o in finished if o.method == name), 2) for name in names}
    return {"seconds": seconds, "total": round(math.fsum(one.seconds for one in finished), 2)}


def finished_json(one: Finished) -> dict[str, Any]:
    """Return what a checkpoint keeps of one method on one seed."""
    rows = [row.as_json() for row in one.rows]
    return {"seed": one.seed, "method": one.method, "seconds": one.seconds, "rows": rows}


def finished_of(stored: Mapping[str, Any]) -> Finished:
    """Return one method on one seed from its checkpoint."""
    return Finished(**{**stored, "rows": tuple(row_of(row) for row in stored["rows"])})


def rows_csv(results: Mapping[str, Any]) -> str:
    """Return the rows of an experiment as CSV, one line per method, strength, seed and part; undefined is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("method", "strength", "seed", "split", "n", *METRIC_NAMES, "degenerate"))
    for row in results["rows"]:
        fixed = [row[name] for name in ("method", "strength", "seed", "split", "n")]
        cells = [*fixed, *(row["metrics"][name] for name in METRIC_NAMES), row["degenerate"]]
        writer.writerow([safe_cell(cell) for cell in cells])
    return text.getvalue()


def without_timing(results: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of an experiment that an equal spec gives again, byte by byte."""
    if "timing" not in results:
        raise SettingError(
            "This is no experiment, it has no object 'timing': give the JSON of `fairneuron experiment`."
        )
    return {key: value for key, value in results.items() if key != "timing"}
