"""What pages compute once: everything is keyed by content ids, so an equal question has an equal answer.

Objects are shared between sessions and must not be changed. torch is imported inside the functions only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from fairneuron_core.types import Audit, Batch, Dataset, PairedAudit
from fairneuron_core.workspace import Workspace, open_workspace

if TYPE_CHECKING:
    from fairneuron_core.jobs import Material
    from fairneuron_core.metrics import ThresholdTable
    from fairneuron_core.paths import ActivationPaths, PathFrequency, SuggestedSetting
    from fairneuron_core.paths.usage import NeuronUsage


def workspace() -> Workspace:
    """Return the workspace that the environment names now."""
    return open_workspace()


@st.cache_resource(max_entries=12, show_spinner="Reading the data set")
def _dataset(ref: str, home: str) -> Dataset:
    from fairneuron_core.jobs.material import find_dataset

    return find_dataset(ref, open_workspace(home))


def dataset(ref: str) -> Dataset:
    """Return a data set by built-in name or stored id."""
    # Paths are a privilege of the command line: an address bar must not read the server's files.
    return _dataset(_no_path(ref), str(workspace().home))


@st.cache_resource(max_entries=24, show_spinner="Opening the model")
def _material(data: str, model: str, attribute: str | None, home: str) -> Material:
    from fairneuron_core.jobs.material import gather

    return gather(data, model, open_workspace(home), protected=attribute)


def material(data: str, model: str, attribute: str | None = None) -> Material:
    """Return data set, classifier and split together."""
    return _material(_no_path(data), _no_path(model), attribute, str(workspace().home))


def _no_path(ref: str) -> str:
    from fairneuron_core.errors import NotFoundError

    if not ref.replace("_", "").replace("-", "").isalnum():
        raise NotFoundError(f"'{ref[:40]}' is no data set or model of this list: choose one from it.")
    return ref


@st.cache_resource(max_entries=24, show_spinner="Encoding the rows")
def _batch(data: str, model: str, part: str, home: str) -> Batch:
    return _material(data, model, None, home).batch(part)  # type: ignore[arg-type]


def batch(data: str, model: str, part: str) -> Batch:
    """Return the encoded rows of one part of the model's split."""
    return _batch(_no_path(data), _no_path(model), part, str(workspace().home))


@st.cache_resource(max_entries=24, show_spinner="Scoring the rows")
def _scores(data: str, model: str, part: str, home: str) -> np.ndarray:
    from fairneuron_core.models import scores

    return scores(_material(data, model, None, home).classifier, _batch(data, model, part, home).features)


def scores(data: str, model: str, part: str) -> np.ndarray:
    """Return the classifier's scores of one part, (n,)."""
    return _scores(_no_path(data), _no_path(model), part, str(workspace().home))


def decisions(data: str, model: str, part: str) -> np.ndarray:
    """Return the classifier's decisions of one part, (n,): by its threshold, or by its rule per group."""
    from fairneuron_core.models import decisions as decide

    classifier = material(data, model).classifier
    return decide(classifier, batch(data, model, part), scored=scores(data, model, part))


@st.cache_resource(max_entries=24, show_spinner=False)
def _threshold_table(data: str, model: str, attribute: str, part: str, home: str) -> ThresholdTable:
    from fairneuron_core.metrics import threshold_table as table_of

    rows = _batch(data, model, part, home)
    return table_of(_scores(data, model, part, home), rows.labels, rows.codes(attribute), levels=rows.levels(attribute))


def threshold_table(data: str, model: str, attribute: str, part: str) -> ThresholdTable:
    """Return the sorted scores from which counts at any threshold follow at once."""
    return _threshold_table(_no_path(data), _no_path(model), attribute, part, str(workspace().home))


@st.cache_data(max_entries=200, show_spinner=False)
def _audit(data: str, model: str, attribute: str, part: str, min_group: int, home: str) -> Audit:
    from fairneuron_core.jobs.figures import audit_part

    return audit_part(_material(data, model, attribute, home), part, min_group=min_group)  # type: ignore[arg-type]


def audit(data: str, model: str, attribute: str, part: str = "test", *, min_group: int = 30) -> Audit:
    """Return the audit at the model's own threshold or rule: the numbers of `fairneuron audit`."""
    return _audit(_no_path(data), _no_path(model), attribute, part, min_group, str(workspace().home))


@st.cache_data(max_entries=100, show_spinner="Comparing the two networks")
def _comparison(data: str, before: str, after: str, attribute: str, part: str, home: str) -> PairedAudit:
    from fairneuron_core.jobs.figures import compare_part

    first, second = (_material(data, model, attribute, home) for model in (before, after))
    return compare_part(first, second, part)  # type: ignore[arg-type]


def comparison(data: str, before: str, after: str, attribute: str, part: str = "test") -> PairedAudit:
    """Return the paired comparison of two models on the same rows."""
    home = str(workspace().home)
    return _comparison(_no_path(data), _no_path(before), _no_path(after), attribute, part, home)


@st.cache_resource(max_entries=16, show_spinner="Slicing the network")
def _paths(data: str, model: str, part: str, setting: tuple[tuple[str, Any], ...], home: str) -> ActivationPaths:
    from fairneuron_core.paths import slice_paths

    classifier = _material(data, model, None, home).classifier
    return slice_paths(classifier, _batch(data, model, part, home).features, **dict(setting))


