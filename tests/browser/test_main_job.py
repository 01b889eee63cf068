"""The whole job in a real browser against a real server and worker, as a person would do it."""

import contextlib
import json
import re

import psutil
import pytest
from playwright.sync_api import TimeoutError as NotInTime
from playwright.sync_api import expect

from fairneuron_core.jobs import JOBS, JobContext
from fairneuron_core.runs import worker_status
from fairneuron_core.store import list_runs, open_store
from fairneuron_core.workspace import open_workspace
from tests.browser.conftest import start_server, stop_server, unused_port, wait_until

pytestmark = pytest.mark.browser
# A busy machine may take long to answer; how long is measured elsewhere, never asserted.
expect.set_options(timeout=60_000)
PAGES = (
    "overview",
    "data",
    "model",
    "audit",
    "paths",
    "threshold",
    "certify",
    "repair",
    "compare",
    "experiment",
    "runs",
)
LONG = 180_000


def settled(page) -> None:
    """Wait until the page has run to its end and shows no error."""
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0, timeout=60_000)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_text("Something went wrong")).to_have_count(0)
    expect(page.get_by_text("Traceback")).to_have_count(0)


def go_to(page, title: str) -> None:
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=title, exact=True).click()
    expect(page).to_have_url(re.compile(f"/{title.lower()}"))
    settled(page)


@pytest.mark.timeout(900)
def test_the_main_job_from_try_it_on_census_to_a_download(server, page, tmp_path):
    page.goto(server.url)
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=20_000)
    page.get_by_role("button", name="Try it on Census").click()
    expect(page).to_have_url(re.compile("run="), timeout=60_000)

    # In the middle of it the person reloads the page: the run goes on and the page finds it again.
    store = open_store(open_workspace(server.home))
    wait_until(lambda: any(run.share > 0.05 for run in list_runs(store)), seconds=60, what="the run has begun")
    page.reload()
    wait_until(lambda: list_runs(store)[0].state == "done", seconds=180, what="the tour is done", log=server.log)
    settled(page)
    expect(page.get_by_text("Demographic parity").first).to_be_visible()
    tour = list_runs(store)[0]
    assert tour.kind == "tour"

    for title in ("Data", "Model", "Audit", "Paths", "Threshold", "Repair", "Compare", "Runs"):
        go_to(page, title)
        expect(page.get_by_role("heading", level=1)).to_be_visible()

    go_to(page, "Compare")
    with page.expect_download() as download:
        page.get_by_role("button", name="Comparison as JSON").click()
    shown = json.loads(download.value.path().read_text())
    repairs = {found["model"]: found["paired"] for found in tour.results["repairs"].values()}
    assert shown["metrics"] == json.loads(json.dumps(repairs[shown["model_after"]]))["metrics"]

    with page.expect_download() as download:
        page.get_by_role("button", name="Repaired network").click()
    path = tmp_path / "after.safetensors"
    download.value.save_as(path)
    job = JOBS["audit"]
    workspace = open_workspace(tmp_path / "elsewhere")
    audited = job.run(job.check({"data": "census", "model": str(path)}), JobContext(workspace)).results
    after = {found["model"]: found["after"] for found in tour.results["repairs"].values()}[shown["model_after"]]
    assert audited["metrics"] == after["metrics"]


def test_moving_theta_changes_the_conflict_samples(server, page):
    open_filled(page, server, "threshold")
    slider = page.get_by_role("slider").last
    before = page.get_by_test_id("stMain").inner_text()
    slider.focus()
    for _ in range(3):
        slider.press("ArrowRight")
    expect(page.get_by_test_id("stMain")).not_to_have_text(before)
    settled(page)
    assert page.get_by_test_id("stMain").inner_text() != before


