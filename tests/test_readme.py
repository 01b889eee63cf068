"""What the README promises can be typed: its Python runs, its commands parse, its links lead somewhere."""

import re
import shlex
from pathlib import Path

from fairneuron_core.cli.main import build_parser

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_six_lines_of_python_run_and_give_a_gap_and_a_comparison(empty_workspace):
    code = re.search(r"```python\n(.*?)```", README, re.DOTALL).group(1)
    assert len(code.strip().splitlines()) == 6
    found: dict = {}
    exec(code, found)
    assert 0 <= found["gap"]["low"] <= found["gap"]["value"] <= found["gap"]["high"]
    assert found["after"]["accuracy"]["before"]["n"] == 200


def test_the_lines_of_shell_parse():
    block = README.split("six lines of shell")[1].split("```")[1]
    lines = [shlex.split(line)[1:] for line in block.strip().splitlines()]
    assert len(lines) == 6
    assert [build_parser(words[0]).parse_args(words).command for words in lines] == [words[0] for words in lines]


def test_every_link_and_picture_of_the_readme_exists():
    targets = [t for t in re.findall(r"\]\(([^)#]+)\)", README) if not t.startswith("http")]
    assert targets
    assert [t for t in targets if not (ROOT / t).exists()] == []
