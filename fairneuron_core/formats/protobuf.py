"""How an ONNX file is told from other bytes without its library: the outermost fields of the message ModelProto."""

from __future__ import annotations

_VARINT, _BYTES = 0, 2
# Number and kind of the fields of ModelProto: ir_version, producer_name, ..., graph (7), opset_import, ..., functions.
_FIELDS = {
    1: _VARINT,
    2: _BYTES,
    3: _BYTES,
    4: _BYTES,
    5: _VARINT,
    6: _BYTES,
    7: _BYTES,
    8: _BYTES,
    14: _BYTES,
    20: _BYTES,
    25: _BYTES,
    26: _BYTES,
}
_GRAPH = 7
_LATEST_IR = 100
_MOST_FIELDS = 1000


def is_onnx_model(content: bytes) -> bool:
    """Say whether the content starts like an ONNX model: a version, known fields, and a graph among them.

    Fields are stepped over and never opened, and a file that is cut off inside its graph still counts.
    """
    # The version comes first wherever a library writes the file; a safetensors length has zeros further on.
    if len(content) < 2 or content[0] != 0x08 or not 1 <= content[1] <= _LATEST_IR:
        return False
    at = 0
    for _ in range(_MOST_FIELDS):
        tag, at = _varint(content, at)
        number, kind = tag >> 3, tag & 7
        if _FIELDS.get(number) != kind:
            return False
        if number == _GRAPH:
            return True
        value, at = _varint(content, at)
        at += value if kind == _BYTES else 0
        if at >= len(content):
            return False
    return False


def _varint(content: bytes, at: int) -> tuple[int, int]:
    """The number at `at` and where the next thing starts; (0, end), which is no field, when it is cut off."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(content):
            break
        value |= (content[at] & 0x7F) << shift
        at += 1
        if content[at - 1] < 0x80:
            return value, at
    return 0, len(content)
