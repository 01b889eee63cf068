"""What the kernels need below the level of numba: pointers without reference counts, sixteen-lane masks, bit tricks.

Arrays that are passed between numba functions are counted, atomically, at every call; in a loop that runs once per
active neuron that costs as much as the arithmetic. The kernels therefore take pointers of the arrays once per chunk and
pass these. Only of arrays that Python passed in: numba frees its own arrays after the last use of their name. A mask
has one bit per lane: bit i stands for `pointer[at + i]`.

`entry` compiles a function that Python calls and keeps the result on disk; `inner`, `reducing` and `apart`
are for the functions it calls. numba's cache only notices changes of the file an entry is in, so the
digest of all files of kernels is part of the name under which an entry is kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from fairneuron_core.paths.packing import LANES, NIBBLE

KERNEL_FILES = (
    "packing.py",
    "lanes.py",
    "sorted_cut.py",
    "float_cut.py",
    "exact_cut.py",
    "cut.py",
    "kernels.py",
    "ladder.py",
)
_INT32, _INT64 = ir.IntType(32), ir.IntType(64)

_SHARED = {"nogil": True, "error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
inner = njit(forceinline=True, **_SHARED)
# Called, not inlined: large functions, which would otherwise be compiled anew at every place of their use.
apart = njit(**_SHARED)
# Sums of floats may be taken in any order here, so that they vectorise: only where an error bound allows for it.
reducing = njit(forceinline=True, fastmath={"reassoc", "nsz", "nnan"}, **_SHARED)


def entry(function: Callable[..., Any]) -> Any:
    """Compile a kernel that Python calls, cached on disk under the digest of all files of kernels."""
    folder = Path(__file__).parent
    digest = hashlib.sha256(b"".join((folder / name).read_bytes() for name in KERNEL_FILES)).hexdigest()
    function.__qualname__ = f"{function.__qualname__}_{digest[:12]}"
    return njit(nogil=True, error_model="numpy", cache=True)(function)


@intrinsic
def pointer_to(typing, array):
    """Return the address of the first element of an array."""
    return (
        types.CPointer(array.dtype)(array),
        lambda context, builder, signature, arguments: (
            context.make_array(signature.args[0])(context, builder, arguments[0]).data
        ),
    )


@intrinsic
def advance(typing, pointer, count):
    """Return `pointer` moved on by `count` elements."""
    return pointer(pointer, types.intp), lambda _, builder, __, arguments: builder.gep(arguments[0], [arguments[1]])


@intrinsic
def as_int32(typing, pointer):
    """Read float32 values as their bits; the bits of positive floats are ordered as the floats are."""
    return types.CPointer(types.int32)(pointer), lambda _, builder, __, arguments: builder.bitcast(
        arguments[0], _INT32.as_pointer()
    )


@intrinsic
def as_int64(typing, pointer):
    """Read float64 values as their bits."""
    return types.CPointer(types.int64)(pointer), lambda _, builder, __, arguments: builder.bitcast(
        arguments[0], _INT64.as_pointer()
    )


@intrinsic
def float_bits(typing, value):
    """Return the bits of a float32 as int32."""
    return types.int32(types.float32), lambda _, builder, __, arguments: builder.bitcast(arguments[0], _INT32)


@intrinsic
def bits_float(typing, value):
    """Return the float32 that has these bits."""
    return types.float32(types.int32), lambda _, builder, __, arguments: builder.bitcast(arguments[0], ir.FloatType())


@intrinsic
def popcount(typing, mask):
    """Return how many bits are set."""
    return types.int64(types.int64), lambda _, builder, __, arguments: builder.ctpop(arguments[0])


@intrinsic
def lowest_bit(typing, mask):
    """Return the position of the lowest bit that is set; `mask` is not 0."""
    return types.int64(types.int64), lambda _, builder, __, arguments: builder.cttz(
        arguments[0], ir.Constant(ir.IntType(1), 1)
    )


@intrinsic
def pairs_of(typing, table, lanes):
    """Return the sum of four pairs of a table of 4 x 16 pairs, each chosen by four bits of `lanes`."""

    def code(context, builder, signature, arguments):
        pair = ir.VectorType(_INT64, 2)
        pairs = builder.bitcast(arguments[0], pair.as_pointer())
        total = None
        for quarter in range(LANES // NIBBLE):
            bits = builder.lshr(arguments[1], ir.Constant(_INT64, quarter * NIBBLE))
            at = builder.and_(bits, ir.Constant(_INT64, 2**NIBBLE - 1))
            place = builder.gep(pairs, [builder.add(at, ir.Constant(_INT64, quarter << NIBBLE))])
            part = builder.load(place, align=8)
            total = part if total is None else builder.add(total, part)
        words = [builder.extract_element(total, ir.Constant(_INT32, word)) for word in range(2)]
        return context.make_tuple(builder, signature.return_type, words)

    return types.UniTuple(types.int64, 2)(table, types.int64), code


def _mask_where(comparison: str) -> Any:
    @intrinsic
    def mask(typing, pointer, at, bound):
        def code(_, builder, __, arguments):
            lanes = ir.VectorType(ir.FloatType(), LANES)
            place = builder.bitcast(builder.gep(arguments[0], [arguments[1]]), lanes.as_pointer())
            nothing = ir.Constant(lanes, ir.Undefined)
            first = builder.insert_element(nothing, arguments[2], ir.Constant(_INT32, 0))
            zeros = ir.Constant(ir.VectorType(_INT32, LANES), [0] * LANES)
            bounds = builder.shuffle_vector(first, nothing, zeros)
            found = builder.fcmp_ordered(comparison, builder.load(place, align=4), bounds)
            return builder.zext(builder.bitcast(found, ir.IntType(LANES)), _INT64)

        return types.int64(pointer, types.int64, types.float32), code

    return mask


mask_above = _mask_where(">")
mask_from = _mask_where(">=")
