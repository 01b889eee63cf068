"""The door: a process of its own reads the file, within limits, and what it says is checked again."""

import json
import os
import random
import subprocess
import sys
import time

import numpy as np
import pytest

from fairneuron_core.errors import SettingError
from fairneuron_core.formats import door
from fairneuron_core.formats.answer import UNREADABLE, answer_of, read_answer, refusal_answer
from fairneuron_core.formats.door import open_network
from fairneuron_core.formats.limits import Limits, limits_in_force
from fairneuron_core.formats.network_file import NetworkFile, Question, RefusedFile
from fairneuron_core.formats.plain_tensors import read_tensors, write_tensors
from fairneuron_core.types import LinearLayer
from tests.formats.examples import torch_examples
from tests.formats.mutate import is_one_sentence

SMALL = write_tensors({}, {"a.weight": np.float32([[1, 2, 3]]), "a.bias": np.float32([0.5])})


@pytest.fixture(scope="module")
def examples() -> dict[str, bytes]:
    return torch_examples()


def found() -> NetworkFile:
    first = LinearLayer(np.float32([[1, 2], [3, 4], [5, 6]]), np.float32([0, 0, 1]), "relu")
    last = LinearLayer(np.float32([[1, 0, -1], [0, 1, 0]]), np.float32([0.5, 0]), "identity")
    question = Question("activation", "Which one?", ("relu", "tanh"))
    return NetworkFile(
        "onnx", (first, last), "softmax", ("age", "sex"), ("no", "yes"), ("A warning.",), (question,), '{"a": 1}'
    )


def test_our_own_file_comes_through_the_door_with_its_metadata(examples):
    network = open_network(examples["safetensors.own"], name="a name that says nothing")
    assert (network.form, network.sizes) == ("safetensors", (5, 4, 1))
    assert [column["name"] for column in json.loads(network.described)["encoder"]["columns"]] == list("abcde")


def test_an_answered_question_is_no_question_any_more(examples):
    asked = open_network(examples["torch.state"], name="x").questions
    assert [question.name for question in asked] == ["activation", "batch_norm"]
    answers = {"activation": "tanh", "batch_norm": "before"}
    network = open_network(examples["torch.state"], name="x", answers=answers)
    assert (network.questions, network.layers[0].activation) == ((), "tanh")
    with pytest.raises(RefusedFile, match="more or longer answers"):
        open_network(examples["torch.state"], name="x", answers={"activation": "x" * 1000})


def test_a_path_is_read_when_it_is_a_regular_file(tmp_path):
    (tmp_path / "net").write_bytes(SMALL)
    assert open_network(tmp_path / "net", name="net").sizes == (3, 1)
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "missing", tmp_path / "a\0b"):
        with pytest.raises(RefusedFile, match=r"cannot be opened|folder, pipe or device") as refused:
            open_network(path, name="net")
        assert is_one_sentence(str(refused.value))


def test_the_size_limit_is_a_setting_and_named_in_the_refusal(monkeypatch):
    monkeypatch.setenv("FAIRNEURON_MAX_MODEL_MB", "0.0001")
    with pytest.raises(RefusedFile, match=r"has 0\.0 MB, more than the limit of 0\.0001 MB.*FAIRNEURON_MAX_MODEL_MB"):
        open_network(SMALL, name="net")
    assert limits_in_force({}) == Limits()
    assert limits_in_force({"FAIRNEURON_MAX_MODEL_MB": "1000"}).memory_mb == 10_000
    for text in ("many", "0", "-3", "nan", "inf"):
        with pytest.raises(SettingError, match="number of megabytes above 0"):
            limits_in_force({"FAIRNEURON_MAX_MODEL_MB": text})


def test_a_process_that_takes_too_long_is_stopped():
    started = time.monotonic()
    with pytest.raises(RefusedFile, match=r"took more than 0\.01 s, the limit for one file"):
        open_network(SMALL, name="net", limits=Limits(seconds=0.01))
    assert time.monotonic() - started < 5


def test_a_file_that_fills_the_memory_is_refused_with_the_limit():
    content = write_tensors({}, {"a.weight": np.zeros((30, 1_000_000), np.float32)})
    with pytest.raises(RefusedFile, match=r"needed more than 0\.586 GB of memory"):
        open_network(content, name="net", limits=Limits(memory_mb=600))


def test_a_process_without_room_for_its_libraries_ends_in_a_sentence():
    with pytest.raises(RefusedFile, match=r"memory|crashed"):
        open_network(SMALL, name="net", limits=Limits(memory_mb=20))


@pytest.mark.parametrize(
    ("said", "ended", "words"),
    [
        (b"", door.Ended(-11, False, False), "crashed"),
        (b"", door.Ended(0, False, False), "crashed"),
        (b"some words", door.Ended(0, False, False), "no sensible answer"),
        (b"", door.Ended(-9, True, False), "took more than 30 s"),
        (b"", door.Ended(-24, False, False), "took more than 30 s"),
        (b"x", door.Ended(-9, False, True), "more numbers than it can hold"),
    ],
)
def test_every_end_of_the_process_has_its_sentence(said, ended, words):
    with pytest.raises(RefusedFile, match=words) as refused:
        door.judged(said, ended, Limits())
    assert is_one_sentence(str(refused.value))


def test_an_endless_answer_is_read_up_to_the_limit_only():
    with open("/dev/zero", "rb") as endless:
        assert len(door.read_at_most(endless, 3_000_000)) == 3_000_000


def test_the_process_knows_no_secrets_of_this_one(monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "x")
    monkeypatch.setenv("HTTPS_PROXY", "http://x")
    assert not {"SECRET_KEY", "HTTPS_PROXY"} & set(door.environment())