def test_a_click_on_a_lit_neuron_reaches_python(server, page):
    open_filled(page, server, "paths")
    stage = page.locator(".nv .stage")
    expect(page.locator(".nv[data-ready=true]")).to_be_visible(timeout=30_000)
    answer = page.get_by_text(re.compile("Value .* for this row"))
    expect(answer).to_have_count(0)
    # On a busy machine the picture may be drawn anew between two keys, which forgets the neuron they stand on.
    for _ in range(5):
        stage.focus()
        for key in ("ArrowRight", "ArrowLeft", "Enter"):
            stage.press(key)
        with contextlib.suppress(NotInTime):
            answer.first.wait_for(timeout=12_000)
            break
    expect(answer.first).to_be_visible()
    settled(page)


def test_the_own_font_is_loaded_and_dark_pages_are_dark(server, browser):
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    open_filled(page, server, "audit")
    assert page.evaluate("document.fonts.check('16px Inter')")
    background = page.get_by_test_id("stApp").evaluate("e => getComputedStyle(e).backgroundColor")
    assert max(int(part) for part in re.findall(r"\d+", background)[:3]) < 60
    context.close()


@pytest.mark.timeout(900)
def test_a_small_repair_is_started_cancelled_and_done_from_the_page(server, page):
    open_filled(page, server, "repair")
    page.get_by_label("Epochs", exact=True).first.fill("400")
    page.get_by_role("button", name="Start the repair").click()
    page.get_by_role("button", name="Cancel").click(timeout=60_000)
    store = open_store(open_workspace(server.home))
    wait_until(
        lambda: list_runs(store)[0].state == "cancelled", seconds=20, what="the run is cancelled", log=server.log
    )
    run = list_runs(store)[0]
    assert (run.finished - run.cancel_requested).total_seconds() < 2.5
    expect(page.get_by_text("This run was cancelled")).to_be_visible()

    page.get_by_label("Epochs", exact=True).first.fill("2")
    page.get_by_role("button", name="Start the repair").click()
    expect(page.get_by_role("button", name="Open in Compare")).to_be_visible(timeout=LONG)
    page.get_by_role("button", name="Open in Compare").click()
    expect(page).to_have_url(re.compile("/compare"))
    settled(page)
    expect(page.get_by_text("Whose decision flipped")).to_be_visible()


def open_filled(page, server, stem: str) -> None:
    """Open a page with a German network, trained in place if this server has none yet."""
    workspace = open_workspace(server.home)
    job = JOBS["train"]
    model = job.run(job.check({"data": "german", "threads": 1}), JobContext(workspace)).results["model"]
    page.goto(f"{server.url}/{stem}?data=german&model={model}")
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=60_000)
    settled(page)


@pytest.mark.parametrize("stem", PAGES)
def test_a_deep_link_opens_its_page_in_our_frame_and_no_width_scrolls_sideways(server, page, stem):
    open_filled(page, server, stem)
    expect(page.get_by_text("Page not found")).to_have_count(0)
    expect(page.get_by_test_id("stSidebarNav").get_by_role("link", name="Threshold")).to_be_visible()
    for width in (1440, 1024, 390):
        page.set_viewport_size({"width": width, "height": 900})
        settled(page)
        # Tables follow a new width a moment later.
        main = page.get_by_test_id("stMain")
        fits = lambda main=main: main.evaluate("e => e.scrollWidth - e.clientWidth") <= 1  # noqa: E731
        wait_until(fits, seconds=30, what=f"{stem} fits into {width} pixels")


def test_the_first_deep_link_to_a_fresh_server_shows_our_frame_and_stopping_leaves_nothing(browser, tmp_path):
    server = start_server(tmp_path / "home", port=unused_port())
    try:
        page = browser.new_page()
        page.goto(f"{server.url}/runs")
        expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=30_000)
        expect(page.get_by_text("Page not found")).to_have_count(0)
        expect(page.get_by_test_id("stSidebarNav").get_by_role("link", name="Threshold")).to_be_visible()
        page.close()
        worker = worker_status(open_workspace(server.home)).pid
        assert psutil.pid_exists(worker)
    finally:
        stop_server(server)
    wait_until(lambda: not psutil.pid_exists(worker), seconds=5, what="the worker has ended")
