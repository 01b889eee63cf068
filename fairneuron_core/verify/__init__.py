"""Provable individual fairness: does a change of a protected attribute alone ever change a decision?"""

from fairneuron_core.verify.certificate import (
    MARGIN,
    PROVED,
    REFUTED,
    UNKNOWN,
    Counterexample,
    RowsCertificate,
    SpaceCertificate,
)
from fairneuron_core.verify.certify import certify_rows, certify_space
from fairneuron_core.verify.enumeration import constant_rows, variant_decisions
from fairneuron_core.verify.free_column import FreeColumn
from fairneuron_core.verify.similar import Freedom, SimilarSpace, similar_space

__all__ = [
    "MARGIN",
    "PROVED",
    "REFUTED",
    "UNKNOWN",
    "Counterexample",
    "FreeColumn",
    "Freedom",
    "RowsCertificate",
    "SimilarSpace",
    "SpaceCertificate",
    "certify_rows",
    "certify_space",
    "constant_rows",
    "similar_space",
    "variant_decisions",
]
