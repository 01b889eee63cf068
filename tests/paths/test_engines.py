"""The engines of a slicing give the same keys: float and exact cuts, one coverage or many, numba or torch."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numba import njit

from fairneuron_core.errors import ModelError, SettingError
from fairneuron_core.models.layers import build_network
from fairneuron_core.paths import float_cut, lanes
from fairneuron_core.paths.exact_cut import exact_cut
from fairneuron_core.paths.kernels import slice_rows
from fairneuron_core.paths.lanes import advance, pointer_to
from fairneuron_core.paths.packing import CUT_FLOATS
from fairneuron_core.paths.slicer import make_slicer
from tests.paths.networks import READINGS, profile_of, stack

COVERAGES = (0.0, 0.1, 0.35, 0.6, 0.8, 0.95, 1.0)


@pytest.fixture(scope="module")
def case():
    network = build_network((40, 48, 33, 2), seed=3)
    draw = np.random.default_rng(5)
    features = np.concatenate([draw.normal(size=(60, 40)), draw.integers(0, 2, (60, 40))]).astype(np.float32)
    return network, features, profile_of(network, features)


@njit(error_model="numpy")
def both_cuts(weights, sources, coverage, cuts, floats, reals, scratch, masks, exact):
    """Cut one neuron per row both ways; return how many each takes, -1 where float32 is not certain."""
    size, taken = weights.shape[1], np.zeros((2, len(weights)), np.int64)
    for r in range(len(weights)):
        w, s = advance(pointer_to(weights), r * size), advance(pointer_to(sources), r * size)
        total = 0.0
        for k in range(size):
            total += np.float64(weights[r, k]) * np.float64(sources[r, k])
        for k in range(size):
            exact[k] = sources[r, k]
        taken[1, r] = exact_cut(
            w, pointer_to(exact), size, size, coverage, 0.0, False, pointer_to(reals), pointer_to(masks[1, r])
        )
        taken[0, r] = -1
        if total > 0:
            taken[0, r] = float_cut.float_cut(
                w, s, size, np.float32(coverage * total), np.float32(total), np.float32(0), pointer_to(cuts),
                pointer_to(floats), pointer_to(masks[0, r]), pointer_to(scratch),
            )  # fmt: skip
    return taken


def families(size):
    """Contributions that are easy, heavy-tailed, nearly tied, tied, and nearly all zero: 2,000 neurons of each."""
    draw = np.random.default_rng(size)
    many = (2_000, size)
    normal = draw.normal(size=many)
    return {
        "normal": normal,
        "heavy": normal * np.exp(3 * draw.normal(size=many)),
        "near ties": np.where(normal > 0, 1 + draw.integers(0, 3, many) * 2.0**-23, normal * 0.01),
        "ties": draw.integers(-2, 4, many),
        "sparse": np.where(draw.random(many) < 0.05, normal, 0),
    }


@pytest.mark.parametrize("size", [16, 128])
@pytest.mark.parametrize("family", list(families(16)))
def test_a_float_cut_that_says_it_is_certain_is_the_exact_cut(size, family):
    weights = families(size)[family].astype(np.float32)
    weights /= np.abs(weights).max()
    sources = np.full(weights.shape, 2.0**50, np.float32)
    certain = 0
    for coverage in (0.0, 0.2, 0.5, 0.8, 0.97):
        masks = np.zeros((2, len(weights), size // 16), np.int64)
        taken = both_cuts(
            weights, sources, coverage, float_cut.CUTS, np.zeros(size, np.float32), np.zeros(size),
            np.zeros(CUT_FLOATS, np.float32), masks, np.zeros(size),
        )  # fmt: skip
        sure = taken[0] >= 0
        assert np.array_equal(taken[0][sure], taken[1][sure])
        assert np.array_equal(masks[0][sure], masks[1][sure])
        certain += sure.sum()
    assert certain >= {"normal": 4_500, "heavy": 4_000, "sparse": 100}.get(family, 0)


def test_ties_are_never_left_to_floats():
    weights, size = np.ones((1, 16), np.float32) / 2, 16
    masks = np.zeros((2, 1, 1), np.int64)
    taken = both_cuts(
        weights, np.full((1, size), 2.0**50, np.float32), 0.5, float_cut.CUTS, np.zeros(size, np.float32),
        np.zeros(size), np.zeros(CUT_FLOATS, np.float32), masks, np.zeros(size),
    )  # fmt: skip
    assert taken.tolist() == [[-1], [9]]  # 8 of 16 are not more than half, 9 are
    assert masks[1].tolist() == [[0b1_1111_1111]]


@pytest.mark.parametrize("neurons", [False, True])
@pytest.mark.parametrize("reading", READINGS)
def test_many_coverages_at_once_equal_one_after_another(case, reading, neurons):
    network, features, means = case
    slicer = make_slicer(network, reading=reading, means=means)
    keys, counts = slicer.keys(features, coverages=COVERAGES, neurons=neurons)
    for place, coverage in enumerate(COVERAGES):
        key, count = slicer.keys(features, coverages=[coverage], neurons=neurons)
        assert np.array_equal(keys[place], key[0])
        assert np.array_equal(counts[place], count[0])


def test_coverages_keep_their_order_and_may_repeat(case):
    network, features, means = case
    slicer = make_slicer(network, means=means)
    keys, counts = slicer.keys(features, coverages=(0.8, 0.1, 0.8), neurons=False)
    assert np.array_equal(keys[0], keys[2])
    assert np.array_equal(counts[0], counts[2])
    assert np.array_equal(keys[1], slicer.keys(features, coverages=(0.1,), neurons=False)[0][0])


@pytest.mark.parametrize("neurons", [False, True])
@pytest.mark.parametrize("reading", READINGS)
def test_torch_gives_the_same_keys_bit_for_bit(case, reading, neurons):
    network, features, means = case
    numba = make_slicer(network, reading=reading, means=means, engine="numba")
    torch = make_slicer(network, reading=reading, means=means, engine="torch")
    assert (numba.engine, torch.engine) == ("numba", "torch on cpu")
    for ours, theirs in zip(
        numba.keys(features, coverages=COVERAGES, neurons=neurons),
        torch.keys(features, coverages=COVERAGES, neurons=neurons),
        strict=True,
    ):
        assert np.array_equal(ours, theirs)


def test_torch_takes_ties_by_index_and_no_more_than_needed():
    network = stack([[[1, 1, 1, 1]]])
    row = np.ones((1, 4), np.float32)
    keys = [
        make_slicer(network, means=0, engine=engine).keys(row, coverages=[0.5], neurons=False)
        for engine in ("numba", "torch")
    ]
    assert np.array_equal(keys[0][0], keys[1][0])
    assert keys[1][1].tolist() == [[[3]]]


def test_torch_refuses_values_that_are_not_finite_too(case):
    network, features, means = case
    broken = features[:3].copy()
    broken[1, 2] = np.nan
    for engine in ("numba", "torch"):
        with pytest.raises(ModelError, match="not finite"):
            make_slicer(network, means=means, engine=engine).keys(broken, coverages=[0.5], neurons=False)


def test_chunks_of_the_torch_engine_fit_the_memory_set_aside(case):
    wide = make_slicer(build_network((512, 512, 1)), means=0, engine="torch")
    assert wide.chunk_rows * 512 * 512 * 8 * 8 <= 2**28


def test_an_engine_or_a_gpu_that_is_not_there_is_refused_in_one_sentence(case):
    network, _, means = case
    with pytest.raises(SettingError, match="Unknown engine 'fast'"):
        make_slicer(network, means=means, engine="fast")
    with pytest.raises(SettingError, match="auto, gpu or cpu"):
        make_slicer(network, means=means, device="tpu")


def test_the_name_of_the_compiled_kernel_changes_with_every_file_of_kernels():
    folder = Path(lanes.__file__).parent
    users = {path.name for path in folder.glob("*.py") if "paths.lanes import" in path.read_text(encoding="utf-8")}
    assert users | {"lanes.py", "packing.py"} == set(lanes.KERNEL_FILES)
    assert slice_rows.py_func.__qualname__.startswith("slice_rows_")


def test_many_threads_at_once_disturb_neither_results_nor_memory(case):
    network, features, means = case
    networks = [(network, means), (build_network((40, 96, 1), seed=9), 0)]
    slicers = [make_slicer(one, means=of_one) for one, of_one in networks]
    wanted = [slicer.keys(features, coverages=[0.3, 0.9], neurons=False)[0] for slicer in slicers]

    def again(turn):
        spare = [np.full(size, turn, float) for size in (400, 1_500, 3_000)]  # takes what a careless kernel has freed
        found = slicers[turn % 2].keys(features, coverages=[0.3, 0.9], neurons=False)[0]
        return len(spare) == 3 and np.array_equal(found, wanted[turn % 2])

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(again, range(400)))


def test_long_lists_are_sorted_as_short_ones_are():
    network = build_network((300, 200, 1), seed=1)
    features = np.random.default_rng(0).normal(size=(20, 300)).astype(np.float32)
    slicer = make_slicer(network, means=0)
    keys, counts = slicer.keys(features, coverages=COVERAGES, neurons=False)
    assert counts[-1].max() > 100 * 48
    for place, coverage in enumerate(COVERAGES):
        assert np.array_equal(keys[place], slicer.keys(features, coverages=[coverage], neurons=False)[0][0])


def test_read_only_arrays_need_no_second_compilation(case):
    network, features, means = case
    slicer = make_slicer(network, means=means)
    wanted = slicer.keys(features, coverages=[0.8], neurons=False)
    compiled = len(slice_rows.signatures)
    for array in (features := features.copy(), slicer.profiles, *vars(slicer.network).values()):
        if isinstance(array, np.ndarray):
            array.flags.writeable = False
    slicer.network.__dict__.pop("layout")
    found = slicer.keys(features, coverages=[0.8], neurons=False)
    assert all(np.array_equal(a, b) for a, b in zip(wanted, found, strict=True))
    assert len(slice_rows.signatures) == compiled
