"""Small audits with counts that fit in the head."""

import numpy as np
import pytest

from fairneuron_core.metrics import audit_from_counts, compare_from_counts

LEVELS = ("M", "F")
# The worked example: M 100 rows, 50 positive, TP 40, FP 20; F 100 rows, 40 positive, TP 28, FP 6.
COUNTS = np.array([[[30, 20], [10, 40]], [[54, 6], [12, 28]]])


@pytest.fixture
def worked_audit():
    return audit_from_counts(COUNTS, levels=LEVELS, attribute="sex", reference="M", favourable_words="hired")


@pytest.fixture
def worked_pair():
    counts = np.zeros((2, 2, 2, 2), dtype=int)  # (groups, label, before, after)
    counts[0, 0] = [[30, 0], [5, 15]]
    counts[0, 1] = [[10, 0], [2, 38]]
    counts[1, 0] = [[50, 4], [0, 6]]
    counts[1, 1] = [[3, 9], [1, 27]]
    return compare_from_counts(counts, levels=LEVELS, attribute="sex", reference="M", favourable_words="hired")
