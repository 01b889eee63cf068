"""Damaged files of every format end as a network or in one sentence: cut off, and with seeded changes.

`make fuzz` reads 2,000 changed files per format; here are 50 of each, by other seeds than the first ones there.
"""

import pytest

from fairneuron_core.formats.catalogue import NETWORK_FORMATS, identify
from fairneuron_core.formats.door import open_network
from fairneuron_core.formats.network_file import RefusedFile
from tests.formats.changes import cuts, mutated
from tests.formats.examples import written
from tests.formats.harness import harness
from tests.formats.mutate import is_one_sentence


@pytest.fixture(scope="module")
def folder(examples, tmp_path_factory):
    return written(examples, tmp_path_factory.mktemp("examples"))


def test_every_example_is_a_network_and_recognised_by_one_format_alone(examples, folder):
    assert {name: kind for name, (kind, _) in harness("read", folder).items()} == dict.fromkeys(examples, "network")
    for name, content in examples.items():
        assert [form for form, row in NETWORK_FORMATS.items() if row.recognise(content)] == [name.partition(".")[0]]


def test_a_file_cut_off_at_any_twentieth_of_its_length_ends_in_one_sentence(examples, tmp_path):
    parts = {f"{name} {at:02d}": part for name, content in examples.items() for at, part in enumerate(cuts(content))}
    outcomes = harness("read", written(parts, tmp_path / "cut"))
    assert len(outcomes) == 20 * len(examples)
    assert {name: why for name, (kind, why) in outcomes.items() if kind != "refused"} == {}


def test_fifty_changed_files_of_each_format_end_as_a_network_or_in_one_sentence(folder):
    result = harness("fuzz", folder, 50, 1_000_000)
    assert set(result) == set(NETWORK_FORMATS)
    for form, row in result.items():
        assert (row["read"], row["failures"]) == (50, {}), form
        # Changes that nothing survives would test the outermost check only.
        assert row["outcomes"]["network"] >= 1, form


def test_recognising_never_raises_for_changed_files(examples):
    others = list(examples.values())
    for content in others:
        for seed in range(20):
            assert identify(mutated(content, seed, others)) in {None, *NETWORK_FORMATS}


@pytest.mark.parametrize("form", NETWORK_FORMATS)
def test_an_example_of_each_format_and_a_changed_one_go_through_the_door_itself(examples, form):
    name = next(name for name in examples if name.startswith(f"{form}."))
    network = open_network(examples[name], name="a name that says nothing")
    assert (network.form, network.sizes) == (form, (5, 4, 1))
    refused = [content for seed in range(6) if cannot_be_read(content := mutated(examples[name], seed, [b"x" * 99]))]
    with pytest.raises(RefusedFile) as sentence:
        open_network(refused[0], name="file")
    assert is_one_sentence(str(sentence.value))


def cannot_be_read(content: bytes) -> bool:
    form = identify(content)
    try:
        return form is None or not NETWORK_FORMATS[form].parse(content, {})
    except RefusedFile:
        return True
