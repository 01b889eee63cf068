"""Certificates of individual fairness: of rows of a table, and of the whole space of possible individuals.

Rows: no column that may differ is read (syntactic) -> every similar individual tried -> bounds -> solver (`row_chain`).
Space: syntactic -> every cell enumerated -> brackets by branch and bound, beside statistics (`whole_space`).
"""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import numpy as np

from fairneuron_core.data import encode_frame
from fairneuron_core.types import Classifier, Dataset, ProgressCallback
from fairneuron_core.verify.certificate import (
    PROVED,
    REFUTED,
    UNKNOWN,
    Counterexample,
    RowsCertificate,
    SpaceCertificate,
)
from fairneuron_core.verify.counterexamples import pair_of, row_counterexamples, row_values
from fairneuron_core.verify.cuts import row_cuts
from fairneuron_core.verify.row_chain import Settling, settle_rows
from fairneuron_core.verify.sentence import rows_sentence
from fairneuron_core.verify.similar import Freedom, SimilarSpace, similar_space
from fairneuron_core.verify.whole_space import settle_space

NOT_CONFIRMED = "two similar individuals were found that the deployed network did not decide differently"


def certify_rows(
    dataset: Dataset,
    classifier: Classifier,
    rows: np.ndarray,
    freedom: Freedom,
    *,
    budget: float = 60.0,
    device: str = "cpu",
    threads: int | None = None,
    progress: ProgressCallback | None = None,
    most: int = 200,
) -> RowsCertificate:
    """Return for every row (positions in the data set's frame) whether its decision is constant on S(x).

    budget  seconds for what is not an enumeration; a row that is not settled by then is unknown
    most    counterexamples that are kept

    Raises SettingError for a freedom that the data set cannot have, ModelError when the network does not fit it.
    """
    start = time.perf_counter()
    positions = np.asarray(rows, np.int64)
    space = similar_space(dataset.schema, classifier, freedom)
    frame = dataset.frame.iloc[positions]
    features = encode_frame(frame, classifier.encoder, name=dataset.name)
    cuts = row_cuts(dataset, classifier, space, features=features, frame=frame, rows=positions)
    found = settle_rows(
        classifier, space, features, cuts, budget=budget, device=device, threads=threads, progress=progress
    )
    shown = _counterexamples(dataset, found, positions, most)
    counts = [int((found.status == code).sum()) for code in (PROVED, REFUTED, UNKNOWN)]
    methods = Counter(found.method[found.status != UNKNOWN].tolist())
    reason = (found.reason or "no method gave an answer") if counts[2] else None
    return RowsCertificate(
        rows=positions,
        status=found.status,
        methods=dict(methods),
        counterexamples=shown,
        reason=reason,
        seconds=time.perf_counter() - start,
        sentence=rows_sentence(
            space,
            classifier,
            counts=(counts[0], counts[1], counts[2]),
            tried=set(methods) <= {"enumeration"},
            reason=reason,
        ),
        unread=space.unread,
    )


def _counterexamples(dataset: Dataset, found: Settling, positions: np.ndarray, most: int) -> tuple[Counterexample, ...]:
    """Return counterexamples of refuted rows; a row whose counterexample does not stand the re-check is unknown."""
    refuted = np.flatnonzero(found.status == REFUTED)
    tried = np.array([at for at in refuted if int(at) not in found.points][:most], np.int64)
    shown = row_counterexamples(
        dataset,
        found.classifier,
        found.space,
        rows=positions[tried],
        features=found.features[tried],
        cuts=found.cuts.of(tried),
    )
    for at in (int(at) for at in refuted if int(at) in found.points):
        pair = _of_points(dataset, found, at, int(positions[at]))
        if pair is None:
            found.status[at], found.method[at], found.reason = UNKNOWN, "", NOT_CONFIRMED
        shown.append(pair)
    return tuple(pair for pair in shown if pair is not None)[:most]


def _of_points(dataset: Dataset, found: Settling, at: int, row: int) -> Counterexample | None:
    space, classifier = found.space, found.classifier
    base = row_values(dataset, classifier, space, row)
    people = (space.describe(point, base) for point in found.points[at])
    pairs = (pair_of(dataset, classifier, space, row, base, person) for person in people)
    return next((pair for pair in pairs if pair is not None), None)


def certify_space(
    dataset: Dataset,
    classifier: Classifier,
    freedom: Freedom,
    *,
    budget: float = 60.0,
    held_out_rows: np.ndarray | None = None,
    device: str = "cpu",
    threads: int | None = None,
    progress: ProgressCallback | None = None,
    most: int = 200,
    **settings: Any,
) -> SpaceCertificate:
    """Return what holds for every possible individual of the data set's domains.

    held_out_rows   positions of rows that were not trained on; their rate stands apart, it is no proof
    settings        of `whole_space.SpaceSettings`

    Raises SettingError for a freedom that the data set cannot have.
    """
    space: SimilarSpace = similar_space(dataset.schema, classifier, freedom)
    return settle_space(
        dataset,
        classifier,
        space,
        budget=budget,
        held_out_rows=held_out_rows,
        device=device,
        threads=threads,
        progress=progress,
        most=most,
        **settings,
    )
