"""ONNX files: the graph is walked once, node by node, and becomes a stack of dense layers; nothing in it is run.

Every value on the way is a constant of the file, or the row itself with the steps that were done to it (a Flow), or a
decision. So branches that only work out a label fall away by themselves, and one chain of layers remains.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import onnx
from google.protobuf.message import DecodeError

from fairneuron_core.formats.archive import shown
from fairneuron_core.formats.limits import Limits
from fairneuron_core.formats.network_file import NetworkFile, RefusedFile
from fairneuron_core.formats.onnx_constants import evaluated, tensor
from fairneuron_core.formats.onnx_keys import NAMES, OURS
from fairneuron_core.formats.onnx_ops import FLOAT_TYPES, OPERATORS
from fairneuron_core.formats.onnx_values import Constant, Decision, Flow, Node, Value, class_names, is_rest
from fairneuron_core.formats.stacking import stacked

_DOMAINS = ("", "ai.onnx", "ai.onnx.ml")
_WHOLE_TYPES = (onnx.TensorProto.INT32, onnx.TensorProto.INT64)
_CONTROL = ("If", "Loop", "Scan", "SequenceMap")
_FROM_DECISIONS = ("ArrayFeatureExtractor", "Gather")


def parse_onnx(content: bytes, answers: Mapping[str, str]) -> NetworkFile:
    """Return the network of an ONNX file; RefusedFile names the node that no stack of dense layers can do."""
    model = _opened(content)
    values: dict[str, Value | None] = {"": None}
    values |= {stored.name: Constant(tensor(stored)) for stored in model.graph.initializer}
    fed = _input(model.graph, values)
    values[fed.name] = _first_flow(model.graph, fed, values)
    opsets = {entry.domain: int(entry.version) for entry in model.opset_import}
    for stored in model.graph.node:
        _walk(stored, values, opset=opsets.get("", opsets.get("ai.onnx", 1)))
    flow, classes = _score(model.graph, values)
    stack = stacked(flow.steps)
    pooled = f"Max-pooling was rewritten exactly as {flow.pooled} ReLU neurons." if flow.pooled else ""
    described = _metadata(model)
    return NetworkFile(
        "onnx",
        stack.layers,
        stack.head,
        input_names=_names(described.get(NAMES, ""), stack.layers[0].weight.shape[1]),
        classes=classes,
        warnings=(*stack.warnings, *((pooled,) if pooled else ())),
        described=described.get(OURS, ""),
    )


def _opened(content: bytes) -> onnx.ModelProto:
    try:
        model = onnx.ModelProto.FromString(content)
    except (DecodeError, ValueError, RecursionError) as error:
        raise RefusedFile("The file cannot be read as ONNX: it is damaged or cut off.") from error
    graph, most = model.graph, Limits().tensors
    if not graph.node:
        raise RefusedFile("The ONNX file holds no node: there is no network in it.")
    if len(graph.node) > 10 * most or len(graph.initializer) > most:
        raise RefusedFile(
            f"The ONNX file has {len(graph.node)} nodes and {len(graph.initializer)} tensors, more than the limits of "
            f"{10 * most} and {most}: it is not opened."
        )
    if graph.sparse_initializer:
        raise RefusedFile("The ONNX file holds sparse tensors, which are not read: export the network without them.")
    return model


def _input(graph: onnx.GraphProto, values: Mapping[str, Value | None]) -> onnx.ValueInfoProto:
    """The one input that nodes read; old files list their weights among the inputs too."""
    read = {name for node in graph.node for name in node.input}
    inputs = [entry for entry in graph.input if entry.name not in values and entry.name in read]
    if len(inputs) == 1:
        return inputs[0]
    names = ", ".join(f"'{shown(entry.name)}'" for entry in inputs[:10])
    raise RefusedFile(
        f"The network has {len(inputs)} inputs ({names or 'none is read'}), and one that holds all columns is needed: "
        "join the columns before the network and export it again."
    )


def _first_flow(graph: onnx.GraphProto, fed: onnx.ValueInfoProto, values: Mapping[str, Value | None]) -> Flow:
    """The input as a flow; a width that the file leaves open is the width of the first weights."""
    name, kind = shown(fed.name), fed.type.tensor_type
    if not fed.type.HasField("tensor_type") or kind.elem_type not in (*FLOAT_TYPES, *_WHOLE_TYPES):
        raise RefusedFile(f"The network's input '{name}' does not hold numbers: only encoded columns can be read.")
    sizes = [entry.dim_value if entry.HasField("dim_value") else 0 for entry in kind.shape.dim]
    if kind.HasField("shape") and len(sizes) < 2:
        raise RefusedFile(
            f"The network's input '{name}' has no axis for the rows: export it with an input of shape (rows, columns)."
        )
    shape = sizes[1:] or [0]
    if len(shape) == 1 and shape[0] < 1:
        shape = [_first_width(graph, fed.name, values)]
    if min(shape) < 1:
        raise RefusedFile(f"The network's input '{name}' leaves its shape open: export it with a fixed shape of a row.")
    return Flow((), tuple(shape))


def _first_width(graph: onnx.GraphProto, name: str, values: Mapping[str, Value | None]) -> int:
    follows = {name}
    for node in graph.node:
        if node.input and node.input[0] in follows:
            weight = values.get(node.input[1]) if len(node.input) > 1 else None
            if node.op_type in ("Gemm", "MatMul") and isinstance(weight, Constant) and weight.value.ndim == 2:
                turned = any(entry.name == "transB" and entry.i for entry in node.attribute)
                return int(weight.value.shape[1 if turned else 0])
            follows.update(node.output)
    return 0


def _walk(stored: onnx.NodeProto, values: dict[str, Value | None], *, opset: int) -> None:
    """Work out what one node puts out."""
    name = stored.name or (stored.output[0] if stored.output else "")
    words = f"The node '{shown(name)}' ({shown(stored.op_type)})"
    if stored.op_type in _CONTROL:
        raise RefusedFile(f"{words} chooses or repeats layers while the network runs: only a fixed chain can be read.")
    if stored.domain not in _DOMAINS:
        raise RefusedFile(
            f"{words} belongs to '{shown(stored.domain)}', which is no part of ONNX: export the network without "
            "custom operators and functions."
        )
    unknown = next((entry for entry in stored.input if entry not in values), None)
    if unknown is not None:
        raise RefusedFile(f"{words} reads '{shown(unknown)}', which nothing puts out: the file is damaged.")
    node = Node(stored.op_type, name, _attributes(stored), tuple(values[entry] for entry in stored.input), opset)
    for at, output in enumerate(stored.output):
        if output:
            # Masks and statistics beside the first output matter in training only.
            values[output] = _value(node) if at == 0 else Decision()


def _value(node: Node) -> Value:
    if any(isinstance(value, Decision) for value in node.inputs):
        labels = node.inputs[0]
        if node.op in _FROM_DECISIONS and isinstance(labels, Constant):
            return Decision(class_names(labels.value.ravel()[:3]))
        return Decision(next((value.classes for value in node.inputs if isinstance(value, Decision)), ()))
    if not any(isinstance(value, Flow) for value in node.inputs):
        return evaluated(node)
    if node.op not in OPERATORS:
        raise node.refused(
            "is not known here: networks of dense, convolution and pooling layers with ReLU, tanh or sigmoid can be "
            "read, and a softmax or sigmoid at the end"
        )
    return OPERATORS[node.op](node)


def _attributes(stored: onnx.NodeProto) -> dict[str, Any]:
    """The node's attributes as plain values; a graph inside it has no value here."""
    found: dict[str, Any] = {}
    for entry in stored.attribute:
        kind = onnx.AttributeProto.AttributeType.Name(entry.type) if entry.type else "UNDEFINED"
        if kind == "TENSOR":
            found[entry.name] = tensor(entry.t)
        elif kind in ("INT", "FLOAT"):
            found[entry.name] = entry.i if kind == "INT" else entry.f
        elif kind == "STRING":
            found[entry.name] = entry.s.decode("utf-8", "replace")
        elif kind in ("INTS", "FLOATS", "STRINGS"):
            found[entry.name] = list(getattr(entry, kind.lower()))
        else:
            raise RefusedFile(
                f"The node '{shown(stored.name)}' ({shown(stored.op_type)}) has an attribute '{shown(entry.name)}' "
                "that holds a graph or another unknown thing: only a fixed chain of layers can be read."
            )
    return found


