"""Building blocks of the pages, run through Streamlit's own test harness."""

import tomllib
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[1]


def run(script):
    app = AppTest.from_function(script, default_timeout=30)
    app.run()
    assert not app.exception
    return app


def test_user_text_in_a_header_is_escaped():
    def script():
        from pages.ui import views

        views.page_header("Is `x` fair?", "Column [a](http://b) :red[c]", chips=["<b>chip</b>"])

    app = run(script)
    assert app.title[0].value == r"Is \`x\` fair?"
    assert r"\[a\]\(http" in app.markdown[0].value


def test_a_metric_card_shows_value_interval_n_and_verdict():
    def script():
        from fairneuron_core.types import Estimate
        from pages.ui import views

        views.metric_card("Gap", Estimate(0.26, 0.213, 0.306, 200), unit="points", verdict="not enough evidence")

    app = run(script)
    assert app.metric[0].value == "26.0 points"
    shown = " ".join(m.value for m in app.markdown)
    assert "21\\.3, 30\\.6" in shown
    assert "n \\= 200" in shown
    assert "not enough evidence" in shown


def test_an_undefined_metric_is_shown_as_a_word():
    def script():
        from fairneuron_core.types import Estimate
        from pages.ui import views

        nan = float("nan")
        views.metric_card("TPR", Estimate(nan, nan, nan, 0))

    assert run(script).metric[0].value == "undefined"


def test_a_chart_comes_with_its_sentence_and_its_table():
    def script():
        import numpy as np

        from fairneuron_core.report import figures
        from pages.ui import theme, views

        chart = figures.path_frequency_histogram(np.array([25, 10, 3, 2]), threshold_count=7.5, mode=theme.mode())
        views.show_chart(chart, key="demo")

    app = run(script)
    assert any("conflict samples" in m.value for m in app.markdown)
    assert len(app.dataframe[0].value) == 4


def test_an_empty_state_tells_when_its_button_is_pressed():
    def script():
        import streamlit as st

        from pages.ui import views

        if views.empty_state("Nothing yet", "Press it.", "Start", key="empty"):
            st.success("started")

    app = run(script)
    assert not app.success
    app.button(key="empty.start").click().run()
    assert app.success[0].value == "started"


def test_an_empty_state_without_button_has_none():
    def script():
        from pages.ui import views

        views.empty_state("Nothing yet", "Come back.", key="empty")

    assert not run(script).button


def test_an_error_is_one_escaped_sentence():
    def script():
        from fairneuron_core.errors import DataError
        from pages.ui import views

        views.error_box(DataError("Column '*sex*' has 3 values."))

    assert run(script).error[0].value == r"Column '\*sex\*' has 3 values\."


def test_the_network_view_mounts_without_an_event():
    def script():
        import numpy as np
        import streamlit as st

        from fairneuron_core.report.network import network_payload
        from pages.ui.network_view import network_view

        payload = network_payload([np.ones((3, 2)), np.ones((1, 3))], input_labels=["a", "b"])
        event = network_view(payload, [[1, 0, 0, 0.5], [0, 1, 0, 0.2]], key="net")
        st.text(f"event {event}")

    assert run(script).text[0].value == "event None"


@pytest.mark.parametrize("part", ["network_geometry.js", "network_draw.js", "network_view.js"])
def test_scripts_of_the_network_view_write_text_and_never_markup(part):
    assert "innerHTML" not in (ROOT / "assets" / part).read_text(encoding="utf-8")


def test_fonts_named_in_the_settings_are_in_the_project_with_their_licence():
    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    for face in settings["theme"]["fontFaces"]:
        assert face["url"].startswith("/fonts/")
        assert (ROOT / "assets" / "fonts" / Path(face["url"]).name).is_file()
    assert "SIL Open Font License" in (ROOT / "assets" / "fonts" / "LICENSE-Inter.txt").read_text(encoding="utf-8")


def test_the_server_is_reachable_from_this_machine_only_and_reports_to_nobody():
    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert settings["server"]["address"] == "127.0.0.1"
    assert settings["browser"]["gatherUsageStats"] is False


def test_charts_and_theme_use_the_same_group_colours():
    from fairneuron_core.report.style import COLOURS

    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    for mode in ("light", "dark"):
        assert tuple(settings["theme"][mode]["chartCategoricalColors"]) == COLOURS[mode].groups
        assert settings["theme"][mode]["backgroundColor"] == COLOURS[mode].ground
