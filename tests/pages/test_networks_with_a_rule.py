"""Pages of a network that decides by a threshold per group: they open, say so, and show the audit job's numbers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from fairneuron_core.jobs import JOBS, JobContext
from fairneuron_core.jobs.material import find_classifier, gather, store_classifier
from fairneuron_core.models import decisions
from fairneuron_core.types import DecisionRule

ROOT = Path(__file__).resolve().parents[2]
RULE = DecisionRule("age_group", {"25 or younger": ((0.5, 0.3), (0.5, 0.35)), "over 25": ((1.0, 0.71),)}, seed=2)


@pytest.fixture
def ruled(filled_workspace):
    """A copy of the trained network that decides by age; returns its id."""
    plain = find_classifier(filled_workspace.model, filled_workspace.workspace)
    record = replace(plain.record, made_by="repair reject_option", parent=filled_workspace.model)
    material = gather("german", filled_workspace.model, filled_workspace.workspace, protected="age_group")
    young, old = material.batch("test").levels("age_group")
    rule = replace(RULE, groups={young: RULE.groups["25 or younger"], old: RULE.groups["over 25"]})
    return store_classifier(replace(plain, rule=rule, record=record), filled_workspace.workspace, name="By age")


def open_page(stem: str, **choice: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.switch_page(f"pages/{stem}.py")
    for name, value in choice.items():
        app.session_state[f"chosen.{name}"] = value
    app.run()
    assert not app.exception
    return app


def words(app: AppTest) -> str:
    parts = [*app.title, *app.markdown, *app.caption, *app.warning, *app.error]
    return " ".join(str(part.value) for part in parts).replace("\\", "")


@pytest.mark.parametrize("stem", ["overview", "model", "audit", "paths", "threshold", "repair"])
def test_every_page_opens_with_such_a_network(filled_workspace, ruled, stem):
    open_page(stem, data="german", model=ruled, protected="age_group")


def test_the_audit_says_by_what_the_network_decides_and_shows_the_job_s_numbers(filled_workspace, ruled):
    app = open_page("audit", data="german", model=ruled, protected="age_group")
    said = words(app)
    assert "This network reads age_group when it decides: threshold 0.30 (50.0 %) or 0.35 (50.0 %) for" in said
    assert "0.71 for" in said
    assert "thresholds by age_group" in said
    job = JOBS["audit"]
    given = {"data": "german", "model": ruled, "protected": "age_group", "part": "test"}
    found = job.run(job.check(given), JobContext(filled_workspace.workspace)).results
    material = gather("german", ruled, filled_workspace.workspace, protected="age_group")
    batch = material.batch("test")
    own = decisions(material.classifier, batch)
    assert found["metrics"]["accuracy"]["value"] == pytest.approx((own == batch.labels).mean())
    assert found["metrics"]["accuracy"]["words"] in said or f"{100 * (own == batch.labels).mean():.1f} %" in said


def test_an_explicit_threshold_of_the_audit_job_replaces_the_rule(filled_workspace, ruled):
    job = JOBS["audit"]
    given = {"data": "german", "protected": "age_group", "threshold": 0.5}
    results = [
        job.run(job.check(given | {"model": model}), JobContext(filled_workspace.workspace)).results
        for model in (ruled, filled_workspace.model)
    ]
    assert results[0]["metrics"] == results[1]["metrics"]


def test_the_threshold_sliders_start_at_the_rule_where_it_has_one_threshold(filled_workspace, ruled):
    app = open_page("audit", data="german", model=ruled, protected="age_group")
    app.session_state["audit.section"] = "Threshold"
    app.run()
    assert "here the sliders decide" in words(app)
    app.toggle(key="audit.threshold.each").set_value(True).run()
    assert not app.exception
    assert [round(slider.value, 2) for slider in app.slider] == [0.5, 0.71]


def test_combined_groups_and_examples_use_the_network_s_own_decisions(filled_workspace, ruled):
    from pages.ui import audit_cache, row_picker

    material = gather("german", ruled, filled_workspace.workspace)
    batch = material.batch("test")
    own = decisions(material.classifier, batch)
    counts, _ = audit_cache.intersection_counts("german", ruled, "test", ("sex", "age_group"))
    assert counts[:, :, 1].sum() == own.sum()
    kinds = row_picker.example_rows("german", ruled, "sex", part="test")
    selected = np.concatenate([rows for kind, rows in kinds.items() if kind.endswith(", selected")])
    assert np.array_equal(np.sort(selected), np.flatnonzero(own))


def test_comparing_with_the_plain_network_shows_the_rule_s_decisions(filled_workspace, ruled):
    app = open_page("compare", data="german", model=filled_workspace.model, after=ruled, protected="age_group")
    assert "After: This network reads age_group when it decides" in words(app)
