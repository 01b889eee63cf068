"""The settings with a proof as one JSON object: what job, command line and shipped result share."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fairneuron_core.errors import NotFoundError
from fairneuron_core.experiments.label_encoded import label_encoded
from fairneuron_core.experiments.proof_setting import ProofRow
from fairneuron_core.experiments.proof_spec import SETTINGS, ProofsParams, proof_methods, settings_of
from fairneuron_core.experiments.proof_table import goals, means, side_by_side, summary
from fairneuron_core.experiments.spec import seeds_of
from fairneuron_core.experiments.stored import FOLDER
from fairneuron_core.params import params_json
from fairneuron_core.workspace import canonical_json

_FILE = "proofs.json.gz"

NOTES = (
    "Discriminatory individuals: the decision is not the same for all values of the free attributes (and, with a "
    "tolerance, of a column within +-e); every possibility is tried with the deployed network.",
    "ours: for each seed the method with the highest validation accuracy among those proved for every input.",
    "Blindness to an attribute is not group fairness: other columns that tell about it stay.",
    "prof is written from the formulas of the paper; replicated: the same method on the published networks.",
)


def proofs_spec(params: ProofsParams) -> dict[str, Any]:
    """Return the settings with names and seeds written out."""
    return params_json(params) | {
        "settings": [one.name for one in settings_of(params.settings)],
        "seeds": list(seeds_of(params.seeds)),
        "methods": list(proof_methods(params.methods)),
    }


def proofs_json(
    spec: Mapping[str, Any], rows: Sequence[ProofRow], *, data: Mapping[str, str], timing: Mapping[str, Any]
) -> dict[str, Any]:
    """Return rows, summaries and the comparison; `data` maps a table's name to its sha256."""
    lines = summary(rows)
    averages = means(lines)
    tables = dict.fromkeys(SETTINGS[name].data for name in spec["settings"])
    return {
        "spec": dict(spec),
        "data_sha256": dict(data),
        "differs": {name: list(label_encoded(name).differs) for name in tables},
        "notes": list(NOTES),
        "rows": [row.as_json() for row in rows],
        "summary": lines,
        "means": averages,
        "side_by_side": side_by_side(lines),
        "goals": goals(averages),
        "timing": {"repairs": round(math.fsum(row.seconds for row in rows), 2), **timing},
    }


def row_of(stored: Mapping[str, Any]) -> ProofRow:
    """Return a row of its JSON."""
    return ProofRow(**{**stored, "gates": tuple(stored["gates"])})


def load_proofs(folder: Path = FOLDER) -> dict[str, Any]:
    """Return the result that comes with the product (NotFoundError when there is none)."""
    path = folder / _FILE
    if not path.exists():
        raise NotFoundError("No result of the settings with a proof comes with this product: run `fairneuron proofs`.")
    found: dict[str, Any] = json.loads(gzip.decompress(path.read_bytes()))
    return found


def write_proofs(results: Mapping[str, Any], folder: Path = FOLDER) -> Path:
    """Write a result to be shipped; equal results are equal files."""
    folder.mkdir(exist_ok=True)
    path = folder / _FILE
    path.write_bytes(gzip.compress(canonical_json(results).encode(), compresslevel=9, mtime=0))
    return path
