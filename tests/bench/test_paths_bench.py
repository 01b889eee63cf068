"""The benchmark of slicing: what it measures and says. Nothing here asserts a time."""

import json

import numpy as np
import pytest

from fairneuron_core.bench.cases import make_case, scaled_rows
from fairneuron_core.bench.engines import COVERAGE, ENGINES, FEW_ROWS, SORTED_ROWS, rows_for
from fairneuron_core.bench.measure import peak_megabytes, timed, torch_threads
from fairneuron_core.bench.memory import peaks
from fairneuron_core.bench.paths import PathsBenchParams, available_engines, groups_of, run_paths
from fairneuron_core.bench.sizes import SIZES, Size
from fairneuron_core.bench.stream import SeededRows, make_stream_case, stream
from fairneuron_core.bench.torch_sort import TorchSort
from fairneuron_core.models import build_network, linear_layers
from fairneuron_core.paths import slice_paths

TINY = Size("tiny", "german", (4, 4), rows=300, scales=(1, 10))
PROMISED = {"engine", "reading", "size", "rows", "seconds", "rows_per_second", "peak_mb"}


@pytest.fixture(scope="module")
def tiny():
    return make_case(TINY)


@pytest.fixture(scope="module")
def results():
    params = PathsBenchParams(repeats=2, engines=("python", "torch_sort", "numba_2", "forward"), memory=False)
    return run_paths(params, sizes={"tiny": TINY})


def test_the_results_are_json_with_the_promised_keys(results):
    assert json.loads(json.dumps(results, allow_nan=False)) == results
    assert all(set(row) >= PROMISED for row in results["results"])
    promised = {"numba_vs_python", "numba_vs_torch_sort", "numba_vs_forward", "released_compas_seconds"}
    assert set(results["ratios"]) >= promised
    assert results["machine"]["cores"] >= 1
    assert set(results["load"]) == {"before", "after"}


def test_every_engine_runs_the_rows_it_says(results):
    found = {(row["engine"], row["reading"], row["scale"]): row["rows"] for row in results["results"]}
    assert found == {
        ("python", "delta", 1): FEW_ROWS,
        ("torch_sort", "delta", 1): SORTED_ROWS,
        ("numba_2", "delta", 1): 300,
        ("forward", None, 1): 300,
        ("numba_2", "released", 1): 300,
        ("numba_2", "activation", 1): 300,
        ("numba_2", "delta", 10): 3000,
        ("forward", None, 10): 3000,
    }


def test_rows_and_synapses_per_second_follow_from_the_median_of_the_rounds(results):
    for row in results["results"]:
        assert row["repeats"] == 2
        assert row["seconds_low"] <= row["seconds"] <= row["seconds_high"]
        assert row["rows_per_second"] == row["rows"] / row["seconds"]
        if row["engine"] != "forward":
            assert row["synapses_per_second"] == pytest.approx(row["mean_synapses"] * row["rows_per_second"])


def test_pythons_rows_are_a_seeded_draw_in_the_order_of_the_table():
    table = np.arange(1000, dtype=np.float32)[:, None]
    drawn = rows_for(ENGINES["python"], table)
    assert len(drawn) == FEW_ROWS
    assert (np.diff(drawn[:, 0]) > 0).all()
    assert np.array_equal(drawn, rows_for(ENGINES["python"], table))
    assert rows_for(ENGINES["numba_1"], table) is table


@pytest.mark.parametrize("active_only", [True, False])
def test_torch_sort_finds_the_synapses_of_slice_paths_where_sums_are_exact(active_only):
    generator = np.random.default_rng(3)
    network = build_network((6, 8, 7, 1), seed=1)
    for parameter in network.parameters():
        parameter.data = parameter.data.mul(8).round().clamp(-4, 4)
    features = generator.integers(0, 8, (200, 6)).astype(np.float32)
    means = [np.zeros(6), np.zeros(8), np.zeros(7)]
    for coverage in (0.0, 0.5, 0.75, 1.0):
        engine = TorchSort(linear_layers(network), means, coverage=coverage, active_only=active_only)
        expected = slice_paths(network, features, coverage=coverage, means=means, threads=1).synapses
        # 200 rows are more than one chunk of the first engine.
        assert np.array_equal(engine.count(features), expected)


def test_torch_sort_agrees_with_numba_on_a_trained_network_to_within_float_rounding(tiny):
    expected = slice_paths(tiny.network(), tiny.features, coverage=COVERAGE, means=tiny.means, threads=1).synapses
    for name in ("torch_sort", "torch_sort_dense"):
        found = ENGINES[name].prepare(tiny, "delta")(tiny.features)
        assert (found == expected).mean() > 0.99
        assert abs(found.mean() - expected.mean()) < 0.01 * expected.mean()


