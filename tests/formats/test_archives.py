"""Zip archives: members are read as they are, and an archive that could do harm is not opened."""

import io
import zipfile

import pytest

from fairneuron_core.formats.archive import names_in, open_archive, shown
from fairneuron_core.formats.limits import Limits
from fairneuron_core.formats.network_file import RefusedFile
from tests.formats.hostile import changed_zip, zipped


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_members_are_read_as_they_were_written(packing):
    members = {"a/b.txt": b"some text " * 50, "a/c": b"", "überschrift": b"x"}
    archive = open_archive(zipped(members, packing))
    assert archive.names == tuple(members)
    assert {name: archive.read(name) for name in archive.names} == members
    assert "a/c" in archive


def test_a_missing_member_and_a_damaged_one_end_in_a_sentence():
    content = zipped({"a": b"some text", "b": b"x"})
    with pytest.raises(RefusedFile, match="no member 'c'"):
        open_archive(content).read("c")
    damaged = content.replace(b"some text", b"some_text")
    with pytest.raises(RefusedFile, match="'a' of the archive cannot be read"):
        open_archive(damaged).read("a")


def test_an_archive_that_unpacks_to_more_than_the_limit_is_not_opened():
    content = zipped({"a": bytes(600_000), "b": bytes(600_000)})
    assert open_archive(content, Limits(unpacked_mb=2)).names == ("a", "b")
    with pytest.raises(RefusedFile, match="unpacks to 1 MB, more than the limit of 1 MB"):
        open_archive(content, Limits(unpacked_mb=1))


def test_a_small_member_may_be_packed_as_tightly_as_it_can():
    assert open_archive(zipped({"a": bytes(900_000)}, zipfile.ZIP_DEFLATED)).read("a") == bytes(900_000)


def test_names_outside_the_folder_are_refused_and_dots_inside_one_are_not():
    assert open_archive(zipped({"archive/.data/..serial": b"x"})).names == ("archive/.data/..serial",)
    for name in ("../a", "/a", "a/../../b", "a\\b", "C:a", "..", "a/" * 80 + "b"):
        with pytest.raises(RefusedFile, match=r"outside its folder|folders"):
            open_archive(zipped({name: b"x"}))


def test_names_are_listed_for_zip_archives_only():
    assert names_in(zipped({"a": b"", "b": b""})) == ("a", "b")
    for content in (b"", b"PK\x03\x04", b"text", b"x" + zipped({"a": b""}), zipped({"a": b""})[:-1]):
        assert names_in(content) == ()


def test_the_archives_of_torch_open_without_a_complaint():
    import torch

    stream = io.BytesIO()
    torch.save({"a": torch.zeros(3)}, stream)
    assert open_archive(stream.getvalue()).read("archive/data/0") == bytes(12)


def test_a_name_is_shown_on_one_line_and_not_at_length():
    assert shown("a\nb\u202ec") == "a?b?c"
    assert shown("é" * 100) == "é" * 77 + "..."


def test_an_archive_with_something_changed_in_it_keeps_the_rest():
    assert open_archive(changed_zip(zipped({"a": b"1", "b": b"2"}), {"b": b"3"})).read("a") == b"1"
