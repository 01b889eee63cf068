"""What every repair method is given and gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fairneuron_core.types import Batch, Classifier, ProgressCallback


@dataclass(frozen=True)
class RepairTask:
    """A trained classifier and the rows a repair may look at; the test part stays outside."""

    classifier: Classifier
    train: Batch
    validation: Batch
    attribute: str
    reference: str
    seed: int
    device: str = "cpu"
    threads: int | None = None
    progress: ProgressCallback | None = None


@dataclass(frozen=True)
class RepairResult:
    """The repaired classifier, one trace point an epoch, and facts about the method's own work (JSON values)."""

    classifier: Classifier
    trace: tuple[Mapping[str, Any], ...]
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RepairRow:
    """One method of the table: what it is, what it changes, what it needs and what it cannot do."""

    name: str
    title: str
    sentence: str
    changes: str
    needs_protected: bool
    cannot: str
    source: str
    Params: type
    repair: Callable[[RepairTask, Any], RepairResult]
