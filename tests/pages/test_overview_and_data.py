"""Overview and Data through app.py: one button, the upload with its roles, bad input, and deletion."""

from pathlib import Path

import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from fairneuron_core.runs import execute
from fairneuron_core.store import delete_model, get_run, list_datasets, list_runs, open_store

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


def rates_of(app: AppTest, attribute: str) -> pd.DataFrame:
    """The last table of base rates of that attribute: the one of the upload, below the one of the chosen data set."""
    tables = [frame.value for frame in app.dataframe if {"attribute", "base_rate"} <= set(frame.value.columns)]
    return next(t for t in reversed(tables) if set(t["attribute"]) == {attribute}).set_index("group")


def box(app: AppTest, label: str):
    return next(b for b in [*app.selectbox, *app.multiselect, *app.text_input] if b.label == label)


def press(app: AppTest, label: str) -> AppTest:
    next(b for b in app.button if b.label == label).click().run()
    assert not app.exception
    return app


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


def test_the_data_page_shows_groups_traps_columns_and_licence(empty_workspace):
    app = open_page("data", data="german")
    shown = words(app)
    assert "1,000 rows" in shown
    assert "CC BY 4.0" in shown
    assert "sex** :gray[· reference group male" in shown
    assert with_column(app, "role")["role"].eq("protected").sum() == 2


def test_the_overviews_link_opens_the_upload(empty_workspace):
    app = press(open_page("overview"), "Use your own data")
    assert app.session_state["data.tab"] == "Use your own data"
    assert "Table to audit" in [f.label for f in app.file_uploader]


def test_the_limit_and_the_time_things_are_kept_stand_there_before_the_upload(empty_workspace):
    shown = words(open_page("data", data="german"))
    assert "up to 200 MB" in shown
    assert "They are kept until somebody deletes them" in shown


def test_an_own_table_is_mapped_kept_and_chosen(empty_workspace):
    app = upload(open_page("data", data="german"), OWN.encode(), "hiring.csv")
    assert box(app, "Outcome (target)").value == "hired"
    assert box(app, "Protected attributes").value[0] == "sex"
    press(app, "Keep this data set")
    kept = list_datasets(open_store(empty_workspace))
    assert [(row.title, row.rows) for row in kept] == [("hiring", 200)]
    value = app.query_params["data"]
    assert (value if isinstance(value, str) else value[0]) == kept[0].id
    assert app.session_state["data.tab"] == "Look at a data set"
    assert "Keep this data set" not in words(app)
    assert "200 rows; favourable label (hired = yes)" in words(app)


def test_the_whole_job_starts_on_an_own_table(empty_workspace):
    app = upload(open_page("data", data="german"), OWN.encode(), "hiring.csv")
    press(app, "Keep this data set")
    press(app, "Audit and repair it")
    run = list_runs(open_store(empty_workspace))[0]
    assert (run.kind, run.params["data"]) == ("tour", list_datasets(open_store(empty_workspace))[0].id)


def test_another_favourable_value_turns_the_base_rates_around(empty_workspace):
    app = upload(open_page("data", data="german"), OWN.encode(), "hiring.csv")
    before = rates_of(app, "sex")["favourable"]
    box(app, "Favourable value").set_value("no").run()
    assert (before + rates_of(app, "sex")["favourable"])["F"] == 100


def test_other_cut_points_make_other_groups(empty_workspace):
    app = upload(open_page("data", data="german"), OWN.encode(), "hiring.csv")
    box(app, "Cut age at").set_value("30; 40").run()
    assert not app.exception
    # the ages are 20 to 59, five rows each
    assert rates_of(app, "age_group")["n"].to_dict() == {"under 30": 50, "30 to 39": 50, "40 and over": 100}
    box(app, "Cut age at").set_value("thirty").run()
    assert "thirty" in str(app.error[0].value)


def test_a_role_that_cannot_be_is_said_and_the_form_stays(empty_workspace):
    app = upload(open_page("data", data="german"), OWN.encode(), "hiring.csv")
    box(app, "Outcome (target)").set_value("points").run()
    assert not app.exception
    assert "9 values" in str(app.error[0].value)
    box(app, "Outcome (target)").set_value("hired").run()
    box(app, "Protected attributes").set_value([]).run()
    assert "No protected attribute" in str(app.error[0].value)
    box(app, "Protected attributes").set_value(["sex", "points"]).run()
    assert not app.error
    assert "Keep this data set" in words(app)


def test_a_target_of_decimal_numbers_with_gaps_keeps_its_two_values(empty_workspace):
    rows = "\n".join(f"{'FM'[i % 2]},{i % 7},{'' if i % 10 == 0 else float(i % 3 > 0)}" for i in range(200))
    app = upload(open_page("data", data="german"), f"sex,x,y\n{rows}".encode(), "gaps.csv")
    assert not app.error
    assert box(app, "Favourable value").options == ["0", "1"]
    assert rates_of(app, "sex")["n"].sum() == 180


@pytest.mark.parametrize(
    ("content", "name", "expected"),
    [
        (b"", "empty.csv", "empty"),
        (b"one two three\nfour five six\n", "words.csv", "column"),
        (b"a,b\n1,2\n", "text.parquet", "Parquet"),
        (b"PK\x03\x04" + b"\0" * 200, "sheet.csv", ""),
        (b"sex,x,y\n" + b"F,,\n" * 50, "nan.csv", "all their values are missing: x, y"),
        (b"sex,y\n" + b"F,1\nF,0\n" * 50, "one_group.csv", "protected attribute"),
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


def test_a_finished_tour_answers_with_verdicts_chooses_its_networks_and_survives_their_deletion(empty_workspace):
    app = open_page("overview")
    app.button(key="overview.try.german.other").click().run()
    run = list_runs(open_store(empty_workspace))[0]
    assert execute(empty_workspace, run.id)
    results = get_run(open_store(empty_workspace), run.id).results
    app = open_page("overview", run=run.id)
    shown = words(app)
    verdict = results["repairs"]["reweighing"]["paired"]["metrics"]["demographic_parity_difference"]["verdict"]
    assert "Gap in demographic parity" in shown
    assert verdict.split()[0] in shown
    for door in ("Data", "Model", "Audit", "Paths", "Threshold", "Repair", "Compare"):
        assert app.button(key=f"tour.door.{door.lower()}").label == door
    assert app.session_state["chosen.model"] == results["model"]
    assert app.session_state["chosen.after"] == results["repairs"]["reweighing"]["model"]
    delete_model(open_store(empty_workspace), results["model"])
    st.cache_data.clear()
    st.cache_resource.clear()
    app = open_page("overview", run=run.id)
    assert "cannot be shown any more" in str(app.warning[0].value)
    assert "Try it on Census" in words(app)


def test_deleting_an_own_table_takes_what_was_derived_from_it(empty_workspace):
    app = upload(open_page("data", data="german"), OWN.encode(), "hiring.csv")
    press(app, "Keep this data set")
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
