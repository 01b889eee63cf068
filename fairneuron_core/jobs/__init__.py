"""Everything that can be started, as one table: the browser submits these, the command line runs them in place."""

from fairneuron_core.experiments import ExperimentParams
from fairneuron_core.experiments.proof_spec import ProofsParams
from fairneuron_core.jobs.audit import AUDIT, AuditParams
from fairneuron_core.jobs.certify import CERTIFY, CertifyParams
from fairneuron_core.jobs.context import JobContext, JobResult, JobRow, default_threads
from fairneuron_core.jobs.experiment import EXPERIMENT
from fairneuron_core.jobs.figures import audit_part, compare_part
from fairneuron_core.jobs.hunt import HUNT, HuntParams
from fairneuron_core.jobs.material import (
    Material,
    find_classifier,
    find_dataset,
    gather,
    store_classifier,
    store_dataset,
    stored_model_reference,
    stored_reference,
)
from fairneuron_core.jobs.neurons import NEURONS, NeuronsParams, conflict_of_neurons, usage_json, usage_of_part
from fairneuron_core.jobs.paths import PATHS, PathsParams, paths_json
from fairneuron_core.jobs.proofs import PROOFS
from fairneuron_core.jobs.repair import REPAIR, RepairParams
from fairneuron_core.jobs.search import SEARCH, SearchJobParams
from fairneuron_core.jobs.tour import TOUR, TourParams
from fairneuron_core.jobs.train import TRAIN, TrainParams, fit_classifier

JOBS: dict[str, JobRow] = {
    row.kind: row for row in (TRAIN, AUDIT, PATHS, NEURONS, CERTIFY, HUNT, REPAIR, SEARCH, EXPERIMENT, PROOFS, TOUR)
}

__all__ = [
    "JOBS",
    "AuditParams",
    "CertifyParams",
    "ExperimentParams",
    "HuntParams",
    "JobContext",
    "JobResult",
    "JobRow",
    "Material",
    "NeuronsParams",
    "PathsParams",
    "ProofsParams",
    "RepairParams",
    "SearchJobParams",
    "TourParams",
    "TrainParams",
    "audit_part",
    "compare_part",
    "conflict_of_neurons",
    "default_threads",
    "find_classifier",
    "find_dataset",
    "fit_classifier",
    "gather",
    "paths_json",
    "store_classifier",
    "store_dataset",
    "stored_model_reference",
    "stored_reference",
    "usage_json",
    "usage_of_part",
]
