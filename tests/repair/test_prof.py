"""ProF: the vertex form against a linear programme over the box, and repaired rows tried one by one."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.optimize import linprog

from fairneuron_core.errors import ModelError, SettingError
from fairneuron_core.models import build_network, decide
from fairneuron_core.repair import repair
from fairneuron_core.repair.individual import space_of
from fairneuron_core.repair.last_layer import last_layer_of
from fairneuron_core.repair.prof import PROF, ProfParams, drawn_rows, smallest_change, tightened
from fairneuron_core.repair.prof_milp import corners_of, vertex_problem
from fairneuron_core.types import Column
from fairneuron_core.verify.crown import LinearBounds
from tests.repair.individual_task import SCHEMA, biased_task, turned

NO_STEP_1 = ProfParams(rows=20, epochs=0, seconds=30.0)


@pytest.fixture(scope="module")
def task():
    return biased_task()


def made_up_bounds(generator: np.random.Generator, rows: int, hidden: int, inputs: int) -> LinearBounds:
    """Two parallel-ish planes per neuron, the upper one above the lower one everywhere in [0, 1]^d."""
    slopes = generator.normal(size=(2, rows, hidden, inputs))
    lower = generator.normal(size=(rows, hidden))
    upper = lower + 0.1 + np.abs(slopes[0] - slopes[1]).sum(2)
    parts = (slopes[0], lower, slopes[1], upper, lower, upper)
    return LinearBounds(*(torch.from_numpy(part) for part in parts))


def lowest(bounds: LinearBounds, row: int, weight: np.ndarray, *, box: list[tuple[float, float]]) -> float:
    """The smallest weight . h over all (x, h) between the planes, by a linear programme in x and h."""
    low, high = bounds.lower_slopes[row].numpy(), bounds.upper_slopes[row].numpy()
    h, d = low.shape
    above = np.hstack([low, -np.eye(h)])  # low x + lower <= h
    below = np.hstack([-high, np.eye(h)])  # h <= high x + upper
    limits = np.concatenate([-bounds.lower[row].numpy(), bounds.upper[row].numpy()])
    found = linprog(
        np.concatenate([np.zeros(d), weight]),
        A_ub=np.vstack([above, below]),
        b_ub=limits,
        bounds=[*box, *[(None, None)] * h],
    )
    assert found.status == 0
    return float(found.fun)


def test_the_vertex_form_equals_a_linear_programme_over_inputs_and_hidden_values(task):
    # Both free columns are numbers, merit in [0, 1] and a second one in [0, 1]; the third input is fixed at 0.5.
    generator, layer = np.random.default_rng(3), last_layer_of(task.classifier)
    bounds = made_up_bounds(generator, 5, len(layer.weight), 3)
    corners = np.array([[[a, b, 0.5] for a in (0, 1) for b in (0, 1)]] * 5)
    problem = vertex_problem(layer, bounds, corners)
    box = [(0, 1), (0, 1), (0.5, 0.5)]
    for _ in range(10):
        weight = generator.normal(size=len(layer.weight))
        y = np.concatenate([np.maximum(weight, 0), np.maximum(-weight, 0), [0.25]])
        for row in range(5):
            values = [forms.slopes @ y + forms.constants for forms in (problem.low, problem.high)]
            mine = problem.low.owner == row
            shift = layer.bias - layer.cut + 0.25
            assert values[0][mine].min() == pytest.approx(lowest(bounds, row, weight, box=box) + shift)
            assert values[1][mine].max() == pytest.approx(-lowest(bounds, row, -weight, box=box) + shift)


def test_the_corners_of_a_category_are_its_levels_and_of_a_number_its_ends(task):
    space = space_of(task, ProfParams(within="merit=0.25"))
    found = corners_of(space, np.array([[0.5, 1, 0], [0.9, 0, 1]], np.float32))
    assert found.shape == (2, 4, 3)
    assert sorted(map(tuple, found[0].tolist())) == [(0.25, 0, 1), (0.25, 1, 0), (0.75, 0, 1), (0.75, 1, 0)]
    assert found[1, :, 0].max() == 1.0


def test_more_corners_than_can_be_written_down_are_refused(task):
    column = Column("sex", "protected", "category", levels=tuple(f"level {i}" for i in range(5000)))
    schema = replace(SCHEMA, columns=(column, *SCHEMA.columns[1:]))
    space = space_of(replace(task, schema=schema), ProfParams())
    with pytest.raises(SettingError, match="5,000 corners"):
        corners_of(space, task.train.features[:1])


def test_every_repaired_row_is_proved_by_trying_and_counted_by_itself(task):
    result = repair(task, PROF, NO_STEP_1)
    _, drawn = drawn_rows(task, NO_STEP_1)
    rows = task.train.features[drawn]
    assert result.facts["solver"]["status"] == "optimal"
    assert (decide(task.classifier, rows) != decide(task.classifier, turned(rows))).any()
    assert np.array_equal(decide(result.classifier, rows), decide(result.classifier, turned(rows)))
    facts = result.facts["individual"]
    assert facts["repair_rows"]["rows"] == facts["repair_rows"]["proved_after"] == 20
    assert facts["train"]["rows"] == 580


def test_step_1_narrows_the_bounds_and_leaves_the_given_network_alone(task):
    params = ProfParams(rows=20, benign=100, epochs=40, learning_rate=0.01)
    benign, drawn = drawn_rows(task, params)
    before = [parameter.clone() for parameter in task.classifier.network.parameters()]
    _, trace = tightened(task, params, space_of(task, params), benign, drawn)
    assert trace[0]["width"] == pytest.approx(1.0)
    assert trace[-1]["width"] < 0.6
    assert [point["epoch"] for point in trace] == list(range(1, 41))
    assert all(torch.equal(a, b) for a, b in zip(before, task.classifier.network.parameters(), strict=True))


def test_without_time_the_network_of_step_1_is_kept_and_the_facts_say_so(task):
    params = replace(NO_STEP_1, seconds=0.0)
    result = repair(task, PROF, params)
    assert result.facts["solver"]["status"] == "time-out"
    assert "that of step 1" in result.facts["solver"]["words"]
    _, drawn = drawn_rows(task, params)
    answer, network = smallest_change(task.classifier, space_of(task, params), task.train.features[drawn], seconds=0.0)
    assert (answer.change, network) == (None, task.classifier.network)


def test_bounds_ask_for_relu(task):
    other = replace(task, classifier=replace(task.classifier, network=build_network((3, 4, 1), activation="tanh")))
    with pytest.raises(ModelError, match="ReLU"):
        repair(other, PROF, ProfParams(epochs=1))
