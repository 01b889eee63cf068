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


WEKA = """@relation 'a b-weka.filters.X-R1'
@attribute class{yes,no}
@attribute 'it\\'s a name' real % the type
@attribute day date "yyyy-MM-dd HH:mm"
@attribute note string
@data
yes,1.5,"2020-01-05 12:30",'50% off, it\\'s' % a comment
no,?,?,'two\\nlines'
'?',-.5,'2020-01-06 00:00',plain%text
"""


def test_dates_escapes_and_comments_in_a_row_are_read_as_weka_writes_them():
    frame = read_table(WEKA.encode(), name="x.arff")
    assert list(frame.columns) == ["class", "it's a name", "day", "note"]
    assert frame["class"].tolist() == ["yes", "no", "?"]
    assert frame["it's a name"].tolist()[::2] == [1.5, -0.5]
    assert frame["day"].isna().tolist() == [False, True, False]
    assert frame["note"].tolist() == ["50% off, it's", "two\nlines", "plain%text"]


def test_values_may_be_separated_by_white_space():
    text = "@relation r\n@attribute a numeric\n@attribute b {x,'y z'}\n@data\n1\tx\n2\t'y z'\n"
    assert read_table(text.encode(), name="x.arff")["b"].tolist() == ["x", "y z"]


def test_weights_in_braces_become_a_column():
    text = "@relation r\n@attribute a numeric\n@attribute b {x,y}\n@data\n1,x,{0.5}\n2,y\n"
    assert read_table(text.encode(), name="x.arff")["instance_weight"].tolist() == [0.5, 1.0]


def test_rows_with_and_without_quotes_read_alike():
    head = "@relation r\n@attribute a numeric\n@attribute b {x,y}\n@attribute c {0,1}\n@data\n"
    plain = read_table(f"{head} 1 , x,0\n?,y,1\n\n3,?,1\n".encode(), name="x.arff")
    quoted = read_table(f"{head}1,'x',0\n?,\"y\",1\n% more\n3,?,'1'\n".encode(), name="x.arff")
    assert plain.equals(quoted)
    assert plain["c"].tolist() == ["0", "1", "1"]
