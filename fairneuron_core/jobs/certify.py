"""Certify that a decision does not depend on protected attributes: row by row, or for the whole space of people."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fairneuron_core.errors import SettingError
from fairneuron_core.jobs.context import JobContext, JobResult, job_of
from fairneuron_core.jobs.figures import audit_part
from fairneuron_core.jobs.material import Material, choose_attribute, find_classifier, find_dataset
from fairneuron_core.jobs.predictions import require_network
from fairneuron_core.jobs.question import QuestionParams
from fairneuron_core.jobs.stand_ins import stand_ins
from fairneuron_core.metrics import audit_json
from fairneuron_core.metrics.as_json import estimate_json
from fairneuron_core.models import resolve_device, to_safetensors
from fairneuron_core.params import params_json, setting
from fairneuron_core.store.plain import plain
from fairneuron_core.types import Classifier, Dataset, Estimate, part_of
from fairneuron_core.verify import (
    PROVED,
    REFUTED,
    UNKNOWN,
    Counterexample,
    Freedom,
    RowsCertificate,
    SimilarSpace,
    SpaceCertificate,
    similar_space,
)
from fairneuron_core.verify.similar import root_of
from fairneuron_core.workspace import digest

CERTIFIED_PARTS = ("test", "validation", "train", "all")
FORMAT = 1
"""Version of the exported certificate, which `recheck` reads."""


@dataclass(frozen=True)
class CertifyParams(QuestionParams):
    """Whose decisions are certified, and what may differ between two people who must be decided alike."""

    scope: str = setting(
        "rows",
        label="Scope",
        help="rows = the people of one part; space = also every person that the columns' domains allow.",
        choices=("rows", "space"),
    )
    part: str = setting(
        "test", label="Rows", help="Which part of the model's own split, or all rows.", choices=CERTIFIED_PARTS
    )
    budget: float = setting(
        60.0,
        label="Time budget",
        help="Of the rows, and once more of the space; what is open then is reported as unknown.",
        low=0.1,
        high=86_400.0,
        unit="s",
    )
    most: int = setting(200, label="Counterexamples kept at most", low=1, high=100_000, expert=True)
    device: str = setting("auto", label="Device", choices=("auto", "gpu", "cpu"), expert=True)
    threads: int | None = setting(None, label="CPU threads", low=1, high=256, expert=True)


def freedom_of(dataset: Dataset, protected: Sequence[str] | None, within: Sequence[str] | None) -> Freedom:
    """Return what may differ, from names and `column=e` texts (SettingError when one cannot be read).

    Whether the columns can play that role is checked by `similar_space`.
    """
    names = tuple(dict.fromkeys(protected)) if protected else (choose_attribute(dataset, None),)
    return Freedom(names, dict(_tolerance(text) for text in within or ()))


def _tolerance(text: str) -> tuple[str, float]:
    name, equals, amount = text.partition("=")
    try:
        if not (equals and name.strip()):
            raise ValueError
        return name.strip(), float(amount)
    except ValueError:
        raise SettingError(f"The tolerance '{text}' cannot be read: write column=amount, as in age=2.") from None


@dataclass(frozen=True)
class Asked:
    """A question with everything that is needed to answer it."""

    dataset: Dataset
    classifier: Classifier
    freedom: Freedom
    space: SimilarSpace

    @property
    def attribute(self) -> str:
        return self.freedom.protected[0]

    @property
    def cut_off(self) -> tuple[str, ...]:
        """What the network gets as an input and does not read: all weights from it are 0."""
        inputs = {root_of(self.dataset.schema, column.name) for column in self.classifier.encoder.columns}
        return tuple(name for name in self.space.unread if root_of(self.dataset.schema, name) in inputs)

    def material(self, attribute: str) -> Material:
        return Material(self.dataset, self.classifier, attribute)

    def rows(self, part: str) -> np.ndarray:
        """Row positions of the part (n,), rising."""
        if part == "all":
            return np.arange(len(self.dataset.frame))
        return np.sort(self.material(self.attribute).rows(part))  # type: ignore[arg-type]


def ask(
    params: CertifyParams, context: JobContext, *, dataset: Dataset | None = None, classifier: Classifier | None = None
) -> Asked:
    """Return the question that the settings ask; data and model are looked up where they are not given."""
    dataset = dataset or find_dataset(params.data, context.workspace)
    classifier = classifier or find_classifier(params.model, context.workspace, dataset=dataset)
    require_network(classifier)
    freedom = freedom_of(dataset, params.protected, params.within)
    return Asked(dataset, classifier, freedom, similar_space(dataset.schema, classifier, freedom))


def decisions_needed(asked: Asked, part: str) -> int | None:
    """Return how many decisions an enumeration of the rows takes; None where S(x) cannot be enumerated."""
    if asked.space.nothing_read:
        return 0
    return len(asked.rows(part)) * asked.space.size if asked.space.finite else None


def _work(params: CertifyParams, context: JobContext) -> JobResult:
    from fairneuron_core.verify.certify import certify_rows, certify_space

    began = time.perf_counter()
    asked = ask(params, context)
    rows = asked.rows(params.part)
    whole = params.scope == "space"
    shared = {
        "budget": params.budget,
        "device": resolve_device(params.device),
        "threads": params.threads,
        "most": params.most,
    }
    found = certify_rows(
        asked.dataset,
        asked.classifier,
        rows,
        asked.freedom,
        progress=part_of(context.progress, 0.0, 0.4 if whole else 1.0),
        **shared,
    )
    space = None
    if whole:
        progress = part_of(context.progress, 0.4, 1.0)
        held_out = asked.rows("test")
        space = certify_space(
            asked.dataset, asked.classifier, asked.freedom, held_out_rows=held_out, progress=progress, **shared
        )
    return JobResult(certificate_json(asked, params, found, space, seconds=time.perf_counter() - began))


def certificate_json(
    asked: Asked, params: CertifyParams, found: RowsCertificate, space: SpaceCertificate | None, *, seconds: float
) -> dict[str, Any]:
    """Return the certificate with the group gaps beside it, and everything that a re-check needs."""
    counts = {word: int((found.status == code).sum()) for word, code in _WORDS.items()}
    gaps = [audit_json(audit_part(asked.material(name), "test")) for name in asked.freedom.protected]
    return plain(
        {
            "scope": params.scope,
            "data": params.data,
            "model": params.model,
            "protected": list(asked.freedom.protected),
            "within": dict(asked.freedom.within),
            "part": params.part,
            "n": len(found.rows),
            **counts,
            "method": dict(found.methods),
            "reason": found.reason,
            "sentence": found.sentence,
            "counterexamples": [_counterexample_json(one) for one in found.counterexamples],
            "unread": list(asked.space.unread),
            "cut_off": list(asked.cut_off),
            "size": asked.space.size if asked.space.finite else None,
            "space": None if space is None else _space_json(space),
            "groups": gaps[0],
            "groups_of_others": gaps[1:],
            "stand_ins": {n: stand_ins(asked.dataset, asked.classifier, n) for n in asked.freedom.protected},
            "recheck": recheck_json(asked, found),
            "params": params_json(params),
            "seconds": round(seconds, 3),
        }
    )


_WORDS = {"proved": PROVED, "refuted": REFUTED, "unknown": UNKNOWN}


def recheck_json(asked: Asked, found: RowsCertificate) -> dict[str, Any]:
    """Return what ties the certificate to its network and data, and the answer for every row."""
    return {
        "format": FORMAT,
        "model_sha256": model_sha256(asked.classifier),
        "data_sha256": asked.dataset.sha256,
        "rows": found.rows.tolist(),
        "status": found.status.tolist(),
    }


def model_sha256(classifier: Classifier) -> str:
    """Return the sha256 of the classifier's own file: equal for equal networks, wherever they are kept."""
    return digest(to_safetensors(classifier))


def _counterexample_json(one: Counterexample) -> dict[str, Any]:
    return {
        "row": one.row,
        "this": dict(one.this),
        "other": dict(one.other),
        "differs": list(one.differs),
        "scores": list(one.scores),
        "decisions": list(one.decisions),
    }


def _space_json(space: SpaceCertificate) -> dict[str, Any]:
    exact = {name: getattr(space, name, None) for name in ("proved_cells", "refuted_cells")}
    return {
        "cells": space.cells,
        "proved": space.proved,
        "refuted": space.refuted,
        "unknown": space.unknown,
        **exact,
        "method": space.method,
        "uniform": _estimate(space.uniform),
        "held_out": _estimate(space.held_out),
        "counterexamples": [_counterexample_json(one) for one in space.counterexamples],
        "sentence": space.sentence,
        "seconds": round(space.seconds, 3),
    }


def _estimate(estimate: Estimate | None) -> dict[str, Any] | None:
    return None if estimate is None else estimate_json(estimate)


CERTIFY = job_of(
    "certify",
    CertifyParams,
    title=lambda p: f"Certify {p.get('model')} on {p.get('data')}, {p.get('scope', 'rows')}",
    work=_work,
)
