"""One small task that all searches are tried on."""

import pytest

from fairneuron_core.jobs import gather
from fairneuron_core.repair.task import RepairTask


@pytest.fixture(scope="session")
def task(trained_german) -> RepairTask:
    material = gather("german", trained_german.model, trained_german.workspace)
    return RepairTask(
        material.classifier,
        material.batch("train"),
        material.batch("validation"),
        material.attribute,
        material.reference,
        seed=0,
        threads=1,
    )
