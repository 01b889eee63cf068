"""Overview and Data through app.py: one button, the upload with its roles, bad input, and deletion."""

from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from fairneuron_core.runs import execute
from fairneuron_core.store import get_run, list_datasets, list_runs, open_store

ROOT = Path(__file__).resolve().parents[2]
ROWS = [f"{20 + i % 40},{'FM'[i % 2]},{i % 9},{'yes' if i % 3 else 'no'}" for i in range(200)]
OWN = "\n".join(["age,sex,points,hired", *ROWS])


def open_page(stem: str, **chosen: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=90)
    app.switch_page(f"pages/{stem}.py")
    for name, value in chosen.items():
        app.session_state[f"chosen.{name}"] = value
    app.run()
    assert not app.exception
    return app


def words(app: AppTest) -> str:
    parts = [*app.title, *app.subheader, *app.markdown, *app.caption, *app.warning, *app.error, *app.button]
    return "\n".join(str(getattr(part, "value", "")) + str(getattr(part, "label", "")) for part in parts).replace(
        "\\", ""
    )


def with_column(app: AppTest, name: str) -> pd.DataFrame:
    return next(frame.value for frame in reversed(list(app.dataframe)) if name in frame.value.columns)


def upload(app: AppTest, content: bytes, name: str) -> AppTest:
    app.file_uploader(key="data.upload").upload(name, content, "text/csv").run()
    assert not app.exception
    return app


def test_the_overview_offers_one_button_and_says_what_is_not_promised(empty_workspace):
    app = open_page("overview")
    assert "Try it on Census" in words(app)
    assert "Not promised" in words(app)


def test_the_button_queues_a_tour_and_a_second_visit_finds_it(empty_workspace):
    app = open_page("overview")
    app.button(key="overview.try.german.other").click().run()
    assert not app.exception
    run = list_runs(open_store(empty_workspace))[0]
    assert (run.kind, run.params["data"], run.state) == ("tour", "german", "queued")
    again = open_page("overview", run=run.id)
    assert "1. Train the network" in words(again)


def test_a_finished_tour_answers_with_verdicts_and_opens_every_page(empty_workspace):
    app = open_page("overview")
    app.button(key="overview.try.german.other").click().run()
    run = list_runs(open_store(empty_workspace))[0]
    assert execute(empty_workspace, run.id)
    app = open_page("overview", run=run.id)
    verdict = get_run(open_store(empty_workspace), run.id).results["repairs"]["reweighing"]["paired"]["metrics"][
        "demographic_parity_difference"
    ]["verdict"]
    shown = words(app)
    assert "Gap in demographic parity" in shown
    assert verdict.split()[0] in shown
    for door in ("Audit", "Paths", "Threshold", "Compare"):
        assert door in shown


def test_the_data_page_shows_groups_traps_columns_and_licence(empty_workspace):
    app = open_page("data", data="german")
    shown = words(app)
    assert "1,000 rows" in shown
    assert "CC BY 4.0" in shown
    assert "reference group: male" in shown
    assert with_column(app, "role")["role"].eq("protected").sum() == 2


def test_an_own_table_is_mapped_kept_and_chosen(empty_workspace):
    app = upload(open_page("data", data="german"), OWN.encode(), "hiring.csv")
    target = next(box for box in app.selectbox if box.label == "Outcome (target)")
    assert target.value == "hired"
    assert next(box for box in app.multiselect if box.label == "Protected attributes").value[0] == "sex"
    next(b for b in app.button if b.label == "Keep this data set").click().run()
    assert not app.exception
    kept = list_datasets(open_store(empty_workspace))
    assert [(row.title, row.rows) for row in kept] == [("hiring", 200)]
    value = app.query_params["data"]
    assert (value if isinstance(value, str) else value[0]) == kept[0].id


def test_another_favourable_value_turns_the_base_rates_around(empty_workspace):
    app = upload(open_page("data", data="german"), OWN.encode(), "hiring.csv")
    before = with_column(app, "favourable").set_index(["attribute", "group"])["favourable"]
    next(box for box in app.selectbox if box.label == "Favourable value").set_value("no").run()
    after = with_column(app, "favourable").set_index(["attribute", "group"])["favourable"]
    assert (before + after)[("sex", "F")] == 100


@pytest.mark.parametrize(
    ("content", "name", "expected"),
    [
        (b"", "empty.csv", "empty"),
        (b"one two three\nfour five six\n", "words.csv", "column"),
        (b"a,b\n1,2\n", "text.parquet", "Parquet"),
        (b"PK\x03\x04" + b"\0" * 200, "sheet.csv", ""),
        (b"sex,x,y\n" + b"F,,\n" * 50, "nan.csv", ""),
        (b"sex,y\n" + b"F,1\nF,0\n" * 50, "one_group.csv", ""),
        (b"sex,y\n" + b"F,1\nM,2\nM,3\n" * 50, "three.csv", "values"),
    ],
)
def test_a_bad_file_is_one_sentence_and_loses_nothing(empty_workspace, content, name, expected):
    app = upload(open_page("data", data="german"), content, name)
    assert len(app.error) == 1, [e.value for e in app.error]
    sentence = str(app.error[0].value)
    assert expected in sentence.replace("\\", "")
    assert "Traceback" not in sentence
    assert "\n" not in sentence
    assert "1,000 rows" in words(app)
    assert list_datasets(open_store(empty_workspace)) == []


def test_deleting_an_own_table_takes_what_was_derived_from_it(empty_workspace):
    app = upload(open_page("data", data="german"), OWN.encode(), "hiring.csv")
    next(b for b in app.button if b.label == "Keep this data set").click().run()
    record = list_datasets(open_store(empty_workspace))[0]
    app = open_page("data", data=record.id)
    assert "all that was derived from it: 0 models and 0 runs" in words(app)
    app.button(key=f"data.delete.{record.id}").click().run()
    assert not app.exception
    assert list_datasets(open_store(empty_workspace)) == []


def test_markup_in_a_table_stays_text(empty_workspace):
    content = OWN.replace("points", "<b>[x](http://evil)</b>").encode()
    app = upload(open_page("data", data="german"), content, "**bold**.csv")
    raw = "\n".join(str(m.value) for m in [*app.markdown, *app.warning, *app.error])
    assert "[x](http://evil)" not in raw


def test_the_overview_does_not_import_torch():
    import subprocess
    import sys

    code = (
        "import sys, os, tempfile; os.environ['FAIRNEURON_HOME'] = tempfile.mkdtemp();"
        "from streamlit.testing.v1 import AppTest; import pages.ui.jobs as jobs; jobs._import_numerics = lambda: None;"
        "AppTest.from_file('app.py', default_timeout=60).run();"
        "sys.exit(1 if 'torch' in sys.modules else 0)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False).returncode == 0
