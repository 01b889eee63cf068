"""The data door through app.py: preview before anything is stored, wide tables, the server's folder, what to decide."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from streamlit.testing.v1 import AppTest

from fairneuron_core.store import list_datasets, open_store

ROOT = Path(__file__).resolve().parents[2]
PEOPLE = [f"{20 + i % 40};{'FM'[i % 2]};{i % 9};{'ja' if i % 3 else 'nein'};{1 + i % 28}.1.2020" for i in range(200)]
OWN = "\n".join(["age;sex;points;hired;since", *PEOPLE])


def open_upload() -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=90)
    app.switch_page("pages/data.py")
    app.session_state["chosen.data"] = "german"
    app.run()
    assert not app.exception
    return app


def upload(app: AppTest, content: bytes, name: str) -> AppTest:
    app.file_uploader(key="data.upload").upload(name, content, "text/csv").run()
    assert not app.exception
    return app


def words(app: AppTest) -> str:
    parts = [*app.markdown, *app.caption, *app.warning, *app.error, *app.button]
    return "\n".join(str(getattr(p, "value", "")) + str(getattr(p, "label", "")) for p in parts).replace("\\", "")


def box(app: AppTest, label: str):
    return next(b for b in [*app.selectbox, *app.multiselect] if b.label == label)


def widgets(app: AppTest) -> int:
    kinds = (app.selectbox, app.multiselect, app.text_input, app.button, app.checkbox, app.radio, app.number_input)
    return sum(len(kind) for kind in kinds)


def roles(app: AppTest) -> pd.DataFrame:
    tables = [f.value for f in app.dataframe if {"column", "role", "note"} <= set(f.value.columns)]
    return tables[-1].set_index("column")


def test_rows_roles_and_reasons_are_shown_and_nothing_is_stored_before_keep(empty_workspace):
    before = sorted(path.name for path in empty_workspace.artefacts.glob("*"))
    app = upload(open_upload(), OWN.encode("latin-1"), "people.csv")
    assert any(list(f.value.columns) == ["age", "sex", "points", "hired", "since"] for f in app.dataframe)
    assert roles(app).loc["since", "role"] == "left out"
    assert "a date says when, not who" in roles(app).loc["since", "note"]
    assert box(app, "Favourable value").value == "ja"
    assert list_datasets(open_store(empty_workspace)) == []
    assert sorted(path.name for path in empty_workspace.artefacts.glob("*")) == before
    next(b for b in app.button if b.label == "Keep this data set").click().run()
    assert not app.exception
    assert [row.rows for row in list_datasets(open_store(empty_workspace))] == [200]


def test_a_workbook_gets_the_sentence_how_to_export_it(empty_workspace):
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("xl/workbook.xml", "x")
    app = upload(open_upload(), sink.getvalue(), "people.xlsx")
    assert "save the sheet as CSV UTF-8" in words(app)


def test_a_thousand_columns_make_no_thousand_widgets(empty_workspace):
    few = widgets(upload(open_upload(), OWN.encode(), "people.csv"))
    generator = np.random.default_rng(0)
    wide = pd.DataFrame(generator.integers(0, 4, (300, 997)), columns=[f"sex_{i}" for i in range(997)])
    wide = wide.assign(g=["a", "b"] * 150, long=[f"word {i}" for i in range(300)], hired=["yes", "no", "no"] * 100)
    app = upload(open_upload(), wide.to_csv(index=False).encode(), "wide.csv")
    assert widgets(app) <= few + 10
    assert len(box(app, "Protected attributes").value) == 6
    assert len(roles(app)) == 1000
    assert "Keep this data set" in words(app)


def test_a_table_in_the_servers_folder_is_read_by_its_path(empty_workspace, tmp_path, monkeypatch):
    assert "Or a table on the server" not in [b.label for b in open_upload().selectbox]
    folder = tmp_path / "tables"
    folder.mkdir()
    table = pd.read_csv(io.StringIO(OWN), sep=";")
    pq.write_table(pa.Table.from_pandas(table, preserve_index=False), folder / "people.parquet")
    monkeypatch.setenv("FAIRNEURON_DATA_DIR", str(folder))
    app = open_upload()
    box(app, "Or a table on the server").set_value("people.parquet").run()
    assert not app.exception
    assert "200 rows, 5 columns" in words(app)
    next(b for b in app.button if b.label == "Keep this data set").click().run()
    assert [row.title for row in list_datasets(open_store(empty_workspace))] == ["people"]


def test_a_decimal_mark_that_can_be_either_is_asked_for_and_said(empty_workspace):
    lines = [f"{1 + i % 9}.{100 + i};{'FM'[i % 2]};{'yes' if i % 3 else 'no'}" for i in range(200)]
    app = upload(open_upload(), "\n".join(["pay;sex;hired", *lines]).encode(), "pay.csv")
    assert "it was read with a decimal point" in words(app)
    next(b for b in app.segmented_control if b.label == "Decimal mark").set_value(",").run()
    assert not app.exception
    assert "it was read with a decimal comma and points between thousands" in words(app)


def test_words_among_numbers_are_offered_as_missing(empty_workspace):
    lines = [f"{20 + i % 40 if i % 50 else 'unknown'};{'FM'[i % 2]};{'yes' if i % 3 else 'no'}" for i in range(200)]
    app = upload(open_upload(), "\n".join(["age;sex;hired", *lines]).encode(), "pay.csv")
    assert roles(app).loc["age", "kind"] == "category"
    box(app, "Words that mean a missing number").set_value(["age: unknown"]).run()
    assert not app.exception
    assert roles(app).loc["age", "kind"] == "numeric"
