"""Example uploads with the usual faults of real tables: `python -m fairneuron_core.data.examples FOLDER`.

A made-up hiring table in three formats. It has a running number (to be left out), an age (to be cut into groups),
people without a stated gender (a group of their own), a district that tells the gender in nine rows of ten, missing
test scores, and a column that is only filled in after the decision (a leak).
"""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from fairneuron_core.data.synthetic import planted_dataset

ROWS, SEED = 600, 7


def example_table() -> pd.DataFrame:
    """Return the hiring table: 600 rows, 40 of them without a gender, 12 without a test score."""
    planted = planted_dataset(ROWS, gap=0.2, seed=SEED).frame
    generator = np.random.default_rng(SEED)
    unstated = generator.permutation(ROWS)[:40]
    unknown_score = generator.permutation(ROWS)[:12]
    gender = planted["group"].map({"A": "man", "B": "woman"}).astype(object)
    gender.iloc[unstated] = None
    score = planted["test_score"].astype(float)
    score.iloc[unknown_score] = np.nan
    late = generator.random(ROWS) < 0.02
    sent = (planted["hired"] == "yes").to_numpy() ^ late
    return pd.DataFrame(
        {
            "candidate_id": np.arange(1001, 1001 + ROWS),
            "gender": gender,
            "age": np.round(np.clip(planted["experience"] * 2 + generator.integers(8, 25, ROWS), 18, 70)).astype(int),
            "district": planted["district"],
            "experience": planted["experience"],
            "test_score": score,
            "contract_sent": np.where(sent, "yes", "no"),
            "hired": planted["hired"],
        }
    )


def example_files() -> dict[str, bytes]:
    """Return file name -> content of the example uploads."""
    frame = example_table()
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), sink, compression="zstd")
    return {
        "hiring.csv": frame.to_csv(index=False, lineterminator="\n").encode(),
        "hiring.arff": _arff(frame).encode(),
        "hiring.parquet": sink.getvalue(),
    }


def _arff(frame: pd.DataFrame) -> str:
    lines = ["% A made-up table: nobody in it is real.", "@relation hiring", ""]
    for name in frame.columns:
        numeric = pd.api.types.is_numeric_dtype(frame[name])
        levels = ",".join(sorted(frame[name].dropna().unique())) if not numeric else ""
        lines.append(f"@attribute {name} {'numeric' if numeric else '{' + levels + '}'}")
    rows = frame.astype(object).where(frame.notna(), "?").astype(str)
    return "\n".join([*lines, "", "@data", *(",".join(row) for row in rows.to_numpy()), ""])


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the example files into the folder that is named."""
    folder = Path((sys.argv[1:] if arguments is None else arguments)[0])
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in example_files().items():
        (folder / name).write_bytes(content)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
