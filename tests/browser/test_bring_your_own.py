"""Own table and own network, by hand in a real browser: from the upload to the first audit, without editing a file."""

import os
import re
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import expect
from skl2onnx import to_onnx
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fairneuron_core.jobs import JOBS, JobContext
from fairneuron_core.report.words import quantity
from fairneuron_core.store import list_datasets, list_models, open_store
from fairneuron_core.workspace import open_workspace
from tests.browser.test_main_job import settled

pytestmark = pytest.mark.browser
HIRING = Path(__file__).resolve().parents[2] / "assets" / "examples" / "hiring.csv"


@pytest.fixture(scope="module")
def own_network(tmp_path_factory) -> Path:
    """What a data scientist has: a scikit-learn pipeline on pandas.get_dummies of the table, exported by skl2onnx."""
    found = pd.read_csv(HIRING)
    found = found.fillna({"test_score": found["test_score"].median()})
    inputs = pd.get_dummies(found[["gender", "age", "district", "experience", "test_score"]], dtype=float)
    rows = inputs.to_numpy(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # 200 epochs are enough here
        pipeline = make_pipeline(StandardScaler(), MLPClassifier((16, 8), max_iter=200, random_state=0))
        pipeline.fit(rows, found["hired"])
    path = tmp_path_factory.mktemp("own") / "hiring.onnx"
    path.write_bytes(to_onnx(pipeline, rows[:1], options={"zipmap": False}).SerializeToString())
    return path


@pytest.fixture
def shot(page, tmp_path):
    """Save what the person sees; FAIRNEURON_SCREENSHOTS names a folder that outlives the test."""
    folder = Path(os.environ.get("FAIRNEURON_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)

    def save(name: str) -> None:
        assert page.screenshot(path=folder / f"bring-{name}.png")

    return save


@pytest.fixture
def clock():
    """Say after how many seconds a step was reached: a busy machine may take long, so nothing is asserted."""
    began = time.monotonic()
    return lambda step: print(f"{time.monotonic() - began:5.1f} s: {step}")


def give(page, label: str, path: Path) -> None:
    """Put a file into the uploader with this label."""
    uploader = page.get_by_test_id("stFileUploader").filter(has_text=label)
    uploader.locator("input[type=file]").set_input_files(path)


@pytest.mark.timeout(300)
def test_an_own_table_and_an_own_onnx_file_are_audited_without_editing_a_file(server, page, own_network, shot, clock):
    page.goto(f"{server.url}/data")
    settled(page)
    clock("the Data page is there")
    page.get_by_role("tab", name="Use your own data").click()
    give(page, "Table to audit", HIRING)
    left_out = page.get_by_role("combobox", name="Left out of the network")
    expect(left_out).to_be_visible()
    clock("the table is read")
    # Whoever sends the contract has decided already: the person knows that, and leaves the column out.
    left_out.fill("contract")
    left_out.press("Enter")
    expect(page.get_by_text("contract_sent", exact=True).last).to_be_visible()
    left_out.press("Escape")
    settled(page)
    shot("1-table")
    page.get_by_role("button", name="Keep this data set").click()
    page.get_by_role("button", name="Bring a network").click()
    clock("the data set is kept")

    expect(page).to_have_url(re.compile("/model"))
    give(page, "Network file", own_network)
    add = page.get_by_role("button", name="Add this network")
    expect(add).to_be_visible()
    expect(page.get_by_text("7 inputs, as the network expects")).to_be_visible()
    expect(page.get_by_text("7-16-8-1").first).to_be_visible()
    settled(page)
    shot("2-network")
    clock("the network is tried")
    add.click()
    page.get_by_role("button", name="Audit it").click()
    clock("the network is added")

    expect(page).to_have_url(re.compile("/audit"))
    expect(page.get_by_role("heading", name="How differently are the groups treated?")).to_be_visible()
    workspace = open_workspace(server.home)
    store = open_store(workspace)
    (data,), (model,) = list_datasets(store), list_models(store)
    job = JOBS["audit"]
    found = job.run(job.check({"data": data.id, "model": model.id}), JobContext(workspace)).results
    accuracy = found["metrics"]["accuracy"]["value"]
    assert accuracy > 0.65
    expect(page.get_by_text(quantity(accuracy, "percent")).first).to_be_visible()
    settled(page)
    shot("3-audit")
    clock("the audit is there")


def test_the_table_of_the_mapping_counts_along_and_no_width_scrolls_sideways(server, page, own_network, shot):
    page.goto(f"{server.url}/model?data=german")
    settled(page)
    page.get_by_role("tab", name="Bring your own").click()
    give(page, "Network file", own_network)
    expect(page.get_by_text(re.compile("63 of 7 inputs: 56 too many"))).to_be_visible()
    for width in (1440, 1024, 390):
        page.set_viewport_size({"width": width, "height": 900})
        settled(page)
        main = page.get_by_test_id("stMain")
        assert main.evaluate("e => e.scrollWidth - e.clientWidth") <= 1
        shot(f"4-mapping-{width}")
    # Another way to begin with: every category as one code.
    page.set_viewport_size({"width": 1440, "height": 900})
    box = page.get_by_role("combobox", name="Begin with")
    box.click()
    box.fill("categories as codes (21")
    page.get_by_role("option", name="in table order, categories as codes (21 inputs)").click()
    expect(page.get_by_text(re.compile("21 of 7 inputs: 14 too many"))).to_be_visible()
    settled(page)