def test_reading_safetensors_and_torch_files_imports_no_large_library():
    script = (
        "import sys; from fairneuron_core.formats.child import prepare; prepare('safetensors'); prepare('torch');"
        "print({'torch', 'pandas', 'onnx', 'h5py', 'keras', 'sklearn', 'scipy', 'safetensors'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


ATTEMPTS = {
    "read a file": "open('/etc/passwd')",
    "write a file": "open('marker', 'w')",
    "open a number": "import os; os.open('marker', os.O_CREAT | os.O_WRONLY)",
    "run a command": "import os; os.system('touch marker')",
    "start a process": "import subprocess; subprocess.Popen(['touch', 'marker'])",
    "become a process": "import os; os.execv('/usr/bin/touch', ['touch', 'marker'])",
    "fork": "import os; os._exit(0) if os.fork() == 0 else None",
    "spawn": "import os; os.posix_spawn('/usr/bin/touch', ['touch', 'marker'], {})",
    "make a folder": "import os; os.mkdir('marker')",
    "rename": "import os; os.rename('kept', 'marker')",
    "remove": "import os; os.remove('kept')",
    "connect": "import socket; socket.create_connection(('127.0.0.1', 9))",
    "socket": "import socket; socket.socket()",
    "call C": "import ctypes; ctypes.CDLL(None)",
    "run text": "eval('1 + 1')",
    "run code": "exec('x = 1')",
    "build code": "import types; types.CodeType",
    "unmarshal": "import marshal; marshal.loads(b'N')",
    "unpickle a name": "import pickle; pickle.loads(b'cos\\nsystem\\n.')",
    "import": "import turtle",
    "lift the limit": "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))",
}


def test_behind_the_locked_door_nothing_can_be_opened_run_or_sent(tmp_path):
    """The attempts are compiled before the door is locked, as a parser's own code is; none gets through."""
    (tmp_path / "kept").write_text("kept")
    script = f"""
import ctypes, json, marshal, os, pickle, resource, socket, subprocess, sys, types
from fairneuron_core.formats.limits import Limits, limit_resources, lock
attempts = {ATTEMPTS!r}
made = {{}}
for name, text in attempts.items():
    exec("def attempt():\\n    " + text, made)
    attempts[name] = made["attempt"]
channel = os.dup(1)
limit_resources(Limits())
refused = lock(channel)
got_through = []
for name, attempt in attempts.items():
    try:
        attempt()
    except Exception:
        continue
    got_through.append(name)
os.write(channel, json.dumps([got_through, refused]).encode())
os._exit(0)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, check=False)
    got_through, refused = json.loads(done.stdout)
    # Naming the type of code objects is no harm, and the control that the attempts are made at all.
    assert got_through == ["build code"], done.stderr
    assert {"open", "os.system", "subprocess.Popen", "exec", "marshal.loads", "pickle.find_class"} <= set(refused)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept"]


def test_an_answer_comes_back_as_it_was_given():
    again = read_answer(answer_of(found()), Limits())
    assert [(layer.weight.tolist(), layer.bias.tolist(), layer.activation) for layer in again.layers] == [
        (layer.weight.tolist(), layer.bias.tolist(), layer.activation) for layer in found().layers
    ]
    for name in ("form", "head", "input_names", "classes", "warnings", "questions", "described"):
        assert getattr(again, name) == getattr(found(), name)
    assert again.layers[0].weight.flags.writeable


@pytest.mark.parametrize(
    "change",
    [
        lambda d, t: d.update(head="sign"),
        lambda d, t: d.update(activations=["relu", "relu"]),
        lambda d, t: d.update(activations=["relu", "exec"]),
        lambda d, t: d.update(activations=["identity"]),
        lambda d, t: d.update(activations=[]),
        lambda d, t: d.update(input_names=["one"]),
        lambda d, t: d.update(classes=["one", "two", "three"]),
        lambda d, t: d.update(warnings=["w"] * 1000),
        lambda d, t: d.update(warnings=[3]),
        lambda d, t: d.update(questions=[["a"]]),
        lambda d, t: d.update(described={"a": 1}),
        lambda d, t: d.pop("head"),
        lambda d, t: t.pop("weight1"),
        lambda d, t: t.update(weight0=np.full((3, 2), np.nan)),
        lambda d, t: t.update(weight0=np.zeros((4, 2))),
        lambda d, t: t.update(bias0=np.zeros((3, 1))),
        lambda d, t: t.update(weight1=np.zeros((0, 3)), bias1=np.zeros(0)),
    ],
)
def test_an_answer_that_no_honest_process_gives_is_not_believed(change):
    metadata, tensors = read_tensors(answer_of(found()))
    described = json.loads(metadata["found"])
    change(described, tensors)
    with pytest.raises(RefusedFile, match="no sensible answer"):
        read_answer(write_tensors({"found": json.dumps(described)}, tensors), Limits())


def test_an_answer_changed_in_any_byte_is_a_network_or_a_sentence():
    content, chance, endings = answer_of(found()), random.Random(0), set()
    for _ in range(500):
        changed = bytearray(content)
        changed[chance.randrange(len(changed))] = chance.randrange(256)
        endings.add(ending_of(bytes(changed)))
    assert endings == {"(2, 3, 2)", UNREADABLE}


def ending_of(answer: bytes) -> str:
    try:
        return str(read_answer(answer, Limits()).sizes)
    except RefusedFile as refusal:
        return str(refusal)


def test_a_refusal_is_shown_on_one_line_whatever_the_process_wrote():
    with pytest.raises(RefusedFile) as refused:
        read_answer(refusal_answer("one\ntwo\x1b[31m" + "x" * 9000), Limits())
    assert str(refused.value).startswith("one two [31mxxx")
    assert len(str(refused.value)) <= 2000
