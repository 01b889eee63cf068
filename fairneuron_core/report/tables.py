"""Tables as files: CSV that a spreadsheet cannot mistake for a program."""

from __future__ import annotations

import pandas as pd

from fairneuron_core.data.csv_cells import safe_cell


def csv_bytes(table: pd.DataFrame) -> bytes:
    """Return UTF-8 CSV with a byte-order mark (so that spreadsheets read accents), formulas neutralised."""
    safe = table.map(safe_cell)
    safe.columns = [safe_cell(str(name)) for name in table.columns]
    return safe.to_csv(index=False).encode("utf-8-sig")