def paths(data: str, model: str, part: str, setting: Mapping[str, Any]) -> ActivationPaths:
    """Return the activation paths of one part; `setting` has coverage, first_layer, reading, granularity."""
    key = tuple(sorted(setting.items()))
    return _paths(_no_path(data), _no_path(model), part, key, str(workspace().home))


@st.cache_resource(max_entries=32, show_spinner=False)
def _path_frequency(data: str, model: str, part: str, setting: tuple[tuple[str, Any], ...], home: str) -> PathFrequency:
    from fairneuron_core.paths import path_frequency as count_paths

    return count_paths(_paths(data, model, part, setting, home))


def path_frequency(data: str, model: str, part: str, setting: Mapping[str, Any]) -> PathFrequency:
    """Return the distinct paths of one part with their counts; theta only compares these counts."""
    key = tuple(sorted(setting.items()))
    return _path_frequency(_no_path(data), _no_path(model), part, key, str(workspace().home))


def row_path(data: str, model: str, part: str, row: int, setting: Mapping[str, Any]) -> ActivationPaths:
    """Return the path of one row alone (its position in the result is 0): a few milliseconds at any setting."""
    from fairneuron_core.paths import slice_paths

    features = batch(data, model, part).features[row : row + 1]
    return slice_paths(material(data, model).classifier, features, threads=1, **setting)


@st.cache_resource(max_entries=16, show_spinner="Following every row's path")
def _neurons(data: str, model: str, attribute: str, part: str, coverage: float, reading: str, home: str) -> NeuronUsage:
    from fairneuron_core.jobs import usage_of_part

    return usage_of_part(_material(data, model, attribute, home), part, coverage=coverage, reading=reading)


def neuron_usage(data: str, model: str, attribute: str, part: str, *, coverage: float, reading: str) -> NeuronUsage:
    """Return how often each hidden neuron is on the paths of each group: the numbers of `fairneuron neurons`."""
    return _neurons(_no_path(data), _no_path(model), attribute, part, coverage, reading, str(workspace().home))


@st.cache_data(max_entries=32, show_spinner="Asking every neuron")
def _conflict(data: str, model: str, attribute: str, gap: str, home: str) -> tuple[tuple[float, ...], ...]:
    from fairneuron_core.jobs import conflict_of_neurons

    return conflict_of_neurons(_material(data, model, attribute, home), gap)  # type: ignore[arg-type]


def conflict(data: str, model: str, attribute: str, gap: str) -> tuple[tuple[float, ...], ...]:
    """Return every hidden neuron's conflict between accuracy and a gap, layer by layer, as shares of the largest."""
    return _conflict(_no_path(data), _no_path(model), attribute, gap, str(workspace().home))


@st.cache_resource(max_entries=16, show_spinner="Looking for a setting in which paths are shared")
def _suggestion(data: str, model: str, part: str, reading: str, granularity: str, home: str) -> SuggestedSetting:
    from fairneuron_core.paths import suggest_setting

    classifier, features = _material(data, model, None, home).classifier, _batch(data, model, part, home).features
    return suggest_setting(classifier, features, reading=reading, granularity=granularity)  # type: ignore[arg-type]


def suggestion(
    data: str, model: str, part: str = "train", *, reading: str = "delta", granularity: str = "synapses"
) -> SuggestedSetting:
    """Return the suggested coverage and first layer with their reason."""
    return _suggestion(_no_path(data), _no_path(model), part, reading, granularity, str(workspace().home))


@st.cache_data(show_spinner="Looking for a GPU")
def device_sentence() -> str:
    """Say which devices this machine has."""
    from fairneuron_core.models import device_words

    return device_words()


def model_file(model: str) -> bytes:
    """Return a stored model's file."""
    from fairneuron_core.store import get_model, open_store

    place = workspace()
    return place.get(get_model(open_store(place), _no_path(model)).sha256)


def audit_results(data: str, model: str, attribute: str, part: str) -> dict[str, Any]:
    """Carry out the audit job and return what `fairneuron audit --json` prints."""
    from fairneuron_core.jobs import JOBS, JobContext

    job = JOBS["audit"]
    given = {"data": _no_path(data), "model": _no_path(model), "protected": attribute, "part": part}
    return dict(job.run(job.check(given), JobContext(workspace())).results)


@st.cache_data(max_entries=24, show_spinner="Drawing the network")
def _network_picture(data: str, model: str, home: str) -> dict[str, Any]:
    from fairneuron_core.models import linear_layers
    from fairneuron_core.report.network import network_payload

    classifier = _material(data, model, None, home).classifier
    weights = [layer.weight for layer in linear_layers(classifier.network)]
    return network_payload(weights, input_labels=classifier.encoder.feature_names)


def network_picture(data: str, model: str) -> dict[str, Any]:
    """Return what the network view draws: sizes, weights in 8 bits, names of the inputs."""
    return _network_picture(_no_path(data), _no_path(model), str(workspace().home))


def forget_datasets() -> None:
    """Drop what was cached of data sets: one of them was renamed or deleted."""
    for cached in (_dataset, _material, _batch, _scores):
        cached.clear()
