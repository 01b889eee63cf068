"""The published numbers stand as printed, and are lined up with an experiment in our definitions."""

import json
import math

import pytest

from fairneuron_core.experiments.paper import paper_rows, paper_table
from fairneuron_core.experiments.protocol import BASE as TIMED_AS
from fairneuron_core.experiments.published import BASE, CELLS
from fairneuron_core.experiments.statistics import Overlap, over_seeds
from fairneuron_core.repair import REPAIRS


def printed(table: int, data: str, row: str) -> dict[str, str]:
    return {c.prints_as: c.printed for c in CELLS if (c.table, c.data, c.row) == (table, data, row)}


def test_the_paper_has_as_many_cells_as_its_tables():
    sizes = [sum(cell.table == table for cell in CELLS) for table in range(2, 7)]
    assert sizes == [2 * 4, 3 * 4, 3 * 6 * 4, 3 * 3, 3 * 4]


def test_a_result_that_two_tables_print_is_the_same_in_both():
    assert printed(4, "compas", "FairNeuron") == printed(3, "compas", "Selective")
    assert printed(4, "compas", "Naive model") == printed(3, "compas", "Dropout")


@pytest.mark.parametrize(
    ("worse", "better", "percent"),
    [(("census", "DP"), 0.0, 74.68), (("census", "EO"), 0.0, 69.61), (("compas", "DP"), 0.0, 96.19)],
)
def test_the_gaps_fall_by_what_the_text_of_the_paper_says(worse, better, percent):
    data, metric = worse
    before, after = (float(printed(4, data, row)[metric]) for row in ("Naive model", "FairNeuron"))
    assert 100 * (before - after) / before == pytest.approx(percent, abs=0.05)


def test_the_accuracies_change_by_what_the_text_of_the_paper_says():
    changes = []
    for data in ("census", "german", "compas"):
        before, after = (float(printed(4, data, row)["Acc"]) for row in ("Naive model", "FairNeuron"))
        changes.append(100 * (after / before - 1))
    assert changes == pytest.approx([-0.83, 1.36, 28.66], abs=0.01)


def test_every_method_of_the_paper_is_one_of_ours():
    assert {cell.method for cell in CELLS if cell.method} - {BASE} <= set(REPAIRS)
    assert BASE == TIMED_AS


def test_a_ratio_above_1_is_turned_over_and_an_infinite_one_is_0():
    values = {(c.data, c.row): c.value for c in CELLS if c.table == 4 and c.prints_as == "DPR"}
    assert values["census", "Naive model"] == 0.609
    assert values["compas", "Naive model"] == pytest.approx(1 / 1.86)
    assert values["german", "FAD"] == 0
    assert all(0 <= value <= 1 for value in values.values())


def result_of(values: list[float]) -> dict:
    """An experiment of COMPAS with these test accuracies of FairNeuron, one per seed."""
    spread = over_seeds(values, Overlap(2 / 7))
    mean = spread.value
    sd = math.sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - 1)) if len(values) > 1 else None
    row = {"method": "fairneuron", "metric": "accuracy", "mean": mean, "sd": sd, "seeds": len(values)}
    undefined = {"method": "fad", "metric": "accuracy", "mean": None, "sd": None, "seeds": 0}
    return {
        "spec": {"data": "compas", "seeds": list(range(len(values)))},
        "interval": {"confidence": 0.95, "test_to_train": 2 / 7},
        "summary": [row, undefined],
        "timing": {"seconds": {BASE: 6.0, "fairneuron": 12.0}},
    }


def cell_of(rows, table: int, row: str, metric: str):
    return next(r for r in rows if (r.table, r.row, r.metric) == (table, row, metric))


def test_the_measured_mean_has_the_corrected_resampled_interval():
    values = [0.66, 0.67, 0.68]
    found = cell_of(paper_rows(result_of(values)), 4, "FairNeuron", "accuracy")
    expected = over_seeds(values, Overlap(2 / 7))
    assert (found.measured, found.low, found.high) == pytest.approx((expected.value, expected.low, expected.high))
    assert found.published == 0.799
    assert "0.129 above the mean" in found.words


def test_a_printed_value_inside_the_interval_is_said_to_be_inside():
    found = cell_of(paper_rows(result_of([0.79, 0.80, 0.81])), 4, "FairNeuron", "accuracy")
    assert found.words.endswith("the printed value is inside it.")


def test_one_seed_has_no_interval_and_an_undefined_mean_is_not_measured():
    rows = paper_rows(result_of([0.7]))
    one, none = (cell_of(rows, 4, row, "accuracy") for row in ("FairNeuron", "FAD"))
    assert (one.measured, one.low, one.high) == (0.7, None, None)
    assert (none.measured, none.seeds) == (None, 0)
    assert "not measured" in none.words


def test_times_are_seconds_of_one_seed():
    rows = paper_rows(result_of([0.7, 0.7, 0.7]))
    assert cell_of(rows, 5, "Naive", "seconds").measured == 2
    assert cell_of(rows, 5, "FairNeuron (/trial)", "seconds").measured == 4
    assert cell_of(rows, 5, "EA (/iteration)", "seconds").measured is None
    assert {row.measured for row in paper_table(rows, 6)} == {None}


def test_an_experiment_gets_the_cells_of_its_own_data_and_the_paper_alone_all_of_them():
    assert {row.data for row in paper_rows(result_of([0.7]))} == {"compas"}
    assert len(paper_rows(None)) == len(CELLS)
    assert {row.data for row in paper_rows(None, data="german")} == {"german"}
    own = {**result_of([0.7]), "spec": {"data": "my table", "seeds": [0]}}
    assert paper_rows(own) == ()


def test_rows_are_json_without_infinity_or_nan():
    written = json.dumps([row.as_json() for row in paper_rows(None)], allow_nan=False)
    infinite = [row for row in json.loads(written) if row["printed"] == "inf"]
    assert [(row["published"], row["value"]) for row in infinite] == [(None, 0.0)]
