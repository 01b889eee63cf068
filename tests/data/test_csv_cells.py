"""Exported cells: no text is a formula, and every file of the product that writes CSV sees to it."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

import fairneuron_core
from fairneuron_core.data.csv_cells import safe_cell
from fairneuron_core.experiments.proof_table import rows_csv

ROOT = Path(fairneuron_core.__file__).parents[1]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d"])
def test_text_that_begins_like_a_formula_gets_an_apostrophe(start):
    assert safe_cell(f"{start}SUM(A1)") == f"'{start}SUM(A1)"


@pytest.mark.parametrize("cell", [-5, -0.25, "-5", "+1.5e3", "-.5", "women", "a=b", "", None, True])
def test_numbers_and_other_text_stay_as_they_are(cell):
    assert safe_cell(cell) == cell


def test_the_rows_of_a_command_are_neutralised():
    texts = dict.fromkeys(("setting", "method", "proof", "failed"), "=1+1")
    numbers = dict.fromkeys(("seed", "selection_rate", "proved", "seconds", "degenerate"), -1)
    nested = dict.fromkeys(("accuracy", "data", "test", "space", "cells", "flips"))
    cells = list(csv.reader(io.StringIO(rows_csv([{**texts, **numbers, **nested}]))))[1]
    assert cells.count("'=1+1") == len(texts)
    assert "-1" in cells


def test_every_writer_of_csv_uses_the_one_function():
    # Example tables of the product are no export: their cells are its own.
    writers = [
        path
        for folder in ("fairneuron_core", "pages")
        for path in (ROOT / folder).rglob("*.py")
        if any(word in path.read_text(encoding="utf-8") for word in ("to_csv(", "csv.writer(", "DictWriter("))
        and path.name not in ("examples.py", "delimited.py")
    ]
    assert len(writers) >= 3
    assert [p.name for p in writers if "safe_cell" not in p.read_text(encoding="utf-8")] == []
