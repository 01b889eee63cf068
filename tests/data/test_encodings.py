"""Encodings: told from marks, zero bytes and validity; a guess is said."""

from __future__ import annotations

import pytest

from fairneuron_core.data import read_table
from fairneuron_core.errors import DataError

TEXT = "name,age\nJosé,30\nZoë,41\n"


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("utf-8", ""),
        ("utf-8-sig", ""),
        ("utf-16", ""),
        ("utf-32", ""),
        ("utf-16-le", "no byte order mark and was read as UTF-16"),
        ("utf-16-be", "no byte order mark and was read as UTF-16"),
        ("latin-1", "read as Windows-1252"),
        ("cp1252", "read as Windows-1252"),
    ],
)
def test_the_same_text_is_read_in_every_encoding(encoding, said):
    frame = read_table(TEXT.encode(encoding), name="x.csv")
    assert frame["name"].tolist() == ["José", "Zoë"]
    assert said in " ".join(frame.attrs["notes"])
    assert bool(said) == bool(frame.attrs["notes"])


def test_quotes_and_euro_of_windows_are_read():
    assert read_table("a;b\n\u201cx\u201d;5 \u20ac\ny;z\n".encode("cp1252"), name="x.csv")["a"][0] == "\u201cx\u201d"


def test_bytes_without_a_meaning_in_windows_1252_are_latin_1():
    frame = read_table("näme,b\n".encode("latin-1") + b"\x81,1\nx,2\n", name="x.csv")
    assert "read as Latin-1" in frame.attrs["notes"][0]


def test_a_few_damaged_characters_do_not_turn_the_rest_into_another_encoding():
    frame = read_table(("name,b\n" + "José,1\n" * 30).encode() + b"Zo\xeb,2\n", name="x.csv")
    assert frame["name"].tolist()[0] == "José"
    assert frame.attrs["notes"][0].startswith("1 character of the text is damaged")


def test_a_zero_byte_is_said_with_its_line():
    content = b"a,b\n" + b"1,2\n" * 40_000 + b"1,\x002\n"
    with pytest.raises(DataError, match=r"'x\.csv' has a zero byte in line 40,002"):
        read_table(content, name="x.csv")
