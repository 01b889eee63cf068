"""The cut of a neuron with few inputs in float32: its contributions are sorted in vector registers.

As in `float_cut.py`, wanted is the shortest prefix of the contributions, largest first, whose sum exceeds `target`, and
the answer is only believed where rounding cannot have changed it. Up to 64 positive contributions fit the registers of
a processor: a bitonic network sorts them, a scan sums the prefixes, and counting the sums up to `target` gives the
length. Nothing branches on the data, so that a processor works on several neurons at once.

Layout: value e of the sorted ones is in lane e // registers of register e % registers, so that neighbours, which are
compared most often, are in different registers and need no shuffle.

Source: K. E. Batcher, "Sorting networks and their applications", AFIPS 1968.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fairneuron_core.paths.lanes import LANES, inner

F = np.float32
WIDE = 8  # lanes of a register
_FLOATS = ir.VectorType(ir.FloatType(), WIDE)
_INT32, _INT64 = ir.IntType(32), ir.IntType(64)
_BITS = ir.VectorType(_INT32, WIDE)  # the bits of positive floats are ordered as the floats are


def _vector(builder: ir.IRBuilder, pointer: Any, at: int, lanes: int) -> Any:
    """Return the address of `lanes` values from pointer[at] on as that of a vector."""
    place = builder.gep(pointer, [ir.Constant(_INT64, at)])
    return builder.bitcast(place, ir.VectorType(ir.FloatType(), lanes).as_pointer())


def _products(builder: ir.IRBuilder, weights: Any, sources: Any, at: int, lanes: int) -> Any:
    parts = [builder.load(_vector(builder, pointer, at, lanes), align=4) for pointer in (weights, sources)]
    return builder.fmul(*parts)


def _spread(builder: ir.IRBuilder, value: Any, lanes: int) -> Any:
    """Return a vector of one value."""
    nothing = ir.Constant(ir.VectorType(ir.FloatType(), lanes), ir.Undefined)
    first = builder.insert_element(nothing, value, ir.Constant(_INT32, 0))
    return builder.shuffle_vector(first, nothing, ir.Constant(ir.VectorType(_INT32, lanes), [0] * lanes))


def _extreme(builder: ir.IRBuilder, name: str, a: Any, b: Any) -> Any:
    """Return the larger (`smax`) or smaller (`smin`) whole number of every lane."""
    kind = ir.FunctionType(_BITS, (_BITS, _BITS))
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, f"llvm.{name}.v{WIDE}i32"), (a, b))


def _shuffled(builder: ir.IRBuilder, value: Any, order: list[int], other: Any = None) -> Any:
    other = ir.Constant(value.type, ir.Undefined) if other is None else other
    return builder.shuffle_vector(value, other, ir.Constant(ir.VectorType(_INT32, WIDE), order))


def _compare(builder: ir.IRBuilder, registers: list[Any], distance: int) -> None:
    """Compare value e with value e ^ distance, for all e, and put the larger one first."""
    count = len(registers)
    across, along = distance % count, distance // count
    order = [lane ^ along for lane in range(WIDE)]
    blend = [lane if lane <= lane ^ along else WIDE + lane for lane in range(WIDE)]
    for r in range(count):
        other = r ^ across
        if other < r:
            continue
        here, there = registers[r], registers[other]
        there = _shuffled(builder, there, order) if along else there
        larger, smaller = _extreme(builder, "smax", here, there), _extreme(builder, "smin", here, there)
        registers[r] = _shuffled(builder, larger, blend, smaller) if along else larger
        if across:
            last = _shuffled(builder, smaller, blend, larger) if along else smaller
            registers[other] = _shuffled(builder, last, order) if along else last


def _sort(builder: ir.IRBuilder, registers: list[Any]) -> None:
    """Sort all values, largest first."""
    size = 2
    while size <= WIDE * len(registers):
        _compare(builder, registers, size - 1)
        distance = size // 4
        while distance:
            _compare(builder, registers, distance)
            distance //= 2
        size *= 2


def _prefix_sums(builder: ir.IRBuilder, registers: list[Any]) -> list[Any]:
    """Return the sums of every value and all before it."""
    zero = ir.Constant(_FLOATS, [0.0] * WIDE)
    sums = registers[:1]
    for value in registers[1:]:
        sums.append(builder.fadd(sums[-1], value))

    def moved(value: Any, by: int) -> Any:
        return _shuffled(builder, value, [WIDE if lane < by else lane - by for lane in range(WIDE)], zero)

    before, by = moved(sums[-1], 1), 1
    while by < WIDE:
        before, by = builder.fadd(before, moved(before, by)), 2 * by
    return [builder.fadd(part, before) for part in sums]


def _joined(builder: ir.IRBuilder, parts: list[Any]) -> Any:
    """Return all lanes of some vectors, a power of two of them, as one."""
    while len(parts) > 1:
        lanes = parts[0].type.count
        both = ir.Constant(ir.VectorType(_INT32, 2 * lanes), list(range(2 * lanes)))
        parts = [builder.shuffle_vector(a, b, both) for a, b in zip(parts[::2], parts[1::2], strict=True)]
    return parts[0]


def _bits(builder: ir.IRBuilder, lanes: Any, size: int) -> Any:
    """Return a vector of truths as the bits of a number."""
    bits = builder.bitcast(lanes, ir.IntType(size))
    return bits if size == 64 else builder.zext(bits, _INT64)


def _sorted_products_of(size: int) -> Any:
    @intrinsic
    def sorted_products(typing, weights, sources, values, sums, target):
        """Write the positive products sorted and their prefix sums, in the layout; count the sums up to `target`."""

        def code(_, builder, __, arguments):
            weights, sources, values, sums, target = arguments
            zero = ir.Constant(_BITS, [0] * WIDE)
            registers = [_products(builder, weights, sources, at, WIDE) for at in range(0, size, WIDE)]
            registers = [_extreme(builder, "smax", builder.bitcast(part, _BITS), zero) for part in registers]
            _sort(builder, registers)
            registers = [builder.bitcast(part, _FLOATS) for part in registers]
            prefix = _prefix_sums(builder, registers)
            for r, (value, part) in enumerate(zip(registers, prefix, strict=True)):
                builder.store(value, _vector(builder, values, r * WIDE, WIDE), align=4)
                builder.store(part, _vector(builder, sums, r * WIDE, WIDE), align=4)
            low = builder.fcmp_ordered("<=", _joined(builder, prefix), _spread(builder, target, size))
            return builder.ctpop(_bits(builder, low, size))

        return types.int64(weights, sources, values, sums, types.float32), code

    return sorted_products


def _mask_products_of(size: int) -> Any:
    @intrinsic
    def mask_products(typing, weights, sources, bound):
        """Return the mask of the products that are not below `bound`."""

        def code(_, builder, __, arguments):
            weights, sources, bound = arguments
            bounds = _spread(builder, bound, size)
            found = builder.fcmp_ordered(">=", _products(builder, weights, sources, 0, size), bounds)
            return _bits(builder, found, size)

        return types.int64(weights, sources, types.float32), code

    return mask_products


def _sorted_cut_of(size: int) -> Any:
    sorted_products, mask_products = _sorted_products_of(size), _mask_products_of(size)
    registers = size // WIDE

    @inner
    def place(e):
        return (e % registers) * WIDE + e // registers

    @inner
    def sorted_cut(weights, sources, target, total, slack, values, sums, mask):
        """Write the mask of the shortest prefix whose sum exceeds `target` and return its length, or -1: not certain.

        The arguments are those of `float_cut`; values and sums float32 (size) are overwritten.
        """
        before = sorted_products(weights, sources, values, sums, target)
        positive = sums[size - 1]
        slack += (positive + positive - total) * F((size + 8) * 2.0**-23) + F(2 * size)
        if not (target >= F(0) and target + slack < positive and before < size):
            return -1
        last, above = values[place(before)], sums[place(before)]
        following = values[place(before + 1)] if before + 1 < size else F(-4)
        if above - target < slack or (before > 0 and target - (above - last) < slack):
            return -1
        if following >= last * F(1 - 2.0**-20) - F(2):
            return -1
        lanes = mask_products(weights, sources, last)
        for group in range(size // LANES):
            mask[group] = (lanes >> (group * LANES)) & ((1 << LANES) - 1)
        return before + 1

    return sorted_cut


sorted_cut_32, sorted_cut_64 = _sorted_cut_of(32), _sorted_cut_of(64)
