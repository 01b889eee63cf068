"""Benchmarks: how fast the work of this product is done, measured in one run on one machine.

Importing this package imports neither torch nor numba.
"""

from fairneuron_core.bench.catalogue import BENCHES, BenchRow, find_bench

__all__ = ["BENCHES", "BenchRow", "find_bench"]
