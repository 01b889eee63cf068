"""The folder of tables on the server: what is in it is offered, what is not cannot be reached."""

from __future__ import annotations

import pytest

from fairneuron_core.data.server_files import server_file, server_files
from fairneuron_core.errors import DataError, SettingError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    inside, outside = tmp_path / "tables", tmp_path / "private"
    (inside / "more").mkdir(parents=True)
    outside.mkdir()
    for path in (inside / "a.csv", inside / "more" / "b.parquet", inside / "notes.docx", inside / ".hidden.csv"):
        path.write_text("x")
    (outside / "secret.csv").write_text("x")
    (inside / "link.csv").symlink_to(outside / "secret.csv")
    (inside / "folder").symlink_to(outside)
    (inside / "again.csv").symlink_to(inside / "a.csv")
    monkeypatch.setenv("FAIRNEURON_DATA_DIR", str(inside))
    return inside


def test_tables_of_the_folder_are_offered_and_links_out_of_it_are_not(folder):
    assert server_files() == ["a.csv", "again.csv", "more/b.parquet"]
    assert server_file("more/b.parquet") == folder.resolve() / "more" / "b.parquet"


@pytest.mark.parametrize(
    "name",
    ["../private/secret.csv", "link.csv", "folder/secret.csv", "/etc/passwd", "notes.docx", "more", "", "a\x00.csv"],
)
def test_nothing_outside_the_folder_can_be_reached(folder, name):
    with pytest.raises(DataError, match="There is no table"):
        server_file(name)


def test_without_the_variable_nothing_is_offered(monkeypatch):
    monkeypatch.delenv("FAIRNEURON_DATA_DIR", raising=False)
    assert server_files() == []
    with pytest.raises(DataError, match=r"There is no table 'a\.csv'"):
        server_file("a.csv")


@pytest.mark.parametrize("named", ["tables", "/no/such/folder"])
def test_a_folder_that_is_none_is_said(monkeypatch, named):
    monkeypatch.setenv("FAIRNEURON_DATA_DIR", named)
    with pytest.raises(SettingError, match="FAIRNEURON_DATA_DIR is"):
        server_files()
