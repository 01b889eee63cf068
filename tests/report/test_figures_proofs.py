"""The chart and tables of repairs with a proof say what the measured lines say."""

import math

import pytest

from fairneuron_core.report.figures_proofs import goals_table, proofs_chart, proofs_table


def line(data: float, **more) -> dict:
    return {"data": data, "seeds": 3, "every_input": 3, "by": None, "accuracy_lost": 0.5, **more}


RESULTS = {
    "side_by_side": [
        {
            "setting": "adult-sex",
            "kind": "one attribute",
            "replicated": {"data_reduction": 81.2, "space_reduction": 81.6, "accuracy_lost": 3.05},
            "given": line(0.08),
            "prof": line(0.02, data_reduction=0.75),
            "ours": line(0.0, data_reduction=1.0, by={"blind": 2, "majority_vote": 1}),
        },
        {
            "setting": "compas-sex-age",
            "kind": "two attributes",
            "replicated": None,
            "given": line(0.4),
            "prof": None,
            "ours": line(0.0, every_input=2),
        },
    ],
    "means": [
        {"kind": "one attribute", "method": "ours", "every_input": 3, "seeds": 3, "accuracy_lost": -0.25},
        {"kind": "one attribute", "method": "prof", "data_reduction": 0.75, "accuracy_lost": 2.0},
    ],
    "goals": [{"what": "reduction", "published": 95.93, "replicated": 91.3, "prof": 75.0, "ours": 100.0}],
}


def test_every_setting_has_a_dot_before_and_one_for_each_repair_that_was_measured():
    figure = proofs_chart(RESULTS).figure
    assert [(dot.name, dot.x[0]) for dot in figure.data] == [
        ("as trained", 0.08),
        ("repaired by ProF", 0.02),
        ("proved for every input", 0.0),
        ("as trained", 0.4),
        ("proved for every input", 0.0),
    ]
    assert {dot.name: dot.marker.symbol for dot in figure.data} == {
        "as trained": "circle",
        "repaired by ProF": "diamond",
        "proved for every input": "square",
    }


def test_the_sentence_names_the_cost_of_a_proof_and_what_prof_leaves():
    said = proofs_chart(RESULTS).sentence
    assert "in 3 of 3 networks and costs −0.25 points" in said
    assert "ProF leaves 25.0 % of the individuals it should repair and costs 2.00" in said


def test_what_was_not_measured_is_undefined_in_the_table_and_never_zero():
    table = proofs_table(RESULTS)
    assert table["setting"].tolist() == ["adult-sex", "compas-sex-age"]
    assert table["ProF here: reduction, all rows %"].tolist()[0] == 75.0
    assert math.isnan(table["ProF here: reduction, all rows %"][1])
    assert math.isnan(table["published, replicated: accuracy lost"][1])
    assert table["ours: by"].tolist() == ["blind 2, majority vote 1", ""]
    assert table["ours: proved for every input"].tolist() == ["3 of 3", "2 of 3"]


def test_the_goals_stand_beside_one_another():
    assert goals_table(RESULTS).iloc[0].tolist() == ["reduction", 95.93, 91.3, 75.0, 100.0]


def test_without_settings_the_chart_says_so():
    assert "No setting" in proofs_chart({"side_by_side": [], "means": [], "goals": []}).sentence


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_it_is_drawn_in_both_themes(mode):
    assert len(proofs_chart(RESULTS, mode=mode).figure.data) == 5
