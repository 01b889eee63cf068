"""ARFF files: quotes, escapes, missing values, and what is refused."""

from __future__ import annotations

import pytest

from fairneuron_core.data import read_table
from fairneuron_core.errors import DataError

GOOD = b"""% a comment
@RELATION 'people and jobs'
@attribute 'my age' NUMERIC
@attribute job {clerk, 'office worker', 'it\\'s'}
@ATTRIBUTE score real
@attribute city string
@attribute y {0, 1}

@DATA
% another comment
30, clerk, 1.5, "New York, NY", 0
?, 'office worker', ?, '?', 1

41,'it\\'s',-2e1,Rome,0
"""


def test_quotes_escapes_comments_and_missing_values_are_read():
    frame = read_table(GOOD, name="people.arff")
    assert list(frame.columns) == ["my age", "job", "score", "city", "y"]
    assert frame["my age"].isna().tolist() == [False, True, False]
    assert frame["job"].tolist() == ["clerk", "office worker", "it's"]
    assert frame["score"].tolist()[2] == -20
    assert frame["city"].tolist() == ["New York, NY", "?", "Rome"]


def test_declared_categories_of_digits_stay_categories():
    assert read_table(GOOD, name="people.arff")["y"].tolist() == ["0", "1", "0"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("@relation r\n@attribute a numeric\n", "has no @data line"),
        ("@relation r\n@data\n1,2\n", "has no @attribute line"),
        ("@relation r\n@attribute a numeric\n@attribute b numeric\n@data\n{0 1}\n", "is sparse"),
        ("@relation r\n@attribute a numeric\n@attribute b numeric\n@data\n1,2\n1,2,3\n", "Data row 2 .* has 3 values"),
        ("@relation r\n@attribute a\n@data\n1\n", "names no attribute and type"),
        ("@relation r\n@attribute a relational\n@data\n1\n", "is relational"),
        ("@relation r\n@attribute a numeric\n@attribute b numeric\n@data\n", "no rows"),
        ("@relation r\n@attribute a numeric\n@attribute b numeric\n@data\n?,?\n", "holds no values at all"),
    ],
)
def test_each_fault_is_one_sentence(text, words):
    with pytest.raises(DataError, match=words):
        read_table(text.encode(), name="x.arff")