def test_python_numba_and_the_gpus_engine_count_the_same_synapses(tiny):
    rows = tiny.features[:40]
    python, numba = (ENGINES[name].prepare(tiny, "delta")(rows) for name in ("python", "numba_2"))
    # The GPU's engine on the CPU: what differs on a GPU is where it runs.
    gpu = ENGINES["gpu"].prepare.func(tiny, "delta", device="cpu", engine="torch")(rows)
    assert python.tolist() == numba.tolist() == gpu.tolist()


def test_a_case_is_seeded_and_has_the_rows_and_inputs_of_its_size(tiny):
    again = make_case(TINY)
    assert np.array_equal(again.features, tiny.features)
    assert all(np.array_equal(a.weight, b.weight) for a, b in zip(again.layers, tiny.layers, strict=True))
    wider = make_case(Size("wider", "german", (4,), rows=900, inputs=70))
    assert wider.features.shape == (900, 70)
    assert wider.shape == "70-4-1"


def test_more_rows_are_seeded_draws_near_the_given_ones_and_zeros_stay_zero():
    given = np.array([[0, 1, 0], [2, 0, 0]], np.float32)
    rows = scaled_rows(given, 100)
    assert rows.shape == (200, 3)
    assert np.array_equal(rows, scaled_rows(given, 100))
    kinds = rows.round()
    assert {tuple(row) for row in kinds} == {(0, 1, 0), (2, 0, 0)}
    assert (rows[:, 2] == 0).all()
    assert len(np.unique(rows[:, 0])) > 50


def test_the_sizes_are_those_of_the_paper_and_a_wide_one():
    assert {name: size.hidden for name, size in SIZES.items()} == {
        "german": (32, 32, 32),
        "compas": (32, 32, 32),
        "census": (128, 128, 128),
        "wide": (512, 512, 512),
    }
    assert (SIZES["compas"].rows, SIZES["compas"].inputs, SIZES["census"].rows) == (3689, 18, 22_793)


def test_the_full_run_adds_the_scales_that_the_default_leaves_out(tiny):
    engines = [ENGINES["numba_2"]]
    scales = [[g.scale for g in groups_of(tiny, engines, full=full) if g.reading == "delta"] for full in (False, True)]
    assert scales == [[1, 10], [1, 10, 100]]


def test_an_engine_that_cannot_run_here_is_left_out_with_a_note(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    engines, notes = available_engines(("numba_1", "gpu"))
    assert [engine.name for engine in engines] == ["numba_1"]
    assert notes == {"gpu": "unmeasured: no GPU on this machine"}


def test_the_number_of_torch_threads_is_restored_even_after_an_error():
    import torch

    before = torch.get_num_threads()

    with pytest.raises(ZeroDivisionError), torch_threads(before + 1):
        raise ZeroDivisionError
    assert torch.get_num_threads() == before


def test_a_short_work_is_called_until_the_clock_can_tell():
    calls = []
    _, last = timed(lambda: calls.append(1) or len(calls), shortest=0.01)
    assert last == len(calls) > 1
    assert timed(lambda: 5, shortest=0)[1] == 5


def test_peak_memory_sees_an_array_that_is_gone_at_the_end():
    def work():
        np.ones(50_000_000, np.uint8)

    assert 49 < peak_megabytes(work) < 60


def test_peak_memory_is_taken_in_a_process_of_its_own(tiny):
    told = []
    found = peaks([("forward_1", tiny, 1, "delta"), ("numba_1", tiny, 10, "delta")], told=told.append)
    assert told == [1, 2]
    assert all(0 <= megabytes < 100 for megabytes in found)


def test_the_stream_counts_every_row_once_and_can_be_cancelled():
    from fairneuron_core.errors import Cancelled

    case = make_stream_case(hidden=(4, 4))
    told = []
    row = stream(case, rows=1000, progress=told.append)
    assert set(row) >= PROMISED
    assert (row["size"], row["rows"], told[-1].share) == ("stream", 1000, 1.0)

    def cancel(_):
        raise Cancelled

    with pytest.raises(Cancelled):
        stream(case, rows=1000, progress=cancel)


def test_the_rows_of_the_stream_do_not_depend_on_the_batches_and_can_be_made_again():
    source = SeededRows(100)
    rows = np.concatenate(list(source.batches(7)))
    assert rows.shape == (100, 100)
    assert np.array_equal(rows, np.concatenate(list(source.batches(64))))
    assert np.array_equal(source.take(np.array([99, 3, 3])), rows[[99, 3, 3]])
