"""`fairneuron data`: the list of data sets, and one of them with its groups and traps."""

from __future__ import annotations

import math
from typing import Any

from fairneuron_core.data import ALIASES, DATASETS, group_sizes, load_dataset
from fairneuron_core.jobs import find_dataset
from fairneuron_core.store import list_datasets, open_store
from fairneuron_core.workspace import Workspace


def list_data(workspace: Workspace) -> dict[str, Any]:
    """Return built-in and own data sets with rows and protected attributes."""
    rows = []
    for name, row in DATASETS.items():
        dataset = load_dataset(name)
        aliases = [alias for alias, target in ALIASES.items() if target == name]
        protected = list(dataset.schema.protected)
        rows.append(
            {"name": name, "aliases": aliases, "title": row.title, "rows": len(dataset.frame), "protected": protected}
        )
    for own in list_datasets(open_store(workspace)):
        dataset = find_dataset(own.id, workspace)
        protected = list(dataset.schema.protected)
        rows.append({"name": own.id, "aliases": [], "title": own.title, "rows": own.rows, "protected": protected})
    return {"datasets": rows}


def describe_dataset(ref: str, workspace: Workspace) -> dict[str, Any]:
    """Return everything that the Data page says about one data set."""
    dataset = find_dataset(ref, workspace)
    schema, source = dataset.schema, dataset.source
    groups = group_sizes(dataset).to_dict("records")
    return {
        "name": dataset.name,
        "title": dataset.title,
        "rows": len(dataset.frame),
        "holdout_rows": 0 if dataset.holdout is None else len(dataset.holdout),
        "columns": len(schema.columns),
        "target": schema.target.name,
        "favourable": schema.favourable,
        "favourable_words": schema.favourable_words,
        "protected": list(schema.protected),
        "reference": dict(schema.reference),
        "left_out": [column.name for column in schema.of_role("left_out")],
        "left_out_because": {column.name: column.note for column in schema.of_role("left_out") if column.note},
        "groups": [{k: _plain(v) for k, v in group.items()} for group in groups],
        "source": source.url or source.title,
        "licence": source.licence,
        "traps": list(source.traps),
        "sha256": dataset.sha256,
    }


def _plain(value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and math.isnan(value) else value
