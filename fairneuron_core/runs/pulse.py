"""The heartbeat of a run: twice a second it writes how far the work is, and reads whether it should stop."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from fairneuron_core.errors import Cancelled
from fairneuron_core.store import RunRecord, Store, cancel_run, now, update_run
from fairneuron_core.types import Progress

INTERVAL_S = 0.5
PATIENCE_S = 1.5

_LOG = logging.getLogger(__name__)


class Pulse:
    """A thread that beats while the `with` block works.

    `progress` is the work's callback. It only keeps the newest value (thousands of calls a second are fine) and raises
    `Cancelled` once the run should stop. Work that has not ended PATIENCE_S after it was asked to is marked cancelled,
    and `on_stubborn` is called, which ends the process.
    """

    def __init__(self, store: Store, run_id: str, *, on_stubborn: Callable[[], None] | None = None) -> None:
        self._store = store
        self._run_id = run_id
        self._on_stubborn = on_stubborn
        self._latest: Progress | None = None
        self._points: deque[Mapping[str, Any]] = deque()
        self._cancelled = threading.Event()
        self._ended = threading.Event()
        self._deadline = float("inf")
        self._thread = threading.Thread(target=self._beat, name=f"pulse-{run_id}", daemon=True)

    def progress(self, progress: Progress) -> None:
        """Keep the newest progress and its point for the next beat."""
        if self._cancelled.is_set():
            raise Cancelled
        self._latest = progress
        if progress.point is not None:
            self._points.append(progress.point)

    def __enter__(self) -> Pulse:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        self._write()

    def _beat(self) -> None:
        while not self._ended.wait(min(INTERVAL_S, max(self._deadline - time.monotonic(), 0.0))):
            self._write()
            if time.monotonic() >= self._deadline and not self._ended.is_set():
                self._give_up()
                return

    def _write(self) -> None:
        latest = self._latest
        new = [self._points.popleft() for _ in range(len(self._points))]
        share, message = (latest.share, latest.message) if latest else (None, None)
        try:
            run = update_run(self._store, self._run_id, share=share, message=message, points=new)
        except Exception:  # whatever it is: without a beat nobody could stop the work
            self._points.extendleft(reversed(new))
            _LOG.exception("The heartbeat of run %s could not be written; trying again.", self._run_id)
            return
        if not self._cancelled.is_set() and (run is None or run.cancel_requested or not run.active):
            self._deadline = time.monotonic() + self._patience(run)
            self._cancelled.set()

    def _patience(self, run: RunRecord | None) -> float:
        if self._on_stubborn is None:
            return float("inf")
        asked = run.cancel_requested if run else None
        waited = (now() - asked).total_seconds() if asked else 0.0
        return PATIENCE_S - min(max(waited, 0.0), INTERVAL_S)

    def _give_up(self) -> None:
        if self._on_stubborn is None:
            return
        try:
            cancel_run(self._store, self._run_id, message="Cancelled: the work did not stop by itself, it was ended.")
        finally:
            self._on_stubborn()
