"""A pickle read as a description: nothing in it is ever called, imported or built.

A pickle is a small program for a stack machine. This machine knows the same instructions, but where Python's own would
import something it puts down the name, and where that would call something it notes what was asked for:

    Name     "torch._utils._rebuild_tensor_v2"
    Made     what would have been made: by whom, from which arguments, with which state and items
    Stored   a reference to a storage beside the pickle

What comes out is a tree of these and of plain values. Whoever reads the tree decides which names it understands; so a
file that wants to run a command is a tree with a strange name in it, and no more.
"""

from __future__ import annotations

import io
import pickletools
import struct
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fairneuron_core.formats.network_file import RefusedFile

# A thousand tensors with their optimizer need some hundred thousand instructions.
_MOST_INSTRUCTIONS = 300_000
_PLAIN_KEYS = (str, int, float, bool, bytes, type(None))
_MARK = object()


@dataclass(frozen=True, eq=False)
class Name:
    """Something the pickle wanted to import."""

    text: str


@dataclass(eq=False)
class Made:
    """Something the pickle wanted to make; `items` was put into it by key, `values` in a row."""

    maker: Any
    arguments: Any = ()
    state: Any = None
    items: dict[Any, Any] = field(default_factory=dict)
    values: list[Any] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Stored:
    """A persistent id: what a storage or class beside the pickle is called."""

    key: Any


@dataclass(frozen=True)
class Pickled:
    """One pickle: its tree, and every name it wanted to import, in order."""

    value: Any
    names: tuple[str, ...]


def read_pickle(stream: io.BytesIO) -> Pickled:
    """Read one pickle from where the stream stands to its end; RefusedFile when it is damaged or too long."""
    machine = _Machine()
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(stream)):
            if count > _MOST_INSTRUCTIONS:
                raise RefusedFile(f"The pickle in the file has more than {_MOST_INSTRUCTIONS} instructions: too many.")
            machine.step(opcode.name, argument)
        value = machine.pop()
    except (ValueError, IndexError, KeyError, TypeError, OverflowError, struct.error, AttributeError) as error:
        raise RefusedFile("The pickle in the file cannot be followed to its end: the file is damaged.") from error
    return Pickled(value, tuple(dict.fromkeys(machine.names)))


