"""One array in numpy's own file format, read from memory without ever unpickling."""

from __future__ import annotations

import io
import math
import tokenize

import numpy as np

from fairneuron_core.formats.network_file import RefusedFile

_FAILURES = (
    ValueError,
    TypeError,
    KeyError,
    SyntaxError,
    OverflowError,
    MemoryError,
    RecursionError,
    EOFError,
    tokenize.TokenError,
    # A strange letter in the header makes Python look for its table of letters, which the locked door refuses.
    ImportError,
)


def array_of(content: bytes) -> np.ndarray:
    """Return the array of numbers or texts; RefusedFile for objects (a pickle) and for a shape that does not fit.

    The size is compared with the bytes that are there BEFORE anything is set aside for it.
    """
    source = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(source)
        read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
        shape, columns_first, dtype = read(source)
        if dtype.kind not in "fiubUS":
            raise RefusedFile("An array in the file holds Python objects, which could run code: it is not opened.")
        data = content[source.tell() :]
        if math.prod(shape) * dtype.itemsize != len(data):
            raise ValueError(shape)
        return np.frombuffer(data, dtype).reshape(shape, order="F" if columns_first else "C")
    except _FAILURES as error:
        raise RefusedFile("An array in the file cannot be read: the file is damaged.") from error
