"""Everything that can be started, as one table: the browser submits these, the command line runs them in place."""

from fairneuron_core.experiments import ExperimentParams
from fairneuron_core.experiments.proof_spec import ProofsParams
from fairneuron_core.jobs.audit import AUDIT, AuditParams
from fairneuron_core.jobs.certify import CERTIFY, CertifyParams
from fairneuron_core.jobs.context import JobContext, JobResult, JobRow, default_threads
from fairneuron_core.jobs.experiment import EXPERIMENT
from fairneuron_core.jobs.figures import audit_part, compare_part
from fairneuron_core.jobs.fit_check import FitReport, check_fit
from fairneuron_core.jobs.foreign_network import bring_network, load_network, open_file, settled
from fairneuron_core.jobs.hunt import HUNT, HuntParams
from fairneuron_core.jobs.mapping_suggestion import suggest_mapping
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
from fairneuron_core.jobs.predictions import Predictions, bring_predictions, without_network
from fairneuron_core.jobs.proofs import PROOFS
from fairneuron_core.jobs.repair import REPAIR, RepairParams
from fairneuron_core.jobs.saved_mappings import forget_mapping, read_mapping, save_mapping, saved_mapping
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
    "FitReport",
    "HuntParams",
    "JobContext",
    "JobResult",
    "JobRow",
    "Material",
    "NeuronsParams",
    "PathsParams",
    "Predictions",
    "ProofsParams",
    "RepairParams",
    "SearchJobParams",
    "TourParams",
    "TrainParams",
    "audit_part",
    "bring_network",
    "bring_predictions",
    "check_fit",
    "compare_part",
    "conflict_of_neurons",
    "default_threads",
    "find_classifier",
    "find_dataset",
    "fit_classifier",
    "forget_mapping",
    "gather",
    "load_network",
    "open_file",
    "paths_json",
    "read_mapping",
    "save_mapping",
    "saved_mapping",
    "settled",
    "store_classifier",
    "store_dataset",
    "stored_model_reference",
    "stored_reference",
    "suggest_mapping",
    "usage_json",
    "usage_of_part",
    "without_network",
]
