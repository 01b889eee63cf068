"""Uploads: every planted fault gives one sentence, every sound table comes through as it was."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fairneuron_core.data import read_table, upload
from fairneuron_core.errors import DataError


def parquet(table: pa.Table | pd.DataFrame) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table if isinstance(table, pa.Table) else pa.Table.from_pandas(table), sink)
    return sink.getvalue()


def zipped(member: str) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr(member, "a,b")
    return sink.getvalue()


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was opened",))


BAD = {
    "empty": (b"", "x.csv", "'x.csv' is empty"),
    "white space": (b" \n\r\n", "x.csv", "'x.csv' is empty"),
    "byte order mark only": ("".encode("utf-16"), "x.csv", "'x.csv' is empty"),
    "header only": (b"a,b\n", "x.csv", "has column names but no rows"),
    "one column": (b"a\n1\n2\n", "x.csv", "reads as one column only \\('a'\\): separate the columns by comma"),
    "unusual delimiter": (b"a:b\n1:2\n", "x.csv", "reads as one column only"),
    "quoted one column": (b'"a,b"\n"1,2"\n', "x.csv", "reads as one column only"),
    "short row": (b"a,b\n1,2\n3\n", "x.csv", "different lengths \\(the header has 2 fields, row 3 has 1\\)"),
    "long row": (b"a,b\n1,2\n3,4,5\n", "x.csv", "different lengths \\(the header has 2 fields, row 3 has 3\\)"),
    "NaN everywhere": (b"a,b\n,NaN\nNA,\n", "x.csv", "holds no values at all"),
    "too many columns": (",".join(f"c{i}" for i in range(5001)).encode() + b"\n", "x.csv", "5,001 fields, more than"),
    "a row without end": (b"a,b\n" + b"x" * 2**24 + b",1\n", "x.csv", "row of 'x.csv' is longer than 8 MB"),
    "a line without end": (b"x" * 2**24, "x.csv", "reads as one column only"),
    "a header without end": (b"abc," * 2**22, "x.csv", "fields, more than 5,000 columns"),
    "quote open to the end": (
        b'a,b\n1,"x\n2,y\n3,z\n',
        "x.csv",
        "quote that opens in row 2 of 'x.csv' is never closed",
    ),
    "zero byte": (b"a,b\n" + b"1,2\n" * 99 + b"1,\x002\n", "x.csv", "zero byte in line 101"),
    "data as header": (b"39,x,7\n40,y,8\n", "x.csv", "first row of 'x.csv' looks like data \\(39, x, 7"),
    "unclosed quote": (b'a,b\n"1,2\n', "x.csv", "different lengths .* or close the quote that is open"),
    "binary": (bytes(range(256)) * 4, "x.csv", "looks like a binary file"),
    "text named parquet": (b"a,b\n1,2\n", "x.parquet", "named like Parquet but its content looks like delimited text"),
    "parquet named csv": (
        parquet(pd.DataFrame({"a": [1]})),
        "x.csv",
        "named like delimited text .* looks like Parquet",
    ),
    "text named arff": (b"a,b\n1,2\n", "x.arff", "named like ARFF but its content looks like delimited text"),
    "cut parquet": (parquet(pd.DataFrame({"a": [1]}))[:-9], "x.parquet", "starts like Parquet but is damaged"),
    "zip": (zipped("a.csv"), "x.zip", "looks like a zip archive: unpack it first"),
    "excel": (zipped("xl/workbook.xml"), "x.csv", "looks like an Excel workbook: .* save the sheet as CSV UTF-8"),
    "old excel": (b"\xd0\xcf\x11\xe0\xa1\xb1" + b"\x00" * 99, "x.xls", "looks like an old Excel .* as CSV UTF-8"),
    "open document": (zipped("opendocument.spreadsheet"), "x.ods", "looks like an OpenDocument file: .* as CSV UTF-8"),
    "gzip": (gzip.compress(b"a,b"), "x.csv.gz", "looks like a gzip archive: unpack it first"),
    "spss": (b"$FL2@(#) SPSS DATA FILE", "x.sav", "looks like an SPSS file: open it in the program that wrote it"),
    "pickle": (pickle.dumps(Bomb()), "x.csv", "a Python pickle, which is never opened"),
    "text pickle": (pickle.dumps(Bomb(), protocol=0), "x.csv", "reads as one column only"),
    "json": (json.dumps({"a": 1}).encode(), "x.json", "looks like a JSON file"),
    "json list": (b'[{"a": 1}]', "x.csv", "looks like a JSON file"),
    "web page": (b"<!DOCTYPE html><p>a,b", "x.csv", "looks like a web page"),
    "pdf": (b"%PDF-1.7 a,b", "x.pdf", "looks like a PDF"),
    "broken utf-16": (b"\xff\xfea\x00\x00\xd8,", "x.csv", "starts like UTF-16 text but is damaged"),
}


@pytest.mark.parametrize("fault", BAD)
def test_each_planted_fault_is_one_sentence_with_the_name_of_the_file(fault):
    content, name, words = BAD[fault]
    with pytest.raises(DataError, match=words) as caught:
        read_table(content, name=name)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


def test_a_file_above_the_limit_is_refused_before_it_is_read(monkeypatch):
    monkeypatch.setattr(upload, "MAX_UPLOAD_MB", 1)
    with pytest.raises(DataError, match="has 2 MB; the limit is 1 MB"):
        read_table(b"a,b\n" + b"1,2\n" * 2**19, name="x.csv")


def test_a_small_parquet_file_with_a_huge_table_is_refused(monkeypatch):
    monkeypatch.setattr(upload, "MAX_CELLS", 1000)
    content = parquet(pd.DataFrame({"a": np.zeros(2000), "b": np.zeros(2000)}))
    with pytest.raises(DataError, match="holds 4,000 values, more than 1,000"):
        read_table(content, name="x.parquet")


def test_lists_in_parquet_cells_are_refused():
    with pytest.raises(DataError, match=r"Column 'b' of 'x\.parquet' holds lists, records or raw bytes"):
        read_table(parquet(pa.table({"a": [1], "b": [[1, 2]]})), name="x.parquet")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_and_encodings_are_told_apart(delimiter, encoding):
    text = f"näme{delimiter}age\nJosé{delimiter}30\nZoë{delimiter}41\n"
    frame = read_table(text.encode(encoding), name="people.txt")
    assert list(frame.columns) == ["näme", "age"]
    assert frame["näme"].tolist() == ["José", "Zoë"]
    assert frame["age"].tolist() == [30, 41]
    assert bool(frame.attrs["notes"]) == (encoding == "latin-1")


def test_windows_and_old_mac_line_ends_are_read():
    for end in ("\r\n", "\r"):
        assert read_table(f"a,b{end}1,x{end}2,y{end}".encode(), name="x.csv")["b"].tolist() == ["x", "y"]


def test_decimal_commas_are_numbers_when_the_delimiter_is_another_mark():
    assert read_table(b"a;b\n1,5;x\n2;y\n", name="x.csv")["a"].tolist() == [1.5, 2.0]


def test_a_question_mark_is_missing_among_numbers_and_a_value_among_texts():
    frame = read_table(b"age,job\n30,?\n?,clerk\n", name="x.csv")
    assert frame["age"].isna().tolist() == [False, True]
    assert frame["job"].tolist() == ["?", "clerk"]


def test_blank_lines_row_numbers_twins_and_empty_columns_are_handled_and_told():
    frame = read_table(b",a,a,b,empty\n0,1,1,x,\n\n1,2,2,y,\n", name="x.csv")
    assert list(frame.columns) == ["a", "b"]
    assert len(frame) == 2
    assert [note.split()[0] for note in frame.attrs["notes"]] == ["The", "Stand", "Left"]


def test_spreadsheet_formulas_and_markup_stay_plain_text():
    frame = read_table(b'a,b\n"=cmd|calc!A0",<script>alert(1)</script>\nx,y\n', name="x.csv")
    assert frame.iloc[0].tolist() == ["=cmd|calc!A0", "<script>alert(1)</script>"]


def test_fifty_thousand_rows_with_strings_gaps_and_blank_lines_need_no_editing():
    body = "\n".join(f"{i % 7},{'' if i % 11 == 0 else 'abc'[i % 3]}{chr(10) * (i % 1000 == 0)}" for i in range(50_000))
    frame = read_table(f"x,g\n{body}\n".encode(), name="x.csv")
    assert len(frame) == 50_000
    assert frame["g"].isna().sum() == len(range(0, 50_000, 11))


def test_parquet_types_become_numbers_and_text():
    table = pa.table(
        {
            "i": pa.array([1, None, 3], pa.int32()),
            "f": pa.array([0.5, 1.5, float("nan")]),
            "b": [True, False, None],
            "t": pa.array(["x", "", None]).dictionary_encode(),
            "d": pa.array([0, 1, None], pa.date32()),
            "m": pa.array([None, None, None], pa.null()),
        }
    )
    frame = read_table(parquet(table), name="x.parquet")
    assert frame["i"].isna().tolist() == [False, True, False]
    assert frame["b"].tolist()[:2] == ["True", "False"]
    assert frame["t"].isna().tolist() == [False, True, True]
    assert frame["d"].tolist()[0] == "1970-01-01"
    assert "m" not in frame


def test_a_pandas_index_stored_in_parquet_is_no_column():
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}, index=[5, 9])
    assert list(read_table(parquet(frame), name="x.pq").columns) == ["a", "b"]
