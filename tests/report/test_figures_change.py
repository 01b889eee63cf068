"""Before and after: colours, verdicts and who flipped."""

import pytest

from fairneuron_core.report import figures
from fairneuron_core.report.style import COLOURS


def test_before_is_hollow_and_blue_and_after_is_filled_and_orange(worked_pair):
    figure = figures.dumbbell(worked_pair).figure
    before, after = (next(t for t in figure.data if t.name == name) for name in ("before", "after"))
    light = COLOURS["light"]
    assert (before.marker.line.color, before.marker.color) == (light.before, light.ground)
    assert after.marker.color == light.after


def test_the_dumbbell_has_one_row_per_change_with_its_verdict(worked_pair):
    table = figures.dumbbell(worked_pair).table
    assert len(table) == len(worked_pair.changes)
    assert set(table["verdict"]) <= {"improved", "worsened", "cannot tell", "undefined"}


def test_only_the_named_metrics_are_drawn(worked_pair):
    chart = figures.dumbbell(worked_pair, names=["accuracy", "demographic_parity_difference"])
    assert chart.table["metric"].tolist() == ["Accuracy", "Demographic parity difference"]


def test_group_shift_tells_raising_from_lowering(worked_pair):
    sentence = figures.group_shift(worked_pair, "selection_rate").sentence
    assert "M fell by 7.0 points" in sentence  # 60 of 100 -> 53 of 100
    assert "F rose by 12.0 points" in sentence  # 34 of 100 -> 46 of 100


def test_flips_are_counted_by_group_and_direction(worked_pair):
    table = figures.flips(worked_pair).table.set_index("group")
    assert table.loc["M", ["raised", "lowered"]].tolist() == [0, 7]
    assert table.loc["F", ["raised", "lowered"]].tolist() == [13, 1]
    assert table.loc["F", "raised, now right"] == 9


def test_flips_sentence_counts_all_changes(worked_pair):
    assert figures.flips(worked_pair).sentence.startswith("21 decisions of 200 changed")


@pytest.mark.parametrize("chart", [figures.dumbbell, figures.flips])
def test_identical_decisions_change_nothing(chart, worked_audit):
    import numpy as np

    from fairneuron_core.metrics import compare_from_counts

    counts = np.zeros((2, 2, 2, 2), dtype=int)
    for decision in (0, 1):
        counts[:, :, decision, decision] = worked_audit.counts[:, :, decision]
    pair = compare_from_counts(counts, levels=("M", "F"), attribute="sex", reference="M")
    assert "mproved" not in chart(pair).sentence
    assert "orsened" not in chart(pair).sentence
