"""Re-check an exported certificate without trusting how it was made.

1. The network and the table must be those that the certificate names by their sha256.
2. The counts of the certificate must be those of its rows.
3. Every counterexample is encoded from its raw values and decided again by the deployed forward pass. It must differ in
   columns that may differ only, inside their domains, be a row of the table where it says so, and still be decided
   differently.
4. Every proved row is tried with all values of the columns that may differ, built from the raw table and the schema,
   not by the code that made the certificate. Where these are too many, or real numbers, corners and seeded random
   people are tried instead, and the answer says so.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fairneuron_core.data import encode
from fairneuron_core.errors import FairNeuronError, SettingError
from fairneuron_core.jobs.certify import FORMAT, model_sha256
from fairneuron_core.jobs.material import find_classifier, find_dataset
from fairneuron_core.jobs.varied import (
    DRAWN,
    Varied,
    read_by,
    same_value,
    similar_people,
    varied_columns,
    with_groups,
)
from fairneuron_core.models import decisions
from fairneuron_core.types import Classifier, Dataset, Progress, ProgressCallback
from fairneuron_core.verify import PROVED, REFUTED, UNKNOWN
from fairneuron_core.workspace import Workspace

MOST_DECISIONS = 20_000_000
_NEEDED = ("data", "model", "protected", "within", "proved", "refuted", "unknown", "counterexamples", "recheck")


def read_certificate(path: str) -> dict[str, Any]:
    """Read a file of `fairneuron certify --json` (SettingError when it is something else)."""
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingError(f"'{path}' cannot be read ({error.strerror}): name a certificate file.") from error
    except ValueError as error:
        raise SettingError(f"'{path}' is no JSON ({error}): name a file of `fairneuron certify --json`.") from error
    missing = next((name for name in _NEEDED if not isinstance(found, dict) or name not in found), None)
    if missing or not {"format", "rows", "status", "model_sha256", "data_sha256"} <= set(found["recheck"] or ()):
        raise SettingError(f"'{path}' lacks '{missing or 'recheck'}': name a file of `fairneuron certify --json`.")
    if found["recheck"]["format"] != FORMAT:
        raise SettingError(f"'{path}' has the format {found['recheck']['format']}, this product reads {FORMAT}.")
    return dict(found)


def recheck(
    certificate: Mapping[str, Any],
    workspace: Workspace,
    *,
    data: str | None = None,
    model: str | None = None,
    progress: ProgressCallback | None = None,
) -> dict[str, Any]:
    """Return what still holds: `holds`, one sentence, what was checked, and the failures in words.

    `data` and `model` replace the references in the certificate; its hashes decide whether they are the same things.
    """
    dataset = find_dataset(data or str(certificate["data"]), workspace)
    classifier = find_classifier(model or str(certificate["model"]), workspace, dataset=dataset)
    failures = _other_things(certificate, dataset, classifier)
    checked = {"counterexamples": 0, "proved": 0, "drawn": 0}
    if not failures:
        varied = varied_columns(dataset, certificate["protected"], certificate["within"])
        failures = _wrong_counts(certificate)
        pairs = [*certificate["counterexamples"], *((certificate.get("space") or {}).get("counterexamples") or [])]
        for number, pair in enumerate(pairs, start=1):
            failures += [f"Counterexample {number}: {said}." for said in _wrong_pair(pair, dataset, classifier, varied)]
        rows = _proved_rows(certificate)
        broken, every = _broken_rows(dataset, classifier, rows, varied, progress)
        failures += [f"Row {row} counts as proved, but its decision changes." for row in broken]
        checked |= {"counterexamples": len(pairs), "proved" if every else "drawn": len(rows)}
    sentence = _sentence(certificate, checked, failures)
    return {"holds": not failures, "sentence": sentence, "checked": checked, "failures": failures}


def _other_things(certificate: Mapping[str, Any], dataset: Dataset, classifier: Classifier) -> list[str]:
    known, said = certificate["recheck"], []
    if dataset.sha256 != known["data_sha256"]:
        said.append(f"The table is another one: its sha256 begins with {dataset.sha256[:12]}.")
    if (found := model_sha256(classifier)) != known["model_sha256"]:
        said.append(f"The network is another one: its sha256 begins with {found[:12]}.")
    return said


def _wrong_counts(certificate: Mapping[str, Any]) -> list[str]:
    status = np.asarray(certificate["recheck"]["status"])
    marked = {word: int((status == code).sum()) for word, code in _CODES.items()}
    return [
        f"It says that {certificate[word]} rows are {word}, but {rows} of its rows are marked so."
        for word, rows in marked.items()
        if rows != certificate[word]
    ]


_CODES = {"proved": PROVED, "refuted": REFUTED, "unknown": UNKNOWN}


def _proved_rows(certificate: Mapping[str, Any]) -> np.ndarray:
    known = certificate["recheck"]
    return np.asarray(known["rows"], np.int64)[np.asarray(known["status"], np.int64) == PROVED]


def _wrong_pair(
    pair: Mapping[str, Any], dataset: Dataset, classifier: Classifier, varied: tuple[Varied, ...]
) -> list[str]:
    """Return what is wrong with one counterexample, in words."""
    this, other, row = pair["this"], pair["other"], pair["row"]
    free, said = {column.name: column for column in varied}, []
    for name in (column.name for column in classifier.encoder.columns):
        if name not in this or name not in other:
            return [f"'{name}' is missing"]
        own = this[name] if row is None else dataset.frame[name].iloc[row]
        if name in free:
            # Both are similar to the row; of a possible person only each other's distance is known.
            doubled = row is None
            wrong = [p[name] for p in (this, other) if not free[name].allows(own, p[name], doubled=doubled)]
            said += [f"'{name}' may not be {value}" for value in wrong]
        elif not same_value(this[name], other[name]):
            said.append(f"'{name}' differs, and it may not")
        elif not same_value(this[name], own):
            said.append(f"'{name}' is not what row {row} of the table says")
    try:
        found = [_decide_person(dataset, classifier, person, row) for person in (this, other)]
    except (FairNeuronError, ValueError, TypeError) as error:
        return [*said, f"it cannot be decided ({error})"]
    if found[0] == found[1]:
        return [*said, "both people are decided alike"]
    return said if found == list(pair["decisions"]) else [*said, f"the decisions are {found}"]


def _decide_person(dataset: Dataset, classifier: Classifier, person: Mapping[str, Any], row: int | None) -> int:
    """Decide one person of raw values as the deployed classifier does; what it does not read is taken from a row."""
    position = row or 0
    base = dataset.frame.iloc[[position]].reset_index(drop=True)
    given = {name: [value] for name, value in person.items() if name in base.columns}
    return int(_decided(dataset, classifier, with_groups(dataset, base.assign(**given)), np.array([position]))[0])


def _decided(dataset: Dataset, classifier: Classifier, frame: pd.DataFrame, rows: np.ndarray) -> np.ndarray:
    batch = encode(dataset, np.arange(len(frame)), classifier.encoder, frame=frame)
    # A rule that draws among thresholds draws by the position in the data set.
    return decisions(classifier, replace(batch, rows=rows))


def _broken_rows(
    dataset: Dataset,
    classifier: Classifier,
    rows: np.ndarray,
    varied: tuple[Varied, ...],
    progress: ProgressCallback | None,
) -> tuple[list[int], bool]:
    """Return the proved rows whose decision changes after all, and whether every possibility was tried."""
    read = read_by(varied, dataset, classifier)
    combinations = math.prod(len(column.values or ()) for column in read)
    every = all(column.values is not None for column in read) and combinations * len(rows) <= MOST_DECISIONS
    if not len(rows):
        return [], True
    table = dataset.frame.iloc[rows].reset_index(drop=True)
    lowest = highest = _decided(dataset, classifier, table, rows)
    turns = combinations if every else DRAWN
    for turn, given in enumerate(similar_people(table, read, every=every)):
        found = _decided(dataset, classifier, with_groups(dataset, table.assign(**given)), rows)
        lowest, highest = np.minimum(lowest, found), np.maximum(highest, found)
        if progress:
            progress(Progress(turn / turns, "Trying the proved rows again"))
    return rows[lowest != highest].tolist(), every


def _sentence(certificate: Mapping[str, Any], checked: Mapping[str, int], failures: list[str]) -> str:
    if failures:
        more = f" ({len(failures) - 1} more)" if len(failures) > 1 else ""
        return f"The certificate does not hold: {failures[0]}{more}"
    said = []
    if checked["counterexamples"]:
        said.append(f"{checked['counterexamples']:,} counterexamples were decided again and still differ")
    if checked["proved"]:
        said.append(f"{checked['proved']:,} proved rows were tried again with every value and still do not change")
    if checked["drawn"]:
        people = f"with {DRAWN} random people each, which can refute but not prove"
        said.append(f"{checked['drawn']:,} proved rows were tried again {people}")
    whole = " What it says of the whole space was not worked out again." if certificate.get("space") else ""
    return f"The certificate holds for the same network and table: {'; '.join(said) or 'it has no rows'}.{whole}"
