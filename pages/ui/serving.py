"""What the server does besides showing pages: it keeps a worker alive, gets ready for the pages that need more than
the first one, answers /healthz, and logs what went wrong."""

from __future__ import annotations

import importlib
import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse
from streamlit.runtime.pages_manager import PagesManager

from fairneuron_core.runs import start_worker, worker_status
from fairneuron_core.workspace import open_workspace

_LOG = logging.getLogger("fairneuron")
_WARM_AFTER = 5.0  # seconds: the first page has been served by then, and its viewer reads
_LARGE = ("torch", "fairneuron_core.jobs", "fairneuron_core.paths.kernels", "plotly.graph_objects")


def navigate_by_table() -> None:
    """Let every address go through app.py from the first one on.

    A folder named `pages` makes streamlit run its files directly until st.navigation is called for the first time: a
    deep link to a fresh server would miss the frame. st.navigation sets this same flag.
    """
    PagesManager.uses_pages_directory = False


@asynccontextmanager
async def with_worker(_: Any) -> AsyncIterator[dict[str, Any]]:
    """Start the worker with the server and stop it with the server."""
    handle = await run_in_threadpool(start_worker, open_workspace())
    warming = threading.Timer(_WARM_AFTER, warm_up)
    warming.daemon = True
    warming.start()
    try:
        yield {}
    finally:
        warming.cancel()
        await run_in_threadpool(handle.stop)


def warm_up() -> None:
    """Import the large libraries before a page asks for them: the first viewer of such a page would wait for it."""
    for name in _LARGE:
        importlib.import_module(name)


async def health(_: Request) -> JSONResponse:
    """Say whether server and worker are alive: 200 when both are, 503 when the worker is not."""
    worker = await run_in_threadpool(worker_status, open_workspace())
    return JSONResponse({"status": "ok", "worker": worker.alive}, status_code=200 if worker.alive else 503)


async def to_overview(request: Request) -> RedirectResponse:
    """Send /overview to /, where the default page lives, with what the address says."""
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"/{query}")


def log_script_error(error: Exception) -> bool:
    """Log an unexpected error with its traceback, and show one sentence in its place."""
    _LOG.error("A page failed.", exc_info=error)
    st.error(
        f"Something went wrong on this page ({type(error).__name__}). Nothing you made is lost: reload the page, and "
        "if it happens again, tell whoever runs this server; the details are in the server's log."
    )
    return True
