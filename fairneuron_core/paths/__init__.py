"""Activation paths: slicing, counting, clustering, and the views of one path.

Importing this package imports neither torch nor numba: both come with the first slicing.
"""

from fairneuron_core.paths.activation_paths import ActivationPaths, TracedPath
from fairneuron_core.paths.clustering import (
    MakeupRow,
    RareCounts,
    SampleSplit,
    cluster,
    cluster_counts,
    conflict_makeup,
    conflict_mask,
)
from fairneuron_core.paths.frequency import PathFrequency, count_keys, path_frequency
from fairneuron_core.paths.graph import PathTable, SynapseRow, path_graph, path_table, to_graphml, to_json
from fairneuron_core.paths.network_payload import network_payload, path_payload
from fairneuron_core.paths.parquet_rows import ParquetRows
from fairneuron_core.paths.settings import GRANULARITIES, READINGS, SlicingSetting
from fairneuron_core.paths.slicing import compile_kernels, slice_coverages, slice_paths
from fairneuron_core.paths.sources import ArrayRows, BatchRows, RowSource
from fairneuron_core.paths.suggestion import SettingRow, SuggestedSetting, suggest_setting

__all__ = [
    "GRANULARITIES",
    "READINGS",
    "ActivationPaths",
    "ArrayRows",
    "BatchRows",
    "MakeupRow",
    "ParquetRows",
    "PathFrequency",
    "PathTable",
    "RareCounts",
    "RowSource",
    "SampleSplit",
    "SettingRow",
    "SlicingSetting",
    "SuggestedSetting",
    "SynapseRow",
    "TracedPath",
    "cluster",
    "cluster_counts",
    "compile_kernels",
    "conflict_makeup",
    "conflict_mask",
    "count_keys",
    "network_payload",
    "path_frequency",
    "path_graph",
    "path_payload",
    "path_table",
    "slice_coverages",
    "slice_paths",
    "suggest_setting",
    "to_graphml",
    "to_json",
]
