"""The Audit page: its numbers are those of the audit job, and sliders move them without scoring again."""

import math
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from fairneuron_core.jobs import JOBS, JobContext
from fairneuron_core.metrics import Comparison
from fairneuron_core.report.figures_combined import combined_groups, outcome
from fairneuron_core.report.words import quantity
from fairneuron_core.types import Estimate

ROOT = Path(__file__).resolve().parents[2]


def open_audit(**choice: str) -> AppTest:
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    # AppTest drops the address when it changes the page; the session then gives the choices back to it.
    at.switch_page("pages/audit.py")
    for name, value in choice.items():
        at.session_state[f"chosen.{name}"] = value
    at.run()
    assert not at.exception
    return at


def words(at: AppTest) -> str:
    return " ".join(str(part.value) for part in [*at.markdown, *at.warning, *at.error]).replace("\\", "")


def job_results(filled, **params) -> dict:
    job = JOBS["audit"]
    given = {"data": "german", "model": filled.model, **params}
    return dict(job.run(job.check(given), JobContext(filled.workspace)).results)


def open_section(at: AppTest, label: str) -> AppTest:
    """Open a section by its name."""
    at.session_state["audit.section"] = label
    at.run()
    assert not at.exception
    return at


def test_without_a_network_the_page_offers_two_ways_on(empty_workspace):
    at = open_audit(data="german")
    assert at.title[0].value.startswith("How differently are the groups treated")
    assert [b.label for b in at.button] == ["Train a network", "Try it on Census"]


def test_answer_and_cards_are_those_of_the_audit_job(filled_workspace):
    found = job_results(filled_workspace, protected="age_group")["metrics"]
    at = open_audit(data="german", model=filled_workspace.model, protected="age_group")
    assert any(metric["words"] in words(at) for metric in found.values())
    units = {
        "accuracy": "percent",
        "demographic_parity_difference": "points",
        "demographic_parity_ratio": "ratio",
        "equal_opportunity_difference": "points",
    }
    assert [m.value for m in at.metric][:4] == [quantity(found[n]["value"], u) for n, u in units.items()]
    assert f"n = {found['equal_opportunity_difference']['n']}" in words(at)


def test_lines_move_verdicts_but_no_number_and_four_fifths_never_stands_without_its_caveat(filled_workspace):
    at = open_audit(data="german", model=filled_workspace.model)
    numbers = [m.value for m in at.metric]
    assert "not a definition of fairness" in words(at)
    at.number_input(key="audit.difference").set_value(100.0)
    at.segmented_control(key="audit.line").set_value("own").run()
    assert not at.exception
    assert [m.value for m in at.metric] == numbers
    assert words(at).count("✓ meets your line") >= 2
    assert "not a definition of fairness" not in words(at)


def test_moving_the_threshold_gives_the_job_s_numbers_and_marks_a_degenerate_one(filled_workspace):
    found = job_results(filled_workspace, threshold=0.7)["metrics"]
    at = open_audit(data="german", model=filled_workspace.model)
    at.slider[0].set_value(0.7).run()
    assert not at.exception
    assert [m.value for m in at.metric][4:6] == [
        quantity(found["accuracy"]["value"], "percent"),
        quantity(found["selection_rate"]["value"], "percent"),
    ]
    at.slider[0].set_value(1.0).run()
    assert "All 200 rows get the unfavourable decision" in words(at)


def test_one_threshold_for_each_group_moves_only_that_group(filled_workspace):
    at = open_audit(data="german", model=filled_workspace.model)
    at.toggle(key="audit.threshold.each").set_value(True).run()
    assert [slider.label for slider in at.slider] == ["female", "male"]
    before = at.metric[5].value
    at.slider[0].set_value(0.0).run()
    assert not at.exception
    assert at.metric[5].value != before


def test_calibration_and_combined_groups_open(filled_workspace):
    at = open_section(open_audit(data="german", model=filled_workspace.model), "Calibration")
    assert "Mean distance between score and observed share" in words(at)
    assert "corrected by Holm" in words(open_section(at, "Combined groups"))


def test_a_metric_is_explained_and_shown_as_other_tools_print_it(filled_workspace):
    at = open_section(open_audit(data="german", model=filled_workspace.model), "Every metric")
    assert "Highest minus lowest selection rate of the groups" in words(at)
    table = at.table[0].value.map(lambda cell: cell.replace("\\", "")).set_index("prints")["value"]
    value = job_results(filled_workspace)["metrics"]["demographic_parity_difference"]["value"]
    assert float(table["demographic_parity_difference"]) == pytest.approx(value, abs=5e-5)
    assert abs(float(table["statistical_parity_difference"].replace("−", "-"))) == pytest.approx(value, abs=5e-5)


def test_the_exported_json_is_the_job_s(filled_workspace):
    from pages.ui import cache

    mine = cache.audit_results("german", filled_workspace.model, "sex", "test")
    other = job_results(filled_workspace, protected="sex")
    assert {k: v for k, v in mine.items() if k != "seconds"} == {k: v for k, v in other.items() if k != "seconds"}


def comparison(value: float, holm: float) -> Comparison:
    return Comparison("a × b", "everyone else", Estimate(value, value - 0.1, value + 0.1, 50), holm / 2, holm, holm)


@pytest.mark.parametrize(
    ("value", "holm", "said"),
    [(0.2, 0.01, "higher"), (-0.2, 0.01, "lower"), (0.2, 0.05, "cannot tell"), (0.2, math.nan, "cannot tell")],
)
def test_a_combined_group_differs_only_below_five_percent_after_correction(value, holm, said):
    assert outcome(comparison(value, holm)) == said


def test_the_chart_of_combined_groups_counts_those_that_differ():
    chart = combined_groups([comparison(0.2, 0.01), comparison(-0.1, 0.6)], "selection_rate")
    assert "1 of 2 combined groups differ in selection rate" in chart.sentence
    assert list(chart.table["says"]) == ["higher", "cannot tell"]