def _score(graph: onnx.GraphProto, values: Mapping[str, Value | None]) -> tuple[Flow, tuple[str, ...]]:
    """The one output that is a score, and the names of the two classes where any output carries them."""
    outputs = [(entry.name, values.get(entry.name)) for entry in graph.output]
    classes = next((value.classes for _, value in outputs if isinstance(value, Flow | Decision) and value.classes), ())
    flows = {name: value for name, value in outputs if isinstance(value, Flow)}
    for name, flow in list(flows.items()):
        others = [other for other_name, other in flows.items() if other_name != name]
        if any(is_rest(flow, other) or _leads_to(flow, other) for other in others):
            del flows[name]
    if not flows:
        raise RefusedFile(
            "The network puts out decisions only, and no score they are made from: export it with its probabilities."
        )
    if len(flows) > 1:
        names = ", ".join(f"'{shown(name)}'" for name in list(flows)[:10])
        raise RefusedFile(f"The network has several outputs ({names}): export it with the one that is to be audited.")
    return next(iter(flows.values())), classes


def _leads_to(one: Flow, other: Flow) -> bool:
    """Say whether `other` is `one` with steps behind it (a logit beside its probability), or the same once more."""
    shorter = len(one.steps) < len(other.steps) or one is not other
    return (
        len(one.steps) <= len(other.steps)
        and shorter
        and all(a is b for a, b in zip(one.steps, other.steps, strict=False))
    )


def _metadata(model: onnx.ModelProto) -> dict[str, str]:
    return {entry.key: entry.value for entry in model.metadata_props}


def _names(text: str, width: int) -> tuple[str, ...]:
    """Names of the inputs as a JSON list in the metadata; none unless there is one text per input."""
    try:
        names = json.loads(text) if text else []
    except (ValueError, RecursionError):
        return ()
    fits = isinstance(names, list) and len(names) == width and all(isinstance(name, str) for name in names)
    return tuple(shown(name) for name in names) if fits else ()
