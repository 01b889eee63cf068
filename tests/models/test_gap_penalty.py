"""The smooth gap, in numbers that fit in the head."""

import numpy as np
import pytest
import torch

from fairneuron_core.models.gap_penalty import GapPenalty

GROUPS = np.array([0, 0, 1, 1])
LABELS = torch.tensor([[1.0, 0.0, 1.0, 0.0]])
ROWS = torch.arange(4)[None]
# sigmoid = 0.9, 0.5, 0.5, 0.1: means .7 and .3 over all, .9 and .5 of label 1, .5 and .1 of label 0.
LOGITS = torch.tensor([[np.log(9.0), 0.0, 0.0, -np.log(9.0)]])


def value(penalty: GapPenalty, times: int = 1, logits: torch.Tensor = LOGITS) -> float:
    term = GapPenalty.term([penalty], hidden=1, device="cpu", dtype=torch.float64, seeds=[0])
    for _ in range(times):
        found = term(logits.double(), logits[..., None], LABELS.double(), ROWS)
    return float(found)


@pytest.mark.parametrize(
    ("gap", "expected"), [("demographic_parity", 0.4), ("equal_opportunity", 0.4), ("equalized_odds", 0.8)]
)
def test_the_gap_is_the_difference_of_mean_soft_decisions(gap, expected):
    assert value(GapPenalty(GROUPS, 1.0, gap)) == pytest.approx(expected)
    assert value(GapPenalty(GROUPS, 2.5, gap)) == pytest.approx(2.5 * expected)


def test_of_three_groups_the_largest_difference_counts():
    assert value(GapPenalty(np.array([0, 1, 1, 2]), 1.0)) == pytest.approx(0.8)


def test_sharper_decisions_are_closer_to_zero_and_one():
    assert value(GapPenalty(GROUPS, 1.0, sharpness=100.0)) == pytest.approx(0.5)


def test_memory_keeps_the_sign_of_earlier_minibatches():
    term = GapPenalty.term(
        [GapPenalty(GROUPS, 1.0, memory=0.9)], hidden=1, device="cpu", dtype=torch.float64, seeds=[0]
    )
    term(LOGITS.double(), LOGITS[..., None], LABELS.double(), ROWS)
    turned = -LOGITS.double().requires_grad_(True)
    found = term(turned, LOGITS[..., None], LABELS.double(), ROWS)
    # .9 * .4 + .1 * (-.4) = .32: still the first group ahead, whose decisions the gradient lowers.
    assert float(found.detach()) == pytest.approx(0.32)
    (slope,) = torch.autograd.grad(found.sum(), turned)
    assert (slope[0, :2] > 0).all()
    assert (slope[0, 2:] < 0).all()


def test_a_minibatch_without_one_group_keeps_its_last_mean():
    term = GapPenalty.term(
        [GapPenalty(np.array([0, 0, 1, 1]), 1.0, memory=0.0)], hidden=1, device="cpu", dtype=torch.float64, seeds=[0]
    )
    term(LOGITS.double(), LOGITS[..., None], LABELS.double(), ROWS)
    first = torch.zeros(1, 4, dtype=torch.int64)  # four times row 0, of group 0
    found = term(LOGITS.double(), LOGITS[..., None], LABELS.double(), first)
    assert float(found.detach()) == pytest.approx(0.5 - 0.3)  # mean of all four decisions against group 1's .3
