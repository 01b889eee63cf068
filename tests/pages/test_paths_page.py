"""The Paths page: one row's chain, its path, and how many rows share it."""

import json
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from fairneuron_core.jobs import conflict_of_neurons, gather, usage_of_part
from fairneuron_core.paths import slice_paths

ROOT = Path(__file__).resolve().parents[2]


def open_paths(filled=None, **fields: object) -> AppTest:
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    at.switch_page("pages/paths.py")
    at.session_state["chosen.data"] = "german"
    at.session_state["kept.paths.fields"] = fields
    if filled:
        at.session_state["chosen.model"] = filled.model
    at.run()
    assert not at.exception
    return at


def words(at: AppTest) -> str:
    return " ".join(str(part.value) for part in [*at.markdown, *at.warning, *at.error]).replace("\\", "")


def sliced(filled, part="train", **setting):
    material = gather("german", filled.model, filled.workspace)
    return slice_paths(material.classifier, material.batch(part).features, threads=1, **setting)


def picture(at: AppTest) -> dict:
    """What the network view was given to draw."""
    protos = [element.proto for element in at.get("bidi_component")]
    (found,) = [proto for proto in protos if proto.component_name.endswith("fairneuron_network")]
    return json.loads(found.json)


def test_without_a_network_the_page_says_what_to_do(empty_workspace):
    at = open_paths()
    assert "There is no network for this data set yet" in words(at)


def test_it_opens_with_the_dominant_chain_of_the_first_row(filled_workspace):
    at = open_paths(filled_workspace)
    chain = sliced(filled_workspace, coverage=0.0).decode([0])[0]
    assert len(chain) == 4
    assert at.select_slider(key="paths.coverage").value == 0.0
    assert "Row 0 of the training rows" in words(at)
    assert "Showing 4 of 4 synapses, 100 % of the contribution" in words(at)
    lit = {(layer + 1, source, target) for layer, source, target, _ in picture(at)["path"]}
    assert lit == chain


def test_neurons_can_be_coloured_by_their_conflict(filled_workspace):
    at = open_paths(filled_workspace)
    assert picture(at)["neuron_values"] is None
    at.selectbox(key="paths.coloured").select("conflict of accuracy and equal opportunity").run()
    assert not at.exception
    material = gather("german", filled_workspace.model, filled_workspace.workspace)
    expected = conflict_of_neurons(material, "equal_opportunity")
    drawn = picture(at)["neuron_values"]
    assert [len(layer) for layer in drawn[1:-1]] == [32, 32, 32]
    assert drawn[0] is drawn[-1] is None
    assert np.allclose(np.concatenate(drawn[1:-1]), np.concatenate(expected))
    assert max(max(layer) for layer in expected) == 1.0


def test_the_share_count_is_the_frequency_of_the_whole_part(filled_workspace):
    frequency = sliced(filled_workspace, coverage=0.0).frequency
    row = int(np.argmax(frequency))
    at = open_paths(filled_workspace, row=row)
    assert f"{frequency[row]} of 700 rows of this part take exactly this path" in words(at)
    alone = int(np.argmin(frequency))
    at.number_input(key="paths.row").set_value(alone).run()
    assert "No other of the 700 rows of this part takes exactly this path" in words(at)


def test_coverage_lengthens_the_path_and_the_address_says_so(filled_workspace):
    at = open_paths(filled_workspace, part="test", row=7)
    at.select_slider(key="paths.coverage").set_value(0.5).run()
    assert not at.exception
    synapses = int(sliced(filled_workspace, "test", coverage=0.5).synapses[7])
    assert f"of {synapses} synapses" in words(at)
    assert len(picture(at)["path"]) == synapses
    assert [at.query_params[name] for name in ("part", "row", "coverage")] == ["test", "7", "0.5"]


@pytest.mark.parametrize("reading", ["activation", "released"])
def test_every_reading_can_be_looked_at(filled_workspace, reading):
    at = open_paths(filled_workspace, reading=reading, coverage=0.3)
    synapses = int(sliced(filled_workspace, coverage=0.3, reading=reading, first_layer=1).synapses[0])
    assert f"of {synapses} synapses" in words(at)


def test_a_second_row_is_compared_and_the_parting_is_said(filled_workspace):
    at = open_paths(filled_workspace, row=0, second=1)
    first, second = sliced(filled_workspace, coverage=0.0).decode([0, 1])
    assert f"{len(first & second)} synapses are on both paths" in words(at)
    assert len(picture(at)["second_path"]) == len(second)


def test_another_example_goes_to_a_row_of_the_chosen_kind(filled_workspace):
    at = open_paths(filled_workspace)
    at.selectbox(key="paths.example").set_value("female, not selected").run()
    assert not at.exception
    assert "(female) has score" in words(at)
    assert "is not selected" in words(at)
    first = at.number_input(key="paths.row").value
    at.button(key="paths.another").click().run()
    assert "(female) has score" in words(at)
    assert at.number_input(key="paths.row").value != first


def test_neurons_are_counted_on_demand_with_the_numbers_of_the_job(filled_workspace):
    at = open_paths(filled_workspace, coverage=0.3)
    assert "Neurons whose use differs most" not in words(at)
    at.toggle(key="paths.neurons").set_value(True).run()
    assert not at.exception
    material = gather("german", filled_workspace.model, filled_workspace.workspace)
    usage = usage_of_part(material, "train", coverage=0.3)
    assert "Neurons whose use differs most between groups, at coverage 0.3" in words(at)
    assert usage.sentence.split(";")[0] in words(at)
