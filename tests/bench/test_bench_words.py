"""What is made of measured times: ratios, tables, the documentation, the drawing, and the command."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from fairneuron_core.bench import docs
from fairneuron_core.bench.as_table import HEADER, significant, summary, table
from fairneuron_core.bench.engines import ENGINES
from fairneuron_core.bench.figure import STYLES, draw
from fairneuron_core.bench.ratios import RATIOS, ratios
from fairneuron_core.cli import main
from fairneuron_core.errors import SettingError


def row(engine, size, *, rows=100, rounds=(1.0,), scale=1, reading="delta"):
    seconds = sorted(rounds)[len(rounds) // 2]
    return {
        "engine": engine, "size": size, "scale": scale, "reading": None if engine == "forward" else reading,
        "network": "2-2-1", "rows": rows, "seconds": seconds, "seconds_low": min(rounds),
        "seconds_high": max(rounds), "rows_per_second": rows / seconds, "mean_synapses": 3.0,
        "synapses_per_second": 3 * rows / seconds, "peak_mb": 1.5, "repeats": len(rounds), "rounds": list(rounds),
    }  # fmt: skip


MADE_UP = [
    row("python", "census", rows=10, rounds=(5, 5, 5)),  # 2 rows a second
    row("torch_sort", "census", rows=50, rounds=(5, 5, 10)),  # 10, 10, 5
    row("numba_2", "census", rows=1000, rounds=(1, 2, 1)),  # 1000, 500, 1000
    row("forward", "census", rows=1000, rounds=(0.1, 0.1, 0.1)),
    row("numba_2", "census", rows=10_000, rounds=(12, 12, 12), scale=10),
    row("python", "compas", rows=10, rounds=(1, 1, 1)),  # 10 rows a second
    row("numba_2", "compas", rows=4000, rounds=(1, 1, 1)),
    row("numba_2", "compas", rows=4000, rounds=(0.04, 0.05, 0.06), reading="released"),
]


@pytest.fixture
def results():
    return {
        "bench": "paths",
        "coverage": 0.8,
        "repeats": 3,
        "results": [{k: v for k, v in r.items() if k != "rounds"} for r in MADE_UP],
        "ratios": ratios(MADE_UP),
        "notes": {"gpu": "unmeasured: no GPU on this machine"},
        "machine": {"processor": "A <fast> one", "cores": 2, "memory_gb": 8, "gpu": None, "system": "Linux x86_64",
                    "python": "3", "numpy": "2", "numba": "1", "torch": "2"},
        "load": {"before": 0.1, "after": 1.2},
        "date": "2026-01-01",
        "total_seconds": 12.0,
    }  # fmt: skip


def test_ratios_are_medians_over_the_rounds_in_rows_per_second():
    found = ratios(MADE_UP)
    assert found["numba_vs_python"] == 400  # Census 500, 250, 500; COMPAS 400, 400, 400
    assert found["numba_vs_torch_sort"] == 100  # 100, 50, 200
    assert found["numba_vs_forward"] == 10  # 10, 20, 10
    assert found["released_compas_seconds"] == 0.05
    assert found["cost_growth"] == 1.2  # 1.2 ms a row at x10, 1 ms at x1


def test_what_was_not_measured_has_no_ratio():
    assert set(ratios([]).values()) == {None}
    assert ratios(MADE_UP[:5])["numba_vs_python"] is None


def test_targets_are_met_or_missed_in_words(results):
    words = "\n".join(summary(results))
    assert (
        "400 times faster than plain Python, the lower one of Census and COMPAS (target: at least 300; met)." in words
    )
    assert "10.0 times the time of the dense forward pass" in words
    assert "gpu: unmeasured: no GPU on this machine." in words
    assert "A <fast> one, 2 cores" in words
    assert RATIOS["numba_vs_forward"].met(21) is False
    assert RATIOS["numba_vs_forward"].met(None) is None


def test_a_run_whose_rounds_lie_far_apart_says_that_it_was_disturbed(results):
    assert "DISTURBED" not in "".join(summary(results))  # 2 of 8 results
    for found in results["results"][:3]:
        found["seconds_high"] = 2 * found["seconds_low"]
    assert "in 3 of 8 results" in "".join(summary(results))


def test_the_table_has_a_line_per_result_with_its_scale(results):
    header, lines = table(results)
    assert header == HEADER
    assert lines[4][:5] == ("numba_2", "delta", "census x10", "2-2-1", "10,000")
    assert lines[3][1] == "–"
    assert significant(0.05) == "0.0500"


def test_the_documentation_is_written_between_its_marks_and_twice_is_once(results, tmp_path):
    page, picture = tmp_path / docs.PAGE, tmp_path / docs.PICTURE
    page.parent.mkdir(parents=True)
    picture.parent.mkdir()
    page.write_text(f"# Title\n{docs.BEGIN}\nold\n{docs.END}\nafter\n", encoding="utf-8")
    assert docs.write_docs(results, tmp_path) == [page, picture]
    once = page.read_text(encoding="utf-8"), picture.read_text(encoding="utf-8")
    docs.write_docs(results, tmp_path)
    assert (page.read_text(encoding="utf-8"), picture.read_text(encoding="utf-8")) == once
    assert once[0].startswith("# Title\n")
    assert once[0].endswith("\nafter\n")
    assert "| python | delta | census | 2-2-1 | 10 | 5.00 |" in once[0]
    assert "old" not in once[0]


def test_a_page_without_marks_or_a_folder_without_a_page_is_refused(results, tmp_path):
    with pytest.raises(SettingError, match="lost a mark"):
        docs.with_results("nothing here", results)
    with pytest.raises(SettingError, match="source checkout"):
        docs.write_docs(results, tmp_path)


def test_the_committed_page_has_its_marks_and_its_picture(results):
    root = Path(__file__).resolve().parents[2]
    page = (root / docs.PAGE).read_text(encoding="utf-8")
    assert docs.with_results(page, results) != page
    assert (root / docs.PICTURE).is_file()


def test_the_drawing_is_svg_with_a_panel_per_size_and_a_label_per_engine(results):
    drawn = ET.fromstring(draw(results))
    texts = [element.text for element in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert "Census, 2-2-1" in texts
    assert "COMPAS, 2-2-1" in texts
    assert texts.count("plain Python") == 2
    assert set(STYLES) <= set(ENGINES)


def test_a_result_below_the_first_row_of_its_panel_is_drawn_on_with_dashes(results):
    results["results"] = [r for r in results["results"] if r["size"] == "census"]
    lines = ET.fromstring(draw(results)).findall("{http://www.w3.org/2000/svg}polyline")
    dashes = [line.get("stroke-dasharray") for line in lines if line.get("stroke") == STYLES["python"][1]]
    assert dashes == ["4 4"]


def call(capsys, *words):
    status = main(["bench", *words])
    out, err = capsys.readouterr()
    return status, out, err


def test_bench_without_a_name_lists_what_there_is(capsys):
    status, out, _ = call(capsys)
    assert status == 0
    assert out.splitlines()[1].startswith("paths")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("nothing",), "no benchmark 'nothing': choose from paths"),
        (("paths", "--sizes", "huge"), "Unknown size 'huge': choose from german, compas, census, wide"),
        (("paths", "--engines", "abacus"), "Unknown engine 'abacus': choose from python"),
        (("paths", "--repeats", "0"), "'repeats' is 0"),
        (("paths", "--repeats", "often"), "must be a whole number"),
        (("paths", "--out", "/nowhere/at/all.json"), "cannot be written"),
        (("paths", "--from", "/nowhere/at/all.json"), "cannot be read"),
    ],
)
def test_a_wrong_argument_is_one_sentence_and_exit_status_2(capsys, words, sentence):
    status, out, err = call(capsys, *words)
    assert (status, out) == (2, "")
    assert sentence in err
    assert err.count("\n") == 1


def test_a_file_of_something_else_is_refused(capsys, tmp_path):
    (tmp_path / "x.json").write_text('{"bench": "other"}')
    assert call(capsys, "paths", "--from", str(tmp_path / "x.json"))[0] == 2


def test_kept_results_are_shown_and_written_again_without_measuring(capsys, tmp_path, results):
    kept, again = tmp_path / "kept.json", tmp_path / "again.json"
    kept.write_text(json.dumps(results))
    status, out, _ = call(capsys, "paths", "--from", str(kept), "--out", str(again), "--json")
    assert status == 0
    assert json.loads(out) == results == json.loads(again.read_text())
    status, out, _ = call(capsys, "paths", "--from", str(kept))
    assert "census x10" in out
    assert "target: at least 300; met" in out
