"""Tables as other programs write them read back equal: dialects, doubled names, quotes, line ends, paths."""

from __future__ import annotations

import csv
import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairneuron_core.data import read_table, upload
from fairneuron_core.data.columns import value_text
from fairneuron_core.errors import DataError


def test_doubled_and_empty_names_get_names_of_their_own_and_it_is_said():
    frame = read_table(b"a,a,,,a\n1,2,3,4,5\n6,7,8,9,1\n", name="x.csv")
    assert list(frame.columns) == ["a", "a_2", "column_3", "column_4", "a_3"]
    assert frame.attrs["notes"] == ["Other columns have the same names, so these were renamed: a -> a_2, a -> a_3."]


def test_a_new_name_is_never_one_that_is_taken():
    assert list(read_table(b"a,a_2,a\n1,2,3\n", name="x.csv").columns) == ["a", "a_2", "a_3"]


def test_the_delimiter_is_the_one_by_which_all_rows_have_one_length():
    frame = read_table(b"name, first;age, years;y, n;d\na;1;0;2\nb;2;1;3\nc;1;1;2\n", name="x.csv")
    assert list(frame.columns) == ["name, first", "age, years", "y, n", "d"]


def test_a_line_that_names_the_delimiter_is_followed():
    frame = read_table(b"sep=;\r\na,b;c\r\n1;2\r\n", name="x.csv")
    assert list(frame.columns) == ["a,b", "c"]


def test_spaces_before_quotes_are_no_part_of_the_value():
    frame = read_table(b'name, "age, years"\nx, "y, ""z"", u"\nv, "w"\n', name="x.csv")
    assert list(frame.columns) == ["name", "age, years"]
    assert frame["age, years"].tolist() == ['y, "z", u', "w"]


def test_a_quote_inside_a_value_is_a_character():
    assert read_table(b'a,b\n1,5" pipe\n2,y\n', name="x.csv")["b"].tolist() == ['5" pipe', "y"]


def test_line_ends_may_be_mixed_and_names_may_have_line_ends():
    frame = read_table(b'"a\nb",c\r\n1,x\r3,y\n5,"z\nu"\n\r\n', name="x.csv")
    assert list(frame.columns) == ["a b", "c"]
    assert frame["a b"].tolist() == [1, 3, 5]
    assert frame["c"].tolist() == ["x", "y", "z\nu"]


def test_a_path_is_read_like_its_bytes(tmp_path):
    for name, content in (("x.csv", b"a,b\n1,x\n2,y\n"), ("x.parquet", parquet(pa.table({"a": [1], "b": ["x"]})))):
        (tmp_path / name).write_bytes(content)
        pd.testing.assert_frame_equal(read_table(tmp_path / name, name=name), read_table(content, name=name))
    with pytest.raises(DataError, match=r"'no\.csv' cannot be opened"):
        read_table(tmp_path / "no.csv", name="no.csv")


def parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def test_a_path_may_hold_more_than_an_upload(tmp_path, monkeypatch):
    monkeypatch.setattr(upload, "MAX_CELLS", 10)
    content = parquet(pa.table({"a": range(9), "b": ["x"] * 9}))
    (tmp_path / "x.parquet").write_bytes(content)
    assert len(read_table(tmp_path / "x.parquet", name="x.parquet")) == 9
    with pytest.raises(DataError, match="holds 18 values, more than 10"):
        read_table(content, name="x.parquet")


def test_a_small_parquet_file_whose_texts_would_fill_the_memory_is_refused():
    texts = pa.DictionaryArray.from_arrays(pa.array(np.zeros(4096, np.int32)), pa.array(["x" * 2**20]))
    bomb = pa.table({"a": texts, "b": range(4096)})
    content = parquet(bomb)
    assert len(content) < 2**20
    with pytest.raises(DataError, match=r"Column 'a' of 'x\.parquet' takes 4,096 MB in memory"):
        read_table(content, name="x.parquet")


def test_two_columns_of_one_name_in_parquet_keep_their_own_values():
    table = pa.Table.from_arrays([pa.array([1, 2]), pa.array(["x", "y"])], names=["a", "a"])
    frame = read_table(parquet(table), name="x.parquet")
    assert frame["a"].tolist() == [1, 2]
    assert frame["a_2"].tolist() == ["x", "y"]


CELLS = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs"), include_characters=',;|\t\n"'), max_size=12
)
NUMBERS = st.one_of(st.none(), st.integers(-(10**9), 10**9), st.floats(-1e12, 1e12, allow_nan=False))


@settings(max_examples=80, deadline=None)
@given(
    rows=st.lists(st.tuples(CELLS, NUMBERS), min_size=1, max_size=12),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_any_table_written_as_delimited_text_reads_back(rows, delimiter, encoding, quoting, end):
    sink = io.StringIO(newline="")
    writer = csv.writer(sink, delimiter=delimiter, quoting=quoting, lineterminator=end)
    writer.writerow(["word", "number", "end"])
    writer.writerows([(f"w{text}", "" if number is None else repr(number), "z") for text, number in rows])
    frame = read_table(sink.getvalue().encode(encoding), name="x.csv")
    assert frame["word"].tolist() == [value_text(f"w{text}") for text, _ in rows]
    wanted = np.array([np.nan if number is None else float(number) for _, number in rows])
    if np.isnan(wanted).all():
        assert "number" not in frame
    else:
        assert np.array_equal(frame["number"].to_numpy(dtype=float), wanted, equal_nan=True)


@settings(max_examples=150, deadline=None)
@given(content=st.one_of(st.binary(max_size=300), st.text(max_size=120), st.text('a,;"\n1?\t', max_size=40)))
def test_any_content_gives_a_table_or_one_sentence(content):
    try:
        outcome = read_table(content if isinstance(content, bytes) else content.encode(), name="a.csv")
    except DataError as error:
        outcome = str(error)
    assert "\n" not in outcome if isinstance(outcome, str) else len(outcome) >= 1
