"""Ways of writing numbers: each is read as a person reads it, and what can be read in two ways is said."""

from __future__ import annotations

import pytest

from fairneuron_core.data import Reading, read_table


def column(texts, *, delimiter=";", reading=None):
    """Read one column of texts; every text is quoted, so that the delimiter may be a comma."""
    lines = [f"pay{delimiter}who", *(f'"{text}"{delimiter}p{i}' for i, text in enumerate(texts))]
    frame = read_table("\n".join(lines).encode(), name="x.csv", reading=reading or Reading())
    return frame["pay"].tolist(), frame.attrs["notes"]


@pytest.mark.parametrize(
    ("texts", "numbers"),
    [
        (["1,234.50", "950", "12,000"], [1234.5, 950, 12000]),
        (["1.234,50", "950", "12.000"], [1234.5, 950, 12000]),
        (["1 234,50", "1\u00a0950", "7"], [1234.5, 1950, 7]),
        (["1\u202f234.50", "7"], [1234.5, 7]),
        (["1'234.50", "12\u2019950"], [1234.5, 12950]),
        (["1'234,50", "7"], [1234.5, 7]),
        (["1,23,456.50", "950"], [123456.5, 950]),
        (["-1,5", "+2", ",25"], [-1.5, 2, 0.25]),
        (["\u22121.5", "2"], [-1.5, 2]),
        (["1,234,567", "89"], [1234567, 89]),
        (["0,123", "0,500"], [0.123, 0.5]),
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_one_way_of_writing_that_fits_every_value_is_read(texts, numbers, delimiter):
    assert column(texts, delimiter=delimiter)[0] == numbers


@pytest.mark.parametrize("texts", [["1,234.50", "1.234,50"], ["1,2,3", "4"], ["12,34", "1.5"], ["1,23", "4 567 89"]])
def test_a_column_that_no_way_of_writing_fits_stays_text(texts):
    assert column(texts)[0] == texts


def test_a_decimal_comma_in_quotes_is_read_in_a_comma_file_and_told():
    frame = read_table(b'a,b\n"1,5",x\n"2,75",y\n', name="x.csv")
    assert frame["a"].tolist() == [1.5, 2.75]
    assert frame.attrs["notes"] == ["Column 'a': numbers like 2,75 were read as 2.75 (a decimal comma)."]


@pytest.mark.parametrize(
    ("texts", "delimiter", "numbers", "reading"),
    [
        (["1.234", "2.500"], ";", [1.234, 2.5], "a decimal point"),
        (["1,234", "2,500"], ";", [1.234, 2.5], "a decimal comma"),
        (["1,234", "2,500"], ",", [1234, 2500], "commas between thousands"),
    ],
)
def test_what_can_be_read_in_two_ways_says_which_one_was_taken(texts, delimiter, numbers, reading):
    found, notes = column(texts, delimiter=delimiter)
    assert found == numbers
    assert f"can be read as 1.234 or as 1234; it was read with {reading}" in notes[0]


@pytest.mark.parametrize(("decimal", "numbers"), [(".", [1.234, 2.5]), (",", [1234, 2500])])
def test_a_person_decides_the_decimal_mark(decimal, numbers):
    assert column(["1.234", "2.500"], reading=Reading(decimal=decimal))[0] == numbers


def test_the_other_columns_decide_what_can_be_read_in_two_ways():
    frame = read_table(b"a;b;c\n1.234;0,5;1,5\n2.500;0,7;2\n", name="x.csv")
    assert frame["a"].tolist() == [1234, 2500]
    assert frame.attrs["two_readings"] == ["a"]
    by_point = read_table(b'a,b\n"1,234",0.5\n"2,500",0.7\n', name="x.csv")
    assert by_point["a"].tolist() == [1234, 2500]


@pytest.mark.parametrize("texts", [["00501", "90210"], ["12345678901234567", "12345678901234568"]])
def test_codes_that_a_number_would_spoil_stay_text_and_it_is_said(texts):
    found, notes = column(texts)
    assert found == texts
    assert f"values like {texts[0]} were kept as text" in notes[0]


def test_words_among_many_numbers_are_named_and_become_gaps_when_a_person_says_so():
    text = "age,job\n" + "".join(f"{20 + i % 50},x\n" for i in range(990)) + "unknown,y\n" * 9 + "n.k.,y\n"
    frame = read_table(text.encode(), name="x.csv")
    assert frame["age"].tolist()[:2] == ["20", "21"]
    assert "words in 10 rows (unknown, n.k.): kept as text" in frame.attrs["notes"][0]
    assert frame.attrs["words_among_numbers"] == {"age": {"unknown": 9, "n.k.": 1}}
    again = read_table(text.encode(), name="x.csv", reading=Reading(missing=(("age", ("unknown", "n.k.")),)))
    assert again["age"].isna().sum() == 10
    assert again["age"].sum() == sum(20 + i % 50 for i in range(990))
    assert again.attrs["notes"] == []


def test_marks_for_no_value_among_numbers_count_as_missing_and_it_is_said():
    frame = read_table(b"age,job\n30,-\n-,y\n#DIV/0!,z\n", name="x.csv")
    assert frame["age"].isna().tolist() == [False, True, True]
    assert frame["job"].tolist() == ["-", "y", "z"]
    assert frame.attrs["notes"] == ["Column 'age': -, #DIV/0! among the numbers counts as missing."]


def test_infinite_and_endless_numbers_are_words():
    assert column(["1", "inf"])[0] == ["1", "inf"]
    assert column(["1", "1e999"])[0] == ["1", "1e999"]


@pytest.mark.parametrize(
    ("words", "read"),
    [
        (["Yes", "yes", "no", "yes", "NO", "no"], ["yes", "yes", "no", "yes", "no", "no"]),
        (["ja", "Nein", "JA", "ja", "Nein"], ["ja", "Nein", "ja", "ja", "Nein"]),
        (["Y", "yes", "N", "Y"], ["Y", "Y", "N", "Y"]),
        (["F", "N", "T"], ["F", "N", "T"]),
        (["yes", "no", "maybe"], ["yes", "no", "maybe"]),
        (["yes", "no"], ["yes", "no"]),
    ],
)
def test_yes_and_no_in_several_spellings_are_two_values(words, read):
    found, notes = column(words)
    assert found == read
    assert bool(notes) == (words != read)
