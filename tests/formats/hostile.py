"""Builders of hostile files. Every command in them would create a marker file, were anything to run it."""

from __future__ import annotations

import base64
import builtins
import importlib
import io
import json
import marshal
import os
import pickle
import shlex
import struct
import subprocess
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tests.formats.examples import torch_bytes


class Runs:
    """An object whose unpickling calls a function with arguments; it may itself stand for the function."""

    def __init__(self, function: object, *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> object:
        return self.call

    def __call__(self) -> None:
        """Only there so that it may stand in the place of a function."""


def payloads(marker: Path) -> dict[str, object]:
    """Return objects that create the marker when they are unpickled, one for each way to a command."""
    touch = f"touch {shlex.quote(str(marker))}"
    module = Runs(importlib.import_module, "os")
    holder = np.empty(1, dtype=object)
    holder[0] = Runs(os.system, touch)
    return {
        "os.system": Runs(os.system, touch),
        "builtins.eval": Runs(builtins.eval, f"open({str(marker)!r}, 'w')"),
        "builtins.exec": Runs(builtins.exec, f"open({str(marker)!r}, 'w').close()"),
        "subprocess.Popen": Runs(subprocess.Popen, ["touch", str(marker)]),
        "getattr chain": Runs(Runs(getattr, module, "system"), touch),
        "numpy reconstruct": holder,
    }


def pickles(marker: Path) -> dict[str, bytes]:
    """Bare pickles of every payload, and of one of them in every protocol."""
    found = {name: pickle.dumps(payload) for name, payload in payloads(marker).items()}
    return found | {f"protocol {p}": pickle.dumps(payloads(marker)["os.system"], p) for p in range(6)}


def torch_files(marker: Path) -> dict[str, bytes]:
    """torch.save of every payload among honest weights in both forms, and payloads in the places torch reads first."""
    import torch

    found = {}
    for name, payload in payloads(marker).items():
        state = {"0.weight": torch.zeros(1, 3), "0.bias": torch.zeros(1), "note": payload}
        found[f"zip {name}"] = torch_bytes(state)
        found[f"old form {name}"] = torch_bytes(state, _use_new_zipfile_serialization=False)
    payload = payloads(marker)["os.system"]
    honest = torch_bytes({"0.weight": torch.zeros(1, 3)})
    found["storage id"] = zipped({"archive/data.pkl": _with_persistent_id(payload), "archive/data/0": b"\0" * 12})
    found["object array as storage"] = changed_zip(honest, {"archive/data/0": object_array(marker)})
    found["torchscript"] = zipped(
        {
            "net/data.pkl": pickle.dumps(payload, 2),
            "net/constants.pkl": pickle.dumps(payload, 2),
            "net/code/__torch__.py": b"import os",
            "net/version": b"3\n",
        }
    )
    program = {
        "net/archive_format": b"pt2",
        "net/archive_version": b"0",
        "net/models/model.json": b"{}",
        "net/data/weights/model.pt": torch_bytes(payload),
        "net/data/sample_inputs/model.pt": torch_bytes(payload),
    }
    found["program of torch.export"] = zipped(program)
    found["early program of torch.export"] = zipped(
        {
            "version": b"5.1",
            "serialized_exported_program.json": b"{}",
            "serialized_example_inputs.pt": torch_bytes(payload),
        }
    )
    found["program with data.pkl"] = zipped(program | {"net/data.pkl": pickle.dumps(payload, 2)})
    return found


def archives(marker: Path, examples: Mapping[str, bytes]) -> dict[str, bytes]:
    """Pickles and object arrays inside zip archives: plain ones, .npz, .keras and .skops."""
    bare, array = pickle.dumps(payloads(marker)["os.system"]), object_array(marker)
    keras, skops = examples["keras.network"], examples["skops.network"]
    first = next(name for name in members_of(skops) if name.endswith(".npy"))
    schema = json.loads(members_of(skops)["schema.json"])
    return {
        "pickle in a zip": zipped({"model.pkl": bare}),
        "pickle as the zip's data.pkl": zipped({"data.pkl": bare, "archive/data.pkl": bare}),
        "npy": array,
        "npz": zipped({"weights.npy": array}),
        "keras with a pickle": changed_zip(keras, {"assets/model.pkl": bare}),
        "keras with a pickle as weights": changed_zip(keras, {"model.weights.h5": bare}),
        "keras with an array as weights": changed_zip(keras, {"model.weights.h5": array}),
        "keras with a lambda layer": changed_zip(keras, {"config.json": _lambda_layer(marker, keras)}),
        "keras with a foreign class": changed_zip(keras, {"config.json": _foreign_class(keras)}),
        "skops with an object array": changed_zip(skops, {first: array}),
        "skops with a pickle": changed_zip(skops, {first: bare}),
        "skops of os.system": changed_zip(
            skops, {"schema.json": json.dumps(schema | {"__module__": "os", "__class__": "system"}).encode()}
        ),
        "skops of a function": changed_zip(
            skops,
            {
                "schema.json": json.dumps(
                    schema | {"__class__": "system", "__module__": "os", "__loader__": "FunctionNode", "content": {}}
                ).encode()
            },
        ),
    }


def hdf5_files(marker: Path, examples: Mapping[str, bytes]) -> dict[str, bytes]:
    """A Keras file whose weights lie elsewhere, or which carries a pickle or a Lambda layer."""
    import h5py

    secret = marker.with_name("secret")
    secret.write_bytes(np.ones(64, np.float32).tobytes())
    other = marker.with_name("other.h5")
    with h5py.File(other, "w") as file:
        file["x"] = np.ones((5, 4), np.float32)

    def external(file: h5py.File, path: str, shape: tuple[int, ...]) -> None:
        file.create_dataset(path, shape, np.float32, external=[(str(secret), 0, h5py.h5f.UNLIMITED)])

    def link(file: h5py.File, path: str, _: tuple[int, ...]) -> None:
        file[path] = h5py.ExternalLink(str(other), "/x")

    def soft(file: h5py.File, path: str, _: tuple[int, ...]) -> None:
        file[path] = h5py.SoftLink(path)

    def elsewhere(file: h5py.File, path: str, shape: tuple[int, ...]) -> None:
        layout = h5py.VirtualLayout(shape=shape, dtype=np.float32)
        layout[...] = h5py.VirtualSource(str(other), "x", shape=shape)
        file.create_virtual_dataset(path, layout)

    def big(file: h5py.File, path: str, _: tuple[int, ...]) -> None:
        file.create_dataset(path, (100_000, 100_000), np.float32, chunks=(1000, 1000), compression="gzip", fillvalue=1)

    ways = {"external storage": external, "external link": link, "circle": soft, "virtual": elsewhere, "bomb": big}
    found = {f"hdf5 {name}": _changed_hdf5(examples["keras_h5.network"], way) for name, way in ways.items()}
    weights = members_of(examples["keras.network"])["model.weights.h5"]
    for name in ("external storage", "external link", "bomb"):
        inner = _changed_hdf5(weights, ways[name])
        found[f"keras with hdf5 {name}"] = changed_zip(examples["keras.network"], {"model.weights.h5": inner})
    code = base64.b64encode(marshal.dumps(compile("open('x', 'w')", "x", "eval"))).decode()
    layer = {"class_name": "Lambda", "config": {"name": "l", "function": [code, None, None]}}
    found["hdf5 endless heap"] = _endless_heap(examples["keras_h5.network"])
    found["hdf5 lambda layer"] = _with_attribute(examples["keras_h5.network"], layer)
    return found


def onnx_files(marker: Path, examples: Mapping[str, bytes]) -> dict[str, bytes]:
    """Weights that lie in other files, a pickle under the name of ONNX, and messages nested out of measure."""
    import onnx

    secret = marker.with_name("secret")
    found = {"pickle": pickle.dumps(payloads(marker)["os.system"])}
    for place in ("/etc/passwd", "../../../../../../etc/passwd", str(secret), "secret"):
        model = onnx.ModelProto.FromString(examples["onnx.pipeline"])
        for stored in model.graph.initializer:
            stored.ClearField("raw_data")
            stored.ClearField("float_data")
            stored.data_location = onnx.TensorProto.EXTERNAL
            stored.external_data.add(key="location", value=place)
        found[f"onnx data in {place}"] = model.SerializeToString()
    deep = b""
    for _ in range(3000):
        # GraphProto.node (1) > NodeProto.attribute (5) > AttributeProto.g (6) > GraphProto ...
        for tag in (b"\x32", b"\x2a", b"\x0a"):
            deep = tag + _varint(len(deep)) + deep
    found["onnx nested"] = b"\x08\x08\x3a" + _varint(len(deep)) + deep
    found["onnx endless length"] = b"\x08\x08\x3a" + b"\xff" * 9 + b"\x01"
    return found


def object_array(marker: Path) -> bytes:
    """Return a .npy file of objects: a pickle behind a header."""
    stream = io.BytesIO()
    np.save(stream, payloads(marker)["numpy reconstruct"], allow_pickle=True)
    return stream.getvalue()


def zipped(members: Mapping[object, bytes], packing: int = zipfile.ZIP_STORED) -> bytes:
    """Return a zip archive of these members."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", packing) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def changed_zip(content: bytes, members: Mapping[object, bytes], packing: int = zipfile.ZIP_STORED) -> bytes:
    """Return the archive with these members put in, in the place of those of the same name."""
    return zipped(members_of(content) | dict(members), packing)


def members_of(content: bytes) -> dict[object, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _with_persistent_id(payload: object) -> bytes:
    """A pickle whose persistent id, which torch asks its storages for, holds the payload."""

    class Pickler(pickle.Pickler):
        def persistent_id(self, value: object) -> object:
            return ("storage", payload, "0", "cpu", 3) if value is marked else None

    marked = object()
    stream = io.BytesIO()
    Pickler(stream, 2).dump({"0.weight": marked})
    return stream.getvalue()


def _lambda_layer(marker: Path, keras: bytes) -> bytes:
    code = base64.b64encode(marshal.dumps(compile(f"open({str(marker)!r}, 'w')", "x", "eval"))).decode()
    function = {"class_name": "__lambda__", "config": {"code": code, "defaults": None, "closure": None}}
    return _with_layer(keras, {"module": "keras.layers", "class_name": "Lambda", "config": {"function": function}})


def _foreign_class(keras: bytes) -> bytes:
    layer = {"module": "os", "class_name": "system", "registered_name": "os>system", "config": {"command": "true"}}
    return _with_layer(keras, layer)


def _with_layer(keras: bytes, layer: dict[str, object]) -> bytes:
    config = json.loads(members_of(keras)["config.json"])
    config["config"]["layers"].insert(1, layer)
    return json.dumps(config).encode()


def _changed_hdf5(content: bytes, way: object) -> bytes:
    """The file with its first matrix replaced; written to a folder, since not all of this works in memory."""
    import h5py

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.h5"
        path.write_bytes(content)
        with h5py.File(path, "r+") as file:
            found: list[tuple[str, tuple[int, ...]]] = []
            file.visititems(
                lambda name, node: (
                    found.append((name, node.shape))
                    if isinstance(node, h5py.Dataset) and len(node.shape) == 2
                    else None
                )
            )
            name, shape = found[0]
            del file[name]
            way(file, f"/{name}", shape)
        return path.read_bytes()


def _endless_heap(content: bytes) -> bytes:
    """The first text is so long that its end wraps round to its start: HDF5 itself would walk on the spot for ever."""
    at = content.index(b"GCOL") + 24
    return content[:at] + struct.pack("<Q", 2**64 - 16) + content[at + 8 :]


def _with_attribute(content: bytes, layer: dict[str, object]) -> bytes:
    import h5py

    stream = io.BytesIO(content)
    with h5py.File(stream, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        config["config"]["layers"].insert(1, layer)
        file.attrs["model_config"] = json.dumps(config)
    return stream.getvalue()


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])
