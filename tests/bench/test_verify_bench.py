"""The benchmark of certifying: what it measures and says. Nothing here asserts a time."""

import json

import numpy as np
import pytest

from fairneuron_core.bench import verify_words
from fairneuron_core.bench.docs import PAGE
from fairneuron_core.bench.verify import BANK, WORKS, VerifyBenchParams, VerifyCase, run_verify, space_material
from fairneuron_core.cli.main import main
from fairneuron_core.errors import Cancelled, SettingError
from fairneuron_core.models import decide
from fairneuron_core.verify.examine import Examiner
from fairneuron_core.verify.similar import Freedom

TINY = VerifyCase("german", (4,), epochs=2, reach=3, rows=40, columns=(3, 2, 4), space_hidden=(6, 4), seconds=1.0)


@pytest.fixture(scope="module")
def results():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FAIRNEURON_THREADS", "1")
        return run_verify(VerifyBenchParams(repeats=1), case=TINY)


def rows_of(results, work):
    return [row for row in results["results"] if row["work"] == work]


def test_every_work_is_measured_and_the_results_are_json(results):
    assert json.loads(json.dumps(results, allow_nan=False)) == results
    assert list(dict.fromkeys(row["work"] for row in results["results"])) == list(WORKS)
    assert all(row["seconds"] >= 0 for row in results["results"])


def test_the_space_has_the_cells_of_bank_marketing_and_four_ages():
    assert np.prod(BANK) == 58_392_576


def test_every_cell_of_the_space_is_decided(results):
    (row,) = rows_of(results, "space")
    assert (row["individuals"], row["similar"]) == (24, 4)
    dataset, classifier = space_material(TINY.columns, TINY.space_hidden)
    examiner = Examiner(dataset, classifier, Freedom(("age_group",)))
    grids = np.indices((3, 2, 4)).reshape(3, -1).T.astype(float)
    values = np.column_stack([grids, np.ones(len(grids))])
    order = [examiner.people.names.index(name) for name in ("c0", "c1", "c2", "age")]
    people = np.empty_like(values)
    people[:, order] = values
    constant = []
    for person in people:
        similar = np.repeat(person[None], 4, axis=0)
        similar[:, order[-1]] = [1, 2, 3, 4]
        constant.append(len(set(decide(classifier, examiner.people.encode(similar)).tolist())) == 1)
    assert row["proved"] == np.mean(constant)


def test_bounds_never_prove_more_than_is_true(results):
    crown, alpha = rows_of(results, "bounds")
    assert crown["proved"] <= alpha["proved"] <= alpha["exact"] == crown["exact"]


def test_a_network_with_zeroed_columns_has_no_pair(results):
    _, zeroed, inspected = rows_of(results, "solver")
    assert zeroed["answer"] == "none"
    assert inspected["answer"] == "not read"


def test_enumeration_tries_what_the_row_says(results):
    found = {row["name"]: row["similar"] for row in rows_of(results, "enumeration")}
    assert found == {"sex": 2, "age within 3": 7}


def test_the_words_name_targets_and_exact_shares(results):
    said = "\n".join(verify_words.summary(results))
    assert "µs per individual by enumeration" in said
    assert "24 cells with 4 similar individuals each" in said
    assert "is true" in said
    header, lines = verify_words.table(results)
    assert {len(line) for line in lines} == {len(header)}


def test_an_unknown_work_is_refused_and_progress_can_cancel():
    with pytest.raises(SettingError, match="Unknown size 'huge'"):
        run_verify(VerifyBenchParams(sizes=("huge",)), case=TINY)

    def cancel(progress):
        raise Cancelled

    with pytest.raises(Cancelled):
        run_verify(VerifyBenchParams(sizes=("space",)), case=TINY, progress=cancel)


def test_the_documentation_is_written_between_its_marks_and_kept_results_are_read(results, tmp_path, capsys):
    page = tmp_path / PAGE
    page.parent.mkdir(parents=True)
    page.write_text(f"a\n{verify_words.BEGIN}\nold\n{verify_words.END}\nz\n", encoding="utf-8")
    assert verify_words.write_docs(results, tmp_path) == [page]
    text = page.read_text(encoding="utf-8")
    assert text.startswith("a\n")
    assert text.endswith("\nz\n")
    assert "old" not in text
    page.write_text("nothing", encoding="utf-8")
    with pytest.raises(SettingError, match="lost a mark"):
        verify_words.write_docs(results, tmp_path)
    kept = tmp_path / "kept.json"
    kept.write_text(json.dumps(results))
    assert main(["bench", "verify", "--from", str(kept)]) == 0
    assert "µs each" in capsys.readouterr().out
    kept.write_text('{"bench": "paths"}')
    assert main(["bench", "verify", "--from", str(kept)]) == 2
    assert "does not hold results" in capsys.readouterr().err
