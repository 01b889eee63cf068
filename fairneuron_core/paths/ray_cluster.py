"""Connecting to Ray, waiting for its tasks, and leaving everything as it was found."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from fairneuron_core.errors import DataError, FairNeuronError, SettingError

if TYPE_CHECKING:
    from ray import ObjectRef

NAMESPACE = "fairneuron"
REACH_SECONDS = 5.0
BEAT_SECONDS = 0.25

T = TypeVar("T")


def load_ray() -> Any:
    """Import Ray without its usage reports (SettingError when it is not installed)."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_IGNORE_UNHANDLED_ERRORS", "1")  # the first failed shard is told, once, by us
    try:
        import ray
    except ImportError as error:
        raise SettingError(
            "The engine 'ray' needs Ray, which is not installed: pip install \"fairneuron[ray]\"."
        ) from error
    return ray


@contextmanager
def connected(address: str | None, *, cpus: int | None = None) -> Iterator[Any]:
    """Give Ray with a running connection; one that is there already is used and left alone.

    address: None starts Ray on this machine with `cpus` processors and ends it afterwards; `auto`, `host:port` and
    `ray://host:port` join a running cluster and leave it. Raises SettingError when it cannot be reached.
    """
    ray = load_ray()
    if ray.is_initialized():
        yield ray
        return
    quiet = {"log_to_driver": False, "logging_level": "ERROR", "namespace": NAMESPACE}
    try:
        if address is None:
            ray.init("local", num_cpus=cpus, include_dashboard=False, **quiet)
        else:
            _require_reachable(address)
            with _one_attempt():
                ray.init(address, **quiet)
    except (ConnectionError, ValueError, RuntimeError, ImportError, TimeoutError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise SettingError(
            f"Ray at '{address or 'this machine'}' cannot be used ({reason}): start it with `ray start --head` and "
            "give its address, or leave the address empty."
        ) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _require_reachable(address: str) -> None:
    """Raise SettingError unless something listens at `host:port`: Ray itself would wait a quarter of an hour for it."""
    if address == "auto":
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        raise SettingError(f"'{address}' is no address of Ray: write auto, HOST:PORT or ray://HOST:PORT.")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=REACH_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise SettingError(
            f"No Ray can be reached at '{address}' ({error}): check that it runs (`ray status`) and that its port is "
            "open."
        ) from error


@contextmanager
def _one_attempt() -> Iterator[None]:
    """Let Ray try once (40 s) instead of 20 times when something listens at the address that is not Ray."""
    name = "RAY_gcs_server_port_wait_time_s"
    before = os.environ.get(name)
    os.environ[name] = before or "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]


class Tasks:
    """Tasks under way: their results as they finish, a beat in between, and nothing left behind after an error."""

    def __init__(self, ray: Any, beat: Any, failure: str) -> None:
        self._ray, self._beat, self._failure = ray, beat, failure
        self._open: dict[ObjectRef, Any] = {}

    def __len__(self) -> int:
        return len(self._open)

    def add(self, ref: ObjectRef, about: T) -> None:
        self._open[ref] = about

    def next(self) -> tuple[Any, Any]:
        """Wait for one task and return what it was about and its result; `beat` is called several times a second.

        Raises what the task raised, if it is for the user, or DataError; and what `beat` raises.
        """
        while True:
            done, _ = self._ray.wait(list(self._open), num_returns=1, timeout=BEAT_SECONDS)
            if done:
                about = self._open.pop(done[0])
                return about, self.result(done[0])
            self._beat()

    def result(self, ref: ObjectRef) -> Any:
        """Return the result of a finished task; its failure is told in one sentence."""
        try:
            return self._ray.get(ref)
        except self._ray.exceptions.RayError as error:
            cause = getattr(error, "cause", None)
            if isinstance(cause, FairNeuronError):
                raise cause from error
            what = type(cause or error).__name__
            reason = (str(cause or error).strip() or what).splitlines()[0]
            raise DataError(f"{self._failure} ({what}: {reason}): see the cluster's logs.") from error

    def cancel(self) -> None:
        """Stop what is under way; what has not begun never begins."""
        for ref in self._open:
            self._ray.cancel(ref)
        self._open.clear()


@contextmanager
def tasks_of(
    ray: Any, beat: Any, *, failure: str = "A part of the rows could not be sliced on the Ray cluster"
) -> Iterator[Tasks]:
    """Give an empty set of tasks, which is cancelled when its block ends early; `failure` begins what an error says."""
    tasks = Tasks(ray, beat, failure)
    try:
        yield tasks
    finally:
        tasks.cancel()


def processors(ray: Any) -> int:
    """Return how many tasks of one processor each the cluster runs at once."""
    return max(1, int(ray.cluster_resources().get("CPU", 1)))


def in_runs(items: Sequence[T], length: int) -> Iterator[Sequence[T]]:
    """Yield consecutive runs of at most `length` items."""
    for first in range(0, len(items), length):
        yield items[first : first + length]
