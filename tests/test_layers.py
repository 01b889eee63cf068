"""Arrows point down: every unit has a rank, imports go to lower ranks only, and the core never imports streamlit."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
RANKS = {
    "fairneuron_core.errors": 0,
    "fairneuron_core.types": 1,
    "fairneuron_core.params": 1,
    "fairneuron_core.workspace": 1,
    "fairneuron_core.formats": 2,
    "fairneuron_core.data": 3,
    "fairneuron_core.models": 3,
    "fairneuron_core.metrics": 3,
    "fairneuron_core.store": 3,
    "fairneuron_core.paths": 4,
    "fairneuron_core.verify": 4,
    "fairneuron_core.repair": 5,
    "fairneuron_core.experiments": 6,
    "fairneuron_core.jobs": 7,
    "fairneuron_core.runs": 8,
    "fairneuron_core.report": 8,
    "fairneuron_core.bench": 8,
    "fairneuron_core.cli": 9,
    "pages.ui": 10,
    "pages": 11,
    "app": 12,
}
FILES = sorted([ROOT / "app.py", *(ROOT / "pages").rglob("*.py"), *(ROOT / "fairneuron_core").rglob("*.py")])


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def unit_of(module: str) -> str | None:
    matches = [unit for unit in RANKS if module == unit or module.startswith(unit + ".")]
    return max(matches, key=len, default=None)


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_to_lower_ranks_or_stay_in_their_unit(path):
    own = unit_of(module_of(path))
    if module_of(path) == "fairneuron_core":
        return
    assert own is not None, f"{path} belongs to no unit: give it a rank"
    for name in imports_of(path):
        other = unit_of(name)
        if other and other != own:
            assert RANKS[other] < RANKS[own], f"{path.name} of {own} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_only_pages_and_app_import_streamlit(path):
    if not module_of(path).startswith("fairneuron_core"):
        return
    assert not any(name.split(".")[0] == "streamlit" for name in imports_of(path))


def test_session_state_has_one_user():
    users = [p.name for p in (ROOT / "pages").rglob("*.py") if "st.session_state" in p.read_text(encoding="utf-8")]
    assert users == ["state.py"]


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_files_stay_under_300_lines(path):
    assert path.read_text(encoding="utf-8").count("\n") < 300
