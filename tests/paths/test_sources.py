"""Where rows come from: arrays, Parquet files and iterators give the same rows, and bad ones say what is wrong."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairneuron_core.errors import DataError, NotFoundError
from fairneuron_core.paths import ArrayRows, BatchRows, ParquetRows
from fairneuron_core.paths.sources import as_source, regular

ROWS = np.arange(70, dtype=np.float32).reshape(14, 5)


def write(path, rows=ROWS, group=4, names=None):
    columns = names or [f"x{k}" for k in range(rows.shape[1])]
    pq.write_table(pa.table(dict(zip(columns, rows.T, strict=True))), path, row_group_size=group)
    return path


def read(source, size=3):
    return np.concatenate(list(source.batches(size)))


@given(
    parts=st.lists(st.integers(0, 9), max_size=8),
    size=st.integers(1, 12),
)
def test_batches_of_any_sizes_become_batches_of_one_size(parts, size):
    whole = np.arange(sum(parts))[:, None]
    given_parts = np.split(whole, np.cumsum(parts)[:-1]) if parts else []
    found = list(regular(given_parts, size))
    assert [len(batch) for batch in found[:-1]] == [size] * (len(found) - 1)
    assert np.array_equal(np.concatenate([whole[:0], *found]), whole)


@pytest.mark.parametrize("size", [1, 3, 100])
def test_every_source_gives_the_rows_in_their_order(tmp_path, size):
    memory = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.float32, ROWS.shape)
    memory[:] = ROWS
    sources = [
        ArrayRows(ROWS),
        ArrayRows(memory),
        BatchRows(iter([ROWS[:1], ROWS[1:9], ROWS[9:]])),
        ParquetRows(write(tmp_path / "x.parquet")),
        ParquetRows([write(tmp_path / "a.parquet", ROWS[:5]), write(tmp_path / "b.parquet", ROWS[5:], group=100)]),
    ]
    for source in sources:
        assert np.array_equal(read(source, size), ROWS)


def test_a_folder_is_read_file_by_file_in_the_order_of_names(tmp_path):
    write(tmp_path / "part-2.parquet", ROWS[6:])
    write(tmp_path / "part-1.parquet", ROWS[:6])
    source = as_source(tmp_path)
    assert source.rows == 14
    assert np.array_equal(read(source), ROWS)


def test_rows_are_taken_again_in_any_order(tmp_path):
    wanted = np.array([13, 0, 5, 5, 12])
    for source in (ArrayRows(ROWS), ParquetRows(write(tmp_path / "x.parquet"))):
        assert np.array_equal(source.take(wanted), ROWS[wanted])


def test_columns_are_chosen_by_name_and_integers_and_booleans_become_numbers(tmp_path):
    frame = pd.DataFrame({"b": [True, False], "a": np.array([3, 4], np.uint8), "text": ["x", "y"]})
    frame.to_parquet(tmp_path / "x.parquet")
    assert read(ParquetRows(tmp_path / "x.parquet", columns=["a", "b"])).tolist() == [[3, 1], [4, 0]]


def test_raw_columns_are_encoded_piece_by_piece(tmp_path):
    pd.DataFrame({"size": ["s", "l", "l"]}).to_parquet(tmp_path / "x.parquet")
    source = ParquetRows(tmp_path / "x.parquet", encode=lambda frame: (frame[["size"]] == "l").to_numpy())
    assert read(source, 2).tolist() == [[0], [1], [1]]


def test_shards_are_runs_of_whole_row_groups(tmp_path):
    shards = list(ParquetRows(write(tmp_path / "x.parquet", group=4)).shards(6))
    assert [shard.rows for shard in shards] == [8, 6]
    assert np.array_equal(np.concatenate([read(shard) for shard in shards]), ROWS)
    assert np.array_equal(shards[1].take(np.array([5, 0])), ROWS[[13, 8]])


def test_numbers_of_every_kind_become_inputs(tmp_path):
    half, decimal = pa.array(np.array([0.5, 2], np.float16)), pa.array([0.5, 2]).cast(pa.decimal128(5, 2))
    coded = pa.array([0.5, 2]).dictionary_encode()
    pq.write_table(pa.table({"a": half, "b": decimal, "c": coded}), tmp_path / "x.parquet")
    assert read(ParquetRows(tmp_path / "x.parquet")).tolist() == [[0.5] * 3, [2] * 3]


def test_rows_of_an_iterator_are_not_kept():
    source = BatchRows(iter([ROWS]))
    assert np.array_equal(read(source), ROWS)
    with pytest.raises(DataError, match="used up"):
        list(source.batches(3))
    with pytest.raises(DataError, match="Row 3 came from an iterator"):
        source.take(np.array([3]))


@pytest.mark.parametrize(
    ("batches", "words"),
    [
        ([ROWS, ROWS[:, :3]], "Batch 2 of the iterator has 3 inputs per row and those before it 5"),
        ([np.array([["a"]])], "something other than numbers"),
        ([np.ones(3)], r"has shape \(3,\)"),
        ([ROWS, np.full((2, 5), np.nan)], "Row 14 has the value nan in input 0"),
        ([], "gave no rows"),
    ],
)
def test_iterators_with_bad_batches_are_refused(batches, words):
    with pytest.raises(DataError, match=words):
        read(BatchRows(iter(batches)))


def test_what_is_no_source_of_rows_is_refused():
    with pytest.raises(DataError, match="type int"):
        as_source(7)
    with pytest.raises(DataError, match="one line of inputs per row"):
        read(ArrayRows(np.ones(3)))


def test_files_that_cannot_be_read_say_why(tmp_path):
    with pytest.raises(NotFoundError, match=r"no file .*gone\.parquet"):
        ParquetRows(tmp_path / "gone.parquet")
    (tmp_path / "text.parquet").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        ParquetRows(tmp_path / "text.parquet")
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotFoundError, match="holds no file"):
        ParquetRows(tmp_path / "empty")
    with pytest.raises(DataError, match="holds no rows"):
        ParquetRows(write(tmp_path / "none.parquet", ROWS[:0]))
    with pytest.raises(DataError, match="lacks 1 of the 2 columns to read \\('y'\\)"):
        ParquetRows(write(tmp_path / "x.parquet"), columns=["x0", "y"])
    pd.DataFrame({"a": ["x"]}).to_parquet(tmp_path / "raw.parquet")
    with pytest.raises(DataError, match=r"Column 'a' .* not numbers"):
        ParquetRows(tmp_path / "raw.parquet")
    pd.DataFrame({"a": [1.0, None]}).to_parquet(tmp_path / "missing.parquet")
    with pytest.raises(DataError, match=r"Row 1 .* in column 'a'"):
        read(ParquetRows(tmp_path / "missing.parquet"))


def test_a_file_that_is_cut_short_is_refused(tmp_path):
    whole = write(tmp_path / "x.parquet").read_bytes()
    for share in range(1, 10):
        (tmp_path / "short.parquet").write_bytes(whole[: len(whole) * share // 10])
        with pytest.raises(DataError, match="cannot be read as Parquet"):
            read(ParquetRows(tmp_path / "short.parquet"))
