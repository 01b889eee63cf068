"""The benchmark of trainings as one program: what it measures and says. Nothing here asserts a time."""

import json

import numpy as np
import pytest

from fairneuron_core.bench import search_words
from fairneuron_core.bench.docs import PAGE
from fairneuron_core.bench.search import (
    CASES,
    PlainCase,
    SearchBenchParams,
    SearchCase,
    plain_loop,
    plain_plans,
    run_search,
)
from fairneuron_core.cli.main import main
from fairneuron_core.errors import Cancelled, SettingError
from fairneuron_core.models import linear_layers, train

TINY = {
    "search": SearchCase("german", seeds=2, epochs=1, alone=2, with_repair=True, thetas=(0.1, 1e-5), gammas=(0.8,)),
    "plain": PlainCase((4, 4), networks=3, rows=256, inputs=12, alone=2),
}


@pytest.fixture(scope="module")
def results():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FAIRNEURON_THREADS", "1")
        return run_search(SearchBenchParams(repeats=1), cases=TINY)


def test_the_results_are_json_with_seconds_of_both_sides_and_their_ratio(results):
    assert json.loads(json.dumps(results, allow_nan=False)) == results
    for row in results["results"]:
        assert row["ratio"] == pytest.approx(row["alone_seconds"] / row["together_seconds"])
        assert row["alone_seconds"] == pytest.approx(row["alone_each"] * row["trainings"])
        assert row["alone_measured"] == 2


def test_a_search_counts_the_points_of_all_seeds_and_its_repair(results):
    search, plain = results["results"]
    assert search["trainings"] == 4
    assert search["distinct"] <= 4
    assert search["together_seconds"] == pytest.approx(search["search_seconds"] + search["repair_seconds"])
    assert (plain["trainings"], plain["repair_seconds"], plain["network"]) == (3, None, "12-4-4-1")


def test_the_full_run_trains_every_one_alone(monkeypatch):
    monkeypatch.setenv("FAIRNEURON_THREADS", "1")
    found = run_search(SearchBenchParams(repeats=1, full=True, sizes=("plain",)), cases=TINY)
    assert [(row["size"], row["alone_measured"]) for row in found["results"]] == [("plain", 3)]
    assert "scaled" not in search_words.summary(found)[0]


def test_the_plain_loop_gives_the_network_that_the_product_s_trainer_gives():
    plans = plain_plans(TINY["plain"])
    for plan, together in zip(plans, train(plans), strict=True):
        alone = plain_loop(plan)
        for one, other in zip(linear_layers(alone), linear_layers(together.network), strict=True):
            assert np.allclose(one.weight, other.weight, atol=1e-4)


def test_the_default_cases_are_36_points_ten_seeds_and_32_networks():
    assert len(CASES["census"].thetas) * len(CASES["census"].gammas) == 36
    assert CASES["census"].with_repair
    assert CASES["german"].seeds == 10
    assert [(CASES[n].networks, CASES[n].hidden, CASES[n].rows) for n in ("plain32", "plain128")] == [
        (32, (32,) * 3, 6400),
        (32, (128,) * 3, 6400),
    ]


def test_an_unknown_size_is_refused_and_progress_can_cancel():
    with pytest.raises(SettingError, match="Unknown size 'huge'"):
        run_search(SearchBenchParams(sizes=("huge",)))

    def cancel(progress):
        raise Cancelled

    with pytest.raises(Cancelled):
        run_search(SearchBenchParams(), progress=cancel, cases=TINY)


def test_the_words_say_what_was_scaled_and_name_both_ratios(results):
    search, plain, *_ = search_words.summary(results)
    assert "4 points on search and one repair" in search
    assert "scaled from 2 of them" in search
    assert "different trainings only" in search
    assert "3 networks 12-4-4-1 together" in plain
    header, lines = search_words.table(results)
    assert len(header) == len(lines[0])
    assert lines[0][7] == "2 of 4"


def test_the_documentation_is_written_between_its_marks(results, tmp_path):
    page = tmp_path / PAGE
    page.parent.mkdir(parents=True)
    page.write_text(f"a\n{search_words.BEGIN}\nold\n{search_words.END}\nz\n", encoding="utf-8")
    assert search_words.write_docs(results, tmp_path) == [page]
    text = page.read_text(encoding="utf-8")
    assert text.startswith("a\n")
    assert text.endswith("\nz\n")
    assert "old" not in text
    page.write_text("nothing", encoding="utf-8")
    with pytest.raises(SettingError, match="lost a mark"):
        search_words.write_docs(results, tmp_path)


def test_kept_results_are_shown_again_and_others_are_refused(results, tmp_path, capsys):
    kept = tmp_path / "kept.json"
    kept.write_text(json.dumps(results))
    assert main(["bench", "search", "--from", str(kept)]) == 0
    assert "different" in capsys.readouterr().out
    kept.write_text('{"bench": "paths"}')
    assert main(["bench", "search", "--from", str(kept)]) == 2
    assert "does not hold results" in capsys.readouterr().err
