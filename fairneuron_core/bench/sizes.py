"""How big a benchmarked network and its table are. A further size is one row of SIZES."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fairneuron_core.errors import SettingError

SCALES = (1, 10, 100)


@dataclass(frozen=True)
class Size:
    """A network with its rows.

    data     built-in data set whose table is sliced and trains the network
    hidden   neurons per hidden layer
    rows     rows at x1; more than the table has are resampled
    inputs   inputs of the network, None = those of the table; further ones are seeded noise
    scales   multiples of `rows` in the default run; the other ones of `SCALES` need `--full`
    """

    name: str
    data: str
    hidden: tuple[int, ...]
    rows: int
    inputs: int | None = None
    scales: tuple[int, ...] = SCALES


SIZES: dict[str, Size] = {
    row.name: row
    for row in (
        Size("german", "german", (32, 32, 32), rows=1000),
        # The paper's encoding has 18 inputs and 3,689 training rows.
        Size("compas", "compas", (32, 32, 32), rows=3689, inputs=18),
        Size("census", "census", (128, 128, 128), rows=22_793, scales=(1, 10)),
        Size("wide", "census", (512, 512, 512), rows=2000, scales=(1, 10)),
    )
}


def chosen_sizes(names: Sequence[str] | None, sizes: Mapping[str, Size] = SIZES) -> list[Size]:
    """Return the sizes of these names, None = all (SettingError for an unknown one)."""
    if unknown := [name for name in names or () if name not in sizes]:
        raise SettingError(f"Unknown size '{unknown[0]}': choose from {', '.join(sizes)}.")
    return [size for name, size in sizes.items() if names is None or name in names]
