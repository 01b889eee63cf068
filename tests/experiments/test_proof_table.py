"""The table of ProF and ours: what is chosen, and means of numbers that fit in the head."""

import json
from dataclasses import replace

import pytest

from fairneuron_core.errors import NotFoundError
from fairneuron_core.experiments.proof_json import load_proofs, proofs_json, row_of, write_proofs
from fairneuron_core.experiments.proof_published import REPLICATED, REPLICATED_ACCURACY_LOST, REPLICATED_MEANS
from fairneuron_core.experiments.proof_setting import ProofRow
from fairneuron_core.experiments.proof_spec import SETTINGS
from fairneuron_core.experiments.proof_table import chosen, goals, means, rows_csv, side_by_side, summary
from fairneuron_core.experiments.stored import stored_names


def row(method: str, refuted: int, *, accuracy=(0.8, 0.8), setting="compas-sex", seed=0, **changes) -> ProofRow:
    counts = {"refuted": refuted, "n": 100, "low": None, "high": None}
    return ProofRow(
        setting=setting,
        seed=seed,
        method=method,
        accuracy=dict(zip(("validation", "test"), accuracy, strict=True)),
        selection_rate=0.5,
        data=counts,
        test=counts,
        space=counts,
        flips={"to_favourable": 3, "to_unfavourable": 1},
        **changes,
    )


ROWS = (
    row("given", 20),
    row("prof", 5, accuracy=(0.7, 0.78)),
    row("blind", 0, accuracy=(0.79, 0.795), proof="wiring"),
    row("majority_vote", 0, accuracy=(0.79, 0.79), proof="vote"),
    row("spread", 0, accuracy=(0.9, 0.9)),
    row("exact_last_layer", 0, accuracy=(0.95, 0.95), proof="every cell", degenerate="constant"),
)


def test_ours_is_the_most_accurate_one_on_validation_that_is_proved_and_not_degenerate():
    assert chosen(ROWS).method == "blind"
    assert chosen([*ROWS, row("spread", 0, accuracy=(0.8, 0.1), proof="every cell")]).method == "spread"
    assert chosen(ROWS[:2]) is None


def test_reductions_and_lost_points_are_against_the_given_network():
    lines = {line["method"]: line for line in summary(ROWS)}
    assert lines["prof"]["data_reduction"] == pytest.approx(0.75)
    assert lines["prof"]["accuracy_lost"] == pytest.approx(2.0)
    assert lines["ours"]["data_reduction"] == 1.0
    assert lines["ours"]["accuracy_lost"] == pytest.approx(0.5)
    assert (lines["ours"]["by"], lines["ours"]["every_input"]) == ({"blind": 1}, 1)
    assert lines["prof"]["flipped"] == pytest.approx(0.04)


def test_nothing_to_reduce_is_undefined_and_not_a_reduction_of_zero():
    lines = summary([row("given", 0), row("prof", 0)])
    assert [line["data_reduction"] for line in lines] == [None, None, None]


def test_a_failed_method_counts_no_seed():
    (failed,) = [
        line for line in summary([row("given", 20), ProofRow("compas-sex", 0, "prof", failed="no")]) if line["failed"]
    ]
    assert (failed["method"], failed["seeds"], failed["data_reduction"]) == ("prof", 0, None)


def test_a_mean_over_settings_counts_every_setting_once():
    other = [replace(one, setting="compas-race") for one in (row("given", 20), row("prof", 10))]
    twice = [replace(one, seed=1) for one in other]
    line = next(one for one in means(summary([*ROWS, *other, *twice])) if one["method"] == "prof")
    assert (line["settings"], line["seeds"]) == (2, 3)
    assert line["data_reduction"] == pytest.approx((0.75 + 0.5) / 2)


def test_goals_stand_beside_what_is_published_and_replicated():
    found = goals(means(summary(ROWS)))
    first = found[0]
    assert (first["published"], first["replicated"], first["prof"], first["ours"]) == (95.93, 91.3, 75.0, 100.0)
    lost = next(goal for goal in found if goal["what"].startswith("one attribute: test accuracy"))
    assert (lost["replicated"], lost["prof"], lost["ours"]) == (2.16, 2.0, 0.5)


def test_replicated_means_are_those_of_the_replicated_settings():
    single = [one for name, one in REPLICATED.items() if SETTINGS[name].kind == "one attribute"]
    assert len(single) == 9
    mean = REPLICATED_MEANS["one attribute"]
    assert sum(one.data_reduction for one in single) / 9 == pytest.approx(mean.data_reduction, abs=0.06)
    assert sum(one.space_reduction for one in single) / 9 == pytest.approx(mean.space_reduction, abs=0.06)
    lost = sum(one.accuracy[0] - one.accuracy[1] for one in single) / 9
    assert lost == pytest.approx(REPLICATED_ACCURACY_LOST, abs=0.01)
    assert set(REPLICATED) <= set(SETTINGS)


def test_rows_survive_json_and_csv_has_one_line_each():
    stored = [json.loads(json.dumps(one.as_json())) for one in ROWS]
    assert tuple(row_of(one) for one in stored) == ROWS
    lines = rows_csv(stored).splitlines()
    assert len(lines) == 1 + len(ROWS)
    assert lines[2].startswith("compas-sex,0,prof,0.5,,")


def test_a_shipped_result_is_read_as_it_was_written_and_is_no_data_set(tmp_path):
    spec = {"settings": ["compas-sex"], "seeds": [0], "methods": ["prof"]}
    results = proofs_json(spec, ROWS, data={"compas": "ab"}, timing={"elapsed": 1.0})
    with pytest.raises(NotFoundError, match="fairneuron proofs"):
        load_proofs(tmp_path)
    write_proofs(results, tmp_path)
    assert load_proofs(tmp_path) == json.loads(json.dumps(results))
    assert stored_names(tmp_path) == ()


def test_a_setting_without_a_replicated_figure_says_so():
    (line,) = side_by_side(summary([row("given", 20, setting="compas-sex-race")]))
    assert line["replicated"] is None
