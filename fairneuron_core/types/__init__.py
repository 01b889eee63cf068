"""The values that cross file borders: frozen, plain, and free of torch and streamlit at import time.

Conventions used everywhere
---------------------------
labels, predictions   1 = the FAVOURABLE outcome, 0 = the other one
groups                integer codes into `group_levels`, one column per protected attribute; a missing value is a level
rates, shares         between 0 and 1; undefined is NaN, never 0
"""

from fairneuron_core.types.audits import Audit, Change, Estimate, GroupRates, Metric, PairedAudit, Verdict
from fairneuron_core.types.classifiers import Classifier, DecisionRule, ModelRecord, VoteRule
from fairneuron_core.types.networks import LinearLayer
from fairneuron_core.types.progress import Progress, ProgressCallback, part_of
from fairneuron_core.types.tables import (
    MISSING,
    Batch,
    Column,
    Dataset,
    DataSource,
    EncodedColumn,
    EncodedKind,
    Encoder,
    Kind,
    Role,
    Schema,
    Split,
)

__all__ = [
    "MISSING",
    "Audit",
    "Batch",
    "Change",
    "Classifier",
    "Column",
    "DataSource",
    "Dataset",
    "DecisionRule",
    "EncodedColumn",
    "EncodedKind",
    "Encoder",
    "Estimate",
    "GroupRates",
    "Kind",
    "LinearLayer",
    "Metric",
    "ModelRecord",
    "PairedAudit",
    "Progress",
    "ProgressCallback",
    "Role",
    "Schema",
    "Split",
    "Verdict",
    "VoteRule",
    "part_of",
]