class _Machine:
    """The stack, the memo and the names so far."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.names: list[str] = []

    def step(self, opcode: str, argument: Any) -> None:
        if opcode in _CONSTANTS:
            self.stack.append(argument)
        elif opcode in _INSTRUCTIONS:
            _INSTRUCTIONS[opcode](self, argument)
        elif opcode not in ("PROTO", "FRAME", "STOP"):
            raise RefusedFile(f"The pickle in the file uses the instruction {opcode}, which no network needs.")

    def pop(self) -> Any:
        value = self.stack.pop()
        if value is _MARK:
            raise ValueError("a mark stands where a value is needed")
        return value

    def since_mark(self) -> list[Any]:
        """Take off everything above the topmost mark, and the mark."""
        at = len(self.stack) - 1
        while self.stack[at] is not _MARK:
            at -= 1
            if at < 0:
                raise ValueError("a mark is missing")
        taken = self.stack[at + 1 :]
        del self.stack[at:]
        return taken

    def top(self) -> Any:
        if self.stack[-1] is _MARK:
            raise ValueError("a mark stands where a value is needed")
        return self.stack[-1]

    def name(self, module: Any, attribute: Any) -> None:
        if not isinstance(module, str) or not isinstance(attribute, str):
            raise ValueError("a name that is no text")
        # Old protocols write the names that Python 2 knew; what they mean today is what a person can judge.
        module, attribute = NAME_MAPPING.get((module, attribute), (IMPORT_MAPPING.get(module, module), attribute))
        self.names.append(f"{module}.{attribute}")
        self.stack.append(Name(self.names[-1]))

    def put(self, key: int) -> None:
        self.memo[key] = self.top()


def _drop(_: Any) -> None:
    """What was taken off the stack is of no further use."""


def _set_items(machine: _Machine, pairs: list[Any]) -> None:
    target = machine.top()
    items = target if isinstance(target, dict) else target.items
    for key, value in zip(pairs[::2], pairs[1::2], strict=True):
        # A key that is made of other things names no tensor.
        if isinstance(key, _PLAIN_KEYS):
            items[key] = value


def _append(machine: _Machine, values: list[Any]) -> None:
    target = machine.top()
    (target if isinstance(target, list) else target.values).extend(values)


def _build(machine: _Machine, _: Any) -> None:
    state = machine.pop()
    target = machine.top()
    # State of anything but a made thing is of no use here, and harmless.
    if isinstance(target, Made):
        target.state = state


def _make(machine: _Machine, operands: int) -> None:
    taken = [machine.pop() for _ in range(operands)][::-1]
    machine.stack.append(Made(taken[0], taken[1]))


def _tuple(machine: _Machine, length: int) -> None:
    machine.stack.append(tuple([machine.pop() for _ in range(length)][::-1]))


def _dictionary(machine: _Machine, _: Any) -> None:
    pairs = machine.since_mark()
    machine.stack.append({})
    _set_items(machine, pairs)


def _instance(machine: _Machine, argument: str) -> None:
    arguments = machine.since_mark()
    machine.name(*argument.split(" ", 1))
    machine.stack.append(Made(machine.pop(), tuple(arguments)))


def _object(machine: _Machine, _: Any) -> None:
    maker, *arguments = machine.since_mark()
    machine.stack.append(Made(maker, tuple(arguments)))


def _stack_name(machine: _Machine, _: Any) -> None:
    attribute, module = machine.pop(), machine.pop()
    machine.name(module, attribute)


def _set_item(machine: _Machine, _: Any) -> None:
    value, key = machine.pop(), machine.pop()
    _set_items(machine, [key, value])


_CONSTANTS = frozenset(
    [
        "INT",
        "LONG",
        "LONG1",
        "LONG4",
        "BININT",
        "BININT1",
        "BININT2",
        "FLOAT",
        "BINFLOAT",
        "STRING",
        "BINSTRING",
        "SHORT_BINSTRING",
        "UNICODE",
        "BINUNICODE",
        "SHORT_BINUNICODE",
        "BINUNICODE8",
        "BINBYTES",
        "SHORT_BINBYTES",
        "BINBYTES8",
        "BYTEARRAY8",
        "NONE",
    ]
)
_INSTRUCTIONS: dict[str, Callable[[_Machine, Any], None]] = {
    "NEWTRUE": lambda m, _: m.stack.append(True),
    "NEWFALSE": lambda m, _: m.stack.append(False),
    "MARK": lambda m, _: m.stack.append(_MARK),
    "POP": lambda m, _: _drop(m.stack.pop()),
    "POP_MARK": lambda m, _: _drop(m.since_mark()),
    "DUP": lambda m, _: m.stack.append(m.top()),
    "EMPTY_LIST": lambda m, _: m.stack.append([]),
    "EMPTY_SET": lambda m, _: m.stack.append([]),
    "EMPTY_DICT": lambda m, _: m.stack.append({}),
    "EMPTY_TUPLE": lambda m, _: m.stack.append(()),
    "LIST": lambda m, _: m.stack.append(m.since_mark()),
    "FROZENSET": lambda m, _: m.stack.append(m.since_mark()),
    "TUPLE": lambda m, _: m.stack.append(tuple(m.since_mark())),
    "TUPLE1": lambda m, _: _tuple(m, 1),
    "TUPLE2": lambda m, _: _tuple(m, 2),
    "TUPLE3": lambda m, _: _tuple(m, 3),
    "DICT": _dictionary,
    "APPEND": lambda m, _: _append(m, [m.pop()]),
    "APPENDS": lambda m, _: _append(m, m.since_mark()),
    "ADDITEMS": lambda m, _: _append(m, m.since_mark()),
    "SETITEM": _set_item,
    "SETITEMS": lambda m, _: _set_items(m, m.since_mark()),
    "PUT": lambda m, key: m.put(key),
    "BINPUT": lambda m, key: m.put(key),
    "LONG_BINPUT": lambda m, key: m.put(key),
    "MEMOIZE": lambda m, _: m.put(len(m.memo)),
    "GET": lambda m, key: m.stack.append(m.memo[key]),
    "BINGET": lambda m, key: m.stack.append(m.memo[key]),
    "LONG_BINGET": lambda m, key: m.stack.append(m.memo[key]),
    "GLOBAL": lambda m, argument: m.name(*argument.split(" ", 1)),
    "STACK_GLOBAL": _stack_name,
    "INST": _instance,
    "OBJ": _object,
    "REDUCE": lambda m, _: _make(m, 2),
    "NEWOBJ": lambda m, _: _make(m, 2),
    "NEWOBJ_EX": lambda m, _: _make(m, 3),
    "BUILD": _build,
    "BINPERSID": lambda m, _: m.stack.append(Stored(m.pop())),
}
