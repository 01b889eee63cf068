"""No hostile file runs its command, writes anything, or takes its reader down: each ends in one sentence.

Most are read by forks of one warm process under the door's limits; one of each kind goes through the door itself.
"""

import os
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from fairneuron_core.formats.door import open_network
from fairneuron_core.formats.network_file import RefusedFile
from tests.formats import hostile, hostile_sizes
from tests.formats.examples import written
from tests.formats.harness import harness
from tests.formats.mutate import is_one_sentence

# Honest networks with something in the archive that nobody opens: reading them is no harm.
HARMLESS = {"keras with a pickle"}


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("hostile")


@pytest.fixture(scope="module")
def files(place, examples) -> dict[str, bytes]:
    """Every hostile file; each would touch `place/marker`."""
    marker = place / "marker"
    groups = {
        "bare pickle": hostile.pickles(marker),
        "torch": hostile.torch_files(marker),
        "": hostile.archives(marker, examples)
        | hostile.hdf5_files(marker, examples)
        | hostile.onnx_files(marker, examples),
        "bomb": hostile_sizes.zip_bombs(examples),
        "nested": hostile_sizes.nestings(examples),
        "header": hostile_sizes.tensor_headers(),
    }
    return {f"{group} {name}".strip(): content for group, found in groups.items() for name, content in found.items()}


@pytest.mark.parametrize("name", ["os.system", "builtins.eval", "builtins.exec", "getattr chain", "numpy reconstruct"])
def test_each_payload_does_run_its_command_when_python_unpickles_it(tmp_path, name):
    (tmp_path / "file").write_bytes(pickle.dumps(hostile.payloads(tmp_path / "marker")[name]))
    script = f"import pickle; pickle.load(open({str(tmp_path / 'file')!r}, 'rb'))"
    subprocess.run([sys.executable, "-c", script], check=False, capture_output=True)
    assert (tmp_path / "marker").exists()


def test_no_hostile_file_runs_its_command_and_each_ends_in_one_sentence(files, place):
    names = list(files)
    assert len(names) > 110
    folder = written({f"{at:03d}": files[name] for at, name in enumerate(names)}, place / "files")
    before = set(os.listdir(place))
    outcomes = {names[int(at)]: outcome for at, outcome in harness("read", folder).items()}
    assert not (place / "marker").exists()
    assert set(os.listdir(place)) == before
    wrong = {name: why for name, (kind, why) in outcomes.items() if kind != "refused" and name not in HARMLESS}
    assert wrong == {}
    assert {outcomes[name][0] for name in HARMLESS} == {"network"}
    assert not Path("/tmp/climbed").exists()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("bare pickle os.system", "bare Python pickle"),
        ("torch zip os.system", "wants to import posix.system"),
        ("torch old form getattr chain", "wants to import builtins.getattr, importlib.import_module"),
        ("torch program of torch.export", "program of torch.export"),
        ("torch torchscript", "TorchScript"),
        ("keras with a lambda layer", "never run"),
        ("skops of os.system", "os.system"),
        ("hdf5 external storage", "another file"),
        ("onnx data in /etc/passwd", "another file"),
        ("bomb 1000 to 1", "more than 100 times its packed size"),
        ("bomb climbing name", "outside its folder"),
        ("header header of 2**63 bytes", "damaged"),
    ],
)
def test_the_door_itself_refuses_one_of_each_kind(files, place, monkeypatch, tmp_path, name, words):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    # The name promises an honest file: content decides.
    with pytest.raises(RefusedFile) as refused:
        open_network(files[name], name="network.safetensors")
    assert words in str(refused.value)
    assert is_one_sentence(str(refused.value))
    assert list(tmp_path.iterdir()) == []
    assert not (place / "marker").exists()
